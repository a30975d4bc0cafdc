"""Resources of an iterator: memory, threads, the GIL; signals, forks and process exit."""

from __future__ import annotations

import resource
import signal
import subprocess
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from recio.image import ImageDetIter, ImageIter
from recio.io import ImageDetRecordIter, ImageMaskRecordIter
from recio.recordio import IRHeader, pack
from tests.support.processes import becomes_true, python, run_python, start
from tests.support.records import (
    RecordFile,
    digest,
    image_record,
    in_batch,
    noise,
    numbers,
    open_iter,
    png,
    stream,
    threads,
    write_images,
    write_records,
    write_tiny,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recio.io import DataBatch

MIB = 1 << 20
LARGE: dict[str, Any] = {"data_shape": (3, 224, 224), "dtype": "float32", "batch_size": 16}
"""Batches of 9 MB, which the allocator maps separately."""
WAITING: dict[str, Any] = {"resize": 16, "preprocess_threads": 1, "prefetch_buffer": 1}
"""Settings with which a reader of `slow` has to wait."""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("many"), 400)


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write images that decode slowly: 4000 by 4000 pixels, progressive, so that all scans must be read."""
    rows, columns = np.mgrid[:4000, :4000]
    gray = ((rows + columns) >> 5).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    return write_images(tmp_path_factory.mktemp("slow"), [jpeg] * 100)


def address(batch: DataBatch) -> int:
    return int(batch.data[0].ctypes.data)


class TestBuffers:
    @pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
    @pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
    def test_data_is_contiguous_writable_and_of_the_requested_dtype(
        self, many: RecordFile, dtype: str, layout: str
    ) -> None:
        data = open_iter(many, dtype=dtype, layout=layout).next().data[0]
        assert data.flags.carray
        assert data.dtype == np.dtype(dtype)
        data[...] = 1
        assert (data == 1).all()

    @pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
    def test_all_arrays_are_aligned_to_pages(self, many: RecordFile, dtype: str) -> None:
        kept = list(open_iter(many, dtype=dtype, batch_size=3))
        for batch in kept:
            arrays = (*batch.data, *batch.label, batch.index)
            assert [array.ctypes.data % 4096 for array in arrays] == [0, 0, 0]

    def test_masks_and_labels_of_other_iterators_are_aligned_to_pages(self, tmp_path: Path) -> None:
        image, mask = png(noise(8, 8)), png(np.zeros((8, 8, 1), np.uint8))
        label = [2, 5, 1, 0.1, 0.1, 0.9, 0.9]
        boxes = write_records(tmp_path, [pack(IRHeader(0, label, 0, 0), image)] * 3, "boxes")
        images, masks = (
            write_records(tmp_path, [image_record(payload, n) for n in range(3)], name)
            for name, payload in (("images", image), ("masks", mask))
        )
        shape: dict[str, Any] = {"data_shape": (3, 8, 8), "batch_size": 2}
        for batches in (
            ImageDetRecordIter(path_imgrec=boxes.rec, **shape),
            ImageDetIter(path_imgrec=boxes.rec, **shape),
            ImageMaskRecordIter(path_imgrec=images.rec, path_maskrec=masks.rec, **shape),
            ImageIter(path_imgrec=images.rec, dtype="float64", **shape),
        ):
            batch = batches.next()
            arrays = (*batch.data, *batch.label, batch.index)
            assert [array.ctypes.data % 4096 for array in arrays] == [0, 0, 0]

    def test_jax_shares_the_memory(self, many: RecordFile) -> None:
        jax = pytest.importorskip("jax")
        data = open_iter(many, dtype="float32").next().data[0]
        assert jax.dlpack.from_dlpack(data, copy=False).unsafe_buffer_pointer() == data.ctypes.data

    def test_kept_batches_never_share_memory(self, many: RecordFile) -> None:
        kept = list(stream(open_iter(many), 2))
        assert all(upper - lower >= kept[0].data[0].nbytes for lower, upper in pairwise(sorted(map(address, kept))))

    def test_kept_batch_never_changes(self, photos: RecordFile) -> None:
        batches = stream(open_iter(photos, data_shape=(3, 64, 64), batch_size=2, shuffle=True), 4)
        kept = list(islice(batches, 5))
        before = digest(kept)
        assert sum(1 for _ in islice(batches, 50)) == 50
        assert digest(kept) == before

    def test_view_keeps_the_memory_of_its_batch(self, many: RecordFile) -> None:
        batches = open_iter(many)
        view = batches.next().data[0][1]
        before = view.copy()
        for batch in batches:
            batch.data[0][...] = 0
        np.testing.assert_array_equal(view, before)

    def test_kept_batch_outlives_its_iterator(self, photos: RecordFile) -> None:
        batches = open_iter(photos, **LARGE)
        kept = batches.next()
        before = digest([kept])
        batches.close()
        del batches
        assert digest([kept]) == before
        kept.data[0][...] = 0

    def test_writing_to_a_batch_does_not_affect_others(self, photos: RecordFile) -> None:
        clean, dirty = (stream(open_iter(photos, **LARGE), 5) for _ in range(2))
        for expected, batch in zip(clean, dirty, strict=True):
            np.testing.assert_array_equal(batch.data[0], expected.data[0])
            batch.data[0][...] = np.nan

    def test_memory_of_dropped_batches_is_reused(self, photos: RecordFile) -> None:
        seen = [address(batch) for batch in stream(open_iter(photos, **LARGE), 20)]
        assert len(set(seen)) <= 8 < len(seen)

    def test_reused_buffers_cost_no_page_faults(self, photos: RecordFile) -> None:
        def faults(epochs: int) -> float:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
            read = sum(len(batch.data[0]) for batch in stream(batches, epochs))
            return (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before) / read

        batches = open_iter(photos, **LARGE)
        cold, warm = faults(20), faults(20)
        print(f"minor page faults per image, of 147 pages: {warm:.2f}, initially {cold:.2f}")  # noqa: T201
        assert warm <= 4


class TestThreads:
    @pytest.mark.parametrize(("batch_size", "producers"), [(1, 0), (8, 0), (9, 2), (64, 2)])
    def test_iterator_has_the_requested_threads_and_two_waiting_ones_for_large_batches(
        self, many: RecordFile, batch_size: int, producers: int
    ) -> None:
        batches = open_iter(many, preprocess_threads=5, batch_size=batch_size, read_ahead=0)
        batches.next()
        assert threads() == [f"recio-{number}" for number in range(5)] + ["recio-producer"] * producers

    @pytest.mark.parametrize("read", [0, 3, 100])
    @pytest.mark.parametrize("how", ["close", "del", "with"])
    def test_releasing_an_iterator_ends_its_threads(self, many: RecordFile, how: str, read: int) -> None:
        assert threads() == []
        batches = open_iter(many)
        for _ in range(read):
            batches.next()
        if how == "close":
            batches.close()
        elif how == "with":
            with batches:
                assert threads()
        else:
            del batches
        assert becomes_true(lambda: threads() == [])

    @pytest.mark.alone
    @pytest.mark.parametrize("kind", ["function", "hook"])
    def test_stored_exception_does_not_keep_the_iterator(self, many: RecordFile, kind: str) -> None:
        """The exception of a batch that was not asked for, whose frames refer to the iterator."""

        class Failing(ImageIter):
            def augmentation_transform(self, data: Any) -> Any:  # noqa: ANN401 an image
                raise LookupError(str(data.shape))

        def fail(image: Any) -> Any:  # noqa: ANN401 an image
            assert made
            raise LookupError(str(image.shape))

        made: list[Any] = []
        if kind == "function":
            made.append(open_iter(many, aug_list=[fail]))
        else:
            made.append(Failing(4, (3, 8, 8), path_imgrec=many.rec))
        with pytest.raises((LookupError, AssertionError)) as raised:
            made[0].next()
        assert {"fail", "augmentation_transform"} & {entry.name for entry in raised.traceback}
        del raised
        # Time for the batches that are made ahead, whose errors nobody asks for.
        time.sleep(0.1)
        iterator = weakref.ref(made[0])
        made.clear()
        assert becomes_true(lambda: threads() == [] and iterator() is None)

    def test_close_takes_no_longer_than_one_image(self, slow: RecordFile) -> None:
        batches = open_iter(slow, **WAITING, batch_size=50)
        time.sleep(0.1)
        start = time.monotonic()
        batches.close()
        assert time.monotonic() - start < 1

    def test_close_frees_memory(self, photos: RecordFile) -> None:
        """Measured in a separate process: in this one, memory of other tests may be freed meanwhile."""
        done = run_python(MEMORY, **settings_of(photos, **{**LARGE, "batch_size": 64}))
        assert (done.returncode, done.stderr) == (0, "")
        before, during, after = map(int, done.stdout.split())
        print(f"{(during - before) / MIB:.0f} MiB while it ran, {(after - before) / MIB:.0f} after")  # noqa: T201
        assert during - before > 30 * MIB
        assert after - before < 15 * MIB

    def test_memory_of_many_threads_goes_back_to_the_system(self, photos: RecordFile) -> None:
        """The heap has a part for each of many threads, and keeps what is freed in each, up to a limit."""
        settings = {"data_shape": (3, 224, 224), "batch_size": 128, "preprocess_threads": 8, "rand_crop": True}
        done = run_python(MANY_THREADS, **settings_of(photos, **settings))
        assert (done.returncode, done.stderr) == (0, "")
        first, after = map(int, done.stdout.split())
        print(f"{(after - first) / MIB:.0f} MiB more")  # noqa: T201
        assert after - first < 20 * MIB

    def test_using_a_closed_iterator_is_a_value_error(self, many: RecordFile) -> None:
        batches = open_iter(many)
        batches.close()
        batches.close()
        for use in (batches.next, batches.reset, lambda: len(batches)):
            with pytest.raises(ValueError, match="the iterator is closed"):
                use()

    def test_two_threads_share_an_iterator_without_lost_or_duplicate_batches(self, many: RecordFile) -> None:
        batches = open_iter(many, shuffle=True)
        results: list[list[DataBatch]] = [[], []]
        readers = [threading.Thread(target=lambda received=received: received.extend(batches)) for received in results]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        assert sorted(numbers(results[0] + results[1])) == list(range(400))

    def test_close_wakes_a_waiting_thread_with_an_error(self, slow: RecordFile) -> None:
        batches = open_iter(slow, **WAITING, batch_size=50)
        with ThreadPoolExecutor(1) as pool:
            reading = pool.submit(list, batches)
            time.sleep(0.1)
            batches.close()
            error = reading.exception(timeout=1)
        assert isinstance(error, ValueError)
        assert str(error) == "the iterator is closed"

    @pytest.mark.alone
    def test_other_threads_run_while_one_waits(self, slow: RecordFile) -> None:
        """The best of five attempts counts, since the machine may be busy."""
        batches = open_iter(slow, **WAITING, batch_size=3)
        ratios = []
        for _ in range(5):
            baseline, concurrent = counted(lambda: time.sleep(0.2)), counted(batches.next)
            ratios.append(concurrent / baseline)
        print(f"a thread next to a waiting one runs at {max(ratios):.0%} of its speed")  # noqa: T201
        assert max(ratios) > 0.5


def counted(work: Callable[[], object]) -> float:
    """Count in another thread during some work, and return the counts per second."""
    count, done = 0, threading.Event()

    def run() -> None:
        nonlocal count
        while not done.is_set():
            count += 1

    counter = threading.Thread(target=run)
    start = time.perf_counter()
    counter.start()
    work()
    done.set()
    counter.join()
    return count / (time.perf_counter() - start)


def settings_of(file: RecordFile, **settings: Any) -> dict[str, Any]:  # noqa: ANN401 they are of many types
    """Return settings for a script."""
    return {"path_imgrec": str(file.rec), "data_shape": (3, 8, 8), "batch_size": 4, **settings}


MEMORY = """
import psutil
from recio.io import ImageRecordIter

