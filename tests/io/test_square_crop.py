"""`min_crop_size`, `max_crop_size` and `pad` of `ImageRecordIter`: square crops and borders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.records import RecordFile, assert_uniform, noise, open_iter, png, write_images
from tests.support.replay import assert_replayed, steps_of

if TYPE_CHECKING:
    from pathlib import Path

WIDTH, HEIGHT = 50, 40


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    """Write a file of one image."""
    return write_images(tmp_path, [png(noise(HEIGHT, WIDTH))])


def squares(file: RecordFile, count: int = 1000, **settings: Any) -> list[tuple[int, int, int, int]]:  # noqa: ANN401
    """Sample the crop regions: left, top, width, height."""
    batches = open_iter(file, **settings)
    return [batches.plan(0, epoch)["steps"][0]["window"] for epoch in range(count)]


@pytest.mark.parametrize("method", [0, 1, 3, 4])
@pytest.mark.parametrize("random", [False, True])
def test_pixels_equal_the_resized_square(tmp_path: Path, method: int, random: bool) -> None:
    pixels = [noise(HEIGHT, WIDTH, seed=seed) for seed in range(8)]
    settings = {"data_shape": (3, 24, 28), "min_crop_size": 10, "max_crop_size": 40, "batch_size": 8}
    file = write_images(tmp_path, map(png, pixels))
    assert_replayed(open_iter(file, layout="NHWC", inter_method=method, rand_crop=random, **settings), pixels)


def test_sides_are_uniform(file: RecordFile) -> None:
    regions = squares(file, min_crop_size=10, max_crop_size=19)
    assert all(width == height for _, _, width, height in regions)
    assert_uniform(np.bincount([width - 10 for _, _, width, _ in regions], minlength=10))


@pytest.mark.parametrize("name", ["min_crop_size", "max_crop_size"])
def test_one_of_min_and_max_alone_is_the_side(file: RecordFile, name: str) -> None:
    assert {*squares(file, 20, **{name: 20})} == {(15, 10, 20, 20)}


@pytest.mark.parametrize("side", [40, 41, 1000])
def test_side_is_at_most_the_shorter_one_of_the_image(file: RecordFile, side: int) -> None:
    assert {*squares(file, 20, min_crop_size=side)} == {(5, 0, 40, 40)}


def test_positions_of_random_squares_are_uniform(file: RecordFile) -> None:
    left, top, _, _ = np.transpose(squares(file, 2000, min_crop_size=35, rand_crop=True))
    assert_uniform(np.bincount(6 * left + top, minlength=16 * 6))


def test_border_is_added_before_the_crop(file: RecordFile) -> None:
    batches = open_iter(file, pad=5, min_crop_size=50, fill_value=7, layout="NHWC", data_shape=(3, 50, 50))
    expected = np.full((50, 50, 3), 7, np.uint8)
    expected[5:45] = noise(HEIGHT, WIDTH)
    np.testing.assert_array_equal(batches.next().data[0][0], expected)


def test_border_of_the_output_size_leaves_nothing_to_crop(file: RecordFile) -> None:
    batches = open_iter(file, pad=3, data_shape=(3, HEIGHT + 6, WIDTH + 6), rand_crop=True)
    plan = batches.plan(0)
    (border,) = steps_of(plan, "border")
    assert border["window"] == (0, 0, WIDTH + 6, HEIGHT + 6)
    assert border["corner"] == (3, 3)
    assert len(plan["steps"]) == 2
