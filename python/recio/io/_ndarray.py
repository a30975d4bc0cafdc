"""``NDArrayIter``: arrays in memory, or data sets in a file, as batches.

Keeps the order of the samples and what becomes of an epoch's incomplete end; the arrays themselves are read by
``_array_source``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recio._loader import checkpoint, validate
from recio._loader.base import BatchIter, DataBatch, DataDesc
from recio.io import _array_source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.io._array_source import Source

_HANDLES = ("pad", "discard", "roll_over")


class NDArrayIter(BatchIter):
    """Batches of samples from arrays.

    The arrays are not copied: each batch reads its samples when it is made, from an HDF5 file no others, and gives them
    as arrays of its own. They become float32, whatever they were, as NumPy's do in MXNet: whole numbers beyond 2**24
    are rounded. Sparse matrices stay sparse. ``batch.index`` has the samples' numbers, uint64.

    Parameters
    ----------
    data : array, list of arrays, or dict of str to array
        The data: NumPy arrays or what converts to them, h5py data sets, or SciPy CSR matrices. The batches have the
        arrays of a list in its order, those of a dict in the order of their names.
    label : likewise, optional
        The labels, one for each sample.
    batch_size : int, default 1
        Samples a batch.
    shuffle : bool, default False
        Whether the samples are put into another order at construction and at each reset. Without a `seed`, by
        ``numpy.random.shuffle``: after the same ``numpy.random.seed``, the order is that of MXNet 1.9.1.
    last_batch_handle : {'pad', 'discard', 'roll_over'}, default 'pad'
        What becomes of the samples that are left when the last batch is not full. ``'pad'``: it is filled up from the
        epoch's beginning, over and over if need be, and ``batch.pad`` says by how many. ``'discard'``: they are left
        out. ``'roll_over'``: after `reset` they begin the next epoch, and are what ``batch.pad`` of its first batch
        counts.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names of arrays that have none: of a single one, this; of a list's, ``_0_data``, ``_1_data`` ...
    layout : str, default 'NCHW'
        A letter an axis; N is the axis of the samples, in data and labels.
    seed : int, optional
        Seed of orders of which each is a function of this and of the epoch's number alone: wanted with `shuffle` for
        `state_dict`, as no small state can tell an order that ``numpy.random`` has drawn. A reset before an epoch's
        first batch then changes nothing.

    Attributes
    ----------
    num_data : int
        How many samples there are.

    Raises
    ------
    TypeError
        For data that are no arrays of real numbers.
    ValueError
        For an unknown `last_batch_handle`, a `layout` without N, a `seed` that is not of 64 bits, or arrays with
        different numbers of samples.
    NotImplementedError
        For sparse matrices with any other `last_batch_handle` than ``'discard'``, as in MXNet. From `state_dict` with
        `shuffle` and without a `seed`.

    Notes
    -----
    Not so in MXNet 1.9.1: an unknown `last_batch_handle` was ``'discard'``; longer arrays were cut off silently;
    samples were counted along the first axis whatever the layout; shuffled data sets got other labels than their own;
    ``'roll_over'`` failed with fewer samples than `batch_size`, and a second reset lost what had rolled over.

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
    ) -> None:
        super().__init__(validate.positive("batch_size", batch_size))
        if last_batch_handle not in _HANDLES:
            raise ValueError(f"last_batch_handle={last_batch_handle!r}; it is one of {', '.join(map(repr, _HANDLES))}")
        self.data = _array_source.named(data, data_name)
        self.label = [] if label is None else _array_source.named(label, label_name)
        self.shuffle = shuffle
        self._seed = None if seed is None else validate.seed("seed", seed)
        self.last_batch_handle = last_batch_handle
        self.layout = layout
        self.num_data = self._samples()
        self._order, self._permutation = np.arange(self.num_data), np.arange(self.num_data)
        self._number, self._is_begun = 0, False
        self._begin(self._order[:0])

    @property
    def provide_data(self) -> list[DataDesc]:
        """The names, shapes, types and layout of a batch's data."""
        return self._described(self.data)

    @property
    def provide_label(self) -> list[DataDesc]:
        """The names, shapes, types and layout of its labels."""
        return self._described(self.label)

    def reset(self) -> None:
        """Begin a new epoch, with what the last one left over if it rolls over.

        An epoch that still had batches to give leaves nothing over.
        """
        self._begin(self._left_over())

    def hard_reset(self) -> None:
        """Begin a new epoch with nothing left over."""
        self._begin(self._order[:0])

    def state_dict(self) -> dict[str, Any]:
        """Tell where it is; see `DataIter.state_dict`.

        Raises
        ------
        NotImplementedError
            With `shuffle` and without a `seed`.
        """
        self._refuse_mxnets_orders()
        position = {"epoch": self._number, "next": self._next, "rolled": self._rolled, "begun": self._is_begun}
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where a state was taken; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings)
        self._refuse_mxnets_orders()
        # So many can be told apart by the seeds of their orders.
        number = checkpoint.number(position, "epoch", 2**32 - 1)
        rolled = checkpoint.number(position, "rolled", min(self.batch_size - 1, number * self.num_data))
        place = checkpoint.number(position, "next", rolled + self.num_data)
        is_begun = bool(checkpoint.number(position, "begun", 1))
        self._enter(number, self._order_of(number), self._last_before(number, rolled))
        self._next, self._is_begun = place, is_begun

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """What the batches depend on. The ends of the arrays are read once: a batch's state is taken quickly."""
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

    def _refuse_mxnets_orders(self) -> None:
        if self._is_mxnets:
            raise NotImplementedError(
                "the order is drawn by numpy.random, which no small state can tell: give NDArrayIter a seed"
            )

    def _samples(self) -> int:
        """Count the samples, once the arrays agree on how many there are."""
        if not self.data:
            raise ValueError("data holds no array")
        axis = self._axis
        arrays = self.data + self.label
        for name, source in arrays:
            if source.ndim <= axis:
                raise ValueError(f"{name} has shape {source.shape}, but by layout={self.layout!r} axis {axis} is N")
            if _array_source.is_csr(source):
                self._check_sparse(name)
        counts = [int(source.shape[axis]) for _, source in arrays]
        if len(set(counts)) > 1:
            listed = ", ".join(f"{name} {count}" for (name, _), count in zip(arrays, counts, strict=True))
            raise ValueError(f"the arrays have different numbers of samples: {listed}")
        return counts[0]

    @property
    def _axis(self) -> int:
        axis = self.layout.find("N")
        if axis < 0:
            raise ValueError(f"layout={self.layout!r}; one of its letters is N, for the samples")
        return axis

    def _check_sparse(self, name: str) -> None:
        if self.last_batch_handle != "discard":
            raise NotImplementedError(f"{name} is a sparse matrix; they go with last_batch_handle='discard' only")
        if self._axis != 0:
            raise ValueError(f"{name} is a sparse matrix; its samples are its rows, but layout={self.layout!r}")

    def _described(self, arrays: list[tuple[str, Source]]) -> list[DataDesc]:
        axis = self._axis
        shapes = [(*source.shape[:axis], self.batch_size, *source.shape[axis + 1 :]) for _, source in arrays]
        names = [name for name, _ in arrays]
        return [DataDesc(name, shape, np.float32, self.layout) for name, shape in zip(names, shapes, strict=True)]

    def _begin(self, rolled: NDArray[np.int64]) -> None:
        """Begin an epoch of `rolled` samples and, after them, all."""
        number = self._number + self._is_begun
        self._enter(number, self._shuffled() if self._is_mxnets else self._order_of(number), rolled)

    def _enter(self, number: int, order: NDArray[np.int64], rolled: NDArray[np.int64]) -> None:
        self._number, self._order, self._rolled = number, order, len(rolled)
        self._epoch = np.concatenate([rolled, order])
        self._next = 0
        self._is_begun = False
        self._batch = None

    @property
    def _is_mxnets(self) -> bool:
        """Whether the orders are MXNet's, of which each depends on all that the generator has drawn before."""
        return self.shuffle and self._seed is None

    def _shuffled(self) -> NDArray[np.int64]:
        """Put the samples into another order, drawn as MXNet draws it.

        It shuffles a permutation anew, and permutes by it what the last one has permuted.
        """
        np.random.shuffle(self._permutation)  # noqa: NPY002 the generator that callers of MXNet's seed
        return self._order[self._permutation]

    def _order_of(self, number: int) -> NDArray[np.int64]:
        """Give the order of any epoch."""
        if self._seed is None or not self.shuffle:
            return np.arange(self.num_data)
        words = [self._seed % 2**32, self._seed >> 32, number % 2**32]
        # Of NumPy's generators, the one whose numbers stay as they are: a state may be older than
        # the NumPy that reads.
        return np.random.RandomState(words).permutation(self.num_data).astype(np.int64)

    def _last_before(self, number: int, count: int) -> NDArray[np.int64]:
        """Give the last samples of the epochs before one, which are what rolled over into it."""
        samples = self._order[:0]
        while len(samples) < count:
            number -= 1
            samples = np.concatenate([self._order_of(number), samples])
        return samples[len(samples) - count :]

    def _left_over(self) -> NDArray[np.int64]:
        """Give the samples that the next epoch begins with."""
        if not self._is_begun:
            return self._epoch[: self._rolled]
        left = self._epoch[self._next :]
        return left if self.last_batch_handle == "roll_over" and len(left) < self.batch_size else left[:0]

    def _make_batch(self) -> DataBatch | None:
        self._is_begun = True
        numbers = self._epoch[self._next : self._next + self.batch_size]
        pad = self.batch_size - len(numbers)
        if len(numbers) == 0 or (pad and self.last_batch_handle != "pad"):
            return None
        rolled = self._rolled if self._next == 0 else 0
        self._next += len(numbers)
        numbers = np.concatenate([numbers, np.resize(self._epoch, pad)])
        return self._batch_of(numbers, pad or rolled)

    def _batch_of(self, numbers: NDArray[np.int64], pad: int) -> DataBatch:
        axis = self._axis

        def taken(arrays: list[tuple[str, Source]]) -> list[Any]:
            return [_array_source.take(source, numbers, axis) for _, source in arrays]

        return DataBatch(
            taken(self.data),
            taken(self.label),
            pad,
            numbers.astype(np.uint64),
            provide_data=self.provide_data,
            provide_label=self.provide_label,
        )
