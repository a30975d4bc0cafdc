"""Rows: what all formats have of an image, and how it becomes an image record."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

import numpy as np

from recio.convert._rest import Rest
from recio.errors import RecordError

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADER = struct.Struct("<IfQQ")
MAX_KEY = (1 << 64) - 1
RENUMBER = "--renumber (renumber=True) numbers all images from 0"
"""Advice where the numbers in names are no keys."""


class Row(NamedTuple):
    """Image with its labels and numbers.

    Attributes
    ----------
    key : int
        The key of the record in the index; it becomes the name of the image.
    id : int
        The id in the header of the record, usually equal to the key.
    labels : ndarray, shape (labels,), float32
        The labels, at least one.
    image : bytes
        The bytes of the image file.
    rest : str or None
        JSON of what a record file has here besides: a header that the other fields do not determine, and records
        without an image before or after this one. Most rows have none.
    """

    key: int
    id: int
    labels: NDArray[np.float32]
    image: bytes
    rest: str | None = None

    def header(self) -> bytes:
        """Return the header of the record: that of `rest`, unless it has another id or other labels."""
        original = None if self.rest is None else Rest.parse(self.rest).header
        if original is not None:
            id_, labels = parse_header(original)
            if id_ == self.id and np.array_equal(labels, self.labels, equal_nan=True):
                return original
        return usual_header(self.id, self.labels)


def usual_header(id_: int, labels: NDArray[np.float32]) -> bytes:
    """Return the header that `recio.recordio.pack` makes, with the one NaN that numbers in text become."""
    if np.isnan(labels).any():
        labels = np.where(np.isnan(labels), np.float32(np.nan), labels)
    if len(labels) == 1:
        return b"\0\0\0\0" + labels.tobytes() + struct.pack("<QQ", id_, 0)
    return HEADER.pack(len(labels), 0, id_, 0) + labels.tobytes()


def parse_header(record: bytes) -> tuple[int, NDArray[np.float32]]:
    """Return the id and the labels of a record.

    Raises
    ------
    RecordError
        If it is too short for its header.
    """
    if len(record) < HEADER.size:
        raise RecordError(f"{len(record)} bytes are too short for an image record's header of {HEADER.size}")
    flag, _, id_, _ = HEADER.unpack_from(record)
    if flag > (len(record) - HEADER.size) // 4:
        raise RecordError(f"the header claims {flag} labels, but {len(record) - HEADER.size} bytes follow it")
    return id_, np.frombuffer(record, "<f4", flag or 1, HEADER.size if flag else 4)


def header_length(record: bytes) -> int:
    """Return where the image begins in a record whose header is complete."""
    return HEADER.size + 4 * int.from_bytes(record[:4], "little")


_SUFFIXES = (
    (re.compile(rb"\xff\xd8\xff"), "jpg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"BM"), "bmp"),
    (re.compile(rb"II[*+]\0|MM\0[*+]"), "tif"),
)
FORMATS = {"jpg": "jpeg", "tif": "tiff"}
"""Names of formats that differ from the suffixes of their files."""


def is_uint64(value: object) -> TypeGuard[int]:
    """Return whether a value of a file can be a key or an id."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_KEY


def suffix_of(image: bytes) -> str:
    """Return the suffix of the file of an image, by its first bytes; ``'bin'`` if they are of no known format."""
    return next((suffix for start, suffix in _SUFFIXES if start.match(image)), "bin")


def file_name(row: Row) -> str:
    """Return the name of the image's file: the key in nine digits, and the suffix."""
    return f"{row.key:09d}.{suffix_of(row.image)}"


def damage(path: object, reason: str, record: int | None = None, offset: int | None = None) -> RecordError:
    """Make the error for a damaged file, with the record and the byte offset, as far as they are known."""
    parts = ([] if record is None else [f"record {record}"]) + ([] if offset is None else [f"at byte {offset}"])
    where = f"{path}: {' '.join(parts)}" if parts else f"{path}"
    error = RecordError(f"{where}: {reason}")
    error.path, error.record, error.offset, error.reason = str(path), record, offset, reason
    return error


class Numbering:
    """Keys of rows: the numbers in the names of the images or, if the first name is none, those from 0.

    Parameters
    ----------
    renumber : bool
        Whether the keys are 0, 1, 2 … whatever the names.
    """

    def __init__(self, *, renumber: bool) -> None:
        self._next = 0
        self._by_name = False if renumber else None

    def key(self, name: str | None) -> int:
        """Return the key of the next row.

        Parameters
        ----------
        name : str or None
            Name or path of the image, if it has one.

        Raises
        ------
        ValueError
            If the name is no number, but those before it are.
        """
        number = None if name is None else _number_in(name)
        if self._by_name is None:
            self._by_name = number is not None
        if not self._by_name:
            self._next += 1
            return self._next - 1
        if number is None:
            raise ValueError(f"the name {name!r:.100} is no number, and those before it are: {RENUMBER}")
        return number


def _number_in(name: str) -> int | None:
    """Return the number that a path's last component is, up to its first dot; ``None`` if it is none."""
    stem = name.rpartition("/")[2].partition(".")[0]
    number = int(stem) if re.fullmatch(r"[0-9]{1,20}", stem, re.ASCII) else MAX_KEY + 1
    return number if number <= MAX_KEY else None
