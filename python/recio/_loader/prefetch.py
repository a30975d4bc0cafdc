"""Prefetching of iterators: a thread for each reads it one batch ahead, in step with the others.

`PrefetchingIter` is made of this. Whatever an iterator raises, its thread goes on. A thread holds no reference to the
consumer's object, so that the threads end when it is dropped.

The threads and the consumer share state; their queues only carry wake-ups, and a spurious wake-up does no harm. So a
consumer that is interrupted anywhere asks again and loses nothing. There are no locks: the garbage collector may stop
the threads from any line, and a lock could be held there. The position of an iterator is taken right after each of its
batches, and becomes the consumer's position only when the consumer has received the batch.
"""

from __future__ import annotations

import os
import threading
import weakref
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from recio import _recio
from recio._loader import checkpoint
from recio._util import cannot_start_thread, stop_at_exit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recio._loader.base import DataBatch


class Resettable(Protocol):
    """An iterator that can be prefetched."""

    def __next__(self) -> DataBatch:
        """Return the next batch."""

    def reset(self) -> None:
        """Start a new epoch."""


class Position(NamedTuple):
    """State of an iterator or, if it has none, the reason."""

    state: Any = None
    missing: str | None = None


class Outcome(NamedTuple):
    """Result of reading an iterator: a batch, an error or, if neither, its end; and its position afterwards."""

    position: Position
    batch: DataBatch | None = None
    error: BaseException | None = None

    @property
    def is_end(self) -> bool:
        """Whether it is the end of the epoch."""
        return self.batch is None and self.error is None


class _Round:
    """One batch of each iterator: the positions before it, and the outcomes so far by the number of the iterator."""

    def __init__(self, positions: list[Position]) -> None:
        self.positions = positions
        self.outcomes: dict[int, Outcome] = {}

    def in_order(self) -> list[Outcome]:
        return [outcome for _, outcome in sorted(self.outcomes.items())]


class Prefetcher:
    """Iterators and the threads that read them; reading starts at once.

    Parameters
    ----------
    sources : sequence of Resettable
        The iterators. They belong to the threads until `close`.
    """

    def __init__(self, sources: Sequence[Resettable]) -> None:
        self._sources = sources
        self._shared = _Shared([_position(source) for source in sources])
        self._threads = [
            threading.Thread(target=_work, args=(number, source, self._shared), name="recio-prefetch", daemon=True)
            for number, source in enumerate(sources)
        ]
        self._start_threads()
        # When this object is dropped, a function in C wakes each thread: a Ctrl-C cannot get lost
        # in it.
        self._shared.finalizers = [weakref.ref(self, wakeup.put) for wakeup in self._shared.wakeups]
        stop_at_exit(self)

    def _start_threads(self) -> None:
        """Start all threads, or none."""
        for number, thread in enumerate(self._threads):
            try:
                thread.start()
            except RuntimeError as error:
                self._shared.stop()
                for started in self._threads[:number]:
                    started.join()
                raise cannot_start_thread(error) from None

    @property
    def positions(self) -> list[Position]:
        """Positions of the iterators before the present round, regardless of prefetching."""
        return self._shared.round.positions

    def peek(self) -> list[Outcome]:
        """Wait for the present round, and return its outcomes without advancing."""
        if self._shared.in_reset:
            raise ValueError("the last reset failed: until one succeeds, the iterators are not in step")
        self._shared.wait()
        return self._shared.round.in_order()

    def advance(self) -> None:
        """Drop the present round, and start reading the next one."""
        self._start_round([outcome.position for outcome in self._shared.round.in_order()])

    def reset(self) -> None:
        """Drop the present round, reset the iterators while the threads are idle, and start reading again."""
        self._restart([source.reset for source in self._sources])

    def set_epoch(self, setters: Sequence[Callable[[int], None]], epoch: int) -> None:
        """Drop the present round, let each iterator go to an epoch, and start reading again."""
        self._restart([partial(setter, epoch) for setter in setters])

    def load(self, states: Sequence[Any]) -> None:
        """Drop the present round, load a state into each iterator, and start reading again."""
        sources = zip(self._sources, states, strict=True)
        self._restart([partial(checkpoint.load_into, f"iters[{number}]", *each) for number, each in enumerate(sources)])

    def _restart(self, actions: Sequence[Callable[[], None]]) -> None:
        self._shared.wait()
        self._shared.in_reset = True
        for action in actions:
            action()
        self._start_round([_position(source) for source in self._sources])
        self._shared.in_reset = False

    def _start_round(self, positions: list[Position]) -> None:
        self._shared.round = _Round(positions)
        self._shared.wake()

    def stop(self) -> None:
        """Stop the threads without waiting for them: an iterator may be blocked for ever."""
        self._shared.stop()

    def join(self, seconds: float) -> None:
        """Do not wait when the process ends: it ends threads of Python."""

    def close(self) -> None:
        """Stop the threads, wait until they have ended, and drop the present round."""
        self.stop()
        for thread in self._threads:
            thread.join()
        self._shared.round = _Round(self.positions)


