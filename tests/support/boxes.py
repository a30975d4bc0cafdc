"""Images whose pixels identify the objects on them, to check boxes.

Each object is a rectangle in its class's color on a black image. After an augmenter moved it, its pixels are found by
their color, and its box must enclose them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.support.records import image_record, png, write_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.support.records import RecordFile

COLORS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)])
"""Colors of classes 0, 1, 2, 3; each channel is 0 or 255, so that an edge is where it passes half."""

SIZE = (120, 200)
"""Height and width."""


def objects(seed: int, count: int = 3, numbers: int = 5) -> NDArray[np.float32]:
    """Generate objects with integer pixel coordinates that do not overlap: one per column of the image."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    column = width // count
    table = np.zeros((count, numbers), np.float32)
    for i in range(count):
        left = i * column + rng.integers(0, column // 3)
        right = (i + 1) * column - rng.integers(1, column // 3)
        top, bottom = rng.integers(0, height // 3), height - rng.integers(0, height // 3)
        table[i, :5] = i, left / width, top / height, right / width, bottom / height
        table[i, 5:] = 10 + i
    return table


def render(table: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Render the objects."""
    height, width = SIZE
    image = np.zeros((height, width, 3), np.uint8)
    for number, *sides in table[:, :5]:
        left, top, right, bottom = np.rint(np.array(sides) * (width, height, width, height)).astype(int)
        image[top:bottom, left:right] = COLORS[int(number)]
    return image


def label(table: NDArray[np.float32], extra: Sequence[float] = ()) -> list[float]:
    """Return the label of a record with these objects."""
    return [2.0 + len(extra), float(table.shape[1]), *extra, *table.ravel().tolist()]


def write_objects(folder: Path, count: int, numbers: int = 5, name: str = "objects") -> RecordFile:
    """Write images with 1, 2, 3, 1, 2, 3 … objects."""
    tables = [objects(seed, 1 + seed % 3, numbers) for seed in range(count)]
    records = [image_record(png(render(table)), i, label(table, [7.0])) for i, table in enumerate(tables)]
    return write_records(folder, records, name)


def assert_on_pixels(image: NDArray[np.generic], table: NDArray[np.float32], tolerance: float = 1.0) -> None:
    """Check that the box of each object encloses the pixels of its color, within `tolerance` pixels.

    The image has shape (height, width, 3) and values from 0 to 255.
    """
    height, width = image.shape[:2]
    values = np.asarray(image, np.float64)
    for number, *sides in table[:, :5]:
        is_object = (np.abs(values - COLORS[int(number)]) <= 127).all(axis=-1)
        rows, columns = np.flatnonzero(is_object.any(axis=1)), np.flatnonzero(is_object.any(axis=0))
        assert rows.size, f"the object {number} with the box {sides} is not on the image"
        bounds = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        expected = np.array(sides) * (width, height, width, height)
        assert np.abs(bounds - expected).max() <= tolerance, f"class {number}: pixels {bounds}, box {expected}"
