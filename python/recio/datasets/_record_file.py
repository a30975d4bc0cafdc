"""A record file and its index, for data sets: image records by key, and their headers without their images.

Knows what a record is, but not which of them make up a data set.
"""

from __future__ import annotations

import os
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recio import _recio
from recio._util import index_path
from recio.recordio import unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._util import StrPath
    from recio.recordio import IRHeader


class Headers(NamedTuple):
    """A column for each field of a header, an entry a record."""

    flags: NDArray[np.uint32]
    ids: NDArray[np.uint64]
    image_sizes: NDArray[np.uint32]
    """Bytes of the image; 0 if there is none."""
    labels: NDArray[np.float32]
    """Of all records, one after another: as many as the flag says, but at least one."""


class ImageRecordFile:
    """An open record file with an index.

    Parameters
    ----------
    path_imgrec : path
        The record file.
    path_imgidx : path, optional
        Its index. Default: the file beside it that ends in ``.idx``; without one, the record file is scanned.
    """

    def __init__(self, path_imgrec: StrPath, path_imgidx: StrPath | None = None) -> None:
        self.path = os.fspath(path_imgrec)
        idx = index_path(Path(self.path), path_imgidx)
        self.path_imgidx = None if idx is None else os.fspath(idx)
        self._reader = _recio.Reader(self.path)
        self._index = self._load_index()

    def _load_index(self) -> _recio.Index:
        if self.path_imgidx is not None:
            return _recio.Index(self.path_imgidx, self._reader.size)
        with tempfile.TemporaryDirectory(prefix="recio-") as folder:
            scanned = Path(folder) / "scanned.idx"
            _recio.rebuild_index(self.path, scanned)
            return _recio.Index(scanned)

    def __reduce__(self) -> tuple[Any, ...]:
        """Send the paths to another process, which opens the files anew."""
        return type(self), (self.path, self.path_imgidx)

    def keys(self) -> NDArray[np.uint64]:
        """Give the records' keys, in the order of the file; a new array."""
        return self._index.keys()

    def __contains__(self, key: int) -> bool:
        """Say whether a record has this key."""
        try:
            self._index.offset(key)
        except KeyError:
            return False
        return True

    def read(self, key: int) -> tuple[IRHeader, bytes]:
        """Read a record, taken apart.

        Raises
        ------
        recio.RecordError
            If it is damaged, or no image record.
        """
        record = self._reader.read_key(self._index, key)
        try:
            return unpack(record)
        except (struct.error, ValueError) as error:
            raise self.locate(_recio.RecordError(str(error)), key) from None

    def headers(self, keys: NDArray[np.uint64]) -> Headers:
        """Read the headers of records, whose keys all differ."""
        return Headers(*self._reader.headers(self._index, keys))

    def locate(
        self, error: _recio.RecordError | _recio.DecodeError, key: int, id_: int | None = None
    ) -> _recio.RecordError | _recio.DecodeError:
        """Give the same error with the place of the record that it is about."""
        number, offset = int(np.flatnonzero(self.keys() == key)[0]), self._index.offset(key)
        name = f"record {number}" if id_ is None else f"record {number} (id {id_})"
        located = type(error)(f"{self.path}: {name} at byte {offset}: {error}")
        located.path, located.record, located.id, located.offset = self.path, number, id_, offset
        return located
