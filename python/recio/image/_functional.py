"""Functions on single images: resize, crop, border, normalise."""

from __future__ import annotations

import math
import random
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from recio import _recio
from recio.image._codec import put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Level = TypeVar("Level", bound=np.uint8 | np.floating)
    Region: TypeAlias = tuple[int, int, int, int]

_RANDOM = 10
_AXES = 3
_ATTEMPTS = 10
_CONSTANT = 0
_MODES = {_CONSTANT: "constant", 1: "edge", 2: "symmetric", 3: "wrap", 4: "reflect"}
"""What NumPy calls OpenCV's types of borders."""


def imresize(src: NDArray[Level], w: int, h: int, interp: int = 1, out: NDArray[Level] | None = None) -> NDArray[Level]:
    """Resize an image; the pixels are OpenCV's.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        An image of 1, 3 or 4 channels. Floats are of any range, and neither rounded nor clamped: bicubic and Lanczos
        overshoot. They are computed in float32.
    w, h : int
        Width and height of the result, in pixels, from 1 to 65,536.
    interp : int, default 1
        0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos over 8x8 pixels; 9 chooses bicubic to enlarge, area to
        shrink and bilinear otherwise; 10 chooses any of 0 to 4 at random.
    out : ndarray, shape (h, w, channels), dtype of `src`, optional
        Where to put the result.

    Returns
    -------
    ndarray, shape (h, w, channels), dtype of `src`
        The resized image; `out` if that was given.

    Raises
    ------
    TypeError
        If `src` is of another type.
    ValueError
        If `src`, `w`, `h`, `interp` or `out` is not as above.
    """
    if src.ndim != _AXES:
        raise ValueError(f"imresize takes (height, width, channels), not {src.shape}; of grey, src[..., None]")
    if w < 1 or h < 1:
        raise ValueError(f"w={w}, h={h}; both are at least 1")
    method = random.randint(0, 4) if interp == _RANDOM else interp  # noqa: S311
    return put(_resample(src, w, h, method), out)


def _resample(src: NDArray[Any], w: int, h: int, method: int) -> NDArray[Any]:
    if src.dtype == np.uint8:
        return _recio.resize(np.ascontiguousarray(src), w, h, method)
    if src.dtype in (np.float32, np.float64):
        resized = _recio.resize_float(np.ascontiguousarray(src, np.float32), w, h, method)
        return resized.astype(src.dtype, copy=False)
    raise TypeError(f"imresize takes images of uint8, float32 or float64, not {src.dtype}")


