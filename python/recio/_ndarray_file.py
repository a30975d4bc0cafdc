"""MXNet's NDArray files: dense arrays, with or without names.

A file is a magic number, 0 and the number of arrays, 64 bits each; the arrays, each with a header; the number of names,
and each name after its length. (``NDArray::Save`` of MXNet 1.9.1, src/ndarray/ndarray.cc.)
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._atomic import atomic_write
from recio._util import read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recio._util import StrPath

_LIST_MAGIC = 0x112
_MAGIC = 0xF993FAC9
# With 0-d arrays, and without a storage type.
_NUMPY_MAGIC, _OLD_MAGIC = 0xF993FACA, 0xF993FAC8
_CPU = 1
_DTYPES = [np.dtype(name) for name in ("<f4", "<f8", "<f2", "u1", "<i4", "i1", "<i8", "?")]
"""Types by their numbers."""
_MAX_AXES = 32


def write_arrays(path: StrPath, arrays: Sequence[NDArray[Any]], names: Sequence[str] = ()) -> None:
    """Write arrays to a file, atomically.

    Raises
    ------
    ValueError
        If the type of an array does not exist in MXNet, or an array has no axes.
    """
    content = [struct.pack("<QQQ", _LIST_MAGIC, 0, len(arrays)), *map(_packed, arrays)]
    content.append(struct.pack("<Q", len(names)))
    for name in names:
        encoded = name.encode()
        content.append(struct.pack("<Q", len(encoded)) + encoded)
    with atomic_write(Path(path)) as file:
        file.write(b"".join(content))


def _packed(array: NDArray[Any]) -> bytes:
    little = array.dtype.newbyteorder("<")
    if little not in _DTYPES or array.ndim == 0:
        raise ValueError(f"an array must have axes and a type of MXNet's, got {array.dtype} with {array.ndim} axes")
    header = struct.pack(f"<IiI{array.ndim}q", _MAGIC, 0, array.ndim, *array.shape)
    return header + struct.pack("<iii", _CPU, 0, _DTYPES.index(little)) + array.astype(little).tobytes()


def read_arrays(path: StrPath) -> tuple[list[NDArray[Any]], list[str]]:
    """Read the arrays of a file, and their names if they have some.

    Raises
    ------
    ValueError
        If it is not an NDArray file, is damaged, or holds sparse arrays; the message names the file.
    """
    data = read_bytes(path)
    try:
        return parse_arrays(data)
    except (struct.error, ValueError) as error:
        raise ValueError(f"{path}: not an NDArray file of MXNet's: {error}") from None


def parse_arrays(data: bytes) -> tuple[list[NDArray[Any]], list[str]]:
    """Parse the content of a file; see `read_arrays`.

    Raises
    ------
    ValueError, struct.error
        If it is not an NDArray file, or damaged.
    """
    reader = _Reader(data)
    magic, _, count = reader.numbers("<QQQ")
    if magic != _LIST_MAGIC:
        raise ValueError(f"it must begin with {_LIST_MAGIC:#x}, got {magic:#x}")
    # Not a list of a length that the file claims: the content ends before that.
    arrays: list[NDArray[Any]] = []
    while len(arrays) < count:
        arrays.append(_array(reader))
    (named,) = reader.numbers("<Q")
    if named not in (0, count):
        raise ValueError(f"it has {count} arrays, but {named} names")
    return arrays, [reader.take(*reader.numbers("<Q")).decode() for _ in range(named)]


class _Reader:
    """Position in the content of a file."""

    def __init__(self, data: bytes) -> None:
        self._data, self._offset = data, 0

    def numbers(self, layout: str) -> tuple[int, ...]:
        """Return the next numbers."""
        values = struct.unpack_from(layout, self._data, self._offset)
        self._offset += struct.calcsize(layout)
        return values

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        end = self._offset + size
        if end > len(self._data):
            raise ValueError(f"it has {len(self._data)} bytes, but needs {end}")
        taken = self._data[self._offset : end]
        self._offset = end
        return taken


def _array(reader: _Reader) -> NDArray[Any]:
    shape = _shape(reader)
    _, _, number = reader.numbers("<iii")
    if not 0 <= number < len(_DTYPES):
        raise ValueError(f"an array has the unknown type {number}")
    dtype = _DTYPES[number]
    return np.frombuffer(reader.take(math.prod(shape) * dtype.itemsize), dtype).reshape(shape).copy()


def _shape(reader: _Reader) -> tuple[int, ...]:
    """Read the shape at the start of an array's header, of which there have been three forms."""
    (magic,) = reader.numbers("<I")
    if magic in (_MAGIC, _NUMPY_MAGIC):
        (storage,) = reader.numbers("<i")
        if storage != 0:
            raise ValueError(f"an array must be dense, got storage type {storage}")
    has_magic = magic in (_MAGIC, _NUMPY_MAGIC, _OLD_MAGIC)
    (axes,) = reader.numbers("<I") if has_magic else (magic,)
    if not 0 < axes <= _MAX_AXES:
        raise ValueError(f"an array must have 1 to {_MAX_AXES} axes, got {axes}")
    shape = reader.numbers(f"<{axes}{'q' if has_magic else 'I'}")
    if min(shape) < 0:
        raise ValueError(f"an array has the shape {shape}")
    return shape
