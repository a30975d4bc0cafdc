"""`ResizeIter` and `PrefetchingIter`: iterators around iterators.

The batches of ten numbers, four per batch, are those of MXNet 1.9.1. Its `PrefetchingIter` waited forever for a thread
that had ended with an error.
"""

from __future__ import annotations

import contextlib
import gc
import re
import signal
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.io import DataBatch, DataDesc, DataIter, ImageRecordIter, NDArrayIter, PrefetchingIter, ResizeIter
from tests.support.processes import becomes_true, run_python
from tests.support.records import FIRST_ID, RecordFile

if TYPE_CHECKING:
    from collections.abc import Iterable

FIRST, SECOND, LAST = ([0, 1, 2, 3], 0), ([4, 5, 6, 7], 0), ([8, 9, 0, 1], 2)


def of_ten(**settings: Any) -> NDArrayIter:  # noqa: ANN401 they are of many types
    return NDArrayIter(np.arange(10), -np.arange(10), 4, **settings)


def shown(batches: Iterable[DataBatch]) -> list[tuple[list[float], int | None]]:
    return [(batch.data[0].tolist(), batch.pad) for batch in batches]


class Scripted(DataIter):
    """Iterator over a script of numbers, which become batches, and exceptions, which are raised."""

    def __init__(self, *script: float | BaseException, pad: int = 0) -> None:
        super().__init__(batch_size=1)
        self.script, self.at, self.resets, self.pad = script, 0, 0, pad
        self.provide_data = [DataDesc("data", (1,))]
        self.provide_label: list[DataDesc] = []

    def reset(self) -> None:
        self.at, self.resets = 0, self.resets + 1

    def next(self) -> DataBatch:
        if self.at == len(self.script):
            raise StopIteration
        self.at += 1
        item = self.script[self.at - 1]
        if isinstance(item, BaseException):
            raise type(item)(*item.args)
        return DataBatch([np.array([item])], pad=self.pad)


class Gated(Scripted):
    """Scripted iterator that blocks until its gate is open."""

    def __init__(self, *script: float) -> None:
        super().__init__(*script)
        self.gate = threading.Event()
        self.is_requested = threading.Event()

    def next(self) -> DataBatch:
        self.is_requested.set()
        self.gate.wait()
        return super().next()


def readers() -> int:
    """Count the prefetching threads."""
    return sum(thread.name == "recio-prefetch" for thread in threading.enumerate())


class TestResizeIter:
    @pytest.mark.parametrize(
        ("size", "reset_internal", "epochs"),
        [
            (5, True, [[FIRST, SECOND, LAST, FIRST, SECOND]] * 2),
            (2, True, [[FIRST, SECOND]] * 2),
            (2, False, [[FIRST, SECOND], [LAST, FIRST]]),
        ],
    )
    def test_epochs_equal_mxnets(self, size: int, reset_internal: bool, epochs: list[Any]) -> None:
        batches = ResizeIter(of_ten(), size, reset_internal)
        for epoch in epochs:
            assert shown(batches) == epoch
            batches.reset()

    def test_descriptions_are_those_of_the_inner_iterator(self) -> None:
        batches = ResizeIter(of_ten(), 2)
        assert batches.provide_data == [("data", (4,))]
        assert batches.provide_label == [("softmax_label", (4,))]
        assert batches.batch_size == 4

    def test_batches_are_passed_unchanged(self) -> None:
        batch = ResizeIter(of_ten(), 1).next()
        assert batch.label
        assert (batch.label[0].tolist(), batch.index.tolist()) == ([0, -1, -2, -3], [0, 1, 2, 3])  # type: ignore[union-attr]

    def test_getters_return_the_current_batch(self) -> None:
        batches = ResizeIter(of_ten(), 4)
        while batches.iter_next():
            last = batches.getdata()[0].tolist(), batches.getpad()
        assert last == FIRST

    def test_empty_inner_iterator_is_an_error(self) -> None:
        with pytest.raises(ValueError, match="data_iter has no batch, even after a reset"):
            ResizeIter(Scripted(), 2).next()

    def test_inner_error_is_raised_and_later_batches_follow(self) -> None:
        batches = ResizeIter(Scripted(1, OSError("disk"), 2), 3)
        assert batches.next().data[0] == 1
        with pytest.raises(OSError, match="disk"):
            batches.next()
        assert [batch.data[0][0] for batch in batches] == [2, 1]

    def test_size_0_is_refused(self) -> None:
        with pytest.raises(ValueError, match="size must be at least 1, got 0"):
            ResizeIter(of_ten(), 0)


