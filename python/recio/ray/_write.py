"""Writing data sets of Ray as sets of shards."""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from ray.data.block import BlockAccessor
from ray.data.datasource import Datasink

from recio._loader import validate
from recio._manifest import remove_shard
from recio._storage import storage
from recio.files import ShardWriter
from recio.image import imencode
from recio.ray._staging import Staging
from recio.recordio import IRHeader, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    from ray.data import Dataset
    from ray.data.datasource import WriteResult

    from recio._storage import AnyPath, StorageOptions
    from recio.files import Manifest, Shard

NEW_IDS = 1 << 32
"""Ids of a task where the data set has none: the first is its number times this."""
ROOM = 128 << 20
"""Bytes that a task may get beyond those that it asks for: Ray gives it whole blocks."""


def write_records(
    dataset: Dataset,
    path: AnyPath,
    *,
    image: str = "image",
    label: str | None = "label",
    id: str | None = "id",
    shard_size: int = 1 << 30,
    checksum: bool = False,
    quality: int = 95,
    encoding: Literal[".jpg", ".png"] = ".jpg",
    classes: Sequence[str] | None = None,
    storage_options: StorageOptions = None,
    **options: Any,  # noqa: ANN401 those of another function
) -> Manifest:
    """Write a data set of Ray as a set of shards: record files with their indexes, and the manifest.

    Workers write the shards, each complete or not at all. The manifest ``PATH.recset.json`` is written when all rows
    are: until then the shards have other names. If a task or its node fails, Ray repeats the task; each row is in the
    set once. If the write fails, or is interrupted, all its files are removed. An older set of the same path is
    replaced.

    Parameters
    ----------
    dataset : ray.data.Dataset
        The data set.
    path : path
        Beginning of the paths: ``PATH.recset.json`` and ``PATH_00000.rec``, ``PATH_00001.rec`` and so on; in a store,
        the shards are in ``PATH_ID/``. Local paths must be in a file system that all nodes share.
    image : str, default 'image'
        Column of the images: the bytes of image files, which are written unchanged; or arrays of uint8, shape
        (height, width, 3), RGB, or (height, width), which are encoded.
    label : str or None, default 'label'
        Column of the labels: a number, or an array or list of numbers. ``None`` writes the label 0.
    id : str or None, default 'id'
        Column of the ids, integers from 0 to 2**64 - 1. ``None`` gives each row a new one; they are unique, but not
        consecutive.
    shard_size : int, default 2**30
        Largest size of a shard in bytes. A record that is larger has a shard of its own. Before Ray 2.60, a shard has
        the rows of one block at most, 128 MiB by default.
    checksum : bool, default False
        Whether to write a ``.rsum`` for each shard too: a checksum of each record.
    quality : int in [1, 100], default 95
        JPEG quality of arrays; for PNG the zlib level, from 1 to 9. Larger values, such as the default, are level 3.
    encoding : {'.jpg', '.png'}, default '.jpg'
        Format in which arrays are encoded.
    classes : sequence of str, optional
        Names of the labels 0, 1, 2 …, for the manifest.
    storage_options
        As for `recio.io.ImageRecordIter`, for `path`. They are sent to the workers, with the credentials in them.
    **options
        Passed to ``write_datasink``, for example `concurrency`.

    Returns
    -------
    Manifest
        The shards. Their order is that of Ray's tasks; with ``execution_options.preserve_order`` of the
        ``DataContext``, it is that of the data set. The keys are consecutive: 0, 1, 2 … through all shards.

    Raises
    ------
    ValueError
        If an argument is invalid, the data set has no rows, or a row cannot be written: a column is missing, a label is
        not exact as float32, an id is out of range.
    TypeError
        If the values of a column have another type.
    OSError
        If a file cannot be written.
    """
    if shard_size < 1:
        raise ValueError(f"shard_size must be at least 1, got {shard_size}")
    if encoding not in (".jpg", ".png"):
        raise ValueError(f"encoding must be one of '.jpg', '.png', got {encoding!r}")
    rows = RowFormat(image, label, id, _checked_quality(quality), encoding)
    staging = Staging(storage(storage_options, None).path(path))
    sink = RecordsDatasink(staging, rows, shard_size, checksum=validate.flag("checksum", checksum))
    try:
        staging.begin()
        dataset.write_datasink(sink, **options)
        return staging.commit(sink.shards, classes)
    except BaseException:
        staging.discard()
        raise


