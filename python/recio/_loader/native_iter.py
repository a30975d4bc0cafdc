"""Base of the iterators on the native pipeline: batches, epochs, states, descriptions."""

from __future__ import annotations

import logging
import warnings
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from recio._loader import checkpoint, validate
from recio._loader.base import BatchIter, DataDesc, ImageBatch
from recio._loader.notices import identity_records_skipped, indexes_beside_used
from recio._util import Closeable, stop_at_exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from recio._loader.error_policy import ErrorPolicy, SkippedSample
    from recio._loader.options import LoaderOptions
    from recio._recio import ImagePipeline
    from recio._storage import Located

_log = logging.getLogger("recio")


Arrays: TypeAlias = "tuple[NDArray[Any], NDArray[Any], NDArray[np.uint64] | None, int]"
"""Data, labels or masks, ids if the samples have some, and pad of a batch."""


class PipelineIter(Closeable, BatchIter):
    """Base of iterators over the batches of a native pipeline, which a subclass starts."""

    _fingerprint: tuple[dict[str, Any], list[int | None] | None] | None = None

    def _start(
        self,
        pipeline: ImagePipeline,
        options: LoaderOptions,
        error_policy: ErrorPolicy,
        *,
        names: tuple[str, str],
        aug_list: Iterable[Any] = (),
        prefetch: bool = True,
    ) -> None:
        self._pipeline, self._options, self._error_policy, self._fingerprint = pipeline, options, error_policy, None
        # The threads have only weak references to the functions in this list.
        self._aug_list = list(aug_list)
        self._names = names
        for warning in pipeline.warnings:
            warnings.warn(warning, stacklevel=3)
        # Threads that call Python functions must not outlive the interpreter.
        self._closer = _Closer(pipeline)
        stop_at_exit(self._closer)
        if pipeline.identities:
            identity_records_skipped(type(self).__name__, pipeline.identities)
        if pipeline.indexes_beside:
            indexes_beside_used(type(self).__name__, pipeline.indexes_beside)
        if prefetch:
            pipeline.start()

    def __len__(self) -> int:
        """Return the number of batches of the current epoch."""
        return len(self._pipeline)

    def __bool__(self) -> bool:
        """Return True, with or without batches."""
        return True

    @property
    def provide_data(self) -> list[DataDesc]:
        """Name, shape, dtype and layout of the data of a batch."""
        channels, height, width = self._options.data_shape
        sides = {"N": self.batch_size, "C": channels, "H": height, "W": width}
        layout = self._options.layout
        return [DataDesc(self._names[0], [sides[axis] for axis in layout], np.dtype(self._options.dtype).type, layout)]

    @property
    def provide_label(self) -> list[DataDesc]:
        """Name, shape, dtype and layout of the labels: a row or, with one label, a number for each image."""
        axes = 1 if self._options.label_form == "numbers" and self._options.label_width == 1 else 2
        shape = (self.batch_size, self._pipeline.label_width)[:axes]
        return [DataDesc(self._names[1], shape, np.float32, "NC"[:axes])]

    @property
    def errors(self) -> list[SkippedSample]:
        """Samples that were skipped so far, each once, with `on_error` ``'skip'`` or a function."""
        return list(self._error_policy.skipped)

    def __next__(self) -> ImageBatch:
        """Return the next batch."""
        return self.next()

    def _make_batch(self) -> ImageBatch | None:
        try:
            arrays = self._next_arrays()
        finally:
            if self._may_skip():
                self._error_policy.report(self._pipeline.take_skipped(), self._pipeline.samples)
        if arrays is None:
            return None
        data, labels, ids, pad = arrays
        return ImageBatch(
            [data], self._labels(labels), pad, cast("NDArray[np.uint64]", ids), self.provide_data, self.provide_label
        )

    def _next_arrays(self) -> Arrays | None:
        """Return the arrays of the next batch; None at the end of the epoch."""
        return self._pipeline.next()

    def _may_skip(self) -> bool:
        """Return whether samples may be skipped."""
        return self._error_policy.skips

    def _log_opened(self, files: Sequence[Located]) -> None:
        threads = self._options.preprocess_threads
        shown = ";".join(map(str, files)) if len(files) <= _SHOWN_FILES else f"{files[0]} and {len(files) - 1} more"
        _log.info("%s: %d batches of %d, %d threads", shown, len(self), self.batch_size, threads)

    def _labels(self, labels: NDArray[Any]) -> list[NDArray[Any]]:
        """Reshape the labels of a batch, which the pipeline returns in one row."""
        return [labels.reshape(self.provide_label[0].shape)]

    def next(self) -> ImageBatch:
        """Return the next batch, waiting until it is ready.

        Returns
        -------
        recio.io.ImageBatch
            ``data[0]``: ndarray, shape (batch_size, channels, height, width) or, with `layout` ``'NHWC'``, (batch_size,
            height, width, channels), dtype as given, C-contiguous and writable. ``label[0]``: ndarray, shape
            (batch_size,) or (batch_size, label_width), float32; or masks, shape (batch_size, height, width), uint8.
            ``index``: ndarray, shape (batch_size,), uint64, ids of the records. ``pad``: int, number of images that
            only fill the batch.

        Raises
        ------
        StopIteration
            At the end of the epoch, until `reset`.
        recio.RecordError, recio.DecodeError
            If a record of this batch is damaged.
        """
        # Its memory is free while the next batch is made, if the caller has dropped it.
        self._batch = None
        batch = self._make_batch()
        if batch is None:
            raise StopIteration
        self._batch = batch
        return batch

    def reset(self) -> None:
        """Start a new epoch, at any time."""
        self._forget()
        self._pipeline.reset()

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        return self._pipeline.epoch

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, unless the iterator is within it.

        The epoch has the order and the augmentation that it has after that many resets. With `last_batch_handle`
        ``'roll_over'`` nothing rolls over into it, unless it follows the epoch that has just ended.

        Parameters
        ----------
        epoch : int
            Number of the epoch, at least 0.

        Raises
        ------
        ValueError
            If it is negative, or larger than 2**40 - 1.
        """
        number = validate.epoch(epoch)
        self._forget()
        self._pipeline.set_epoch(number)

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the last batch that `next` returned, to continue from there in another process.

        Prefetched batches do not count. The state does not depend on `preprocess_threads` and `prefetch_buffer`, which
        may differ where it is loaded. It fits every shard of as many, unless `shard_policy` is ``'uneven'``. With
        `shard` ``'global'`` it fits every shard of any number of them, if ``batch_size * num_parts`` is the same.

        Returns
        -------
        dict
            Values that ``json.dumps`` accepts, less than 1 KiB of JSON.

        Examples
        --------
        >>> import json
        >>> saved = json.dumps(batches.state_dict())  # doctest: +SKIP
        >>> batches.load_state_dict(json.loads(saved))  # doctest: +SKIP
        """
        position = self._pipeline.state()
        if self._options.shard != "global":
            position["part_index"] = self._options.part_index
        settings, objects = self._identify()
        if objects is not None:
            position["objects"] = objects
        return checkpoint.make(self._kind(), position, settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from the position of another iterator: the next batch is the one that would have been its next.

        This takes no time: no batch is made again. `errors` starts empty, and `max_errors` counts from 0.

        Parameters
        ----------
        state : dict
            State that `state_dict` returned.

        Raises
        ------
        ValueError
            If the state is of an iterator of another class or of other data, or settings other than
            `preprocess_threads`, `prefetch_buffer` and `part_index` differ; the message names each difference. Also if
            it is of another shard, with `shard_policy` ``'uneven'``, or if samples were skipped there, or roll over in
            shards of different lengths. Also if a record file is an object of a store and was replaced.
        """
        settings, objects = self._identify()
        position = checkpoint.fit(state, self._kind(), settings)
        self._compare_objects(position.get("objects"), objects)
        part_index = checkpoint.number(
            {"part_index": self._options.part_index, **position}, "part_index", self._options.num_parts - 1
        )
        self._forget(at_start=False)
        try:
            self._pipeline.load(position, part_index)
        except KeyError as error:
            raise ValueError(f"the position of the state must have {error}, got {checkpoint.shown(position)}") from None
        except (TypeError, OverflowError) as error:
            raise ValueError(f"the position of the state is {checkpoint.shown(position)}: {error}") from None

    def _compare_objects(self, theirs: object, ours: list[int | None] | None) -> None:
        if None not in (theirs, ours) and theirs != ours:
            raise ValueError(
                f"the state does not fit this {self._kind()}: the record files are other objects than those in the "
                "state, or were replaced; to continue with them, remove 'objects' from the position in the state"
            )

    def _kind(self) -> str:
        """Return the name of the class or, for a subclass outside of recio, of its base in recio."""
        return next(kind.__name__ for kind in type(self).__mro__ if kind.__module__.startswith("recio."))

    def _identify(self) -> tuple[dict[str, Any], list[int | None] | None]:
        """Return what the batches depend on, in a compact form, and digests of the identities of the objects.

        The latter are None if all files are local. They are no settings: a state also fits a copy of the files in
        another store, or a local one.
        """
        if self._fingerprint is None:
            (samples, size, digest), labels, masks, objects = self._pipeline.fingerprint()
            options = vars(self._options)
            named = {name: options[name] for name in _NAMED}
            if self._options.shard == "global":
                named["global_batch_size"] = named.pop("batch_size") * named.pop("num_parts")
            elif self._options.shard_policy == "uneven":
                named["part_index"] = self._options.part_index
            if self._options.sampler is not None:
                named["sampler"] = self._options.sampler.digest
            if self._options.shuffle and samples > _RECORDS_OF_TABLES:
                named["order"] = _ORDER
            rest = sorted((name, options[name]) for name in options.keys() - _IGNORED - {*_NAMED, "shard"})
            others = zlib.crc32(repr(rest).encode())
            data = {"records": samples, "bytes": size, "data": digest, "path_imglist": labels, "path_maskrec": masks}
            present = {name: value for name, value in data.items() if value is not None}
            settings = {**present, **named, "augmentation": others}
            self._fingerprint = settings, None if objects == (None, None) else [*objects]
        return self._fingerprint

    def close(self) -> None:
        """Stop the threads, close the files and free the memory; a second call does nothing.

        A generator that delegates to this iterator by ``yield from`` calls it too when it is stopped early. A ``for``
        loop does not.
        """
        self._forget(at_start=False)
        self._pipeline.close()
        self._aug_list = []

    def plan(self, record: int, epoch: int = 0) -> dict[str, Any]:
        """Return the augmentation of a record's image in an epoch, with all random parameters; for debugging.

        Nothing is decoded: the parameters are a function of the seed, the epoch and the record. Of a record that a
        sampler repeats in the epoch, it is the augmentation of the first time.

        Parameters
        ----------
        record : int
            Number of the record in the order of the files, from 0.
        epoch : int, default 0
            Number of the epoch, from 0.

        Returns
        -------
        dict
            ``steps``: list of dict, in order. Each has ``operation`` (decode, resize, border, warp, flip, levels,
            colours), ``window`` (left, top, width and height of the region of its result that is used, in pixels), and
            its random parameters. ``mirror``: bool, whether the result is flipped. ``contrast``, ``illumination``:
            float. ``complete``: bool, False if an augmenter in Python follows, whose result is not known in advance.
            For detection also ``boxes``: ndarray, shape (objects, values), float32, the objects after augmentation.

        Raises
        ------
        ValueError
            If `record` or `epoch` is negative, or there is no such record.
        """
        if record < 0 or epoch < 0:
            raise ValueError(f"record and epoch must be at least 0, got {record} and {epoch}")
        steps, mirror, (contrast, illumination), boxes, complete = self._pipeline.plan(record, epoch)
        planned = {
            "steps": steps,
            "mirror": mirror,
            "contrast": contrast,
            "illumination": illumination,
            "complete": complete,
        }
        return planned if boxes is None else {**planned, "boxes": boxes}


class _Closer:
    """Stops a pipeline when the interpreter ends, whatever a subclass's `close` does."""

    def __init__(self, pipeline: ImagePipeline) -> None:
        self.stop = pipeline.stop
        self.join = pipeline.join


_RECORDS_OF_TABLES = 1 << 16
"""Records up to which the order of an epoch has always been the same."""
_ORDER = 2
"""Version of the order of more records: a state of another version would lose and repeat some."""
_SHOWN_FILES = 4
"""Record files that a message names."""
_NAMED = (
    "batch_size",
    "data_shape",
    "dtype",
    "shuffle",
    "seed",
    "seed_aug",
    "num_parts",
    "shard_policy",
    "last_batch",
    "skip_damaged",
)
"""Options that a state holds by name, so that an error can name a difference."""
_IGNORED = {
    "preprocess_threads",
    "prefetch_buffer",
    "read_ahead",
    "read_ahead_bytes",
    "part_index",
    "path_imglist",
    "label_by_key",
    "label_type",
    "masks",
    "sampler",
    "allocator",
}
"""Options that do not change batches or that a position has, and paths, which may differ on another machine."""
