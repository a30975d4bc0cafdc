"""The lines of text files, of which each holds a sample, read by their numbers.

The files are scanned once for where their lines begin, and stay shut but while lines are read: no position is shared
with a forked process, and no text is kept. Knows nothing of what a line says.
"""

from __future__ import annotations

import bisect
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from recio._loader import record_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from os import stat_result

    from numpy.typing import NDArray

    from recio._loader.record_paths import Paths

T = TypeVar("T")


class Lines:
    """The lines of some files that are not blank, numbered through all of them from 0.

    Parameters
    ----------
    paths : path, list of paths, or ``'a.csv;b.csv'``
        The files; of a directory, all its files in the order of their names. UTF-8, with or without a byte order mark.
    comment : str, optional
        What begins a comment, which goes to the end of the line.
    """

    def __init__(self, paths: Paths, comment: str | None = None) -> None:
        self._comment = comment
        self._files = [
            _File(path, self._text) for given in record_paths.split_paths(paths) for path in _files(Path(given))
        ]
        self._ends = np.cumsum([len(file.starts) for file in self._files], dtype=np.int64).tolist()

    def __len__(self) -> int:
        """Count the lines."""
        return self._ends[-1] if self._ends else 0

    def __str__(self) -> str:
        """Show the files' names."""
        return ";".join(str(file.path) for file in self._files)

    @property
    def fingerprint(self) -> str:
        """Tell these texts from others: by their lengths, where they are divided into files, and their bytes."""
        contents = [(file.size, file.crc32) for file in self._files]
        files = f"{len(contents)} file{'s' * (len(contents) != 1)} of {sum(size for size, _ in contents)} bytes"
        return f"{files}, crc32 {zlib.crc32(repr(contents).encode()):08x}"

    def read(self, numbers: Iterable[int]) -> list[str]:
        """Read lines in this order, without the spaces and comments around them.

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
        """Read lines in this order and parse each.

        Raises
        ------
        ValueError
            That of `parse`, with the file and the line; and as from `read`.
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
        place = bisect.bisect_right(self._ends, number)
        return self._files[place], number - (self._ends[place - 1] if place else 0)

    def _text(self, line: bytes) -> str:
        """Give what counts of a line; of bytes that are no text, marks at which parsing fails."""
        text = line.decode("utf-8", "replace").removeprefix("\ufeff")
        return (text.partition(self._comment)[0] if self._comment else text).strip()


class _File:
    """A file, and where in it the lines that say something begin."""

    def __init__(self, path: Path, text: Callable[[bytes], str]) -> None:
        self.path = path
        with path.open("rb") as file:
            self._state = _state(path.stat())
            self.starts, self.size, self.crc32 = _scanned(file, text)

    def open(self) -> BinaryIO:
        """Open it as it was scanned."""
        if _state(self.path.stat()) != self._state:
            raise ValueError(f"{self.path} has changed since it was opened")
        return self.path.open("rb")

    def line_number(self, line: int) -> int:
        """Count, from 1 as editors do, the blank ones too."""
        start, before = self.starts[line], 0
        with self.path.open("rb") as file:
            for number, text in enumerate(file, 1):  # noqa: B007 it is what is looked for
                if before == start:
                    break
                before += len(text)
        return number


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _state(status: stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _scanned(file: BinaryIO, text: Callable[[bytes], str]) -> tuple[NDArray[np.int64], int, int]:
    """Find where the lines that say something begin; count the bytes, and sum them up."""
    starts, start, crc32 = [], 0, 0
    for line in file:
        if text(line):
            starts.append(start)
        start += len(line)
        crc32 = zlib.crc32(line, crc32)
    return np.array(starts, np.int64), start, crc32
