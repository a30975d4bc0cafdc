"""Wrappers of iterators: ``ResizeIter`` changes the length of epochs, ``PrefetchingIter`` reads ahead in threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from recio._loader import checkpoint, validate
from recio._loader.base import BatchIter, DataBatch, DataDesc, EpochIter
from recio._loader.prefetch import Prefetcher, Resettable
from recio._util import Closeable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from recio._loader.prefetch import Outcome


class _Described(Resettable, Protocol):
    """An iterator that describes its batches."""

    @property
    def provide_data(self) -> list[DataDesc]: ...

    @property
    def provide_label(self) -> list[DataDesc]: ...


class _Sized(_Described, Protocol):
    """An iterator with a batch size, too."""

    @property
    def batch_size(self) -> int: ...


class ResizeIter(EpochIter):
    """Iterator with a given number of batches in an epoch, from another iterator.

    When the inner iterator ends, it is reset and continues from its start.

    Parameters
    ----------
    data_iter : DataIter
        The inner iterator.
    size : int
        Number of batches in an epoch.
    reset_internal : bool, default True
        Whether `reset` resets the inner iterator too; otherwise it continues where it is.

    Raises
    ------
    ValueError
        If `size` is less than 1. From `next`, if the inner iterator has no batch even after a reset.

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
        """Start a new epoch."""
        with self._turn:
            self._go_to(self._epoch + (self._is_over or self._is_begun()))
            if self.reset_internal:
                self.data_iter.reset()

    def set_epoch(self, epoch: int) -> None:
        """Go to the beginning of an epoch, unless the iterator is within it.

        The next epoch is that after `reset`. For another, the inner iterator goes to its epoch of that number, if
        `reset_internal`.

        Parameters
        ----------
        epoch : int
            Number of the epoch, at least 0.

        Raises
        ------
        ValueError
            If it is negative, or larger than 2**40 - 1.
        NotImplementedError
            If it is not the next epoch, and `reset_internal` is False or the inner iterator lacks `set_epoch`.
        """
        number = validate.epoch(epoch)
        with self._turn:
            if number == self._epoch and not self._is_over:
                return
            if number == self._epoch + 1:
                self.reset()
            elif self.reset_internal:
                set_inner = epoch_setter("data_iter", self.data_iter)
                # It may be within the epoch already.
                self.data_iter.reset()
                set_inner(number)
            else:
                raise NotImplementedError("with reset_internal=False epochs have no beginning to go to")
            self._go_to(number)

    def _is_begun(self) -> bool:
        return self.cur > 0

    def _rewind(self) -> None:
        self.cur = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the position, with the state of the inner iterator; see `DataIter.state_dict`."""
        with self._turn:
            position = {
                "epoch": self._epoch,
                "cur": self.cur,
                "data_iter": checkpoint.state_of(self.data_iter),
            }
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state, with the inner iterator; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings)
        cur = checkpoint.number(position, "cur", self.size)
        epoch = checkpoint.number({"epoch": 0, **position}, "epoch", validate.MAX_EPOCH)
        with self._turn:
            checkpoint.load_into("data_iter", self.data_iter, position.get("data_iter"))
            self._go_to(epoch)
            self.cur = cur

    @property
    def _settings(self) -> dict[str, Any]:
        return {"size": self.size, "reset_internal": bool(self.reset_internal)}

    def _make_batch(self) -> DataBatch | None:
        if self.cur == self.size:
            return None
        batch = next(self.data_iter, None)
        if batch is None:
            self.data_iter.reset()
            batch = next(self.data_iter, None)
        if batch is None:
            raise ValueError("data_iter has no batch, even after a reset")
        self.cur += 1
        return batch


class PrefetchingIter(Closeable, BatchIter):
    """Iterator that joins the batches of others, each of which a thread reads one batch ahead.

    If an inner iterator raises, `next` raises the same error and the iterator stays usable: the following `next`
    returns the batches that come after. The inner iterators are read in step: if one fails, the batches that the others
    returned with it are skipped. (In MXNet 1.9.1 an error ended the thread, and `next` waited for ever.) The threads
    end with `close`, or when the iterator is dropped; until then the inner iterators belong to them. Several threads
    may call `next`: each batch goes to one of them.

    Parameters
    ----------
    iters : DataIter, or list of DataIter
        The inner iterators.
    rename_data, rename_label : list of dict of str to str, optional
        For each iterator, new names of its data and labels in ``provide_data`` and ``provide_label``. A name that is
        not in the dict stays.

    Raises
    ------
    ValueError
        If there is no iterator, or an iterator does not have a name that is to be changed. From `next`, if the
        iterators end after different numbers of batches, or their batches have different ``pad``, or after `close`.
    RuntimeError
        In a forked process, where the threads do not exist.

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
        self._prefetcher = Prefetcher(self.iters)
        self._is_over = False

    @property
    def provide_data(self) -> list[DataDesc]:
        """Descriptions of the data of all iterators, with the new names."""
        return self._data

    @property
    def provide_label(self) -> list[DataDesc]:
        """Descriptions of the labels of all iterators, with the new names."""
        return self._label

    def reset(self) -> None:
        """Start a new epoch, at any time, after the batches that are being read."""
        with self._turn:
            self._batch = None
            self._prefetcher.reset()
            self._is_over = False

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0: that of the first inner iterator.

        Raises
        ------
        NotImplementedError
            If that has no epoch.
        """
        number = getattr(self.iters[0], "epoch", None)
        if number is None:
            raise NotImplementedError(f"iters[0] has no epoch: {type(self.iters[0]).__name__}")
        return int(number)

    def set_epoch(self, epoch: int) -> None:
        """Let all inner iterators go to the beginning of an epoch, unless they are within it.

        Parameters
        ----------
        epoch : int
            Number of the epoch, at least 0.

        Raises
        ------
        ValueError
            If it is negative, or larger than 2**40 - 1.
        NotImplementedError
            If an inner iterator lacks `epoch` or `set_epoch`.
        """
        number = validate.epoch(epoch)
        with self._turn:
            if number == self.epoch and not self._is_over:
                return
            setters = [epoch_setter(f"iters[{index}]", each) for index, each in enumerate(self.iters)]
            self._batch = None
            self._prefetcher.set_epoch(setters, number)
            self._is_over = False

    def state_dict(self) -> dict[str, Any]:
        """Return the positions of the inner iterators, regardless of prefetching; see `DataIter.state_dict`.

        Raises
        ------
        NotImplementedError
            If an inner iterator has no state.
        """
        position = {"iters": self._states()}
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state, with the inner iterators; see `DataIter.load_state_dict`.

        If the state of one does not fit, all stay where they were.
        """
        states = checkpoint.fit(state, type(self).__name__, self._settings).get("iters")
        if not isinstance(states, list) or len(states) != len(self.iters):
            raise checkpoint.not_a_state(state)
        with self._turn:
            before = self._states()
            self._batch = None
            try:
                self._prefetcher.load(states)
            except Exception:
                self._prefetcher.load(before)
                raise
            self._is_over = False

    @property
    def _settings(self) -> dict[str, Any]:
        return {"iters": len(self.iters)}

    def _states(self) -> list[Any]:
        positions = self._prefetcher.positions
        for number, position in enumerate(positions):
            if position.missing is not None:
                raise NotImplementedError(f"iters[{number}] has no state: {position.missing}")
        return [position.state for position in positions]

    def close(self) -> None:
        """Stop the threads, after the batches that they are reading; a second call does nothing.

        The inner iterators stay open, one batch further than was read here.
        """
        self._batch = None
        self._prefetcher.close()

    def _make_batch(self) -> DataBatch | None:
        outcomes = self._prefetcher.peek()
        self._raise_first_error(outcomes)
        ends = [outcome.is_end for outcome in outcomes]
        self._is_over = all(ends)
        if self._is_over:
            return None
        if any(ends):
            raise ValueError(f"{sum(ends)} of {len(ends)} iterators ended, but the others have more batches")
        self._prefetcher.advance()
        return self._joined([outcome.batch for outcome in outcomes if outcome.batch is not None])

    def _raise_first_error(self, outcomes: list[Outcome]) -> None:
        error = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        if error is None:
            return
        self._prefetcher.advance()
        # They refer to the error, and its traceback to them: a cycle, which only the garbage
        # collector would free.
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


