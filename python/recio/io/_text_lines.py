"""Random access to the lines of text files, each of which holds a sample.

The files are scanned once for the offsets of their lines. They are open only while lines are read: no file position is
shared with a forked process, and no text is kept in memory.
"""

from __future__ import annotations

import bisect
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from recio._loader import record_paths
from recio._util import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from os import stat_result

    from numpy.typing import NDArray

    from recio._loader.record_paths import Paths

T = TypeVar("T")


class Lines:
    """Lines of several files that are not blank, numbered from 0 through all files.

    Parameters
    ----------
    paths : path, list of paths, or ``'a.csv;b.csv'``
        Files, or folders, which stand for all their files, sorted by name. UTF-8, with or without a byte order mark.
    comment : str, optional
        Start of a comment, which extends to the end of the line.
    """

    def __init__(self, paths: Paths, comment: str | None = None) -> None:
        self._comment = comment
        files = [file for path in record_paths.split_paths(paths) for file in _files(Path(path))]
        self._files = [_File(file, self._text) for file in files]
        self._ends = np.cumsum([len(file.starts) for file in self._files], dtype=np.int64).tolist()

    def __len__(self) -> int:
        """Return the number of lines."""
        return self._ends[-1] if self._ends else 0

    def __str__(self) -> str:
        """Return the paths of the files, separated by semicolons."""
        return ";".join(str(file.path) for file in self._files)

    @property
    def fingerprint(self) -> str:
        """Text that identifies the content of the files: number, length and checksum."""
        contents = [(file.size, file.crc32) for file in self._files]
        files = f"{len(contents)} file{'s' * (len(contents) != 1)} of {sum(size for size, _ in contents)} bytes"
        return f"{files}, crc32 {zlib.crc32(repr(contents).encode()):08x}"

    def read(self, numbers: Iterable[int]) -> list[str]:
        """Read lines in the given order, without surrounding spaces and comments.

        Raises
        ------
        ValueError
            If a file has changed since it was scanned.
        """
        with ExitStack() as stack:
            opened: dict[_File, BinaryIO] = {}
            texts = []
            for file, line in map(self._find, numbers):
                if file not in opened:
                    opened[file] = stack.enter_context(file.open())
                opened[file].seek(file.starts[line])
                texts.append(self._text(opened[file].readline()))
        return texts

    def parse(self, numbers: Sequence[int], parse: Callable[[str], T]) -> list[T]:
        """Read lines in the given order and parse each.

        Raises
        ------
        ValueError
            If `parse` raises it, with the file and the line; and as for `read`.
        """
        parsed = []
        for number, text in zip(numbers, self.read(numbers), strict=True):
            try:
                parsed.append(parse(text))
            except ValueError as error:
                file, line = self._find(number)
                raise ValueError(f"{file.path}, line {file.line_number(line)}: {error}") from None
        return parsed

    def _find(self, number: int) -> tuple[_File, int]:
        index = bisect.bisect_right(self._ends, number)
        return self._files[index], number - (self._ends[index - 1] if index else 0)

    def _text(self, line: bytes) -> str:
        """Return a line without comment and surrounding spaces; invalid UTF-8 becomes marks at which parsing fails."""
        text = line.decode("utf-8", "replace").removeprefix("\ufeff")
        return (text.partition(self._comment)[0] if self._comment else text).strip()


class _File:
    """A file, and the offsets of its lines that are not blank."""

    def __init__(self, path: Path, text: Callable[[bytes], str]) -> None:
        self.path = path
        with open_regular(path) as file:
            self._state = _state(path.stat())
            self.starts, self.size, self.crc32 = _scanned(file, text)

    def open(self) -> BinaryIO:
        """Open the file, after checking that it has not changed since it was scanned."""
        if _state(self.path.stat()) != self._state:
            raise ValueError(f"{self.path} has changed since it was opened")
        return open_regular(self.path)

    def line_number(self, line: int) -> int:
        """Return the number of a line, from 1 and with blank lines counted, as in editors."""
        start, before = self.starts[line], 0
        with open_regular(self.path) as file:
            for number, text in enumerate(file, 1):  # noqa: B007 it is the result
                if before == start:
                    break
                before += len(text)
        return number


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _state(status: stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _scanned(file: BinaryIO, text: Callable[[bytes], str]) -> tuple[NDArray[np.int64], int, int]:
    """Return the offsets of lines that are not blank, the size of the file, and its CRC-32."""
    starts, start, crc32 = [], 0, 0
    for line in file:
        if text(line):
            starts.append(start)
        start += len(line)
        crc32 = zlib.crc32(line, crc32)
    return np.array(starts, np.int64), start, crc32
