"""Record file with an index, as the data sets read it: image records by key, and headers without images."""

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
    """Headers of many records: an array for each field, with an entry for each record."""

    flags: NDArray[np.uint32]
    ids: NDArray[np.uint64]
    image_sizes: NDArray[np.uint32]
    """Sizes of the images in bytes; 0 if there is none."""
    labels: NDArray[np.float32]
    """Labels of all records, concatenated: of each as many as its flag, but at least one."""


class ImageRecordFile:
    """Open record file with an index.

    Parameters
    ----------
    path_imgrec : path
        The record file.
    path_imgidx : path, optional
        Its index. Default: the ``.idx`` beside it; without one, the record file is scanned.
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
        """Pickle the paths; the copy opens the files again."""
        return type(self), (self.path, self.path_imgidx)

    def keys(self) -> NDArray[np.uint64]:
        """Return the records' keys in the order of the file, as a new array."""
        return self._index.keys()

    def __contains__(self, key: int) -> bool:
        """Check whether a record has this key."""
        try:
            self._index.offset(key)
        except KeyError:
            return False
        return True

    def read(self, key: int) -> tuple[IRHeader, bytes]:
        """Read a record, and unpack its header and payload.

        Raises
        ------
        recio.RecordError
            If the record is damaged, or no image record.
        """
        record = self._reader.read_key(self._index, key)
        try:
            return unpack(record)
        except (struct.error, ValueError) as error:
            raise self.locate(_recio.RecordError(str(error)), key) from None

    def headers(self, keys: NDArray[np.uint64]) -> Headers:
        """Read the headers of records; their keys must be unique."""
        return Headers(*self._reader.headers(self._index, keys))

    def locate(
        self, error: _recio.RecordError | _recio.DecodeError, key: int, id_: int | None = None
    ) -> _recio.RecordError | _recio.DecodeError:
        """Return the error with the file, number and offset of the record it concerns."""
        number, offset = int(np.flatnonzero(self.keys() == key)[0]), self._index.offset(key)
        name = f"record {number}" if id_ is None else f"record {number} (id {id_})"
        located = type(error)(f"{self.path}: {name} at byte {offset}: {error}")
        located.path, located.record, located.id, located.offset = self.path, number, id_, offset
        return located
