"""What all iterators on the native pipeline have in common: batches, epochs, descriptions."""

from __future__ import annotations

import logging
import zlib
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from recio._loader import checkpoint
from recio._loader.base import DataBatch, DataDesc, WholeBatchIter
from recio._loader.error_policy import Faults, SkippedSample
from recio._recio import ImagePipeline
from recio._util import Closeable, stop_at_exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from recio._loader.options import LoaderOptions
    from recio.errors import DecodeError, RecordError

_log = logging.getLogger("recio")


class BatchSource(Protocol):
    """Source of batches: the native pipeline, or Python code in its place."""

    @property
    def label_width(self) -> int: ...

    @property
    def samples(self) -> int: ...

    def __len__(self) -> int: ...

    def next(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.uint64] | None, int] | None: ...

    def plan(
        self, record: int, epoch: int
    ) -> tuple[list[dict[str, Any]], bool, tuple[float, float], NDArray[np.float32] | None, bool]: ...

    def take_damage(self) -> Sequence[RecordError | DecodeError | OSError]: ...

    def fingerprint(self) -> tuple[int, int, int]: ...

    def state(self) -> dict[str, Any]: ...

    def load(self, state: dict[str, Any]) -> None: ...

    def reset(self) -> None: ...

    def hard_reset(self) -> None: ...

    def close(self) -> None: ...


