"""``recio.image.batch``: encoded images of the caller's as one array, with the pixels of the iterators."""

from __future__ import annotations

import random
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError
from recio.image import CastAug, CreateAugmenter, ImageIter, ResizeAug, batch, imdecode
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, unpack
from tests.support.records import PHOTOS, images, noise, png, threads, write_photos

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE = (3, 64, 48)
COUNT = 10
RANDOM: dict[str, Any] = {
    "rand_crop": True,
    "rand_resize": True,
    "rand_mirror": True,
    "brightness": 0.3,
    "mean": True,
    "std": True,
}


@pytest.fixture
def payloads(tmp_path: Path) -> list[bytes]:
    """Write photographs into a record file, and return them."""
    file = write_photos(tmp_path, COUNT)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        return [unpack(reader.read_idx(key))[1] for key in reader.keys]


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_pixels_are_those_of_image_iter(payloads: list[bytes], tmp_path: Path, num_threads: int) -> None:
    aug_list = CreateAugmenter(SHAPE, **RANDOM)
    batches = ImageIter(5, SHAPE, path_imgrec=tmp_path / "photos.rec", aug_list=aug_list, seed=9)
    for epoch in range(2):
        expected = images(batches)
        np.testing.assert_array_equal(
            batch(payloads, SHAPE, aug_list, seed=9, epoch=epoch, threads=num_threads), expected
        )
        order = random.Random(epoch).sample(range(COUNT), 7)
        some = batch([payloads[n] for n in order], SHAPE, aug_list, seed=9, epoch=epoch, ids=order, threads=num_threads)
        np.testing.assert_array_equal(some, expected[order])
        batches.reset()


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_pixels_are_those_of_image_record_iter(payloads: list[bytes], tmp_path: Path, dtype: str, layout: Any) -> None:  # noqa: ANN401
    aug_list = CreateAugmenter(SHAPE, rand_crop=True, rand_mirror=True)
    settings: Any = {"aug_list": aug_list, "dtype": dtype, "layout": layout}
    with ImageRecordIter(
        path_imgrec=tmp_path / "photos.rec", data_shape=SHAPE, batch_size=5, seed=3, **settings
    ) as batches:
        expected = images(batches)
    made = batch(payloads, SHAPE, seed=3, **settings)
    assert (made.dtype, made.flags.c_contiguous, made.flags.writeable) == (expected.dtype, True, True)
    np.testing.assert_array_equal(made, expected)


def test_gray_images_and_images_with_alpha() -> None:
    payload = png(noise(6, 5, 4))
    gray = batch([payload], (1, 6, 5), [])
    np.testing.assert_array_equal(gray[0], imdecode(payload, flag=0).transpose(2, 0, 1))
    np.testing.assert_array_equal(batch([payload], (4, 6, 5), [], layout="NHWC")[0], noise(6, 5, 4))


def test_default_augmenters_are_those_of_image_iter(payloads: list[bytes]) -> None:
    np.testing.assert_array_equal(batch(payloads, SHAPE), batch(payloads, SHAPE, CreateAugmenter(SHAPE)))


def test_functions_are_called_one_at_a_time(payloads: list[bytes]) -> None:
    calls: list[int] = []
    lock = threading.Lock()

    def darken(image: NDArray[Any]) -> NDArray[Any]:
        assert lock.acquire(blocking=False)
        calls.append(len(image))
        lock.release()
        return image // 2

    resize = ResizeAug(70)
    made = batch(payloads, SHAPE, [resize, darken, *CreateAugmenter(SHAPE)], dtype="uint8", threads=4)
    assert len(calls) == COUNT
    assert made.max() <= 127


def test_several_kinds_of_buffers_are_accepted(payloads: list[bytes]) -> None:
    kinds: list[Any] = [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)]
    made = batch((kind(payloads[0]) for kind in kinds), SHAPE)
    assert len(made) == 4
    assert (made == made[0]).all()
    with pytest.raises(TypeError, match="payload 1 must be bytes, got str"):
        batch([payloads[0], "photo.jpg"], SHAPE)  # type: ignore[list-item]


