"""A crop of random size: what MXNet's training scripts cut out of each image."""

from __future__ import annotations

import math
import random
import warnings
from typing import TYPE_CHECKING

from recio.image._transform import center_crop, fixed_crop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.image._transform import Level, Region

_ATTEMPTS = 10


def random_size_crop(
    src: NDArray[Level],
    size: tuple[int, int],
    area: float | tuple[float, float],
    ratio: tuple[float, float],
    interp: int = 2,
    *,
    min_area: float | tuple[float, float] | None = None,
) -> tuple[NDArray[Level], Region]:
    """Crop a region of random area and aspect ratio (drawn from Python's `random`), and resize it.

    Ten regions are tried. If none fits into the image, the middle is taken, as by `center_crop`.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        An image.
    size : (int, int)
        Width and height of the result, in pixels.
    area : float or (float, float)
        Least and largest area of the region, as fractions of the image's, in (0, 1]. A number is the least, and the
        largest is 1.
    ratio : (float, float)
        Least and largest ratio of its width to its height; the ratio's logarithm is uniform.
    interp : int, default 2
        As for `imresize`.
    min_area : float or (float, float), optional
        An older name of `area`, which it takes the place of. Deprecated.

    Returns
    -------
    crop : ndarray, shape (size[1], size[0], channels), dtype of `src`
        The crop.
    region : (int, int, int, int)
        Left, top, width and height of what was cropped.
    """
    low, high = area_range(renamed_area(area, min_area))
    h, w = src.shape[:2]
    for _ in range(_ATTEMPTS):
        pixels = random.uniform(low, high) * h * w  # noqa: S311
        aspect = math.exp(random.uniform(math.log(ratio[0]), math.log(ratio[1])))  # noqa: S311
        new_w, new_h = round(math.sqrt(pixels * aspect)), round(math.sqrt(pixels / aspect))
        if 1 <= new_w <= w and 1 <= new_h <= h:
            x0 = random.randint(0, w - new_w)  # noqa: S311
            y0 = random.randint(0, h - new_h)  # noqa: S311
            return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)
    return center_crop(src, size, interp)


def renamed_area(
    area: float | tuple[float, float], min_area: float | tuple[float, float] | None
) -> float | tuple[float, float]:
    """Give the area under either of its names, and warn of the older one."""
    if min_area is None:
        return area
    warnings.warn("min_area is deprecated; it is called area now", DeprecationWarning, stacklevel=3)
    return min_area


def area_range(area: float | tuple[float, float]) -> tuple[float, float]:
    """Give the least and the largest area; of a number, the largest is the whole image."""
    if isinstance(area, tuple | list):
        low, high = area
        return low, high
    return area, 1.0