class TestPrefetchingIter:
    """Batches, names and epochs."""

    def test_epochs_equal_those_of_the_inner_iterator(self) -> None:
        with PrefetchingIter(of_ten()) as batches:
            for _ in range(3):
                assert shown(batches) == [FIRST, SECOND, LAST]
                with pytest.raises(StopIteration):
                    batches.next()
                batches.reset()

    def test_several_iterators_are_joined_and_renamed(self) -> None:
        with PrefetchingIter(
            [of_ten(), of_ten(data_name="x")],
            rename_data=[{"data": "left"}, {"x": "right"}],
            rename_label=[{"softmax_label": "here"}, {}],
        ) as batches:
            assert batches.provide_data == [("left", (4,)), ("right", (4,))]
            assert batches.provide_label == [("here", (4,)), ("softmax_label", (4,))]
            assert batches.batch_size == 4
            *_, last = batches
        assert [data.tolist() for data in last.data] == [LAST[0]] * 2
        assert [label.tolist() for label in last.label or []] == [[-8, -9, 0, -1]] * 2
        assert (last.pad, last.index.tolist()) == (2, [8, 9, 0, 1])  # type: ignore[union-attr]
        assert last.provide_data == batches.provide_data

    def test_renaming_keeps_dtype_and_layout(self) -> None:
        inner = of_ten()
        inner.layout = "N"
        with PrefetchingIter(inner, rename_data=[{"data": "x"}]) as batches:
            assert repr(batches.provide_data) == "[DataDesc[x,(4,),<class 'numpy.float32'>,N]]"

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            ([{"dta": "x"}], "rename_data: no array is named 'dta'"),
            ([{}, {}], "rename_data has 2 dicts of names for 1 iterators"),
        ],
    )
    def test_invalid_names_are_refused(self, names: list[dict[str, str]], message: str) -> None:
        before = readers()
        with pytest.raises(ValueError, match=message):
            PrefetchingIter(of_ten(), rename_data=names)
        assert readers() == before

    def test_empty_list_of_iterators_is_refused(self) -> None:
        with pytest.raises(ValueError, match="iters is empty"):
            PrefetchingIter([])

    def test_reset_in_mid_epoch_starts_a_new_epoch(self) -> None:
        with PrefetchingIter([of_ten(), of_ten()]) as batches:
            for read in range(5):
                assert shown(batches.next() for _ in range(min(read, 3))) == [FIRST, SECOND, LAST][:read]
                batches.reset()

    def test_getters_return_the_current_batch(self) -> None:
        with PrefetchingIter(of_ten()) as batches:
            assert batches.iter_next()
            assert (batches.getdata()[0].tolist(), batches.getpad()) == FIRST
            assert batches.getlabel()[0].tolist() == [0, -1, -2, -3]

    def test_next_batch_is_prefetched(self) -> None:
        inner = Scripted(1, 2)
        with PrefetchingIter(inner) as batches:
            batches.next()
            assert becomes_true(lambda: inner.at == 2)

    def test_record_iterators_are_prefetched(self, ten: RecordFile) -> None:
        inner = ImageRecordIter(path_imgrec=ten.rec, data_shape=(3, 8, 8), batch_size=5, preprocess_threads=1)
        with inner, PrefetchingIter(inner) as batches:
            for _ in range(2):
                ids = [batch.index.tolist() for batch in batches]  # type: ignore[union-attr]
                assert sum(ids, []) == [*range(FIRST_ID, FIRST_ID + 10)]  # noqa: RUF017 two of them
                batches.reset()


class TestFailingIterators:
    """Errors of inner iterators, and inner iterators that do not match."""

    def test_error_is_raised_in_order_and_the_next_batch_follows(self) -> None:
        with PrefetchingIter(Scripted(1, OSError("disk"), 2)) as batches:
            for _ in range(2):
                assert batches.next().data[0] == 1
                with pytest.raises(OSError, match="disk"):
                    batches.next()
                assert [batch.data[0][0] for batch in batches] == [2]
                batches.reset()

    def test_system_exit_is_raised_in_the_consumer(self) -> None:
        with PrefetchingIter(Scripted(SystemExit(3), 1)) as batches:
            with pytest.raises(SystemExit):
                batches.next()
            assert batches.next().data[0] == 1

    def test_iterators_stay_in_step_after_an_error(self) -> None:
        with PrefetchingIter([Scripted(1, OSError("disk"), 3), Scripted(1, 2, 3)]) as batches:
            assert [data[0] for data in batches.next().data] == [1, 1]
            with pytest.raises(OSError, match="disk"):
                batches.next()
            assert [data[0] for data in batches.next().data] == [3, 3]
            assert not batches.iter_next()

    def test_iterators_of_different_lengths_are_an_error(self) -> None:
        with PrefetchingIter([Scripted(1), Scripted(1, 2)]) as batches:
            for _ in range(2):
                batches.next()
                for _ in range(2):
                    with pytest.raises(ValueError, match="1 of 2 iterators ended, but the others have more batches"):
                        batches.next()
                batches.reset()

    def test_different_pads_raise(self) -> None:
        with (
            PrefetchingIter([Scripted(1, pad=1), Scripted(1, pad=2)]) as batches,
            pytest.raises(ValueError, match=re.escape("different pads: [1, 2]")),
        ):
            batches.next()

    def test_failed_reset_is_raised_and_must_be_repeated(self) -> None:
        class Stuck(Scripted):
            def reset(self) -> None:
                super().reset()
                if self.resets == 1:
                    raise OSError("stuck")

        with PrefetchingIter([Scripted(1, 2), Stuck(1, 2)]) as batches:
            batches.next()
            with pytest.raises(OSError, match="stuck"):
                batches.reset()
            with pytest.raises(ValueError, match="the last reset failed"):
                batches.next()
            batches.reset()
            assert [[data[0] for data in batch.data] for batch in batches] == [[1, 1], [2, 2]]