class PipelineIter(Closeable, WholeBatchIter):
    """Batches of a native pipeline, which a subclass makes and hands over.

    Not part of the public interface; its methods are, through its subclasses.
    """

    _told: dict[str, Any] | None = None

    def _start(
        self,
        pipeline: BatchSource,
        options: LoaderOptions,
        faults: Faults,
        *,
        names: tuple[str, str],
        aug_list: Iterable[Any] = (),
    ) -> None:
        self._pipeline, self._options, self._faults, self._told = pipeline, options, faults, None
        # The threads only borrow the functions among these.
        self._aug_list = list(aug_list)
        self._names = names
        if isinstance(pipeline, ImagePipeline):
            # Threads that call Python functions must not outlive the interpreter.
            self._until_exit = _UntilExit(pipeline)
            stop_at_exit(self._until_exit)

    def __len__(self) -> int:
        """Count the batches of the present epoch."""
        return len(self._pipeline)

    def __bool__(self) -> bool:
        """Be true, with or without batches."""
        return True

    @property
    def provide_data(self) -> list[DataDesc]:
        """The name, shape, type and layout of a batch's data."""
        channels, height, width = self._options.data_shape
        sides = {"N": self.batch_size, "C": channels, "H": height, "W": width}
        layout = self._options.layout
        return [DataDesc(self._names[0], [sides[axis] for axis in layout], np.dtype(self._options.dtype).type, layout)]

    @property
    def provide_label(self) -> list[DataDesc]:
        """The name, shape, type and layout of the labels: a row for each image or, of one label, a number."""
        axes = 1 if self._options.label_form == "numbers" and self._options.label_width == 1 else 2
        shape = (self.batch_size, self._pipeline.label_width)[:axes]
        return [DataDesc(self._names[1], shape, np.float32, "NC"[:axes])]

    @property
    def errors(self) -> list[SkippedSample]:
        """The samples that were passed over so far, each once, with `on_error` ``'skip'`` or a function."""
        return list(self._faults.listed)

    def _make(self) -> DataBatch | None:
        try:
            parts = self._pipeline.next()
        finally:
            if self._faults.skips:
                self._faults.note(self._pipeline.take_damage(), self._pipeline.samples)
        if parts is None:
            return None
        data, labels, ids, pad = parts
        return DataBatch(
            [data], self._labels(labels), pad, ids, provide_data=self.provide_data, provide_label=self.provide_label
        )

    def _log_opened(self, files: Sequence[str]) -> None:
        threads = self._options.preprocess_threads
        _log.info("%s: %d batches of %d, %d threads", ";".join(files), len(self), self.batch_size, threads)

    def _labels(self, labels: NDArray[np.float32]) -> list[NDArray[Any]]:
        """Give the labels of a batch, which come as one row, their shape."""
        return [labels.reshape(self.provide_label[0].shape)]

    def next(self) -> DataBatch:
        """Give the next batch, waiting for it.

        Returns
        -------
        DataBatch
            ``data[0]``: ndarray, shape (batch_size, channels, height, width) or, as `layout` says, (batch_size,
            height, width, channels), of `dtype`; C-contiguous and writable. ``label[0]``: ndarray, shape (batch_size,)
            or (batch_size, label_width), float32; or masks, shape (batch_size, height, width), uint8. ``index``:
            ndarray, shape (batch_size,), uint64, the records' ids. ``pad``: int, how many images only fill the batch.

        Raises
        ------
        StopIteration
            At the end of the epoch, until `reset`.
        recio.RecordError, recio.DecodeError
            If a record of this batch is damaged.
        """
        batch = super().next()
        # Not kept: when the caller drops it, its memory serves a later one.
        self._batch = None
        return batch

    def reset(self) -> None:
        """Begin a new epoch from its first batch, at any time."""
        self._batch = None
        self._pipeline.reset()

    def state_dict(self) -> dict[str, Any]:
        """Give where the iterator is, to go on from there in another process: behind the last batch that `next` gave.

        Batches that are made ahead do not count. The state does not depend on `preprocess_threads` and
        `prefetch_buffer`, which may be others where it is loaded.

        Returns
        -------
        dict
            Strings, numbers and lists of them, as JSON has them; less than 1 KiB.

        Examples
        --------
        >>> import json
        >>> saved = json.dumps(batches.state_dict())  # doctest: +SKIP
        >>> batches.load_state_dict(json.loads(saved))  # doctest: +SKIP
        """
        return checkpoint.make(self._kind(), self._pipeline.state(), self._fingerprint())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from where another iterator was: the next batch is the one that it would have given next.

        At once: no batch is made again. `errors` is of this iterator alone, and `max_errors` counts anew.

        Parameters
        ----------
        state : dict
            What `state_dict` gave.

        Raises
        ------
        ValueError
            If it is of an iterator of another class, other data, or other settings than `preprocess_threads` and
            `prefetch_buffer`; the message names each difference.
        """
        position = checkpoint.fit(state, self._kind(), self._fingerprint())
        self._batch = None
        self._pipeline.load(position)

    def _kind(self) -> str:
        """Give the name of the class, or of that of recio's which it is a kind of."""
        return next(kind.__name__ for kind in type(self).__mro__ if kind.__module__.startswith("recio."))

    def _fingerprint(self) -> dict[str, Any]:
        """Give what the batches depend on, in few words."""
        if self._told is None:
            samples, size, digest = self._pipeline.fingerprint()
            options = vars(self._options)
            named = {name: options[name] for name in _TOLD}
            rest = sorted((name, options[name]) for name in options.keys() - _UNTOLD - {*_TOLD})
            others = zlib.crc32(repr(rest).encode())
            self._told = {"records": samples, "bytes": size, "data": digest, **named, "augmentation": others}
        return self._told

    def close(self) -> None:
        """Stop the threads, close the files and free the memory. A second call does nothing.

        A generator that delegates to this iterator by ``yield from`` and is stopped early calls this too: that is
        Python's rule for whatever has a ``close``. A ``for`` loop does not.
        """
        self._batch = None
        self._pipeline.close()
        self._aug_list = []

    def plan(self, record: int, epoch: int = 0) -> dict[str, Any]:
        """Tell what is done to a record's image in an epoch, all random choices made; for looking into and debugging.

        Nothing is decoded; the choices are a function of the seed, the epoch and the record.

        Parameters
        ----------
        record : int
            The record's number, from 0, in the order of the file.
        epoch : int, default 0
            The epoch's number, from 0.

        Returns
        -------
        dict
            ``steps``: list of dict, in order. Each has ``operation`` (decode, resize, border, warp, flip, levels,
            colours), ``window`` (left, top, width, height: the part of its result that goes on, in pixels), and what
            was drawn for it. ``mirror``: bool, whether the result is flipped. ``contrast``, ``illumination``: float.
            ``complete``: bool, False if an augmenter in Python follows, whose result is not known beforehand. Of
            detection also ``boxes``: ndarray, shape (objects, values), float32, the objects as they will be.
        """
        if record < 0 or epoch < 0:
            raise ValueError(f"record={record}, epoch={epoch}; both are counted from 0")
        steps, mirror, (contrast, illumination), boxes, complete = self._pipeline.plan(record, epoch)
        planned = {
            "steps": steps,
            "mirror": mirror,
            "contrast": contrast,
            "illumination": illumination,
            "complete": complete,
        }
        return planned if boxes is None else {**planned, "boxes": boxes}


class _UntilExit:
    """A pipeline that is closed when the interpreter ends, whatever a subclass's `close` does."""

    def __init__(self, pipeline: ImagePipeline) -> None:
        self.stop = pipeline.close


_TOLD = (
    "batch_size",
    "data_shape",
    "dtype",
    "shuffle",
    "seed",
    "seed_aug",
    "num_parts",
    "part_index",
    "shard_policy",
    "last_batch",
    "skip_damaged",
)
"""Settings that a state tells by name, if another iterator has others."""
_UNTOLD = {"preprocess_threads", "prefetch_buffer", "path_imglist", "masks"}
"""Settings on which no batch depends, and paths, which may be others on another machine."""


def faults(given: dict[str, Any]) -> Faults:
    """Give what is to become of damaged samples, from the keywords that iterators share."""
    return Faults(given.get("on_error", "raise"), given.get("error_log"), given.get("max_errors"))


MXDataIter = PipelineIter
