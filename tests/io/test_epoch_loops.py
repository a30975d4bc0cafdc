"""`EpochLoops`: an epoch of an iterator for each loop."""

from __future__ import annotations

import itertools
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio._loader.epoch_loops import EpochLoops
from recio.io import DataBatch, DataIter, NDArrayIter, PrefetchingIter, ResizeIter
from tests.support.records import RecordFile, open_iter, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable


class Ids(EpochLoops[list[int]]):
    """Loops over the ids of batches."""

    def _convert(self, batch: DataBatch) -> list[int]:
        assert batch.index is not None
        return list(map(int, batch.index))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("loops"), 10)


def loops(file: RecordFile, **settings: Any) -> Ids:  # noqa: ANN401 settings of many types
    return Ids(open_iter(file, shuffle=True, seed=5, **settings))


def expected(file: RecordFile, epochs: int = 5) -> list[list[list[int]]]:
    """Return the ids of the batches of each epoch."""
    batches = open_iter(file, shuffle=True, seed=5)
    found = []
    for _ in range(epochs):
        found.append([list(map(int, batch.index)) for batch in batches])
        batches.reset()
    return found


def test_each_loop_is_an_epoch(tiny: RecordFile) -> None:
    once = loops(tiny)
    assert [list(once) for _ in range(4)] == expected(tiny)[:4]
    assert once.epoch == 3


def test_a_loop_that_counts_batches_needs_no_end(tiny: RecordFile) -> None:
    once = loops(tiny)
    assert [list(itertools.islice(once, len(once))) for _ in range(4)] == expected(tiny)[:4]


def test_a_loop_that_was_left_is_followed_by_the_next_epoch(tiny: RecordFile) -> None:
    once = loops(tiny)
    assert next(iter(once)) == expected(tiny)[0][0]
    assert list(once) == expected(tiny)[1]


def test_a_loop_without_batches_does_not_take_an_epoch(tiny: RecordFile) -> None:
    once = loops(tiny)
    iter(once)
    assert list(once) == expected(tiny)[0]


def test_loops_that_are_not_used_change_nothing(tiny: RecordFile) -> None:
    """As in Lightning: a loop is created, then the epoch is set, then the loop is used."""
    once, resumed = loops(tiny), loops(tiny)
    next(iter(once))
    resumed.load_state_dict(once.state_dict())
    iter(resumed)
    loop = iter(resumed)
    resumed.set_epoch(0)
    assert list(loop) == expected(tiny)[0][1:]


def test_a_loop_takes_the_epoch_that_is_set_before_its_first_batch(tiny: RecordFile) -> None:
    once = loops(tiny)
    loop = iter(once)
    once.set_epoch(2)
    assert list(loop) == expected(tiny)[2]


def test_dropped_loops_stop_the_threads(tiny: RecordFile) -> None:
    once = loops(tiny)
    next(iter(once))
    dropped = weakref.ref(once)
    del once
    assert dropped() is None


def test_an_older_loop_is_an_error(tiny: RecordFile) -> None:
    once = loops(tiny)
    first = iter(once)
    next(first)
    iter(once)
    with pytest.raises(RuntimeError, match="this loop has ended"):
        next(first)


@pytest.mark.parametrize("epoch", [0, 1, 3])
def test_set_epoch_leads_to_the_beginning_of_an_epoch(tiny: RecordFile, epoch: int) -> None:
    once = loops(tiny)
    next(iter(once))
    once.set_epoch(epoch)
    assert list(once) == expected(tiny)[epoch]
    once.set_epoch(epoch)
    assert list(once) == expected(tiny)[epoch]


@pytest.mark.parametrize("done", range(1, 9))
@pytest.mark.parametrize("calls_set_epoch", [False, True])
def test_a_state_continues_with_the_rest_of_its_epoch(tiny: RecordFile, done: int, calls_set_epoch: bool) -> None:
    epochs = expected(tiny)
    once, size = loops(tiny), len(epochs[0])
    states = [once.state_dict() for _ in range(3) for _ in once]
    resumed = loops(tiny)
    resumed.load_state_dict(states[done - 1])
    epoch = done // size
    if calls_set_epoch:
        resumed.set_epoch(epoch)
    assert list(resumed) == epochs[epoch][done % size :]
    assert list(resumed) == epochs[epoch + 1]


def test_a_state_after_the_end_continues_with_the_next_epoch(tiny: RecordFile) -> None:
    once, resumed = loops(tiny), loops(tiny)
    list(once)
    resumed.load_state_dict(once.state_dict())
    assert list(resumed) == expected(tiny)[1]


class First(EpochLoops[float]):
    """Loops over the first value of each batch."""

    def _convert(self, batch: DataBatch) -> float:
        return float(batch.data[0].ravel()[0])


class Counts(DataIter):
    """A user's iterator without an epoch, a length or a state."""

    def __init__(self) -> None:
        super().__init__(1)
        self.done = 0

    def reset(self) -> None:
        self.done = 0

    def next(self) -> DataBatch:
        if self.done == 3:
            raise StopIteration
        self.done += 1
        return DataBatch([np.array([self.done])])


def arrays() -> NDArrayIter:
    return NDArrayIter(np.arange(6), batch_size=2)


@pytest.mark.parametrize("open_it", [arrays, lambda: PrefetchingIter(arrays()), lambda: ResizeIter(arrays(), 3)])
@pytest.mark.parametrize("done", [1, 2, 3])
def test_all_iterators_have_loops(open_it: Callable[[], DataIter], done: int) -> None:
    """A state after the last batch is followed by the next epoch, though the end was not asked for."""
    once, resumed = First(open_it()), First(open_it())
    assert [list(once) for _ in range(2)] == [[0, 2, 4]] * 2
    list(itertools.islice(once, done))
    resumed.load_state_dict(once.state_dict())
    assert [list(resumed) for _ in range(2)] == [[0, 2, 4][done % 3 :], [0, 2, 4]]


def test_a_users_iterator_has_loops() -> None:
    once = First(Counts())
    for epoch in range(3):
        once.set_epoch(epoch)
        assert list(once) == [1, 2, 3]
    with pytest.raises(TypeError, match="has no len"):
        len(once)


def test_other_objects_are_an_error() -> None:
    with pytest.raises(TypeError, match="batches must be an iterator of recio, got list"):
        First([])  # type: ignore[arg-type]
