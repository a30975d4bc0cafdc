"""Iterators read one batch ahead, in step, by a thread for each: what `PrefetchingIter` is made of.

A thread goes on whatever its iterator raises, and holds no reference to who reads from it here. What was asked for and
what was given are states; queues only say that there is something to look at, and too often does no harm. So a reader
that is interrupted anywhere asks again and loses nothing, and there is no lock that the collector of garbage, which may
stop the threads from within any of them, could find held. With what an iterator gives comes its state after it: only
then does its state say what the reader has received. Knows nothing of what is in a batch or a state.
"""

from __future__ import annotations

import os
import threading
import weakref
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from recio._loader import checkpoint
from recio._util import stop_at_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recio._loader.base import DataBatch


class Resettable(Protocol):
    """What can be read ahead."""

    def __next__(self) -> DataBatch:
        """Give the next batch."""

    def reset(self) -> None:
        """Begin a new epoch."""


class Place(NamedTuple):
    """Where an iterator is: its state or, if it gave none, why."""

    state: Any = None
    lack: str | None = None


class Outcome(NamedTuple):
    """What an iterator gave: a batch, an error or, if neither, its end; and where it is thereafter."""

    place: Place
    batch: DataBatch | None = None
    error: BaseException | None = None

    @property
    def is_end(self) -> bool:
        """Whether it was the end of the epoch."""
        return self.batch is None and self.error is None


class _Round:
    """One step of all iterators: where they were before it, and what each, by its number, gave.

    Who has not given yet is being read.
    """

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        self.outcomes: dict[int, Outcome] = {}

    def in_order(self) -> list[Outcome]:
        return [outcome for _, outcome in sorted(self.outcomes.items())]


class Ahead:
    """Iterators and the threads that read them. They begin at once."""

    def __init__(self, sources: Sequence[Resettable]) -> None:
        self._sources = sources
        self._state = _State([_place(source) for source in sources])
        self._threads = [
            threading.Thread(target=_work, args=(number, source, self._state), name="recio-prefetch", daemon=True)
            for number, source in enumerate(sources)
        ]
        for thread in self._threads:
            thread.start()
        # When it goes, each thread is woken by a function in C, in which a Ctrl-C cannot get lost.
        self._state.gone = [weakref.ref(self, call.put) for call in self._state.calls]
        stop_at_exit(self)

    @property
    def places(self) -> list[Place]:
        """Where the iterators are for who has received all that was let go of, whatever has been read since."""
        return self._state.round.places

    def peek(self) -> list[Outcome]:
        """Wait for what all iterators give next, and leave it there."""
        if self._state.in_reset:
            raise ValueError("the last reset failed: until one succeeds, the iterators are not in step")
        self._state.settle()
        return self._state.round.in_order()

    def advance(self) -> None:
        """Let go of what came, and have the next read."""
        self._read_on([outcome.place for outcome in self._state.round.in_order()])

    def reset(self) -> None:
        """Let go of what came, reset the iterators while the threads rest, and have their first batches read."""
        self._begin_anew([source.reset for source in self._sources])

    def load(self, states: Sequence[Any]) -> None:
        """Let go of what came, have each iterator go to where its state was taken, and have them read from there."""
        sources = zip(self._sources, states, strict=True)
        self._begin_anew(
            [partial(checkpoint.load, f"iters[{number}]", *source) for number, source in enumerate(sources)]
        )

    def _begin_anew(self, begin: Sequence[Callable[[], None]]) -> None:
        self._state.settle()
        self._state.in_reset = True
        for each in begin:
            each()
        self._read_on([_place(source) for source in self._sources])
        self._state.in_reset = False

    def _read_on(self, places: list[Place]) -> None:
        self._state.round = _Round(places)
        self._state.wake()

    def stop(self) -> None:
        """Have the threads end, without waiting for them: what they read may never come."""
        self._state.stop()

    def close(self) -> None:
        """Have the threads end, wait until they have, and let go of what came."""
        self.stop()
        for thread in self._threads:
            thread.join()
        self._state.round = _Round(self.places)


class _State:
    """What the threads and their reader share."""

    def __init__(self, places: list[Place]) -> None:
        self.round = _Round(places)
        self.in_reset = False
        self.stopped = False
        self.calls: list[SimpleQueue[object]] = [SimpleQueue() for _ in places]
        self.gone: list[weakref.ref[Ahead]] = []
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
        while not self.stopped and len(self.round.outcomes) < len(self.calls):
            # Once more: who began the round may have been interrupted before it called.
            self.wake()
            self._news.get()
        if self.stopped:
            raise ValueError("the iterator is closed")

    def give(self, into: _Round, number: int, outcome: Outcome) -> None:
        """Put down what an iterator gave, and tell the reader."""
        into.outcomes[number] = outcome
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


def _work(number: int, source: Resettable, state: _State) -> None:
    while not state.stopped:
        into = state.round
        if number in into.outcomes:
            # Not kept while waiting: batches are large.
            del into
            # Anything but `None` is what is left of who read from here.
            if state.calls[number].get() is not None:
                state.stopped = True
        else:
            state.give(into, number, _outcome(source))


def _outcome(source: Resettable) -> Outcome:
    batch = failure = None
    try:
        batch = next(source)
    except StopIteration:
        pass
    except BaseException as error:  # noqa: BLE001 whatever it is, it is the reader's
        failure = error
    try:
        return Outcome(_place(source), batch, failure)
    finally:
        # Its traceback holds this frame: the two would wait for the collector of garbage.
        del failure


def _place(source: Resettable) -> Place:
    try:
        return Place(checkpoint.of(source))
    except NotImplementedError as error:
        return Place(lack=str(error))
    except Exception as error:  # noqa: BLE001 who wants no state needs none
        return Place(lack=f"{type(error).__name__}: {error}")
