"""`imresize` against OpenCV: the same pixels; bicubic and Lanczos may differ by 1."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from recio.image import imresize
from tests.support.records import noise

NEAREST, LINEAR, CUBIC, AREA, LANCZOS = range(5)
TOLERANCE = {NEAREST: 0, LINEAR: 0, CUBIC: 1, AREA: 0, LANCZOS: 1}
LONGEST_SIDE = 150
CASES = 200

Size = tuple[int, int, int, int]


def random_sizes(seed: int) -> list[Size]:
    """Sample sizes before and after, some of them equal, halved or in other integer ratios."""
    rng = random.Random(seed)

    def pair() -> tuple[int, int]:
        side = rng.randint(1, LONGEST_SIDE)
        ratio = rng.choice([None, None, 1, 2, 3, 4])
        return (side * ratio, side) if ratio else (side, rng.randint(1, LONGEST_SIDE))

    return [(w, h, to_w, to_h) for (w, to_w), (h, to_h) in ((pair(), pair()) for _ in range(CASES))]


def largest_difference(size: Size, channels: int, interp: int) -> int:
    w, h, to_w, to_h = size
    image = noise(h, w, channels, seed=w * h)
    expected = cv2.resize(image, (to_w, to_h), interpolation=interp).reshape(to_h, to_w, channels)
    resized = imresize(image, to_w, to_h, interp)
    assert resized.shape == expected.shape
    assert resized.dtype == np.uint8
    return int(np.abs(resized.astype(int) - expected).max())


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("interp", TOLERANCE, ids=["nearest", "linear", "cubic", "area", "lanczos"])
def test_pixels_match_opencv_for_random_sizes(interp: int, channels: int) -> None:
    for size in random_sizes(seed=channels):
        assert largest_difference(size, channels, interp) <= TOLERANCE[interp], size


@pytest.mark.parametrize("interp", TOLERANCE, ids=["nearest", "linear", "cubic", "area", "lanczos"])
@pytest.mark.parametrize(
    "size", [(1, 1, 9, 9), (9, 9, 1, 1), (1, 40, 6, 80), (640, 480, 341, 256), (500, 375, 224, 224)]
)
def test_pixels_match_opencv_for_extreme_and_photograph_sizes(size: Size, interp: int) -> None:
    assert largest_difference(size, 3, interp) <= TOLERANCE[interp]


@pytest.mark.parametrize(
    ("size", "chosen"),
    [((20, 20, 30, 30), CUBIC), ((20, 20, 10, 10), AREA), ((20, 20, 30, 10), LINEAR), ((20, 20, 20, 10), LINEAR)],
)
def test_interp_9_enlarges_by_bicubic_and_shrinks_by_area(size: Size, chosen: int) -> None:
    w, h, to_w, to_h = size
    image = noise(h, w)
    np.testing.assert_array_equal(imresize(image, to_w, to_h, 9), imresize(image, to_w, to_h, chosen))


def test_interp_10_picks_any_of_the_five() -> None:
    image = noise(20, 30)
    methods = {imresize(image, 13, 17, interp).tobytes() for interp in TOLERANCE}
    random.seed(0)
    assert {imresize(image, 13, 17, 10).tobytes() for _ in range(100)} == methods
    assert len(methods) == len(TOLERANCE)


def test_strided_and_transposed_views_are_resized() -> None:
    image = noise(40, 60)
    for view in (image[3:31, 5:44], image[::-1, ::2], image[..., ::-1], image.transpose(1, 0, 2)):
        expected = cv2.resize(np.ascontiguousarray(view), (21, 17))
        np.testing.assert_array_equal(imresize(view, 21, 17), expected)
