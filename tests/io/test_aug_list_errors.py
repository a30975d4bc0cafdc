"""Functions in `aug_list` that fail, and iterators that are closed while a function runs."""

from __future__ import annotations

import contextlib
import gc
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError
from tests.support.processes import becomes_true, run_python
from tests.support.records import RecordFile, in_batch, noise, numbers, open_iter, png, threads, write_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.io import ImageRecordIter

    Image = NDArray[Any]

COUNT = 40


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write images whose first pixel value is their number."""
    pixels = [noise(8, 8, seed=seed) for seed in range(COUNT)]
    for number, image in enumerate(pixels):
        image[0, 0] = number
    return write_images(tmp_path_factory.mktemp("noise"), map(png, pixels))


def augmented(file: RecordFile, *augmenters: Any, **settings: Any) -> ImageRecordIter:  # noqa: ANN401
    return open_iter(file, aug_list=list(augmenters), preprocess_threads=4, **settings)


def failing_for(number: int, error: BaseException) -> Callable[[Image], Image]:
    """Return a function that raises for one image."""

    def fail(image: Image) -> Image:
        if image[0, 0, 0] == number:
            raise error
        return image

    return fail


class TestErrors:
    def test_exception_is_raised_unchanged_with_a_note_that_names_the_record(self, file: RecordFile) -> None:
        error = KeyError("mine")
        with augmented(file, failing_for(6, error)) as batches:
            assert in_batch(batches.next()) == [0, 1, 2, 3]
            with pytest.raises(KeyError, match="mine") as caught:
                batches.next()
        assert caught.value is error
        (note,) = error.__notes__
        location = f"{file.rec}: record 6 (id 106) at byte {file.offsets[6]}"
        assert note == f"raised by an augmenter: {location}: KeyError: 'mine'"
        assert caught.traceback[-1].name == "fail"

    def test_iterator_continues_with_the_next_batch_and_epoch(self, file: RecordFile) -> None:
        with augmented(file, failing_for(6, RuntimeError("mine"))) as batches:
            for _ in range(2):
                assert in_batch(batches.next()) == [0, 1, 2, 3]
                with pytest.raises(RuntimeError, match="mine"):
                    batches.next()
                assert numbers(batches) == list(range(8, COUNT))
                batches.reset()

    def test_stop_iteration_in_a_function_does_not_end_the_epoch(self, file: RecordFile) -> None:
        error = StopIteration(3)
        with (
            augmented(file, failing_for(0, error)) as batches,
            pytest.raises(RuntimeError, match="an augmenter raised StopIteration") as caught,
        ):
            batches.next()
        assert caught.value.__cause__ is error

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_base_exceptions_are_raised(self, file: RecordFile, error: type[BaseException]) -> None:
        with augmented(file, failing_for(0, error())) as batches:
            with pytest.raises(error):
                batches.next()
            assert in_batch(batches.next()) == [4, 5, 6, 7]

    @pytest.mark.parametrize(
        ("result", "error", "message"),
        [
            (None, TypeError, "an augmenter gave None; it gives an image"),
            (np.zeros(8), ValueError, r"an array of shape \[8\]"),
            (np.zeros((2, 8, 8, 3)), ValueError, r"an array of shape \[2, 8, 8, 3\]"),
            (np.zeros((8, 8, 2)), ValueError, r"shape \[8, 8, 2\]; .* 1, 3 or 4 channels"),
            (np.zeros((0, 8, 3)), ValueError, "an image of 8x0 pixels"),
            ("image", ValueError, "could not convert string to float"),
            (object(), TypeError, "float"),
        ],
    )
    def test_result_that_is_no_image_is_an_error(
        self, file: RecordFile, result: object, error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message) as caught:
            augmented(file, lambda _: result).next()
        assert "record 0 (id 100)" in caught.value.__notes__[0]

    @pytest.mark.parametrize("result", [np.zeros((8, 7, 3)), np.zeros((8, 8)), np.zeros((8, 8, 4), np.uint8)])
    def test_result_of_another_shape_than_the_output_is_an_error(self, file: RecordFile, result: Image) -> None:
        with pytest.raises(ValueError, match=r"the augmenters give .* but data_shape is 3x8x8"):
            augmented(file, lambda _: result).next()

    def test_result_larger_than_the_limits_is_an_error(self, file: RecordFile) -> None:
        wide = np.broadcast_to(np.uint8(0), (1, 16_385, 3))
        with pytest.raises(DecodeError, match="16385x1 pixels; the limit is 16384 a side"):
            augmented(file, lambda _: wide).next()

    def test_function_is_not_called_for_an_unreadable_image(self, tmp_path: Path) -> None:
        broken = write_images(tmp_path, [png(noise(8, 8)), b"no image", png(noise(8, 8))])

        def look(image: Image) -> Image:
            assert image.shape == (8, 8, 3)
            return image

        batches = augmented(broken, look, batch_size=1)
        assert numbers([batches.next()]) == [0]
        with pytest.raises(DecodeError, match="record 1"):
            batches.next()
        assert numbers(batches) == [2]


@pytest.fixture
def blocking() -> Iterator[BlockingFunction]:
    """Return a function that waits until the end of the test."""
    function = BlockingFunction()
    yield function
    function.released.set()


class BlockingFunction:
    """Function that signals its first call and returns when allowed to."""

    def __init__(self) -> None:
        self.called, self.released = threading.Event(), threading.Event()

    def __call__(self, image: Image) -> Image:
        self.called.set()
        assert self.released.wait(5)
        return image


class TestClosing:
    def test_close_waits_for_the_running_function(self, file: RecordFile, blocking: BlockingFunction) -> None:
        batches = augmented(file, blocking)
        assert blocking.called.wait(5)
        closing = threading.Thread(target=batches.close)
        closing.start()
        blocking.released.set()
        closing.join(5)
        assert not closing.is_alive()
        assert threads() == []

    def test_threads_of_a_dropped_iterator_end_while_a_function_runs(self, file: RecordFile) -> None:
        for _ in range(20):
            augmented(file, lambda image: 255 - image).next()
        assert becomes_true(lambda: threads() == [])

    def test_function_may_close_its_iterator(self, file: RecordFile) -> None:
        opened, closed = threading.Event(), threading.Event()
        iterators: list[ImageRecordIter] = []

        def close(image: Image) -> Image:
            assert opened.wait(5)
            iterators[0].close()
            closed.set()
            return image

        iterators.append(augmented(file, close))
        opened.set()
        assert closed.wait(5)
        assert becomes_true(lambda: threads() == [])

    def test_iterator_may_be_collected_within_its_own_function(self, file: RecordFile) -> None:
        dropped, collected = threading.Event(), threading.Event()

        def collect(image: Image) -> Image:
            assert dropped.wait(5)
            gc.collect()
            collected.set()
            return image

        class Ring:
            def __init__(self) -> None:
                self.cycle, self.batches = self, augmented(file, collect)

        gc.disable()
        try:
            Ring()
            dropped.set()
            assert collected.wait(5)
        finally:
            gc.enable()
        assert becomes_true(lambda: threads() == [])

    def test_iterator_in_a_cycle_with_its_functions_is_collected(self, file: RecordFile) -> None:
        class Owner:
            def __init__(self) -> None:
                self.batches = augmented(file, self.invert)

            def invert(self, image: Image) -> Image:
                return 255 - image

        Owner().batches.next()
        assert becomes_true(lambda: threads() == [])

    def test_close_while_other_threads_call_plan_ends(self, file: RecordFile) -> None:
        """The last owner of the iterator waits for its threads, which may need the GIL."""

        def slowly(image: NDArray[Any]) -> NDArray[Any]:
            time.sleep(0.002)
            return image

        def look(batches: ImageRecordIter) -> None:
            with contextlib.suppress(ValueError):
                while True:
                    batches.plan(3)

        for _ in range(10):
            batches = augmented(file, slowly)
            others = [threading.Thread(target=look, args=(batches,)) for _ in range(4)]
            for other in others:
                other.start()
            batches.close()
            for other in others:
                other.join(10)
                assert not other.is_alive()

    def test_functions_are_released_with_their_iterator(self, file: RecordFile) -> None:
        function = BlockingFunction()
        function.released.set()
        batches, alive = augmented(file, function), weakref.ref(function)
        batches.next()
        del function
        assert alive() is not None
        batches.close()
        assert becomes_true(lambda: alive() is None)


EXIT = """
import sys, threading
from recio.io import ImageRecordIter

def function(image):
    called.set()
    return sum([image // 4] * 4)

class Ring:
    pass

called = threading.Event()
batches = ImageRecordIter(
    path_imgrec=settings["rec"], data_shape=(3, 8, 8), batch_size=4, preprocess_threads=4, prefetch_buffer=8,
    aug_list=[function, function],
)
called.wait()
"""
ENDINGS = [
    "",
    "batches.next()",
    "ring = Ring(); ring.cycle = ring; ring.batches = batches; batches.next(); del ring, batches",
    "threading.Thread(target=lambda: [batches.reset() or list(batches) for _ in range(9**9)], daemon=True).start()",
    "batches.next(); sys.exit()",
]


@pytest.mark.parametrize("end", ENDINGS)
def test_process_ends_while_functions_run(file: RecordFile, end: str) -> None:
    for _ in range(4):
        result = run_python(EXIT + end, rec=str(file.rec))
        assert (result.returncode, result.stderr) == (0, "")
