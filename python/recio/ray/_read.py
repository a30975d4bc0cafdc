"""Reading record files as data sets of Ray."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import ray.data
from ray.data.block import BlockAccessor, BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from recio._loader.record_paths import expand, located_paths
from recio._manifest import is_manifest, load_manifest
from recio._recio import RemotePath
from recio._storage import LOCAL, index_beside, size_and_version, storage
from recio.datasets._record_file import ImageRecordFile
from recio.errors import DecodeError, RecordError
from recio.image import imdecode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from recio._loader.record_paths import Paths, RecordPath
    from recio._manifest import Shard
    from recio._storage import AnyPath, Located, Storage, StorageOptions

    Decode: TypeAlias = Literal["rgb"] | None
    Labels: TypeAlias = Literal["auto", "number", "list"]

BLOCK_BYTES = 32 << 20
"""Bytes of images in a block; Ray joins and splits blocks as it needs them."""
BYTES_DECODED = 8
"""Bytes of pixels that a byte of an image file becomes, for an estimate."""
OPENED_AT_ONCE = 16
"""Indexes that are read at once, where each waits for a store."""


class RecordFile(NamedTuple):
    """Record file, with what is known without reading its records."""

    located: Located
    idx: Located | None
    images: int | None
    """Number of images; ``None`` without an index."""
    size: int
    """Size in bytes."""


class Part(NamedTuple):
    """Images of a record file that a task reads: those from `start` to before `stop`, or all."""

    located: Located
    idx: Located | None
    start: int
    stop: int | None


class Row(NamedTuple):
    """Row of a data set."""

    id: int
    label: float | NDArray[np.float32]
    image: bytes | NDArray[np.uint8]
    path: str
    key: int


@dataclass(frozen=True)
class Columns:
    """How records become rows."""

    decode: Decode
    all_labels: bool

    def schema(self) -> pa.Schema:
        """Return the columns, with images as bytes."""
        label = pa.list_(pa.float32()) if self.all_labels else pa.float32()
        return pa.schema(
            [("id", pa.uint64()), ("label", label), ("image", pa.binary()), ("path", pa.string()), ("key", pa.uint64())]
        )


def read_records(
    paths: AnyPath | Sequence[AnyPath],
    *,
    decode: Decode = None,
    labels: Labels = "auto",
    storage_options: StorageOptions = None,
    filesystem: object = None,
    **options: Any,  # noqa: ANN401 those of another function
) -> ray.data.Dataset:
    """Read image records as a data set of Ray.

    Each file is divided by its index into several tasks. The number of rows is that of the indexes or of the manifest:
    ``count()`` reads no records. A file without an index is read by one task, and counted by reading it.

    The images of a face data set (InsightFace's layout) are read, its header record and identity records are not.

    Parameters
    ----------
    paths : path or sequence of paths
        A record file, several, a folder, a pattern, or a manifest (``train.recset.json``), as `path_imgrec` of
        `recio.io.ImageRecordIter`. Workers open the files by the same paths.
    decode : {None, 'rgb'}, default None
        Whether images are the encoded bytes, or arrays of their pixels, decoded as by `recio.image.imdecode`.
    labels : {'auto', 'number', 'list'}, default 'auto'
        Whether a label is a number, or the list of a record's labels. By default it is what the first record has.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`. They are sent to the workers, with the credentials in them; what is taken
        from environment variables must be set on each node.
    **options
        Passed to `ray.data.read_datasource`, for example `concurrency` and `override_num_blocks`.

    Returns
    -------
    ray.data.Dataset
        A row for each record: ``id`` (uint64), ``label`` (float32, or a list of them), ``image`` (bytes, or ndarray,
        shape (height, width, 3), uint8), ``path`` (of the record file, without credentials) and ``key`` (uint64).

    Raises
    ------
    ValueError
        If `decode` or `labels` is invalid, or `paths` names no file.
    RecordError
        If the first record, or an index, is damaged. While rows are read: if a record is damaged, or has several labels
        where `labels` is a number; as the cause of an exception of Ray, with the path, the record and its offset.
    DecodeError
        While rows are read: if an image cannot be decoded.
    OSError
        If a file cannot be read.
    """
    _check_choice("decode", decode, (None, "rgb"))
    _check_choice("labels", labels, ("auto", "number", "list"))
    files = _files(paths, storage(storage_options, filesystem))
    all_labels = labels == "list" or (labels == "auto" and _has_list(files))
    return ray.data.read_datasource(RecordsDatasource(files, Columns(decode, all_labels)), **options)


def _check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def _files(paths: Paths, opened_with: Storage) -> list[RecordFile]:
    sources = located_paths(paths, opened_with)
    files = [file for source in sources for file in _of_source(source)]
    if not files:
        raise ValueError(f"paths={paths!r} names no file")
    return files


def _of_source(source: Located) -> list[RecordFile]:
    """Return the record files that a path stands for."""
    path = LOCAL.path(source)
    if is_manifest(path):
        return [_of_shard(shard) for shard in load_manifest(path).shards]
    with ThreadPoolExecutor(OPENED_AT_ONCE) as pool:
        return [*pool.map(_examine, expand(source))]


def _of_shard(shard: Shard) -> RecordFile:
    # A face data set has a header record, and the records of the identities.
    images = shard.records if shard.identities is None else shard.records - shard.identities - 1
    return RecordFile(_absolute(shard.located()), _absolute(shard.idx), images, shard.bytes)


def _absolute(path: Located | Path) -> Located:
    """Return a path as workers open it, which may be in another folder."""
    return path if isinstance(path, RemotePath) else str(Path(path).absolute())


def _examine(path: RecordPath) -> RecordFile:
    """Count the images of a file by its index."""
    rec = LOCAL.path(path.rec)
    size, _ = size_and_version(rec)
    idx = index_beside(rec) if path.idx is None else path.idx
    if idx is None:
        return RecordFile(_absolute(path.rec), None, None, size)
    images = len(ImageRecordFile(path.rec).images)
    return RecordFile(_absolute(path.rec), _absolute(idx), images, size)


def _has_list(files: Sequence[RecordFile]) -> bool:
    """Return whether the first record has a list of labels."""
    for file in files:
        if file.images != 0:
            opened = ImageRecordFile(file.located, file.idx)
            if len(opened.images):
                header, _ = opened.read(int(opened.images[0]))
                return bool(header.flag)
    return False


class RecordsDatasource(Datasource):  # type: ignore[misc] # Ray is not installed where types are checked
    """Source of a data set: record files.

    Parameters
    ----------
    files : list of RecordFile
        The files, in the order of their rows.
    columns : Columns
        How records become rows.
    """

    def __init__(self, files: list[RecordFile], columns: Columns) -> None:
        super().__init__()
        self._files, self._columns = files, columns

    def estimate_inmemory_data_size(self) -> int:
        """Estimate the size of all rows, by which Ray chooses the number of tasks."""
        return sum(self._estimate(file.size) for file in self._files)

    def _estimate(self, size: int) -> int:
        return size * (BYTES_DECODED if self._columns.decode else 1)

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: object = None
    ) -> list[ReadTask]:
        """Divide the files into about `parallelism` tasks; none has records of two files."""
        del data_context
        total = sum(file.size for file in self._files)
        share = max(1, total / max(1, parallelism))
        return [
            self._task(file, part, per_task_row_limit)
            for file in self._files
            for part in _divide(file, max(1, round(file.size / share)))
        ]

    def _task(self, file: RecordFile, part: Part, row_limit: int | None) -> ReadTask:
        rows = None if part.stop is None else part.stop - part.start
        size = self._estimate(file.size if rows is None else file.size * rows // (file.images or 1))
        metadata = BlockMetadata(num_rows=rows, size_bytes=size, exec_stats=None, input_files=[str(file.located)])
        # Ray finds the type of arrays by reading some.
        schema = None if self._columns.decode else self._columns.schema()
        return ReadTask(partial(read_blocks, part, self._columns), metadata, schema, row_limit)


def _divide(file: RecordFile, pieces: int) -> list[Part]:
    if file.images is None:
        return [Part(file.located, file.idx, 0, None)]
    pieces = min(pieces, file.images)
    bounds = [file.images * number // pieces for number in range(pieces + 1)] if pieces else []
    return [Part(file.located, file.idx, start, stop) for start, stop in pairwise(bounds)]


def read_blocks(part: Part, columns: Columns) -> Iterator[pa.Table]:
    """Read the rows of a task, as tables of limited size."""
    file = ImageRecordFile(part.located, part.idx)
    rows: list[Row] = []
    size = 0
    for key, header, payload in file.read_all(file.images[part.start : part.stop]):
        try:
            image = imdecode(payload) if columns.decode else payload
            label = _labels(header.label) if columns.all_labels else _one_label(header.label)
        except (DecodeError, RecordError) as error:
            raise file.locate(error, key, header.id) from None
        rows.append(Row(header.id, label, image, file.path, key))
        size += len(image) if isinstance(image, bytes) else image.nbytes
        if size >= BLOCK_BYTES:
            yield _table(rows, columns)
            rows, size = [], 0
    if rows:
        yield _table(rows, columns)


def _labels(label: float | NDArray[np.float32]) -> NDArray[np.float32]:
    return np.atleast_1d(np.asarray(label, np.float32))


def _one_label(label: float | NDArray[np.float32]) -> float:
    found = _labels(label)
    if len(found) != 1:
        raise RecordError(f"the record has {len(found)} labels, and the column is a number: pass labels='list'")
    return float(found[0])


def _table(rows: Sequence[Row], columns: Columns) -> pa.Table:
    """Return rows as a table; arrays of pixels are tensors as Ray keeps them."""
    by_column = dict(zip(Row._fields, zip(*rows, strict=True), strict=True))
    if not columns.decode:
        return pa.table(by_column, columns.schema())
    images = np.empty(len(rows), object)
    images[:] = by_column["image"]
    tensors = BlockAccessor.batch_to_block({"image": images})
    schema = columns.schema()
    at = schema.get_field_index("image")
    fields = schema.remove(at)
    table = pa.table({name: by_column[name] for name in fields.names}, fields)
    return table.add_column(at, tensors.schema.field("image"), tensors.column("image"))