def scale_down(src_size: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Shrink a crop's size, its ratio kept, until it fits into an image.

    Parameters
    ----------
    src_size : (int, int)
        Width and height of the image.
    size : (int, int)
        Width and height of the crop.

    Returns
    -------
    (int, int)
        Width and height, rounded down.

    Examples
    --------
    >>> scale_down((640, 480), (720, 120))
    (640, 106)
    """
    w: float
    h: float
    w, h = size
    sw, sh = src_size
    if sh < h:
        w, h = float(w * sh) / h, sh
    if sw < w:
        w, h = sw, float(h * sw) / w
    return int(w), int(h)


def resize_short(src: NDArray[Level], size: int, interp: int = 2) -> NDArray[Level]:
    """Resize an image so that its shorter side is `size` pixels; the other keeps the ratio, rounded down.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        An image.
    size : int
        The shorter side of the result, in pixels.
    interp : int, default 2
        As for `imresize`.

    Returns
    -------
    ndarray, dtype of `src`
        The resized image.
    """
    h, w = src.shape[:2]
    new_w, new_h = (size, size * h // w) if h > w else (size * w // h, size)
    return imresize(src, new_w, new_h, interp)


def fixed_crop(
    src: NDArray[Level], x0: int, y0: int, w: int, h: int, size: tuple[int, int] | None = None, interp: int = 2
) -> NDArray[Level]:
    """Crop an image at a given place, and resize the crop.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        An image.
    x0, y0 : int
        Left and top of the crop, in pixels.
    w, h : int
        Its width and height; it ends at the border of the image.
    size : (int, int), optional
        Width and height to resize it to.
    interp : int, default 2
        As for `imresize`.

    Returns
    -------
    ndarray, dtype of `src`
        The crop: a view of `src` if it is not resized.
    """
    crop = src[y0 : y0 + h, x0 : x0 + w]
    if size is not None and (w, h) != tuple(size):
        crop = imresize(crop, size[0], size[1], interp)
    return crop


def random_crop(src: NDArray[Level], size: tuple[int, int], interp: int = 2) -> tuple[NDArray[Level], Region]:
    """Crop an image at a random place (drawn from Python's `random`).

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        An image.
    size : (int, int)
        Width and height of the result. If the image is smaller, a crop of this ratio that fits is enlarged.
    interp : int, default 2
        As for `imresize`.

    Returns
    -------
    crop : ndarray, shape (size[1], size[0], channels), dtype of `src`
        The crop.
    region : (int, int, int, int)
        Left, top, width and height of what was cropped.
    """
    h, w = src.shape[:2]
    new_w, new_h = scale_down((w, h), size)
    x0 = random.randint(0, w - new_w)  # noqa: S311
    y0 = random.randint(0, h - new_h)  # noqa: S311
    return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)


def center_crop(src: NDArray[Level], size: tuple[int, int], interp: int = 2) -> tuple[NDArray[Level], Region]:
    """Crop the middle of an image.

    Parameters
    ----------
    src, size, interp
        As for `random_crop`.

    Returns
    -------
    crop, region
        As of `random_crop`.
    """
    h, w = src.shape[:2]
    new_w, new_h = scale_down((w, h), size)
    x0, y0 = (w - new_w) // 2, (h - new_h) // 2
    return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)


def color_normalize(src: NDArray[np.floating], mean: ArrayLike, std: ArrayLike | None = None) -> NDArray[np.floating]:
    """Subtract a mean and divide by a standard deviation, **in place**.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), floating
        An image; convert one of uint8 first: ``src.astype("float32")``.
    mean, std : array-like
        A number, or one for each channel, in levels; `std` may be left out.

    Returns
    -------
    ndarray
        `src`.

    Raises
    ------
    TypeError
        If `src` holds integers.
    """
    if src.dtype.kind != "f":
        raise TypeError(f"color_normalize works in place on floats, not {src.dtype}")
    src -= np.asarray(mean, src.dtype)
    if std is not None:
        src /= np.asarray(std, src.dtype)
    return src


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


def copyMakeBorder(
    src: NDArray[Any],
    top: int,
    bot: int,
    left: int,
    right: int,
    type: int = _CONSTANT,
    value: float = 0.0,
    values: Sequence[float] = (),
) -> NDArray[Any]:
    """Put a border around an image; the pixels are those of OpenCV's ``copyMakeBorder``.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels)
        An image of any number of channels and any numeric type.
    top, bot, left, right : int
        Thickness of the border on each side, in pixels, from 0 up.
    type : int, default 0
        What the border shows: 0 `value`; 1 the outermost pixel (``aaa|abcd|ddd``); 2 the image mirrored at its edge
        (``cba|abcd|dcb``); 3 the image from its other side (``bcd|abcd|abc``); 4 the image mirrored at its outermost
        pixel (``dcb|abcd|cba``).
    value : float, default 0
        The level of all channels, if `type` is 0. For an image of integers it is rounded, and clamped to their range.
    values : sequence of float, optional
        A level for each channel, in place of `value`; those that are missing are 0.

    Returns
    -------
    ndarray, shape (top + height + bot, left + width + right, channels), dtype of `src`
        The image with its border.

    Raises
    ------
    ValueError
        If `src` is not an image, `type` is another number, or a thickness is negative.
    """
    if src.ndim != _AXES or 0 in src.shape:
        raise ValueError(f"copyMakeBorder takes (height, width, channels), not {src.shape}; of grey, src[..., None]")
    if type not in _MODES:
        raise ValueError(f"type={type}; it is 0 (constant), 1 (replicate), 2 (reflect), 3 (wrap) or 4 (reflect 101)")
    if min(top, bot, left, right) < 0:
        raise ValueError(f"top={top}, bot={bot}, left={left}, right={right}; none is negative")
    sides = ((top, bot), (left, right), (0, 0))
    if type != _CONSTANT:
        mode: Any = _MODES[type]
        return np.pad(src, sides, mode)
    height, width, channels = src.shape
    bordered = np.empty((top + height + bot, left + width + right, channels), src.dtype)
    bordered[...] = _levels(value, values, src)
    bordered[top : top + height, left : left + width] = src
    return bordered


def _levels(value: float, values: Sequence[float], image: NDArray[Any]) -> NDArray[Any]:
    """Give the border's level in each channel, as OpenCV converts numbers to levels."""
    channels = image.shape[2]
    given = [*values, *[0.0] * channels][:channels] if len(values) else [value] * channels
    levels = np.asarray(given, np.float64)
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        levels = np.clip(np.rint(levels), limits.min, limits.max)
    return levels.astype(image.dtype)
