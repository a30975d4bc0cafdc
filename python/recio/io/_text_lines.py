"""Lines of text files, each of which holds a sample.

A batch is read and parsed natively, from the position after the previous one. Lines that are not plain, such as those
with errors or with numbers like ``1_000``, are read as text and parsed in Python. The files are open only while lines
are read: no file position is shared with a forked process, and no text is kept in memory.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from recio import _recio
from recio._loader import record_paths
from recio._util import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from recio._loader.record_paths import Paths

Position: TypeAlias = tuple[int, int]
"""Index of a file, and offset in it."""
NativeSpan: TypeAlias = tuple[Position, int, int, tuple[Position, int] | None, int]
"""Position, lines and rows of a batch; position and number of the lines that fill it; bytes that are expected."""

T = TypeVar("T")
Samples = TypeVar("Samples")

_LINES_AT_ONCE = 1 << 20
"""Lines that are skipped before a signal, such as Ctrl-C, is handled."""
_CHUNK = 1 << 20
"""Bytes that a checksum is computed of at a time."""


class Span(NamedTuple):
    """Lines whose samples fill a batch."""

    first: int
    """Number of the first line."""
    lines: int
    """Number of lines; there are fewer at the end of the files."""
    rows: int
    """Number of samples of the batch, at least as many."""
    fill_lines: int
    """Number of lines from the origin on that fill the batch, repeatedly if necessary; with 0, zeros fill it."""


class _Place(NamedTuple):
    line: int
    position: Position


class Lines:
    """Lines of several files that are not blank, numbered from 0 through all files.

    Parameters
    ----------
    paths : path, list of paths, or ``'a.csv;b.csv'``
        Files, or folders, which stand for all their files, sorted by name. UTF-8, with or without a byte order mark.
    comment : str, optional
        Start of a comment, which extends to the end of the line; an ASCII character.

    Attributes
    ----------
    end : int or None
        Number of lines, if it is known: reading to the end counts them, as does ``len``.
    """

    def __init__(self, paths: Paths, comment: str | None = None) -> None:
        self._comment = comment
        files = [file for path in record_paths.split_paths(paths) for file in _files(Path(path))]
        self._files = _recio.TextFiles(files, ord(comment) if comment else None)
        self._origin = self._cursor = _Place(0, (0, 0))
        self._expected_bytes = 0
        self.end: int | None = None

    def __len__(self) -> int:
        """Return the number of lines."""
        while self.end is None:
            self._seek(self._cursor.line + _LINES_AT_ONCE)
        return self.end

    def __str__(self) -> str:
        """Return the paths of the files, separated by semicolons."""
        return ";".join(map(str, self._files.paths))

    @cached_property
    def fingerprint(self) -> str:
        """Text that identifies the content of the files: number, length and checksum."""
        self._files.check()
        contents = [_size_and_crc32(path) for path in self._files.paths]
        files = f"{len(contents)} file{'s' * (len(contents) != 1)} of {sum(size for size, _ in contents)} bytes"
        return f"{files}, crc32 {zlib.crc32(repr(contents).encode()):08x}"

    def set_origin(self, number: int) -> None:
        """Set the line that epochs start from, which is found at once from then on."""
        self._origin = _Place(number, self._seek(number))

    def read_dense(
        self, span: Span, width: int, dtype: np.dtype[Any], are_labels: bool, parse: Callable[[str], T]
    ) -> tuple[NDArray[Any] | list[T], int]:
        """Read rows of `width` numbers that are separated by commas.

        Returns
        -------
        rows : ndarray of shape (span.rows, width), or list
            The rows; if a line is not plain, those that `parse` returned.
        lines : int
            Number of lines that were read, but for those that fill the batch.

        Raises
        ------
        ValueError
            If `parse` raises it, with the file and the line; if a file has changed since it was opened.
        """
        return self._read(span, lambda native: self._files.read_dense(native, width, dtype.str, are_labels), parse)

    def read_sparse(
        self, span: Span, width: int, parse: Callable[[str], T]
    ) -> tuple[tuple[NDArray[Any], ...] | list[T], int]:
        """Read labels, and rows of a sparse matrix: starts of the rows, columns and values; as `read_dense`."""
        return self._read(span, lambda native: self._files.read_sparse(native, width), parse)

    def _read(
        self,
        span: Span,
        read: Callable[[NativeSpan], tuple[Samples | None, int, Position]],
        parse: Callable[[str], T],
    ) -> tuple[Samples | list[T], int]:
        start = self._seek(span.first)
        fill = (self._origin.position, span.fill_lines) if span.fill_lines else None
        samples, lines, end = read((start, span.lines, span.rows, fill, self._expected_bytes))
        self._move(_Place(span.first + lines, end), is_end=lines < span.lines)
        if start[0] == end[0]:
            # Lines differ in length: usually a sixteenth more is enough for the next batch.
            self._expected_bytes = (end[1] - start[1]) * 17 // 16
        return (self._parse(span, start, lines, parse) if samples is None else samples), lines

    def _parse(self, span: Span, start: Position, lines: int, parse: Callable[[str], T]) -> list[T]:
        samples = [self._parse_line(*line, parse) for line in self._files.read(start, lines)]
        missing = span.rows - lines
        filling = self._files.read(self._origin.position, min(missing, span.fill_lines))
        fill = [self._parse_line(*line, parse) for line in filling]
        return samples + [fill[index % len(fill)] for index in range(missing if fill else 0)]

    def _parse_line(self, position: Position, line: bytes, parse: Callable[[str], T]) -> T:
        try:
            return parse(self._text(line))
        except ValueError as error:
            path = self._files.paths[position[0]]
            raise ValueError(f"{path}, line {_line_number(path, position[1])}: {error}") from None

    def _seek(self, number: int) -> Position:
        """Return the position of a line; that of the end if there are fewer."""
        if self._cursor.line > number:
            self._cursor = self._origin
        while self._cursor.line < number and self._cursor.line != self.end:
            wanted = min(number - self._cursor.line, _LINES_AT_ONCE)
            lines, position = self._files.skip(self._cursor.position, wanted)
            self._move(_Place(self._cursor.line + lines, position), is_end=lines < wanted)
        return self._cursor.position

    def _move(self, place: _Place, is_end: bool) -> None:
        self._cursor = place
        if is_end:
            self.end = place.line

    def _text(self, line: bytes) -> str:
        """Return a line without comment and surrounding spaces; invalid UTF-8 becomes marks at which parsing fails."""
        text = line.decode("utf-8", "replace").removeprefix("\ufeff")
        return (text.partition(self._comment)[0] if self._comment else text).strip()


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


def _size_and_crc32(path: Path) -> tuple[int, int]:
    size, crc32 = 0, 0
    with open_regular(path) as file:
        while chunk := file.read(_CHUNK):
            size, crc32 = size + len(chunk), zlib.crc32(chunk, crc32)
    return size, crc32


def _line_number(path: Path, start: int) -> int:
    """Return the number of the line that begins at an offset, from 1 and with blank lines counted, as in editors."""
    before = 0
    with open_regular(path) as file:
        for number, line in enumerate(file, 1):  # noqa: B007 it is the result
            if before == start:
                break
            before += len(line)
    return number