class TestThreads:
    """Lifetime of the prefetching threads."""

    @pytest.fixture
    def before(self) -> int:
        """Wait until the threads of other tests have ended."""
        gc.collect()
        assert becomes_true(lambda: readers() == 0)
        return 0

    @pytest.mark.parametrize("script", [(1, 2, 3), (OSError("disk"),), ()], ids=["reading", "failing", "ended"])
    def test_threads_end_when_the_iterator_is_dropped(self, before: int, script: tuple[Any, ...]) -> None:
        gc.disable()
        try:
            batches = PrefetchingIter([Scripted(*script), Scripted(*script)])
            reference = weakref.ref(batches)
            with contextlib.suppress(OSError, StopIteration):
                batches.next()
            assert readers() == before + 2
            del batches
            assert reference() is None
            assert becomes_true(lambda: readers() == before)
        finally:
            gc.enable()

    def test_dropping_the_iterator_does_not_wait_for_a_slow_inner_one(self, before: int) -> None:
        inner = Gated(1)
        batches = PrefetchingIter(inner)
        del batches
        assert readers() == before + 1
        inner.gate.set()
        assert becomes_true(lambda: readers() == before)

    def test_close_ends_threads_and_keeps_the_inner_iterator_open(self, before: int) -> None:
        inner = of_ten()
        batches = PrefetchingIter(inner)
        batches.next()
        batches.close()
        batches.close()
        assert readers() == before
        with pytest.raises(ValueError, match="the iterator is closed"):
            batches.next()
        with pytest.raises(ValueError, match="the iterator is closed"):
            batches.reset()
        inner.reset()
        assert shown(inner) == [FIRST, SECOND, LAST]

    def test_close_raises_in_a_waiting_thread(self) -> None:
        inner = Gated(1)
        batches = PrefetchingIter(inner)
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(batches.next)
            closing = pool.submit(batches.close)
            with pytest.raises(ValueError, match="the iterator is closed"):
                waiting.result()
            inner.gate.set()
            closing.result()

    def test_reset_waits_for_the_batch_in_progress(self) -> None:
        class Watched(Gated):
            is_busy = was_disturbed = False

            def next(self) -> DataBatch:
                self.is_busy = True
                try:
                    return super().next()
                finally:
                    self.is_busy = False

            def reset(self) -> None:
                self.was_disturbed |= self.is_busy
                super().reset()

        inner = Watched(1, 2)
        with PrefetchingIter(inner) as batches:
            assert inner.is_requested.wait()
            threading.Timer(0.05, inner.gate.set).start()
            batches.reset()
            assert [batch.data[0][0] for batch in batches] == [1, 2]
        assert (inner.resets, inner.was_disturbed) == (1, False)

    @pytest.mark.usefixtures("interruptible")
    def test_interrupted_reader_loses_no_batch(self) -> None:
        inner = Gated(1, 2)
        with PrefetchingIter(inner) as batches:
            threading.Timer(0.05, signal.pthread_kill, [threading.get_ident(), signal.SIGINT]).start()
            with pytest.raises(KeyboardInterrupt):
                batches.next()
            inner.gate.set()
            assert [batch.data[0][0] for batch in batches] == [1, 2]


PREFETCHING = """
import os, threading
import numpy as np
from recio.io import NDArrayIter, PrefetchingIter
batches = PrefetchingIter(NDArrayIter(np.arange(10), batch_size=4))
batches.next()
"""
FORKED = """
child = os.fork()
if child == 0:
    for use in (batches.next, batches.reset):
        try:
            use()
        except RuntimeError as error:
            assert "make the iterator after the fork" in str(error), error
        else:
            os._exit(1)
    batches.close()
    del batches
    child_batches = PrefetchingIter(NDArrayIter(np.arange(10), batch_size=4))
    assert len(list(child_batches)) == 3
    raise SystemExit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print(len(list(batches)))
"""
STUCK = """
class Stuck(NDArrayIter):
    def next(self):
        threading.Event().wait()
stuck = PrefetchingIter(Stuck(np.arange(10)))
"""


def test_forked_child_must_make_its_own_iterator_and_the_parent_continues() -> None:
    done = run_python(PREFETCHING + FORKED)
    assert (done.returncode, done.stdout) == (0, "2\n"), done.stderr


def test_process_ends_while_an_inner_iterator_hangs() -> None:
    done = run_python(PREFETCHING + STUCK)
    assert (done.returncode, done.stderr) == (0, "")
