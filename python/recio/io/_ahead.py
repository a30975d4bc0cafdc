"""Iterators read one batch ahead, in step, by a thread for each: what `PrefetchingIter` is made of.

A thread goes on whatever its iterator raises, and holds no reference to who reads from it here. What was asked for and
what was given are states; queues only say that there is something to look at, and too often does no harm. So a reader
that is interrupted anywhere asks again and loses nothing, and there is no lock that the collector of garbage, which may
stop the threads from within any of them, could find held. Knows nothing of what is in a batch.
"""

from __future__ import annotations

import os
import threading
import weakref
from queue import SimpleQueue
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recio.io._base import DataBatch


class Resettable(Protocol):
    """What can be read ahead."""

    def __next__(self) -> DataBatch:
        """Give the next batch."""

    def reset(self) -> None:
        """Begin a new epoch."""


class Outcome(NamedTuple):
    """What an iterator gave: a batch, an error or, if neither, its end."""

    batch: DataBatch | None = None
    error: BaseException | None = None

    @property
    def is_end(self) -> bool:
        """Whether it was the end of the epoch."""
        return self.batch is None and self.error is None


_Round: TypeAlias = dict[int, Outcome]
"""What each iterator, by its place, gave in one step. Who has not given yet is being read."""


class Ahead:
    """Iterators and the threads that read them. They begin at once."""

    def __init__(self, sources: Sequence[Resettable]) -> None:
        self._sources = sources
        self._state = _State(len(sources))
        self._threads = [
            threading.Thread(target=_work, args=(place, source, self._state), name="recio-prefetch", daemon=True)
            for place, source in enumerate(sources)
        ]
        for thread in self._threads:
            thread.start()
        weakref.finalize(self, self._state.stop)

    def peek(self) -> list[Outcome]:
        """Wait for what all iterators give next, and leave it there."""
        if self._state.in_reset:
            raise ValueError("the last reset failed: until one succeeds, the iterators are not in step")
        self._state.settle()
        return [outcome for _, outcome in sorted(self._state.round.items())]

    def advance(self) -> None:
        """Let go of what came, and have the next read."""
        self._state.round = {}
        self._state.wake()

    def reset(self) -> None:
        """Let go of what came, reset the iterators while the threads rest, and have their first batches read."""
        self._state.settle()
        self._state.in_reset = True
        for source in self._sources:
            source.reset()
        self.advance()
        self._state.in_reset = False

    def close(self) -> None:
        """Have the threads end, wait until they have, and let go of what came."""
        self._state.stop()
        for thread in self._threads:
            thread.join()
        self._state.round = {}


class _State:
    """What the threads and their reader share."""

    def __init__(self, places: int) -> None:
        self.round: _Round = {}
        self.in_reset = False
        self.stopped = False
        self.calls: list[SimpleQueue[None]] = [SimpleQueue() for _ in range(places)]
        self._news: SimpleQueue[None] = SimpleQueue()
        self._process = os.getpid()

    def settle(self) -> None:
        """Wait until all iterators have given. From then on no thread touches them, until there is a new round."""
        here = os.getpid()
        if here != self._process:
            raise RuntimeError(
                f"this iterator belongs to process {self._process} and cannot be used in the forked process {here}; "
                "its threads do not exist there: make the iterator after the fork"
            )
        while not self.stopped and len(self.round) < len(self.calls):
            # Once more: who began the round may have been interrupted before it called.
            self.wake()
            self._news.get()
        if self.stopped:
            raise ValueError("the iterator is closed")

    def give(self, into: _Round, place: int, outcome: Outcome) -> None:
        """Put down what an iterator gave, and tell the reader."""
        into[place] = outcome
        self._news.put(None)

    def wake(self) -> None:
        """Have the threads look at the round."""
        for call in self.calls:
            call.put(None)

    def stop(self) -> None:
        """Have the threads end when their iterators have given what they are giving, and their reader fail."""
        self.stopped = True
        self.wake()
        self._news.put(None)


def _work(place: int, source: Resettable, state: _State) -> None:
    while not state.stopped:
        into = state.round
        if place in into:
            # Not kept while waiting: batches are large.
            del into
            state.calls[place].get()
        else:
            state.give(into, place, _outcome(source))


def _outcome(source: Resettable) -> Outcome:
    try:
        return Outcome(batch=next(source))
    except StopIteration:
        return Outcome()
    except BaseException as error:  # noqa: BLE001 whatever it is, it is the reader's
        return Outcome(error=error)