def epoch_setter(name: str, iterator: object) -> Callable[[int], None]:
    """Return the method `set_epoch` of an iterator inside another.

    Raises
    ------
    NotImplementedError
        If it has none.
    """
    setter: Callable[[int], None] | None = getattr(iterator, "set_epoch", None)
    if setter is None:
        raise NotImplementedError(f"{name} has no set_epoch: {type(iterator).__name__}")
    return setter


def _renamed(
    argument: str,
    names: Sequence[Mapping[str, str]] | None,
    described: list[list[DataDesc]],
) -> list[DataDesc]:
    """Join the descriptions of all iterators, with the new names."""
    maps: Sequence[Mapping[str, str]] = [{}] * len(described) if names is None else names
    if len(maps) != len(described):
        raise ValueError(f"{argument} has {len(maps)} dicts of names for {len(described)} iterators")
    return [new for each, arrays in zip(maps, described, strict=True) for new in _with_names(argument, each, arrays)]


def _with_names(argument: str, names: Mapping[str, str], arrays: Iterable[DataDesc]) -> list[DataDesc]:
    old = [DataDesc(*array) if not isinstance(array, DataDesc) else array for array in arrays]
    unknown = names.keys() - {array.name for array in old}
    if unknown:
        raise ValueError(f"{argument}: no array is named {', '.join(map(repr, sorted(unknown)))}")
    return [DataDesc(names.get(array.name, array.name), array.shape, array.dtype, array.layout) for array in old]