class _Shared:
    """State that the threads and the consumer share."""

    def __init__(self, positions: list[Position]) -> None:
        self.round = _Round(positions)
        self.in_reset = False
        self.stopped = False
        self.wakeups: list[SimpleQueue[object]] = [SimpleQueue() for _ in positions]
        self.finalizers: list[weakref.ref[Prefetcher]] = []
        self._arrivals: SimpleQueue[None] = SimpleQueue()
        self._process = os.getpid()

    def wait(self) -> None:
        """Wait until the round is complete. From then on no thread uses its iterator, until a new round starts."""
        process = os.getpid()
        if process != self._process:
            raise RuntimeError(
                f"this iterator belongs to process {self._process} and cannot be used in the forked process {process}; "
                "its threads do not exist there: make the iterator after the fork"
            )
        while not self.stopped and len(self.round.outcomes) < len(self.wakeups):
            # Again: the consumer may have been interrupted between the start of the round and its
            # wake-ups.
            self.wake()
            self._arrivals.get()
        if self.stopped:
            raise _recio.iterator_closed()

    def put(self, into: _Round, number: int, outcome: Outcome) -> None:
        """Store the outcome of an iterator, and wake the consumer."""
        into.outcomes[number] = outcome
        self._arrivals.put(None)

    def wake(self) -> None:
        """Wake the threads."""
        for wakeup in self.wakeups:
            wakeup.put(None)

    def stop(self) -> None:
        """Make the threads end after the batches that they are reading, and a waiting consumer raise an error."""
        self.stopped = True
        self.wake()
        self._arrivals.put(None)


def _work(number: int, source: Resettable, shared: _Shared) -> None:
    while not shared.stopped:
        into = shared.round
        if number in into.outcomes:
            # Not kept while waiting: batches are large.
            del into
            # Anything but `None` is the dead reference to the prefetcher.
            if shared.wakeups[number].get() is not None:
                shared.stopped = True
        else:
            shared.put(into, number, _outcome(source))


def _outcome(source: Resettable) -> Outcome:
    batch = failure = None
    try:
        batch = next(source)
    except StopIteration:
        pass
    except BaseException as error:  # noqa: BLE001 the consumer raises it
        failure = error
    try:
        return Outcome(_position(source), batch, failure)
    finally:
        # Its traceback refers to this frame: a reference cycle, which only the garbage collector
        # would free.
        del failure


def _position(source: Resettable) -> Position:
    try:
        return Position(checkpoint.state_of(source))
    except NotImplementedError as error:
        return Position(missing=str(error))
    except Exception as error:  # noqa: BLE001 raised only if the state is asked for
        return Position(missing=f"{type(error).__name__}: {error}")
