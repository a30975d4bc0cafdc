"""Memory of dropped images is reused for new ones: never that of an image that is kept, and within limits."""

from __future__ import annotations

import gc
import multiprocessing
import resource
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError
from recio.image import ColorNormalizeAug, HorizontalFlipAug, imdecode
from recio.recordio import IRHeader, pack, unpack_img
from tests.support.records import ODD, noise, png

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

PHOTO = (ODD / "plain.jpg").read_bytes()
MIB = 1 << 20
NORMALIZE = ColorNormalizeAug(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))
LARGE_SIDE, FLOAT_SIDE = 3700, 1900
"""Sides of square images of 39 and, of floats, 41 MiB: the C library gives such memory back to the kernel at once."""
DECODERS: dict[str, Callable[[bytes], NDArray[Any]]] = {
    "imdecode": imdecode,
    "BGR": lambda payload: imdecode(payload, to_rgb=False),
    "unpack_img": lambda payload: unpack_img(pack(IRHeader(0, 1.0, 0, 0), payload))[1],
    "flip": lambda payload: HorizontalFlipAug(1.0)(imdecode(payload)),
    "normalize": lambda payload: ColorNormalizeAug(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0]))(
        imdecode(payload)
    ),
}


def black(side: int) -> bytes:
    return png(np.zeros((side, side, 3), np.uint8))


def resident() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


# Two images of that size, before and after the flip, are more than is kept.
@pytest.mark.parametrize("name", [name for name in DECODERS if name != "flip"])
def test_memory_of_a_dropped_image_is_reused(name: str) -> None:
    decode, payload = DECODERS[name], black(FLOAT_SIDE if name == "normalize" else LARGE_SIDE)
    decode(payload)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(3):
        decode(payload)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    # New memory of 39 MiB takes 10,000.
    assert faults < 3000


@pytest.mark.parametrize("name", DECODERS)
def test_an_image_that_is_kept_never_changes(name: str) -> None:
    decode = partial(DECODERS[name], PHOTO)
    expected = decode().copy()
    kept = [decode() for _ in range(12)]
    views = [decode()[50:60, ::-1] for _ in range(3)]
    for image in kept:
        np.testing.assert_array_equal(image, expected)
        image[:] = 0
    np.testing.assert_array_equal(decode(), expected)
    assert all((image == 0).all() for image in kept)
    for view in views:
        np.testing.assert_array_equal(view, expected[50:60, ::-1])


def test_recycled_memory_shows_nothing_of_the_image_before() -> None:
    white, gradient = png(np.full((300, 451, 3), 255, np.uint8)), noise(300, 440)
    for _ in range(3):
        imdecode(white)
        np.testing.assert_array_equal(imdecode(png(gradient)), gradient)
        imdecode(white)
        np.testing.assert_array_equal(imdecode(PHOTO), imdecode(bytearray(PHOTO)))


def test_damaged_images_leave_the_memory_usable() -> None:
    expected = imdecode(PHOTO).copy()
    for _ in range(20):
        with pytest.raises(DecodeError):
            imdecode(PHOTO[: len(PHOTO) // 2])
        np.testing.assert_array_equal(imdecode(PHOTO), expected)


def test_threads_never_share_memory() -> None:
    sources = [noise(200, 200 + n, seed=n) for n in range(8)]
    payloads = [png(source) for source in sources]

    def check(n: int) -> bool:
        images = [imdecode(payloads[(n + i) % 8]) for i in range(4)]
        return all((image == sources[(n + i) % 8]).all() for i, image in enumerate(images))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(check, range(200)))


def test_memory_that_is_kept_for_reuse_is_limited() -> None:
    large = black(3000)
    imdecode(large)
    images = [imdecode(large) for _ in range(6)]
    before = resident()
    del images
    gc.collect()
    # Of 154 MiB, at most 64 are kept.
    assert before - resident() > 85 * MIB
    for _ in range(80):
        imdecode(PHOTO)
    # They were not used for 64 images.
    assert before - resident() > 145 * MIB


def decoded_sum(payload: bytes) -> int:
    return int(imdecode(payload).sum())


def test_a_forked_process_decodes() -> None:
    expected = decoded_sum(PHOTO)
    with multiprocessing.get_context("fork").Pool(2) as processes:
        assert processes.map(decoded_sum, [PHOTO] * 10) == [expected] * 10
