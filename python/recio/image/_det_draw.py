"""Boxes drawn on an image, for looking at it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def draw_boxes(
    image: NDArray[np.uint8], objects: NDArray[np.float32], color: tuple[float, float, float] | None, thickness: int
) -> None:
    """Draw the boxes of objects on an image, in place.

    Parameters
    ----------
    image : ndarray, shape (height, width, 3), uint8
        An image, B, G, R.
    objects : ndarray, shape (objects, 5 or more)
        Class, left, top, right, bottom, in fractions of the image's sides; those that begin left of it are none.
    color : (float, float, float) or None
        R, G, B; ``None`` for random ones.
    thickness : int
        How thick lines are, in pixels; their middle is on the box's sides.
    """
    height, width = image.shape[:2]
    for _, *sides in objects[:, :5]:
        left, top, right, bottom = (int(side * length) for side, length in zip(sides, (width, height) * 2, strict=True))
        if left < 0:
            continue
        bgr = [random.randrange(256) for _ in range(3)] if color is None else color[::-1]  # noqa: S311
        for side in (left, right):
            image[_line(top, bottom, thickness), _line(side, side, thickness)] = bgr
        for side in (top, bottom):
            image[_line(side, side, thickness), _line(left, right, thickness)] = bgr


def _line(first: int, last: int, thickness: int) -> slice:
    """Give the pixels from the first to the last, and half of the thickness beyond."""
    before = thickness // 2
    return slice(max(first - before, 0), max(last - before + thickness, 0))
