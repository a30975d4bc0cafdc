"""Base classes of the iterators: ``DataDesc``, ``DataBatch``, ``DataIter``, and ``BatchIter`` for recio's own."""

from __future__ import annotations

import os
import threading
from collections import namedtuple
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from recio._loader import validate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import DTypeLike, NDArray

_Arrays = TypeVar("_Arrays")
_LISTS = (list, tuple)

_NO_STATE = (
    "{} has no state: define state_dict, which returns its position as a plain dict, and load_state_dict(state), which "
    "restores it"
)


class DataDesc(namedtuple("DataDesc", ["name", "shape"])):  # noqa: PYI024, SLOT002 a pair with attributes, as MXNet's
    """Name, shape, dtype and layout of an array of a batch.

    A pair (name, shape) with two more attributes, which equality and iteration ignore.

    Parameters
    ----------
    name : str
        Name of the array, such as ``'data'``.
    shape : tuple of int
        Shape of the array, including the batch axis.
    dtype : dtype-like, default float32
        Type of the array.
    layout : str, default 'NCHW'
        One letter for each axis; N is the batch axis.
    """

    name: str
    shape: tuple[int, ...]
    dtype: DTypeLike
    layout: str

    def __new__(cls, name: str, shape: Sequence[int], dtype: DTypeLike = np.float32, layout: str = "NCHW") -> Self:
        self = super().__new__(cls, name, tuple(shape))
        self.dtype = dtype
        self.layout = layout
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        """Return the arguments that copies and pickles are made with."""
        return (self.name, self.shape, self.dtype, self.layout)

    def __repr__(self) -> str:
        """Return all four values as text."""
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"

    @staticmethod
    def get_batch_axis(layout: str | None) -> int:
        """Return the batch axis of a layout: 0 for ``None``, -1 if the layout has no N."""
        return 0 if layout is None else layout.find("N")

    @staticmethod
    def get_list(
        shapes: Iterable[tuple[str, Sequence[int]]],
        types: Iterable[tuple[str, DTypeLike]] | None,
    ) -> list[DataDesc]:
        """Return descriptions of arrays from pairs (name, shape) and (name, dtype)."""
        if types is None:
            return [DataDesc(name, shape) for name, shape in shapes]
        by_name = dict(types)
        return [DataDesc(name, shape, by_name[name]) for name, shape in shapes]


class DataBatch:
    """A batch of samples.

    Parameters
    ----------
    data : list of ndarray
        Samples; the first axis is the batch axis.
    label : list of ndarray, optional
        Labels of the samples.
    pad : int, optional
        Number of samples at the end that only fill the batch.
    index : ndarray, optional
        Ids of the samples.
    bucket_key : object, optional
        Key of the bucket, for models with buckets of input lengths.
    provide_data, provide_label : list of DataDesc, optional
        Descriptions of `data` and `label`.

    Raises
    ------
    TypeError
        If `data` or `label` is not a list or tuple.
    """

    def __init__(
        self,
        data: list[NDArray[Any]] | tuple[NDArray[Any], ...],
        label: list[NDArray[Any]] | tuple[NDArray[Any], ...] | None = None,
        pad: int | None = None,
        index: NDArray[Any] | None = None,
        bucket_key: object = None,
        provide_data: list[DataDesc] | None = None,
        provide_label: list[DataDesc] | None = None,
    ) -> None:
        self.data = _check_list("data", data)
        self.label = _check_list("label", label)
        self.pad = pad
        self.index = index
        self.bucket_key = bucket_key
        self.provide_data = provide_data
        self.provide_label = provide_label

    def __str__(self) -> str:
        """Return the shapes of the arrays as text."""
        labels = None if self.label is None else [label.shape for label in self.label]
        shapes = [data.shape for data in self.data]
        return f"{type(self).__name__}: data shapes: {shapes} label shapes: {labels}"

    __repr__ = __str__


def _check_list(name: str, arrays: _Arrays) -> _Arrays:
    # Not `list | tuple`, which would be made anew for each batch.
    if arrays is None or isinstance(arrays, _LISTS):
        return arrays
    raise TypeError(f"{name} must be a list of arrays, got {type(arrays).__name__}")


class ImageBatch(DataBatch):
    """A batch of images, as the iterators on native threads return it: all fields are set.

    Parameters
    ----------
    data : list of ndarray
        One array: the images.
    label : list of ndarray
        One array: labels or masks.
    pad : int
        Number of images at the end that only fill the batch.
    index : ndarray
        Ids of the images, uint64. ``None`` only if the hook `next_sample` of a subclass of `recio.image.ImageIter`
        returns images of its own, which have no ids.
    provide_data, provide_label : list of DataDesc
        Descriptions of `data` and `label`.
    """

    data: list[NDArray[Any]]
    label: list[NDArray[Any]]
    pad: int
    index: NDArray[np.uint64]
    provide_data: list[DataDesc]
    provide_label: list[DataDesc]

    def __init__(
        self,
        data: list[NDArray[Any]],
        label: list[NDArray[Any]],
        pad: int,
        index: NDArray[np.uint64],
        provide_data: list[DataDesc],
        provide_label: list[DataDesc],
    ) -> None:
        super().__init__(data, label, pad, index, None, provide_data, provide_label)


