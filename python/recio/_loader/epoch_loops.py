"""An epoch of an iterator for each ``for`` loop, as data loaders of PyTorch, Lightning and Keras have it.

MXNet's iterators are begun anew by `reset` after the loop. Trainers that count batches stop without asking for the end
of an epoch, so that what follows the loop in a generator is never reached. Here the next epoch begins with the loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from recio._loader.base import DataIter

if TYPE_CHECKING:
    from recio._loader.base import DataBatch

T = TypeVar("T")
"""What a loop returns for each batch."""


class EpochLoops(Generic[T]):
    """Iterable with an epoch for each loop.

    A loop that follows a complete one, or one that was left by ``break``, begins the next epoch. The first loop goes on
    where the iterator is, and so does the first one after `load_state_dict` or `set_epoch`; at the end of an epoch,
    with the next one. A loop begins with its first batch: trainers create some that they do not use.

    Parameters
    ----------
    batches : DataIter
        The iterator. Nothing else should read it.
    """

    def __init__(self, batches: DataIter) -> None:
        if not isinstance(batches, DataIter):
            raise TypeError(f"batches must be an iterator of recio, got {type(batches).__name__}")
        self._batches: Any = batches
        self._is_begun = False
        # Number of the newest loop: a loop refers to this object, which must not refer back, so
        # that the threads end as soon as it is dropped.
        self._loop = 0

    def _convert(self, batch: DataBatch) -> T:
        """Return what a loop returns for a batch."""
        raise NotImplementedError

    def __iter__(self) -> EpochLoop[T]:
        """Begin a loop over an epoch, or over the rest of the one whose state was loaded."""
        if self._is_begun:
            self._batches.reset()
        self._is_begun = False
        self._loop += 1
        return EpochLoop(self, self._loop)

    def __len__(self) -> int:
        """Return the number of batches of the current epoch."""
        return len(self._batches)

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        epoch: int = self._batches.epoch
        return epoch

    def set_epoch(self, epoch: int) -> None:
        """Make the next loop one over this epoch.

        Where a state of this epoch was loaded, and before the first loop, it goes on from there. An iterator without
        `set_epoch` ignores it.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0.
        """
        if not hasattr(self._batches, "set_epoch"):
            return
        if self._is_begun and epoch == self.epoch:
            # To the beginning of an epoch that a loop has begun.
            self._batches.set_epoch(epoch + 1)
        self._batches.set_epoch(epoch)
        self._is_begun = False

    def state_dict(self) -> dict[str, Any]:
        """Return the position after the last batch that a loop returned; see `recio.io.DataIter.state_dict`."""
        state: dict[str, Any] = self._batches.state_dict()
        return state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a position: the next loop returns the rest of its epoch; see `recio.io.DataIter.load_state_dict`."""
        self._batches.load_state_dict(state)
        self._is_begun = False
        self._loop += 1

    def close(self) -> None:
        """Stop the threads of the iterator and close its files."""
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()

    def next_of(self, loop: int) -> T:
        """Return the next batch for the loop of a number, which must be the newest."""
        if loop != self._loop:
            raise RuntimeError("this loop has ended: a newer one, or a state that was loaded, has taken the iterator")
        is_first, self._is_begun = not self._is_begun, True
        try:
            return self._convert(self._batches.next())
        except StopIteration:
            if not is_first:
                raise
        # The position was the end of an epoch.
        self._batches.reset()
        return self._convert(self._batches.next())


class EpochLoop(Generic[T]):
    """One loop over an epoch of `EpochLoops`."""

    def __init__(self, loops: EpochLoops[T], number: int) -> None:
        self._loops, self._number = loops, number

    def __iter__(self) -> Self:
        """Return the loop itself."""
        return self

    def __next__(self) -> T:
        """Return the next batch, converted."""
        return self._loops.next_of(self._number)