def test_no_images_are_an_empty_array() -> None:
    assert batch([], SHAPE).shape == (0, *SHAPE)
    assert batch([], SHAPE, layout="NHWC", dtype="uint8").shape == (0, 64, 48, 3)


@pytest.mark.parametrize("num_threads", [1, 3])
def test_error_names_the_first_bad_payload(payloads: list[bytes], num_threads: int) -> None:
    payloads[4], payloads[7] = payloads[4][:100], b"text"
    for _ in range(5):
        with pytest.raises(DecodeError, match=r"^payload 4: ") as caught:
            batch(payloads, SHAPE, threads=num_threads)
        assert (caught.value.record, caught.value.path) == (4, None)
    payloads[4] = payloads[0]
    with pytest.raises(DecodeError, match=r"^payload 7: not an image that recio can decode"):
        batch(payloads, SHAPE, threads=num_threads)


def test_damaged_images_may_be_filled(payloads: list[bytes]) -> None:
    payloads[4] = payloads[4][: len(payloads[4]) // 2]
    assert batch(payloads, SHAPE, on_damage="fill").shape == (COUNT, *SHAPE)


def test_other_sizes_are_errors() -> None:
    with pytest.raises(ValueError, match=r"^payload 1: .* 3x8x8 .* data_shape is 3x4x4"):
        batch([png(noise(4, 4)), png(noise(8, 8))], (3, 4, 4), [])


def test_exception_of_a_function_is_raised_with_a_note(payloads: list[bytes]) -> None:
    def fail(image: NDArray[Any]) -> NDArray[Any]:
        raise KeyError(image.shape)

    with pytest.raises(KeyError) as caught:
        batch(payloads, SHAPE, [fail], threads=1)
    assert "record 0" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ids": [1]}, "ids must have a number for each of 2 payloads, got 1"),
        ({"ids": [1, -1]}, r"ids\[1\] must be an integer from 0 to"),
        ({"seed": 2**64}, "seed must be an integer from 0"),
        ({"epoch": -1}, "epoch must be at least 0, got -1"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"threads": 5000}, "threads must"),
        ({"dtype": "int32"}, "dtype must be"),
        ({"layout": "CHWN"}, "layout must be 'NCHW' or 'NHWC'"),
        ({"on_damage": "skip"}, "on_damage must be 'error' or 'fill'"),
        ({"data_shape": (2, 4, 4)}, "data_shape must be"),
        ({"formats": "webp"}, "payload 0: "),
    ],
)
def test_wrong_arguments_are_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        batch([png(noise(8, 8))] * 2, **{"data_shape": (3, 4, 4), **settings})


def test_threads_end_with_the_call(payloads: list[bytes]) -> None:
    batch(payloads, SHAPE, threads=4)
    assert threads() == []


def test_a_signal_stops_it() -> None:
    """As Ctrl-C does; the exception is raised before all images are made."""

    def wait(image: NDArray[Any]) -> NDArray[Any]:
        time.sleep(0.05)
        return image

    def raise_error(*_: object) -> None:
        raise InterruptedError

    before = signal.signal(signal.SIGALRM, raise_error)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    start = time.monotonic()
    try:
        with pytest.raises(InterruptedError):
            batch([png(noise(8, 8))] * 200, (3, 8, 8), [wait, CastAug()])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - start < 8


def test_photos_are_in_the_order_of_the_payloads() -> None:
    payloads = [path.read_bytes() for path in PHOTOS[:6]]
    made = batch(payloads, (3, 32, 32), [ResizeAug(32), *CreateAugmenter((3, 32, 32))])
    single = [batch([payload], (3, 32, 32), [ResizeAug(32), *CreateAugmenter((3, 32, 32))])[0] for payload in payloads]
    np.testing.assert_array_equal(made, single)