class DataIter:
    """Base class of iterators over batches.

    A subclass defines `reset` and either `next` (or ``__next__``), which returns a `DataBatch` or raises
    ``StopIteration``, or `iter_next` with `getdata`, `getlabel` and `getpad`. It has the attributes or properties
    ``provide_data`` and ``provide_label``, lists of `DataDesc`. To be resumable, alone or inside `ResizeIter` and
    `PrefetchingIter`, it also defines `state_dict` and `load_state_dict`.

    Parameters
    ----------
    batch_size : int, default 0
        Number of samples in a batch.

    Examples
    --------
    >>> class Ones(DataIter):
    ...     def __init__(self, batches, batch_size=2):
    ...         super().__init__(batch_size)
    ...         self.batches, self.done = batches, 0
    ...         self.provide_data = [DataDesc("data", (batch_size, 3), np.float32, "NC")]
    ...         self.provide_label = [DataDesc("label", (batch_size,), np.float32, "N")]
    ...
    ...     def reset(self):
    ...         self.done = 0
    ...
    ...     def next(self):
    ...         if self.done == self.batches:
    ...             raise StopIteration
    ...         self.done += 1
    ...         return DataBatch([np.ones((self.batch_size, 3))], [np.ones(self.batch_size)], pad=0)
    >>> len(list(Ones(batches=4)))
    4
    """

    def __init__(self, batch_size: int = 0) -> None:
        self.batch_size = batch_size

    def __iter__(self) -> Self:
        """Return the iterator itself, without a reset."""
        return self

    def __next__(self) -> DataBatch:
        """Return the next batch."""
        return self.next() if self._has_own("next") else self._assembled()

    def reset(self) -> None:
        """Start a new epoch."""

    def next(self) -> DataBatch:
        """Return the next batch.

        Raises
        ------
        StopIteration
            At the end of the epoch.
        """
        # Only if nothing else makes batches: a subclass's `__next__` may call `next` itself.
        if self._has_own("__next__") and not self._has_own("next") and not self._has_own("iter_next"):
            return self.__next__()
        return self._assembled()

    def _has_own(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(DataIter, method)

    def _assembled(self) -> DataBatch:
        if not self.iter_next():
            raise StopIteration
        return DataBatch(self.getdata(), self.getlabel(), self.getpad(), self.getindex())

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the iterator, for `load_state_dict` of another iterator, in another process.

        Returns
        -------
        dict
            Values that ``json.dumps`` accepts, at most 1 KiB of JSON. It holds the position after the last batch that
            the caller received, regardless of prefetching, and what the batches depend on: settings, and sizes and
            digests of the data.

        Raises
        ------
        NotImplementedError
            If a subclass makes batches itself and does not define this method.
        """
        raise NotImplementedError(_NO_STATE.format(type(self).__name__))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a position that `state_dict` returned, without making the batches before it.

        The batches that follow, in this and later epochs, are those that would have followed there.

        Parameters
        ----------
        state : dict
            State of an iterator of the same class with the same data and settings.

        Raises
        ------
        ValueError
            If the state is of another kind of iterator, or of other data or settings; the message names each
            difference, and the iterator stays where it was.
        NotImplementedError
            As for `state_dict`.
        """
        raise NotImplementedError(_NO_STATE.format(type(self).__name__))

    def iter_next(self) -> bool:
        """Move to the next batch and return whether there is one."""
        raise NotImplementedError(f"{type(self).__name__} has neither next nor iter_next")

    def getdata(self) -> Any:  # noqa: ANN401 a list of arrays; of some iterators one array
        """Return the data of the current batch: a list of arrays."""
        raise NotImplementedError

    def getlabel(self) -> Any:  # noqa: ANN401 as getdata
        """Return the labels of the current batch: a list of arrays, or None."""
        raise NotImplementedError

    def getindex(self) -> NDArray[Any] | None:
        """Return the ids of the samples of the current batch; ``None`` if it has none."""
        return None

    def getpad(self) -> int | None:
        """Return the number of samples at the end of the current batch that only fill it."""
        raise NotImplementedError


_TURNS = "_turn_of_process"
"""Name of an attribute: the locks, by process."""


class BatchIter(DataIter):
    """Base of iterators that make a batch at once, with ``_make_batch``.

    The last batch is kept for `getdata` and the other getters, as in MXNet, until the next one is made. Several threads
    may call `next`: each batch goes to one of them.
    """

    _batch: DataBatch | None = None

    @property
    def _turn(self) -> threading.RLock:
        """Lock that is held by the thread that makes a batch.

        A forked process has a lock of its own: that of its parent may be held for ever.
        """
        turns: dict[int, threading.RLock] = self.__dict__.get(_TURNS) or self.__dict__.setdefault(_TURNS, {})
        process = os.getpid()
        return turns.get(process) or turns.setdefault(process, threading.RLock())

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes for copies and pickles, which have locks of their own."""
        return {name: value for name, value in self.__dict__.items() if name != _TURNS}

    def _make_batch(self) -> DataBatch | None:
        """Make the next batch; ``None`` at the end of the epoch."""
        raise NotImplementedError

    def iter_next(self) -> bool:
        """Move to the next batch and return whether there is one."""
        self._batch = None
        self._batch = self._make_batch()
        return self._batch is not None

    def next(self) -> DataBatch:
        """Return the next batch.

        Raises
        ------
        StopIteration
            At the end of the epoch, until `reset`.
        """
        with self._turn:
            if not self.iter_next():
                raise StopIteration
            return self._batch or self._current()

    def getdata(self) -> Any:  # noqa: ANN401 a list of arrays; of some iterators one array
        """Return the data of the current batch: a list of arrays."""
        return list(self._current().data)

    def getlabel(self) -> Any:  # noqa: ANN401 as getdata
        """Return the labels of the current batch: a list of arrays."""
        return list(self._current().label or [])

    def getindex(self) -> NDArray[Any] | None:
        """Return the ids of the samples of the current batch."""
        return self._current().index

    def getpad(self) -> int | None:
        """Return the number of samples of the current batch that only fill it."""
        return self._current().pad

    def _forget(self, at_start: bool = True) -> None:  # noqa: ARG002 for subclasses
        """Forget the current batch: the position is at the start of an epoch, or another one."""
        self._batch = None

    def _current(self) -> DataBatch:
        if self._batch is None:
            raise ValueError(
                "there is no current batch: call next or iter_next, also after load_state_dict, or reset at the end"
            )
        return self._batch


class EpochIter(BatchIter):
    """Base of iterators that count their epochs themselves."""

    _epoch = 0
    _is_over = False

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, unless the iterator is within it.

        Parameters
        ----------
        epoch : int
            Number of the epoch, at least 0.

        Raises
        ------
        ValueError
            If it is negative, or larger than 2**40 - 1.
        """
        epoch = validate.epoch(epoch)
        with self._turn:
            if epoch != self._epoch or self._is_over:
                self._go_to(epoch)

    def reset(self) -> None:
        """Start a new epoch, at any time."""
        with self._turn:
            self._go_to(self._epoch + (self._is_over or self._is_begun()))

    def iter_next(self) -> bool:
        """Move to the next batch and return whether there is one."""
        with self._turn:
            self._is_over = not super().iter_next()
            return not self._is_over

    def _go_to(self, epoch: int) -> None:
        """Go to the beginning of an epoch."""
        self._forget()
        self._rewind()
        self._epoch, self._is_over = epoch, False

    def _is_begun(self) -> bool:
        """Return whether a batch of the epoch was made."""
        raise NotImplementedError

    def _rewind(self) -> None:
        """Go back to the first batch."""
        raise NotImplementedError


class MXDataIter(BatchIter):
    """Base of the iterators that are native in MXNet: over record files, CSV, LibSVM and MNIST files.

    `getdata` and `getlabel` return one array each. Before the first batch of an epoch they return that batch, which
    `next` then returns and `iter_next` moves to: MXNet's constructor makes it, here the first getter does.
    """

    _is_at_start = True
    """Whether the position is the start of an epoch."""
    _state_before: dict[str, Any] | None = None
    """State before the current batch, if a getter made it and the caller has not moved to it."""

    if not TYPE_CHECKING:
        # The type of the batch is that of the other base class.
        def next(self) -> DataBatch:
            """Return the next batch."""
            if self._state_before is not None or self._is_at_start:
                with self._turn:
                    batch = self._batch
                    if self._is_ahead():
                        return batch
            return super().next()

    def iter_next(self) -> bool:
        """Move to the next batch and return whether there is one."""
        with self._turn:
            return self._is_ahead() or super().iter_next()

    def getdata(self) -> Any:  # noqa: ANN401 an array or a sparse matrix
        """Return the data of the current batch, one array; before the first one, of the first batch."""
        return self._current().data[0]

    def getlabel(self) -> Any:  # noqa: ANN401 an array or a sparse matrix
        """Return the labels of the current batch, one array; before the first one, of the first batch."""
        labels = self._current().label
        return labels[0] if labels else None

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the last batch that the caller moved to; see `DataIter.state_dict`."""
        return super().state_dict() if self._state_before is None else self._state_before

    @property
    def first_batch(self) -> DataBatch | None:
        """The first batch of the epoch as long as the caller has not moved to it; otherwise None."""
        with self._turn:
            if self._state_before is None and not self._is_at_start:
                return None
            return self._current()

    def _is_ahead(self) -> bool:
        """Return whether the current batch is the next one, as a getter made it; it is not from then on."""
        is_ahead = self._state_before is not None
        self._is_at_start, self._state_before = False, None
        return is_ahead

    def _forget(self, at_start: bool = True) -> None:
        super()._forget(at_start)
        self._is_at_start, self._state_before = at_start, None

    def _current(self) -> DataBatch:
        with self._turn:
            if self._is_at_start:
                state = self.state_dict()
                if self.iter_next():
                    self._state_before = state
            return super()._current()
