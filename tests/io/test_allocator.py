"""`allocator`: batches in memory of the caller's."""

from __future__ import annotations

import gc
import mmap
import weakref
from multiprocessing import shared_memory
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import ImageIter
from recio.io import ImageMaskRecordIter
from tests.support.processes import run_python
from tests.support.records import RecordFile, noise, open_iter, png, write_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    images = [png(noise(8, 8, seed=number)) for number in range(10)]
    return write_images(tmp_path_factory.mktemp("memory"), images)


class Blocks:
    """Allocator that keeps what it has returned."""

    def __init__(self) -> None:
        self.blocks: list[Any] = []

    def __call__(self, size: int) -> np.ndarray[Any, Any]:
        self.blocks.append(np.full(size + 8, 77, np.uint8))
        block: np.ndarray[Any, Any] = self.blocks[-1][:size]
        return block

    def has(self, array: np.ndarray[Any, Any]) -> bool:
        return any(np.shares_memory(array, block) for block in self.blocks)


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
@pytest.mark.parametrize("round_batch", [True, False])
def test_batches_are_equal_and_in_the_memory(tiny: RecordFile, dtype: str, round_batch: bool) -> None:
    settings: dict[str, Any] = {"dtype": dtype, "shuffle": True, "seed": 3, "round_batch": round_batch}
    blocks = Blocks()
    made, expected = open_iter(tiny, allocator=blocks, **settings), open_iter(tiny, **settings)
    for batch, other in zip(made, expected, strict=True):
        np.testing.assert_array_equal(batch.data[0], other.data[0])
        np.testing.assert_array_equal(batch.label[0], other.label[0])
        assert blocks.has(batch.data[0])
        assert batch.data[0].flags.writeable
    made.close()
    assert all((block[-8:] == 77).all() for block in blocks.blocks)


def test_memory_is_used_again(tiny: RecordFile) -> None:
    blocks = Blocks()
    batches = open_iter(tiny, allocator=blocks, prefetch_buffer=2, preprocess_threads=1)
    for _ in range(20):
        for batch in batches:
            del batch
        batches.reset()
    assert len(blocks.blocks) <= 8


LARGE: dict[str, Any] = {"data_shape": (3, 512, 512), "batch_size": 16, "preprocess_threads": 1, "dtype": "float32"}
"""Float32 batches of 50 MB: two in advance would take more than 64 MiB."""


@pytest.mark.parametrize("round_batch", [True, False])
def test_large_batches_are_in_two_buffers(tmp_path: Path, round_batch: bool) -> None:
    file = write_images(tmp_path, [png(noise(8, 8, seed=number)) for number in range(40)])
    blocks, settings = Blocks(), LARGE | {"round_batch": round_batch}
    batches = open_iter(file, allocator=blocks, **settings)
    expected = open_iter(file, **(settings | {"batch_size": 1}))
    for _ in range(2):
        for batch in batches:
            count = 16 - (batch.pad or 0)
            images = [expected.next().data[0][0] for _ in range(count)]
            np.testing.assert_array_equal(batch.data[0][:count], images)
        batches.reset()
        expected.reset()
    assert len(blocks.blocks) == 2


def test_large_batches_that_are_kept_have_more_buffers(tmp_path: Path) -> None:
    file = write_images(tmp_path, [png(noise(8, 8, seed=number)) for number in range(80)])
    blocks = Blocks()
    with open_iter(file, allocator=blocks, **LARGE) as batches:
        kept = [batch.data[0] for batch in batches]
        assert len({array.ctypes.data for array in kept}) == 5
        del kept
        batches.reset()
        assert sum(1 for _ in batches) == 5
    assert len(blocks.blocks) <= 6


def test_a_batch_that_is_kept_is_not_overwritten(tiny: RecordFile) -> None:
    blocks = Blocks()
    batches = open_iter(tiny, allocator=blocks)
    kept = []
    for _ in range(3):
        kept += [batch.data[0] for batch in batches]
        batches.reset()
    copies = [array.copy() for array in kept]
    batches.close()
    gc.collect()
    assert all((array == copy).all() for array, copy in zip(kept, copies, strict=True))


def test_shared_memory_and_maps_are_released(tiny: RecordFile) -> None:
    shared: list[shared_memory.SharedMemory] = []

    def view(block: shared_memory.SharedMemory) -> np.ndarray[Any, Any]:
        assert block.buf is not None
        return np.frombuffer(block.buf, np.uint8)

    def in_shared_memory(size: int) -> np.ndarray[Any, Any]:
        shared.append(shared_memory.SharedMemory(create=True, size=size))
        return view(shared[-1])

    batches = open_iter(tiny, allocator=in_shared_memory)
    first = batches.next().data[0]
    other = next(block for block in shared if np.shares_memory(first, view(block)))
    attached = shared_memory.SharedMemory(other.name)
    np.testing.assert_array_equal(view(attached)[: first.size], first.ravel())
    batches.close()
    del first
    gc.collect()
    attached.close()
    for block in shared:
        # It raises if the buffer is in use.
        block.close()
        block.unlink()
    with mmap.mmap(-1, 1 << 20) as memory:
        batches = open_iter(tiny, allocator=lambda _: memory, prefetch_buffer=1, preprocess_threads=1, batch_size=10)
        assert batches.next().data[0].shape[0] == 10
        batches.close()
        gc.collect()