def _checked_quality(quality: int) -> int:
    if not 1 <= validate.integer("quality", quality) <= 100:  # noqa: PLR2004 JPEG's
        raise ValueError(f"quality must be from 1 to 100, got {quality}")
    return quality


@dataclass(frozen=True)
class RowFormat:
    """How rows become records: the names of columns, and how arrays are encoded."""

    image: str
    label: str | None
    id: str | None
    quality: int
    encoding: Literal[".jpg", ".png"]

    def record(self, row: dict[str, Any], new_id: int) -> bytes:
        """Return the record of a row."""
        id_ = new_id if self.id is None else self._value(row, "id", self.id)
        label = 0.0 if self.label is None else self._value(row, "label", self.label)
        image = self._payload(self._value(row, "image", self.image), id_)
        try:
            # numpy's scalars are no numbers for `struct`; a list of Arrow is an array here.
            return pack(IRHeader(0, label.item() if isinstance(label, np.generic) else label, int(id_), 0), image)
        except (struct.error, ValueError, TypeError, UserWarning) as error:
            raise ValueError(f"the row with the id {id_!r}: {error}") from None

    def _value(self, row: dict[str, Any], keyword: str, column: str) -> Any:  # noqa: ANN401 of any type
        if column not in row:
            shown = ", ".join(map(repr, row))
            none = "" if keyword == "image" else f", or {keyword}=None"
            raise ValueError(f"{keyword}={column!r} is no column of the data set: pass one of {shown}{none}")
        if row[column] is None:
            raise ValueError(f"the column {column!r} has a row without a value")
        return row[column]

    def _payload(self, image: object, id_: int) -> bytes:
        if isinstance(image, bytes):
            return image
        if isinstance(image, np.ndarray) and image.dtype == np.uint8:
            return imencode(image, self.encoding, self.quality)
        found = f"an array of {image.dtype}" if isinstance(image, np.ndarray) else type(image).__name__
        raise TypeError(f"the row with the id {id_!r}: images must be bytes or arrays of uint8, got {found}")


class RecordsDatasink(Datasink):  # type: ignore[misc] # Ray is not installed where types are checked
    """Sink of a data set: shards in the folder of a write.

    Parameters
    ----------
    staging : Staging
        The folder.
    rows : RowFormat
        How rows become records.
    shard_size : int
        Largest size of a shard in bytes.
    checksum : bool
        Whether to write checksums.

    Attributes
    ----------
    shards : list of Shard
        The shards of the attempts that count, when all tasks have ended.
    """

    def __init__(self, staging: Staging, rows: RowFormat, shard_size: int, *, checksum: bool) -> None:
        self._staging, self._rows = staging, rows
        self._shard_size, self._checksum = shard_size, checksum
        self.shards: list[Shard] = []

    @property
    def min_bytes_per_write(self) -> int | None:
        """The bytes of rows for a task: a shard is not much smaller than it may be."""
        return self._shard_size - ROOM if self._shard_size > ROOM else None

    def write(self, blocks: Iterable[pa.Table], ctx: Any) -> list[Shard]:  # noqa: ANN401 Ray's context of a task
        """Write the shards of an attempt of a task."""
        self._staging.check()
        prefix = self._staging.prefix_of(ctx.task_idx)
        with ShardWriter(prefix, shard_size=self._shard_size, checksum=self._checksum) as writer:
            for number, row in enumerate(_rows_of(blocks)):
                writer.write(self._record(row, ctx.task_idx * NEW_IDS + number))
        try:
            self._staging.check()
        except RuntimeError:
            for shard in writer.shards:
                remove_shard(shard.rec)
            raise
        return writer.shards

    def _record(self, row: dict[str, Any], new_id: int) -> bytes:
        with warnings.catch_warnings():
            # A label that is not exact as float32.
            warnings.simplefilter("error", UserWarning)
            return self._rows.record(row, new_id)

    def on_write_complete(self, write_result: WriteResult) -> None:
        """Keep what the tasks returned."""
        self.shards = [shard for shards in write_result.write_returns for shard in shards or ()]


def _rows_of(blocks: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        yield from BlockAccessor.for_block(block).iter_rows(public_row_format=True)
