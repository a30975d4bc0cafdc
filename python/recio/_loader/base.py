"""``DataDesc``, ``DataBatch`` and ``DataIter``, and the base of the iterators that make a batch at once."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import DTypeLike, NDArray

_NO_STATE = (
    "{} has no state: define state_dict, which gives a plain dict that says where it is, and load_state_dict(state), "
    "which goes there"
)


class DataDesc(namedtuple("DataDesc", ["name", "shape"])):  # noqa: PYI024, SLOT002 a pair with attributes, as MXNet's
    """Name, shape, type and layout of an array of a batch.

    A pair of name and shape, with two attributes that count neither for equality nor for iteration.

    Parameters
    ----------
    name : str
        The array's name, such as ``'data'``.
    shape : tuple of int
        Its shape, the batch's axis included.
    dtype : dtype-like, default float32
        Its type.
    layout : str, default 'NCHW'
        A letter an axis; N is the batch's.
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
        """Let copies and pickles keep type and layout."""
        return (self.name, self.shape, self.dtype, self.layout)

    def __repr__(self) -> str:
        """Show all four."""
        return f"DataDesc[{self.name},{self.shape},{self.dtype},{self.layout}]"

    @staticmethod
    def get_batch_axis(layout: str | None) -> int:
        """Give the axis of a layout that is the batch's: 0 for ``None``, -1 if there is none."""
        return 0 if layout is None else layout.find("N")

    @staticmethod
    def get_list(
        shapes: Iterable[tuple[str, Sequence[int]]],
        types: Iterable[tuple[str, DTypeLike]] | None,
    ) -> list[DataDesc]:
        """Describe arrays given as (name, shape) and, by name, (name, dtype)."""
        if types is None:
            return [DataDesc(name, shape) for name, shape in shapes]
        by_name = dict(types)
        return [DataDesc(name, shape, by_name[name]) for name, shape in shapes]


class DataBatch:
    """A batch.

    Parameters
    ----------
    data : list of ndarray
        The samples, the batch's axis first.
    label : list of ndarray, optional
        The labels.
    pad : int, optional
        How many samples at the end are there only to fill the batch.
    index : ndarray, optional
        The samples' ids.
    bucket_key : object, optional
        For models that have one for each length of input.
    provide_data, provide_label : list of DataDesc, optional
        Descriptions of `data` and `label`.
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
        for name, arrays in (("data", data), ("label", label)):
            if arrays is not None and not isinstance(arrays, list | tuple):
                raise TypeError(f"{name} is a list of arrays, not {type(arrays).__name__}")
        self.data = data
        self.label = label
        self.pad = pad
        self.index = index
        self.bucket_key = bucket_key
        self.provide_data = provide_data
        self.provide_label = provide_label

    def __str__(self) -> str:
        """Show the shapes."""
        labels = None if self.label is None else [label.shape for label in self.label]
        shapes = [data.shape for data in self.data]
        return f"{type(self).__name__}: data shapes: {shapes} label shapes: {labels}"

    __repr__ = __str__


class DataIter:
    """The base of iterators.

    A subclass has either `next` (or ``__next__``), which gives a `DataBatch` or raises ``StopIteration``, or
    `iter_next` with `getdata`, `getlabel` and `getpad`; and `reset`; and, as attributes or properties,
    ``provide_data`` and ``provide_label``, lists of `DataDesc`. To be resumed, alone or within `ResizeIter` and
    `PrefetchingIter`, it has `state_dict` and `load_state_dict` too.

    Parameters
    ----------
    batch_size : int, default 0
        Samples a batch.

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
        """Give itself, without a reset."""
        return self

    def __next__(self) -> DataBatch:
        """Give the next batch."""
        return self.next() if self._has_own("next") else self._assembled()

    def reset(self) -> None:
        """Begin a new epoch."""

    def next(self) -> DataBatch:
        """Give the next batch.

        Raises
        ------
        StopIteration
            At the end of the epoch.
        """
        # Only where nothing else gives batches, for a `__next__` may itself call `next`.
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
        """Tell where it is, for `load_state_dict` of another object, in another process, to go on from there.

        Returns
        -------
        dict
            Plain: ``json.dumps`` takes it, in at most 1 KiB. It tells which batches the caller has received, whatever
            was read ahead of them, and what the batches depend on: the settings, and the sizes and digests of the data.

        Raises
        ------
        NotImplementedError
            If it has none: a subclass that makes batches itself defines this method and `load_state_dict`.
        """
        raise NotImplementedError(_NO_STATE.format(type(self).__name__))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where a state was taken, in the midst of an epoch or at its end, without making the batches before it.

        The batches from there on, in this epoch and the later ones, are those that were to come there.

        Parameters
        ----------
        state : dict
            What `state_dict` gave, to an iterator of the same class with the same data and settings.

        Raises
        ------
        ValueError
            If it is not the state of such an iterator; the message names each difference, and nothing has changed.
        NotImplementedError
            As from `state_dict`.
        """
        raise NotImplementedError(_NO_STATE.format(type(self).__name__))

    def iter_next(self) -> bool:
        """Move to the next batch; give whether there is one."""
        raise NotImplementedError(f"{type(self).__name__} has neither next nor iter_next")

    def getdata(self) -> list[NDArray[Any]]:
        """Give the data of the present batch."""
        raise NotImplementedError

    def getlabel(self) -> list[NDArray[Any]] | None:
        """Give the labels of the present batch."""
        raise NotImplementedError

    def getindex(self) -> NDArray[Any] | None:
        """Give the ids of the present batch's samples; ``None`` if it has none."""
        return None

    def getpad(self) -> int | None:
        """Give how many samples at the end of the present batch only fill it."""
        raise NotImplementedError


class WholeBatchIter(DataIter):
    """An iterator whose batches come from ``_make``. The last one is kept for the getters, as in MXNet."""

    _batch: DataBatch | None = None

    def _make(self) -> DataBatch | None:
        """Make the next batch; ``None`` at the end of the epoch."""
        raise NotImplementedError

    def iter_next(self) -> bool:
        """Move to the next batch; give whether there is one."""
        self._batch = None
        self._batch = self._make()
        return self._batch is not None

    def next(self) -> DataBatch:
        """Give the next batch.

        Raises
        ------
        StopIteration
            At the end of the epoch, until `reset`.
        """
        if not self.iter_next():
            raise StopIteration
        return self._present()

    def getdata(self) -> list[NDArray[Any]]:
        """Give the data of the present batch."""
        return list(self._present().data)

    def getlabel(self) -> list[NDArray[Any]]:
        """Give its labels."""
        return list(self._present().label or [])

    def getindex(self) -> NDArray[Any] | None:
        """Give the numbers of its samples."""
        return self._present().index

    def getpad(self) -> int | None:
        """Give how many of its samples only fill it."""
        return self._present().pad

    def _present(self) -> DataBatch:
        if self._batch is None:
            raise ValueError("there is no present batch: iter_next has not been called, or gave False")
        return self._batch