resident = lambda: psutil.Process().memory_info().rss
before = resident()
batches = ImageRecordIter(**settings)
for _ in range(3):
    batches.next()
    batches.reset()
during = resident()
batches.close()
print(before, during, resident())
"""

MANY_THREADS = """
import psutil
from recio.io import ImageRecordIter

def close(iterators):
    for batches in iterators:
        batches.close()
    return psutil.Process().memory_info().rss

def opened():
    batches = ImageRecordIter(**settings)
    batches.next()
    return batches

print(close([opened()]), close([opened() for _ in range(30)]))
"""

INTERRUPTED = """
import time
from recio.io import ImageRecordIter
batches = ImageRecordIter(**settings)
print("waiting", flush=True)
try:
    batches.next()
except KeyboardInterrupt:
    print(time.monotonic())
"""


@pytest.mark.alone
@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_interrupts_waiting(slow: RecordFile) -> None:
    command = python(INTERRUPTED, settings_of(slow, **WAITING, batch_size=100))
    with start(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        time.sleep(0.33)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
        ended = time.monotonic()
    print(f"KeyboardInterrupt after {float(out) - sent:.3f} s, the end after {ended - sent:.3f} s")  # noqa: T201
    assert process.returncode == 0
    assert float(out) - sent < 0.5
    assert ended - sent < 2


IGNORING = """
import os, signal
from recio.io import ImageRecordIter
signal.signal(signal.SIGINT, signal.SIG_IGN)
batches = ImageRecordIter(**settings)
for _ in batches:
    os.kill(os.getpid(), signal.SIGINT)