def test_masks_are_in_the_memory_too(tiny: RecordFile, tmp_path: Path) -> None:
    masks = write_images(tmp_path, [png(noise(8, 8, 1, seed=number)) for number in range(10)], "masks")
    blocks = Blocks()
    batches = ImageMaskRecordIter(
        path_imgrec=tiny.rec, path_maskrec=masks.rec, data_shape=(3, 8, 8), batch_size=2, allocator=blocks
    )
    batch = batches.next()
    assert blocks.has(batch.data[0])
    assert blocks.has(batch.label[0])


def test_hooks_that_read_use_the_memory(tiny: RecordFile) -> None:
    class Hooked(ImageIter):
        def imdecode(self, s: Any) -> Any:  # noqa: ANN401 as of the base
            return super().imdecode(s)

    blocks = Blocks()
    batches = Hooked(4, (3, 8, 8), path_imgrec=tiny.rec, allocator=blocks)
    assert blocks.has(batches.next().data[0])


def failing(_: int) -> bytes:
    raise StopIteration


@pytest.mark.parametrize(
    ("allocator", "error", "message"),
    [
        (lambda size: bytearray(size - 1), ValueError, r"allocator must return .* buffer of \d+ bytes, got \d+ bytes"),
        (bytes, ValueError, "allocator must return a writable, .* bytes, read-only"),
        (lambda size: np.zeros(2 * size, np.uint8)[::2], ValueError, "contiguous buffer"),
        (lambda size: np.zeros(size + 1, np.uint8)[1:], ValueError, "address that is a multiple of 4"),
        (lambda _: None, TypeError, "allocator must return a writable buffer, got <class 'NoneType'>"),
        (lambda _: 1 / 0, ZeroDivisionError, "division"),
        (failing, RuntimeError, "the allocator raised StopIteration"),
    ],
)
def test_memory_that_does_not_fit_is_an_error(
    tiny: RecordFile,
    allocator: Any,  # noqa: ANN401 any function
    error: type[Exception],
    message: str,
) -> None:
    batches = open_iter(tiny, allocator=allocator, dtype="float32")
    for _ in range(2):
        with pytest.raises(error, match=message):
            batches.next()
    batches.close()


def test_the_same_memory_twice_is_an_error(tiny: RecordFile) -> None:
    memory = bytearray(1 << 20)
    batches = open_iter(tiny, allocator=lambda _: memory, prefetch_buffer=4)
    with pytest.raises(ValueError, match="allocator must return other memory at each call"):
        list(batches)
    batches.close()


def test_the_same_memory_for_two_iterators_is_an_error(tiny: RecordFile) -> None:
    memory = bytearray(1 << 20)
    first = open_iter(tiny, allocator=lambda _: memory)
    kept = first.next().data[0]
    second = open_iter(tiny, allocator=lambda _: memory)
    with pytest.raises(ValueError, match="allocator must return other memory at each call"):
        second.next()
    del kept
    first.close()
    second.close()


@pytest.mark.parametrize("kept", ["batches", "batch", "batch.data"])
def test_the_process_ends_while_memory_is_in_use(tiny: RecordFile, kept: str) -> None:
    script = """if True:
        from recio.io import ImageRecordIter
        batches = ImageRecordIter(**settings["iterator"], data_shape=(3, 8, 8), batch_size=4, allocator=bytearray)
        batch = batches.next()
        kept = eval(settings["kept"])
        del batch, batches
        print("end")
    """
    ended = run_python(script, iterator={"path_imgrec": str(tiny.rec)}, kept=kept)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "end\n", "")


def test_what_is_no_function_is_an_error(tiny: RecordFile) -> None:
    with pytest.raises(TypeError, match="allocator must be a function, got int"):
        open_iter(tiny, allocator=3)


def test_an_allocator_that_refers_to_its_iterator_is_freed(tiny: RecordFile) -> None:
    class Owner:
        def __init__(self) -> None:
            self.batches = open_iter(tiny, allocator=self.allocate)

        def allocate(self, size: int) -> bytearray:
            return bytearray(size)

    owner = Owner()
    owner.batches.next()
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_a_state_does_not_depend_on_the_memory(tiny: RecordFile) -> None:
    batches = open_iter(tiny, allocator=Blocks())
    batches.next()
    resumed = open_iter(tiny)
    resumed.load_state_dict(batches.state_dict())
    np.testing.assert_array_equal(resumed.next().data[0], batches.next().data[0])


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    yield
    gc.collect()
