"""Record files with their indexes, as the data sets read them: image records by number, and headers without images."""

from __future__ import annotations

import errno
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from recio import _recio
from recio._loader import record_paths
from recio._manifest import is_manifest, load_manifest
from recio._recio import RemotePath
from recio._storage import LOCAL, Storage, index_beside, is_url
from recio._util import FLOAT32_EXACT
from recio.datasets import _classes
from recio.recordio import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from recio._storage import AnyPath, Located
    from recio.recordio import IRHeader


class Headers(NamedTuple):
    """Headers of many records: an array for each field, with an entry for each record."""

    flags: NDArray[np.uint32]
    ids: NDArray[np.uint64]
    image_sizes: NDArray[np.uint32]
    """Sizes of the images in bytes; 0 if there is none."""
    labels: NDArray[np.float32]
    """Labels of all records, concatenated: of each as many as its flag, but at least one."""
    are_usual: NDArray[np.bool_]
    """Whether the header is the one that `recio.recordio.pack` makes of the labels and the id."""


class ImageRecordFile:
    """Open record file with an index.

    Parameters
    ----------
    located : str or RemotePath
        The record file.
    index : str or RemotePath, optional
        Its index. Default: the ``.idx`` beside it; without one, the record file is scanned.
    by_key : bool, default False
        Whether the images of a face data set are in the order of their keys, not in that of the file.
    shared : bool, default False
        Whether a local file is closed in favor of others until it is read again.
    """

    def __init__(
        self, located: Located, index: Located | None = None, *, by_key: bool = False, shared: bool = False
    ) -> None:
        self.located = located
        self.path = str(located)
        """Path for messages: a URL without credentials."""
        self._reader, self._shared = _recio.Reader(located, shared), shared
        self.located_index = _located_index(located) if index is None else index
        self._by_key = by_key
        self._index = self._load_index()
        layout = self._reader.face_set(self._index)
        self._contradiction = layout if isinstance(layout, str) else None
        self.identities = layout[1] if isinstance(layout, tuple) else None
        """Keys of the identity records, ascending, if the file is a face data set."""
        self.images = self._ordered(layout[0]) if isinstance(layout, tuple) else self._index.keys()
        """Keys of the images of a face data set, or of all records of another file."""

    def check_layout(self) -> None:
        """Check that the header record of a face data set matches the other records.

        Raises
        ------
        recio.RecordError
            If it does not.
        """
        if self._contradiction is not None:
            raise self.locate(_recio.RecordError(self._contradiction), 0)

    @property
    def has_exact_identities(self) -> bool:
        """Whether there are identity records whose labels, which are float32, are exact keys."""
        return bool(self.identities is not None and len(self.identities) and self.identities[0] <= FLOAT32_EXACT)

    def _load_index(self) -> _recio.Index:
        if self.located_index is not None:
            return _recio.Index(self.located_index, self._reader)
        return _recio.Index.scan(self._reader)

    def _ordered(self, images: NDArray[np.uint64]) -> NDArray[np.uint64]:
        if self._by_key:
            return images
        keys = self._index.keys()
        return keys[np.isin(keys, images)]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the paths; the copy opens the files again."""
        return _open_file, (self.located, self.located_index, self._by_key, self._shared)

    def read(self, key: int) -> tuple[IRHeader, bytes]:
        """Read a record, and unpack its header and payload.

        Raises
        ------
        recio.RecordError
            If the record is damaged, or no image record.
        """
        return self._unpack(self._reader.read_key(self._index, key), key)

    def _unpack(self, record: bytes, key: int) -> tuple[IRHeader, bytes]:
        try:
            return unpack(record)
        except (struct.error, ValueError) as error:
            raise self.locate(_recio.RecordError(str(error)), key) from None

    def read_all(self, keys: NDArray[np.uint64]) -> Iterator[tuple[int, IRHeader, bytes]]:
        """Read many records, each with its key: of neighbors, a store is asked for many at once.

        Raises
        ------
        recio.RecordError
            If a record is damaged, or no image record.
        """
        for key in keys.tolist():
            yield (key, *self._unpack(self._read_next(key), key))

    def _read_next(self, key: int) -> bytes:
        offset = self._index.offset(key)
        if self._reader.tell() != offset:
            self._reader.seek(offset)
        try:
            record = self._reader.read()
        except _recio.RecordError:
            record = None
        # Of a damaged record, this knows the number.
        return self._reader.read_key(self._index, key) if record is None else record

    def headers(self, keys: NDArray[np.uint64]) -> Headers:
        """Read the headers of records; their keys must be unique."""
        return Headers(*self._reader.headers(self._index, keys))

    def identity_ranges(self) -> NDArray[np.uint64]:
        """Read from the identity records the keys of each identity's first image and after its last.

        Returns
        -------
        ndarray, shape (identities, 2), uint64
            The ranges, none for a plain record file.
        """
        return np.array(self._reader.identity_ranges(self._index), np.uint64).reshape(-1, 2)

    def locate(
        self, error: _recio.RecordError | _recio.DecodeError, key: int, id_: int | None = None
    ) -> _recio.RecordError | _recio.DecodeError:
        """Return the error with the file, number and offset of the record it concerns."""
        number, offset = int(np.flatnonzero(self._index.keys() == key)[0]), self._index.offset(key)
        name = f"record {number}" if id_ is None else f"record {number} (id {id_})"
        located = type(error)(f"{self.path}: {name} at byte {offset}: {error}")
        located.path, located.record, located.id, located.offset = self.path, number, id_, offset
        return located


def _located_index(rec: Located) -> Located | None:
    """Return the index beside a record file, if there is one."""
    idx = index_beside(rec if isinstance(rec, RemotePath) else Path(rec))
    return str(idx) if isinstance(idx, Path) else idx


def _open_file(located: Located, index: Located | None, by_key: bool, shared: bool) -> ImageRecordFile:
    return ImageRecordFile(located, index, by_key=by_key, shared=shared)


def _open_all(paths: Sequence[record_paths.RecordPath], *, by_key: bool) -> list[ImageRecordFile]:
    """Open record files; those in stores many at a time, as each waits for its store most of the time."""
    shared = len(paths) > MAX_OPEN

    def open_one(path: record_paths.RecordPath) -> ImageRecordFile:
        return ImageRecordFile(path.rec, path.idx, by_key=by_key, shared=shared)

    if len(paths) == 1 or not any(isinstance(path.rec, RemotePath) for path in paths):
        return [open_one(path) for path in paths]
    with ThreadPoolExecutor(_MAX_THREADS, thread_name_prefix="recio-open") as threads:
        return list(threads.map(open_one, paths))


MAX_OPEN = 128
"""Local files of a data set that each hold their file open."""
_MAX_THREADS = 64
_ONE = (str, os.PathLike, RemotePath)


def _is_several(paths: str, storage: Storage) -> bool:
    """Return whether a string is several paths, as iterators take them, and no path that has a semicolon."""
    first, separator, second = paths.partition(";")
    if is_url(first) or storage.filesystem is not None:
        return is_url(second)
    return bool(separator) and not Path(paths).exists()


class ImageRecords:
    """Image records of one or several open files, numbered from 0.

    Parameters
    ----------
    files : sequence of ImageRecordFile
        The files, in the order of their records.
    manifest : str or RemotePath, optional
        The manifest that names them.
    """

    def __init__(self, files: Sequence[ImageRecordFile], manifest: Located | None = None) -> None:
        self.files, self._manifest = list(files), manifest
        self._starts = np.cumsum([0, *(len(file.images) for file in self.files)])

    @classmethod
    def open(
        cls,
        path_imgrec: AnyPath | Sequence[AnyPath],
        path_imgidx: AnyPath | Sequence[AnyPath] | None,
        storage: Storage,
        *,
        by_key: bool = False,
    ) -> Self:
        """Open one or several record files, each with its index; a path may stand for several, as for iterators.

        Raises
        ------
        ValueError
            If there is no record file, or not one index for each.
        """
        recs = [path_imgrec] if isinstance(path_imgrec, _ONE) else list(path_imgrec)
        idxs = [path_imgidx] if isinstance(path_imgidx, _ONE) else path_imgidx
        if isinstance(path_imgrec, str) and _is_several(path_imgrec, storage):
            shown = ";".join(map(str, storage.locate_all(path_imgrec.split(";"))))
            raise FileNotFoundError(
                errno.ENOENT, f"{os.strerror(errno.ENOENT)}; pass several record files as a list", shown
            )
        if not recs:
            raise ValueError("path_imgrec names no file")
        if idxs is not None and len(idxs) != len(recs):
            raise ValueError(f"path_imgidx must name one index for each of {len(recs)} record files, got {len(idxs)}")
        located = storage.locate_all(recs)
        if idxs is None:
            # A folder without record files is no record file.
            paths = [path for one in located for path in record_paths.expand(one) or [record_paths.RecordPath(one)]]
        else:
            paths = list(map(record_paths.RecordPath, located, storage.locate_all(idxs)))
        manifests = [path for path in located if is_manifest(LOCAL.path(path))]
        return cls(_open_all(paths, by_key=by_key), manifests[0] if len(located) == len(manifests) == 1 else None)

    def __len__(self) -> int:
        """Count the records."""
        return int(self._starts[-1])

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the files, which are opened again."""
        return type(self), (self.files, self._manifest)

    def classes(self) -> list[str] | None:
        """Read the names of the classes, in the manifest or beside the files; ``None`` if there are none.

        Raises
        ------
        ValueError
            As from `_classes.read`.
        """
        if self._manifest is not None:
            path = self._manifest if isinstance(self._manifest, RemotePath) else Path(self._manifest)
            return load_manifest(path).classes
        return _classes.read([file.located for file in self.files])

    def find(self, number: int) -> tuple[ImageRecordFile, int]:
        """Return the file and the key of a record."""
        row = int(np.searchsorted(self._starts, number, "right")) - 1
        file = self.files[row]
        return file, int(file.images[number - int(self._starts[row])])

    def keys(self) -> NDArray[np.uint64]:
        """Return the keys of all records, in their files."""
        return np.concatenate([file.images for file in self.files])

    def headers(self, numbers: NDArray[np.intp] | None = None) -> Headers:
        """Read the headers of records, by default of all; their numbers must ascend."""
        parts = []
        for row, file in enumerate(self.files):
            keys = file.images
            if numbers is not None:
                start, end = self._starts[row : row + 2]
                first, last = np.searchsorted(numbers, [start, end])
                keys = keys[numbers[first:last] - start]
            parts.append(file.headers(keys))
        return Headers(*map(np.concatenate, zip(*parts, strict=True)))