batches.close()
print("done")
"""


def test_process_that_ignores_sigint_continues(many: RecordFile) -> None:
    done = run_python(IGNORING, **settings_of(many))
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


FORKED = """
import os, sys
from recio.io import ImageRecordIter
batches = ImageRecordIter(**settings)
for _ in range(20):
    batches.next()
    child = os.fork()
    if child == 0:
        for use in (batches.next, batches.reset, lambda: len(batches)):
            try:
                use()
            except RuntimeError as error:
                assert f"belongs to process {os.getppid()}" in str(error), error
                assert "make the iterator after the fork" in str(error), error
            else:
                sys.exit("no error")
        batches.close()
        assert len(list(ImageRecordIter(**settings))) == 100
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print(len(list(batches)))
"""


def test_forked_child_must_make_its_own_iterator_and_the_parent_continues(many: RecordFile) -> None:
    done = run_python(FORKED, **settings_of(many))
    assert (done.returncode, done.stdout) == (0, "80\n"), done.stderr


ENDINGS = {
    "in the middle of an epoch": "",
    "by an exception": "raise SystemExit(0)",
    "with a batch kept in a cycle": "kept = [batches.next()]; kept.append(kept)",
    "while a thread waits": "import threading; threading.Thread(target=lambda: list(batches), daemon=True).start()",
    "in a child": "import os; child = os.fork(); child and os.waitpid(child, 0)",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_process_ends_cleanly(photos: RecordFile, name: str) -> None:
    script = (
        f"from recio.io import ImageRecordIter\nbatches = ImageRecordIter(**settings)\nbatches.next()\n{ENDINGS[name]}"
    )
    done = run_python(script, **settings_of(photos, data_shape=(3, 224, 224)))
    assert (done.returncode, done.stderr) == (0, "")


def test_thread_may_reset_while_another_reads(many: RecordFile) -> None:
    batches = open_iter(many)
    stop = threading.Event()

    def reset() -> None:
        while not stop.is_set():
            batches.reset()

    resetter = threading.Thread(target=reset)
    resetter.start()
    batch_numbers = [in_batch(batch) for batch in islice(stream(batches, 1000), 200)]
    stop.set()
    resetter.join()
    assert all(read == list(range(read[0], read[0] + 4)) for read in batch_numbers)
