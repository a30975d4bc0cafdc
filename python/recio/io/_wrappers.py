"""Iterators around iterators: ``ResizeIter``, of as many batches as wanted, and ``PrefetchingIter``, a batch ahead.

They know of the inner ones what every `DataIter` has; the threads are in ``recio._loader.prefetch``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from recio._loader import checkpoint, validate
from recio._loader.base import DataBatch, DataDesc, WholeBatchIter
from recio._loader.prefetch import Ahead, Resettable
from recio._util import Closeable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from recio._loader.prefetch import Outcome


class _Described(Resettable, Protocol):
    """An iterator that describes its batches."""

    @property
    def provide_data(self) -> list[DataDesc]: ...

    @property
    def provide_label(self) -> list[DataDesc]: ...


class _Sized(_Described, Protocol):
    """One that says, too, how many samples a batch has."""

    @property
    def batch_size(self) -> int: ...


class ResizeIter(WholeBatchIter):
    """An iterator whose epochs have another number of batches than those of the one inside.

    Where the inner one ends, it is reset and begins again.

    Parameters
    ----------
    data_iter : DataIter
        The inner iterator.
    size : int
        Batches an epoch.
    reset_internal : bool, default True
        Whether a reset resets the inner iterator too; else it goes on where it is.

    Raises
    ------
    ValueError
        If `size` is less than 1; from `next` if the inner iterator has no batch even after a reset.

    Examples
    --------
    >>> import numpy as np
    >>> from recio.io import NDArrayIter
    >>> batches = ResizeIter(NDArrayIter(np.arange(6), batch_size=3), size=3)
    >>> [batch.data[0].tolist() for batch in batches]
    [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [0.0, 1.0, 2.0]]
    """

    def __init__(self, data_iter: _Sized, size: int, reset_internal: bool = True) -> None:
        super().__init__(data_iter.batch_size)
        self.data_iter = data_iter
        self.size = validate.positive("size", size)
        self.reset_internal = reset_internal
        self.cur = 0
        self.provide_data = data_iter.provide_data
        self.provide_label = data_iter.provide_label

    def reset(self) -> None:
        """Begin a new epoch."""
        self._batch = None
        self.cur = 0
        if self.reset_internal:
            self.data_iter.reset()

    def state_dict(self) -> dict[str, Any]:
        """Tell where it is and where the inner iterator is; see `DataIter.state_dict`."""
        position = {"cur": self.cur, "data_iter": checkpoint.of(self.data_iter)}
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where a state was taken, the inner iterator too; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings)
        cur = checkpoint.number(position, "cur", self.size)
        checkpoint.load("data_iter", self.data_iter, position.get("data_iter"))
        self._batch = None
        self.cur = cur

    @property
    def _settings(self) -> dict[str, Any]:
        return {"size": self.size, "reset_internal": bool(self.reset_internal)}

    def _make(self) -> DataBatch | None:
        if self.cur == self.size:
            return None
        batch = next(self.data_iter, None)
        if batch is None:
            self.data_iter.reset()
            batch = next(self.data_iter, None)
        if batch is None:
            raise ValueError("data_iter gives no batch, even after a reset")
        self.cur += 1
        return batch


class PrefetchingIter(Closeable, WholeBatchIter):
    """Iterators of which each is read a batch ahead by a thread of its own, and whose batches are joined.

    What an inner iterator raises is raised by `next`, and the iterator can be used on: the next `next` gives what the
    inner ones give then. They are read in step: where one fails, what the others gave with it is left out. (In MXNet
    1.9.1, an error ended the thread, and `next` waited for ever.) The threads end with `close`, or when the iterator is
    dropped. Until then the inner iterators are theirs. One thread at a time may call `next`, `reset` and the getters.

    Parameters
    ----------
    iters : DataIter, or list of DataIter
        The inner iterators.
    rename_data, rename_label : list of dict of str to str, optional
        For each iterator, other names for its data and labels in ``provide_data`` and ``provide_label``. A name that is
        not in the dict stays.

    Raises
    ------
    ValueError
        If there is no iterator, or a name to be changed is not one of the iterator's. From `next` if the iterators end
        after different numbers of batches, or their batches have different ``pad``; after `close`.
    RuntimeError
        In a forked process, which has not the threads.

    Examples
    --------
    >>> import numpy as np
    >>> from recio.io import NDArrayIter
    >>> left, right = (NDArrayIter({"data": np.ones((100, 10))}, batch_size=25) for _ in range(2))
    >>> batches = PrefetchingIter([left, right], rename_data=[{"data": "left"}, {"data": "right"}])
    >>> [(description.name, description.shape) for description in batches.provide_data]
    [('left', (25, 10)), ('right', (25, 10))]
    >>> len(list(batches))
    4
    """

    def __init__(
        self,
        iters: _Described | Sequence[_Described],
        rename_data: Sequence[Mapping[str, str]] | None = None,
        rename_label: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        self.iters = list(iters) if isinstance(iters, Sequence) else [iters]
        if not self.iters:
            raise ValueError("iters is empty")
        self._data = _renamed("rename_data", rename_data, [each.provide_data for each in self.iters])
        self._label = _renamed("rename_label", rename_label, [each.provide_label for each in self.iters])
        super().__init__(self._data[0].shape[0])
        self._ahead = Ahead(self.iters)

    @property
    def provide_data(self) -> list[DataDesc]:
        """The descriptions of all iterators' data, under their new names."""
        return self._data

    @property
    def provide_label(self) -> list[DataDesc]:
        """The descriptions of their labels, likewise."""
        return self._label

    def reset(self) -> None:
        """Begin a new epoch at any time, once the inner iterators have given what they are giving."""
        self._batch = None
        self._ahead.reset()

    def state_dict(self) -> dict[str, Any]:
        """Tell where the inner iterators were when they gave what was received here; see `DataIter.state_dict`.

        Raises
        ------
        NotImplementedError
            If one of them has no state.
        """
        position = {"iters": self._states()}
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Have the inner iterators go to where a state was taken; see `DataIter.load_state_dict`.

        If one of them refuses, all stay where they were.
        """
        states = checkpoint.fit(state, type(self).__name__, self._settings).get("iters")
        if not isinstance(states, list) or len(states) != len(self.iters):
            raise checkpoint.no_state(state)
        before = self._states()
        self._batch = None
        try:
            self._ahead.load(states)
        except Exception:
            self._ahead.load(before)
            raise

    @property
    def _settings(self) -> dict[str, Any]:
        return {"iters": len(self.iters)}

    def _states(self) -> list[Any]:
        places = self._ahead.places
        for number, place in enumerate(places):
            if place.lack is not None:
                raise NotImplementedError(f"iters[{number}] gives no state: {place.lack}")
        return [place.state for place in places]

    def close(self) -> None:
        """End the threads, once the inner iterators have given what they are giving. A second call does nothing.

        The inner iterators stay open, a batch further than was read here.
        """
        self._batch = None
        self._ahead.close()

    def _make(self) -> DataBatch | None:
        outcomes = self._ahead.peek()
        self._raise_first_error(outcomes)
        ends = [outcome.is_end for outcome in outcomes]
        if all(ends):
            return None
        if any(ends):
            raise ValueError(f"{sum(ends)} of {len(ends)} iterators ended, but the others have more batches")
        self._ahead.advance()
        return self._joined([outcome.batch for outcome in outcomes if outcome.batch is not None])

    def _raise_first_error(self, outcomes: list[Outcome]) -> None:
        error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        if error is None:
            return
        self._ahead.advance()
        # With these, its traceback would hold the error itself, and the iterator, until garbage is collected.
        outcomes.clear()
        try:
            raise error
        finally:
            del error

    def _joined(self, batches: list[DataBatch]) -> DataBatch:
        pads = [batch.pad for batch in batches]
        if len(set(pads)) > 1:
            raise ValueError(f"the iterators' batches have different pads: {pads}")
        return DataBatch(
            [array for batch in batches for array in batch.data],
            [array for batch in batches for array in batch.label or []],
            pads[0],
            batches[0].index,
            batches[0].bucket_key,
            self.provide_data,
            self.provide_label,
        )


def _renamed(
    argument: str,
    names: Sequence[Mapping[str, str]] | None,
    described: list[list[DataDesc]],
) -> list[DataDesc]:
    """Join descriptions under their new names."""
    maps: Sequence[Mapping[str, str]] = [{}] * len(described) if names is None else names
    if len(maps) != len(described):
        raise ValueError(f"{argument} has {len(maps)} maps of names for {len(described)} iterators")
    return [new for each, arrays in zip(maps, described, strict=True) for new in _named_anew(argument, each, arrays)]


def _named_anew(argument: str, names: Mapping[str, str], arrays: Iterable[DataDesc]) -> list[DataDesc]:
    old = [DataDesc(*array) if not isinstance(array, DataDesc) else array for array in arrays]
    unknown = names.keys() - {array.name for array in old}
    if unknown:
        raise ValueError(f"{argument}: no array is named {', '.join(map(repr, sorted(unknown)))}")
    return [DataDesc(names.get(array.name, array.name), array.shape, array.dtype, array.layout) for array in old]
