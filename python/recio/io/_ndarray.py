"""``NDArrayIter``: batches of arrays in memory, or of data sets in a file."""

from __future__ import annotations

import inspect
import logging
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recio._loader import checkpoint, validate
from recio._loader.base import BatchIter, DataBatch, DataDesc
from recio.io import _array_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.io._array_source import Source


_MAX_EPOCH = 2**32 - 1
"""The seeds of the orders have 32 bits for the number of the epoch."""


_log = logging.getLogger("recio")


class NDArrayIter(BatchIter):
    """Batches of samples from arrays.

    The arrays are not copied: each batch reads its samples when it is made, also from an HDF5 file, and holds them in
    new arrays. They are converted to float32, like NumPy arrays in MXNet: integers above 2**24 are rounded, with a
    warning. Sparse matrices stay sparse. ``batch.index`` holds the numbers of the samples, uint64.

    Parameters
    ----------
    data : array, list of arrays, or dict of str to array
        Data: NumPy arrays or objects that convert to them, h5py data sets, or SciPy CSR matrices. The batches contain
        the arrays of a list in its order, those of a dict sorted by name. A list of numbers is one array.
    label : likewise, optional
        Labels, one for each sample. Of an array with more samples than the first array of `data`, the others are
        ignored, and a warning is logged.
    batch_size : int, default 1
        Number of samples in a batch.
    shuffle : bool, default False
        Whether the samples are shuffled at construction and at each reset. Without a `seed`, by
        ``numpy.random.shuffle``: after the same ``numpy.random.seed``, the order is that of MXNet 1.9.1.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        Handling of the samples that do not fill the last batch. ``'pad'``: the batch is filled from the start of the
        epoch, repeatedly if necessary, and ``batch.pad`` is the number of samples that fill it. ``'discard'``: they are
        skipped. ``'roll_over'``: after `reset` they start the next epoch, and ``batch.pad`` of its first batch is their
        number.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names of arrays without a name: a single array has this name, those of a list ``_0_data``, ``_1_data`` ...
    layout : str, default 'NCHW'
        One letter for each axis; N is the axis of the samples, in data and labels.
    seed : int, optional
        Seed of the orders, from 0 to 2**64 - 1. With a seed, the order is a function of the seed and the number of the
        epoch. `state_dict` needs it with `shuffle`, since a small state cannot hold an order from ``numpy.random``. A
        reset before the first batch of an epoch then has no effect.

    Attributes
    ----------
    num_data : int
        Number of samples.

    Raises
    ------
    TypeError
        If an array does not hold real numbers.
    ValueError
        If `last_batch_handle` is unknown, `layout` has no N, `seed` is out of range, or an array has fewer samples than
        the first.
    NotImplementedError
        If a matrix is sparse and `last_batch_handle` is not ``'discard'``, as in MXNet. From `state_dict`, with
        `shuffle` and without a `seed`.

    Notes
    -----
    MXNet 1.9.1 differs in these points: an unknown `last_batch_handle` meant ``'discard'``; longer arrays were
    truncated without a warning; samples were counted along the first axis whatever the layout; shuffled data sets got
    wrong labels; ``'roll_over'`` failed with fewer samples than `batch_size`, and a second reset dropped the samples
    that had rolled over.

    Examples
    --------
    >>> batches = NDArrayIter(np.arange(10), -np.arange(10), batch_size=4)
    >>> [(batch.data[0].tolist(), batch.pad) for batch in batches]
    [([0.0, 1.0, 2.0, 3.0], 0), ([4.0, 5.0, 6.0, 7.0], 0), ([8.0, 9.0, 0.0, 1.0], 2)]
    """

    def __init__(
        self,
        data: object,
        label: object = None,
        batch_size: int = 1,
        shuffle: bool = False,
        last_batch_handle: Literal["pad", "discard", "roll_over"] = "pad",
        data_name: str = "data",
        label_name: str = "softmax_label",
        layout: str = "NCHW",
        *,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        validate.refuse_unknown("NDArrayIter", unknown, inspect.signature(NDArrayIter).parameters)
        super().__init__(validate.positive("batch_size", batch_size))
        self.data = _array_source.named(data, data_name)
        self.label = [] if label is None else _array_source.named(label, label_name)
        self.shuffle = validate.truth("shuffle", shuffle)
        self._seed = None if seed is None else validate.signed_seed("seed", seed)
        self.last_batch_handle = validate.one_of("pad", "discard", "roll_over")("last_batch_handle", last_batch_handle)
        self.layout = layout
        self.num_data = self._samples()
        self._order, self._permutation = np.arange(self.num_data), np.arange(self.num_data)
        self._number, self._is_begun, self._is_over = 0, False, False
        self._begin(self._order[:0])

    @property
    def idx(self) -> NDArray[np.int64]:
        """Numbers of the samples in the order of the epoch, without those that rolled over."""
        return self._order

    @property
    def cursor(self) -> int:
        """Position of the current batch in the epoch: ``-batch_size`` before the first, as in MXNet.

        Samples that rolled over have positions below 0.
        """
        batches = -(-self._next // self.batch_size)
        return (batches + self._is_over - 1) * self.batch_size - self._rolled

    @property
    def provide_data(self) -> list[DataDesc]:
        """Names, shapes, dtypes and layout of the data of a batch."""
        return list(self._descriptions[0])

    @property
    def provide_label(self) -> list[DataDesc]:
        """Names, shapes, dtypes and layout of the labels of a batch."""
        return list(self._descriptions[1])

    def reset(self) -> None:
        """Start a new epoch, with ``'roll_over'`` from the samples that did not fill the last batch.

        After an epoch that was not read to its end, no samples roll over.
        """
        with self._turn:
            self._begin(self._left_over())

    def hard_reset(self) -> None:
        """Start a new epoch without samples that rolled over."""
        with self._turn:
            self._begin(self._order[:0])

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        return self._number

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, unless the iterator is within it.

        With `last_batch_handle` ``'roll_over'`` nothing rolls over into it, unless it follows the epoch that has just
        ended.

        Parameters
        ----------
        epoch : int
            Number of the epoch, at least 0.

        Raises
        ------
        ValueError
            If it is negative or larger than 2**32 - 1.
        NotImplementedError
            With `shuffle` and without a `seed`, unless it is the next epoch.
        """
        number = validate.epoch(epoch, _MAX_EPOCH)
        with self._turn:
            if number == self._number and not self._is_over:
                return
            if number == self._number + 1 and (self._is_over or self._uses_numpy_order):
                self._begin(self._left_over())
            else:
                self._require_seed()
                self._enter(number, self._epoch_order(number), self._order[:0])

    def state_dict(self) -> dict[str, Any]:
        """Return the position; see `DataIter.state_dict`.

        Raises
        ------
        NotImplementedError
            With `shuffle` and without a `seed`.
        """
        self._require_seed()
        with self._turn:
            position = {"epoch": self._number, "next": self._next, "rolled": self._rolled, "begun": self._is_begun}
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings)
        self._require_seed()
        number = checkpoint.number(position, "epoch", _MAX_EPOCH)
        may_roll = self.last_batch_handle == "roll_over"
        rolled = checkpoint.number(position, "rolled", min(self.batch_size - 1, number * self.num_data) * may_roll)
        samples = rolled + self.num_data
        is_at_end = position.get("next") == samples
        following = checkpoint.number(position, "next", samples, 1 if is_at_end else self.batch_size)
        is_begun = bool(checkpoint.number(position, "begun", 1))
        if following and not is_begun:
            raise ValueError(f"the state's begun must be true with next={following}, got {position['begun']}")
        with self._turn:
            self._enter(number, self._epoch_order(number), self._samples_before(number, rolled))
            self._next, self._is_begun = following, is_begun

    @cached_property
    def _descriptions(self) -> tuple[list[DataDesc], list[DataDesc]]:
        """Descriptions of data and labels; computed once, since that takes a third of the time of a small batch."""
        return self._described(self.data), self._described(self.label)

    @cached_property
    def _ids(self) -> NDArray[np.uint64]:
        """Ids of the samples in the order of the arrays."""
        return np.arange(self.num_data, dtype=np.uint64)

    @cached_property
    def _slice_readers(self) -> tuple[list[_array_source.SliceReader], list[_array_source.SliceReader]]:
        """Functions that copy consecutive samples of data and labels."""

        def readers(arrays: list[tuple[str, Source]]) -> list[_array_source.SliceReader]:
            return [_array_source.slice_reader(name, source, self._axis) for name, source in arrays]

        return readers(self.data), readers(self.label)

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """Settings that the batches depend on; computed once, since they read samples of the arrays."""
        axis = self._axis
        return {
            "data": [_array_source.fingerprint(source, axis) for _, source in self.data],
            "label": [_array_source.fingerprint(source, axis) for _, source in self.label],
            "batch_size": self.batch_size,
            "shuffle": bool(self.shuffle),
            "seed": self._seed if self.shuffle else None,
            "last_batch_handle": self.last_batch_handle,
            "layout": self.layout,
        }

    def _require_seed(self) -> None:
        if self._uses_numpy_order:
            raise NotImplementedError(
                "the order is from numpy.random, and a small state cannot hold it: pass a seed to NDArrayIter"
            )

    def _samples(self) -> int:
        """Return the number of samples, after checking that all arrays have as many."""
        if not self.data:
            raise ValueError("data holds no array")
        axis = self._axis
        arrays = self.data + self.label
        for name, source in arrays:
            if source.ndim <= axis:
                raise ValueError(f"{name} has shape {source.shape}, but with layout={self.layout!r} axis {axis} is N")
            if _array_source.is_csr(source):
                self._check_sparse(name)
        counts = [int(source.shape[axis]) for _, source in arrays]
        listed = ", ".join(f"{name} {count}" for (name, _), count in zip(arrays, counts, strict=True))
        if min(counts) < counts[0]:
            raise ValueError(f"the arrays have different numbers of samples: {listed}")
        if max(counts) > counts[0]:
            _log.warning(
                "samples beyond the first %d are ignored, the number of the first array: %s", counts[0], listed
            )
        return counts[0]

    @property
    def _axis(self) -> int:
        axis = self.layout.find("N")
        if axis < 0:
            raise ValueError(f"layout must contain N, the axis of the samples, got {self.layout!r}")
        return axis

    def _check_sparse(self, name: str) -> None:
        if self.last_batch_handle != "discard":
            raise NotImplementedError(f"{name} is a sparse matrix, which needs last_batch_handle='discard'")
        if self._axis != 0:
            raise ValueError(f"{name} is a sparse matrix, whose samples are its rows, but layout={self.layout!r}")

    def _described(self, arrays: list[tuple[str, Source]]) -> list[DataDesc]:
        axis = self._axis
        shapes = [(*source.shape[:axis], self.batch_size, *source.shape[axis + 1 :]) for _, source in arrays]
        names = [name for name, _ in arrays]
        dtypes = [_array_source.dtype_of(source).type for _, source in arrays]
        return [DataDesc(*each, self.layout) for each in zip(names, shapes, dtypes, strict=True)]

    def _begin(self, rolled: NDArray[np.int64]) -> None:
        """Start an epoch of the samples that rolled over, followed by all samples."""
        number = self._number + self._is_begun
        self._enter(number, self._shuffled() if self._uses_numpy_order else self._epoch_order(number), rolled)

    def _enter(self, number: int, order: NDArray[np.int64], rolled: NDArray[np.int64]) -> None:
        self._number, self._order, self._rolled = number, order, len(rolled)
        self._is_in_order = not self.shuffle and not self._rolled
        self._epoch = np.concatenate([rolled, order])
        self._next = 0
        self._is_begun, self._is_over = False, False
        self._batch = None

    @property
    def _uses_numpy_order(self) -> bool:
        """Whether the orders are from ``numpy.random``, as in MXNet, and depend on the state of its generator."""
        return self.shuffle and self._seed is None

    def _shuffled(self) -> NDArray[np.int64]:
        """Return the next order as MXNet makes it.

        MXNet shuffles its permutation again, and applies it to the previous order.
        """
        np.random.shuffle(self._permutation)  # noqa: NPY002 the generator that scripts for MXNet seed
        return self._order[self._permutation]

    def _epoch_order(self, number: int) -> NDArray[np.int64]:
        """Return the order of an epoch."""
        if self._seed is None or not self.shuffle:
            return np.arange(self.num_data)
        words = [self._seed % 2**32, self._seed >> 32, number % 2**32]
        # The only generator of NumPy whose numbers never change: a state may be loaded with a newer
        # NumPy.
        return np.random.RandomState(words).permutation(self.num_data).astype(np.int64)

    def _samples_before(self, number: int, count: int) -> NDArray[np.int64]:
        """Return the last `count` samples of the epochs before one, which rolled over into it."""
        samples = self._order[:0]
        while len(samples) < count:
            number -= 1
            samples = np.concatenate([self._epoch_order(number), samples])
        return samples[len(samples) - count :]

    def _left_over(self) -> NDArray[np.int64]:
        """Return the samples that roll over into the next epoch."""
        if not self._is_begun:
            return self._epoch[: self._rolled]
        left = self._epoch[self._next :]
        return left if self.last_batch_handle == "roll_over" and len(left) < self.batch_size else left[:0]

    def _make_batch(self) -> DataBatch | None:
        self._is_begun = True
        start, end = self._next, self._next + self.batch_size
        if self._is_in_order and end <= len(self._epoch):
            self._next = end
            return self._slice(start, end)
        numbers = self._epoch[start:end]
        pad = self.batch_size - len(numbers)
        self._is_over = len(numbers) == 0 or (pad > 0 and self.last_batch_handle != "pad")
        if self._is_over:
            return None
        rolled = self._rolled if start == 0 else 0
        self._next += len(numbers)
        if pad:
            numbers = np.concatenate([numbers, np.resize(self._epoch, pad)])
        return self._batch_of(numbers, pad or rolled)

    def _slice(self, start: int, end: int) -> DataBatch:
        """Make a batch of consecutive samples: faster than by their numbers."""
        samples = slice(start, end)
        data, labels = self._slice_readers
        descriptions = self._descriptions
        return DataBatch(
            [read(samples) for read in data],
            [read(samples) for read in labels],
            0,
            self._ids[samples].copy(),
            None,
            descriptions[0].copy(),
            descriptions[1].copy(),
        )

    def _batch_of(self, numbers: NDArray[np.int64], pad: int) -> DataBatch:
        axis = self._axis

        def taken(arrays: list[tuple[str, Source]]) -> list[Any]:
            return [_array_source.take(name, source, numbers, axis) for name, source in arrays]

        return DataBatch(
            taken(self.data),
            taken(self.label),
            pad,
            numbers.astype(np.uint64),
            provide_data=self.provide_data,
            provide_label=self.provide_label,
        )
