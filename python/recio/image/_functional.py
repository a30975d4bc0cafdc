"""Functions on single images: resize, crop, border, normalize."""

from __future__ import annotations

import math
import random
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

from recio import _recio
from recio._loader import validate
from recio.image._codec import image_array, put

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Value = TypeVar("Value", bound=np.uint8 | np.floating)
    Region: TypeAlias = tuple[int, int, int, int]

_RANDOM = 10
_AXES = 3
_ATTEMPTS = 10
_CONSTANT = 0
_BORDER_TYPES = 5


def imresize(src: NDArray[Value], w: int, h: int, interp: int = 1, out: NDArray[Value] | None = None) -> NDArray[Value]:
    """Resize an image, with the same pixels as OpenCV.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        Image of any number of channels. Floats may have any range, and are neither rounded nor clipped: bicubic and
        Lanczos interpolation overshoot. They are converted to float32 for the computation.
    w, h : int
        Width and height of the result, in pixels, from 1 to 65,536.
    interp : int, default 1
        Interpolation: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos over 8x8 pixels; 9 bicubic to enlarge, area
        to shrink and bilinear otherwise; 10 a random one of 0 to 4, from Python's `random`.
    out : ndarray, shape (h, w, channels), dtype of `src`, optional
        Array that the result is written to.

    Returns
    -------
    ndarray, shape (h, w, channels), dtype of `src`
        Resized image; `out` if it was given.

    Raises
    ------
    TypeError
        If `src` has another dtype.
    ValueError
        If `src`, `w`, `h`, `interp` or `out` is not as above.
    """
    src = _checked(src)
    w, h, interp = (validate.integer(name, value) for name, value in (("w", w), ("h", h), ("interp", interp)))
    if w < 1 or h < 1:
        raise ValueError(f"w and h must be at least 1, got {w} and {h}")
    method = random.randint(0, 4) if interp == _RANDOM else interp  # noqa: S311
    return put(_resample(src, w, h, method), out)


def _checked(src: NDArray[Any]) -> NDArray[Any]:
    """Return an image, after checking that it is one."""
    image = image_array(src)
    if image.ndim != _AXES or image.shape[2] == 0:
        raise ValueError(
            f"src must have shape (height, width, channels), got {image.shape}; for gray use src[..., None]"
        )
    return image


def _resample(src: NDArray[Any], w: int, h: int, method: int) -> NDArray[Any]:
    if needs_groups(src.shape):
        groups = channel_groups(src.shape[2])
        return np.concatenate([_resample(src[..., group], w, h, method) for group in groups], axis=2)
    if src.dtype == np.uint8:
        return _recio.resize(np.ascontiguousarray(src), w, h, method)
    if src.dtype in (np.float32, np.float64):
        resized = _recio.resize_float(np.ascontiguousarray(src, np.float32), w, h, method)
        return resized.astype(src.dtype, copy=False)
    raise TypeError(f"src must be uint8, float32 or float64, got {src.dtype}")


def needs_groups(shape: tuple[int, ...]) -> bool:
    """Return whether an image has a number of channels that native code does not take."""
    return len(shape) == _AXES and shape[2] not in (0, 1, 3, 4)


def channel_groups(channels: int) -> list[slice]:
    """Return slices of 4, 3 or 1 channels, which native code takes, that together are all of an image's."""
    groups = []
    while channels > 0:
        group = next(size for size in (4, 3, 1) if size <= channels)
        groups.append(slice(channels - group, channels))
        channels -= group
    return groups[::-1]


def scale_down(src_size: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    """Shrink the size of a crop, keeping its ratio, so that it fits into an image.

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


def resize_short(src: NDArray[Value], size: int, interp: int = 2) -> NDArray[Value]:
    """Resize the shorter side of an image to a length; the other side keeps the aspect ratio, rounded down.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        Image.
    size : int
        Length of the shorter side of the result, in pixels.
    interp : int, default 2
        As for `imresize`.

    Returns
    -------
    ndarray, dtype of `src`
        Resized image.
    """
    h, w = _checked(src).shape[:2]
    new_w, new_h = (size, size * h // w) if h > w else (size * w // h, size)
    return imresize(src, new_w, new_h, interp)


def fixed_crop(
    src: NDArray[Value], x0: int, y0: int, w: int, h: int, size: tuple[int, int] | None = None, interp: int = 2
) -> NDArray[Value]:
    """Crop an image at a given position, and resize the crop.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        Image.
    x0, y0 : int
        Left and top of the crop, in pixels.
    w, h : int
        Width and height of the crop, in pixels; it ends at the border of the image.
    size : (int, int), optional
        Width and height that the crop is resized to.
    interp : int, default 2
        As for `imresize`.

    Returns
    -------
    ndarray, dtype of `src`
        Crop; without a resize a view of `src`.
    """
    crop = _checked(src)[y0 : y0 + h, x0 : x0 + w]
    if size is not None and (w, h) != tuple(size):
        crop = imresize(crop, size[0], size[1], interp)
    return crop


def random_crop(src: NDArray[Value], size: tuple[int, int], interp: int = 2) -> tuple[NDArray[Value], Region]:
    """Crop an image at a random position, from Python's `random`.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        Image.
    size : (int, int)
        Width and height of the result, in pixels. In a smaller image, the largest region of the same ratio is cropped
        and enlarged.
    interp : int, default 2
        As for `imresize`.

    Returns
    -------
    crop : ndarray, shape (size[1], size[0], channels), dtype of `src`
        Crop.
    region : (int, int, int, int)
        Left, top, width and height of the cropped region, in pixels.
    """
    h, w = _checked(src).shape[:2]
    new_w, new_h = scale_down((w, h), size)
    x0 = random.randint(0, w - new_w)  # noqa: S311
    y0 = random.randint(0, h - new_h)  # noqa: S311
    return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)


def center_crop(src: NDArray[Value], size: tuple[int, int], interp: int = 2) -> tuple[NDArray[Value], Region]:
    """Crop the center of an image.

    Parameters
    ----------
    src, size, interp
        As for `random_crop`.

    Returns
    -------
    crop, region
        As for `random_crop`.
    """
    h, w = _checked(src).shape[:2]
    new_w, new_h = scale_down((w, h), size)
    x0, y0 = (w - new_w) // 2, (h - new_h) // 2
    return fixed_crop(src, x0, y0, new_w, new_h, size, interp), (x0, y0, new_w, new_h)


def color_normalize(src: NDArray[np.floating], mean: ArrayLike, std: ArrayLike | None = None) -> NDArray[np.floating]:
    """Subtract a mean and divide by a standard deviation, **in place**.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), floating
        Image; convert uint8 first: ``src.astype("float32")``.
    mean, std : array-like
        Mean and standard deviation in the unit of `src`: a number, or one for each channel. Without `std`, nothing is
        divided.

    Returns
    -------
    ndarray
        `src`.

    Raises
    ------
    TypeError
        If `src` holds integers.
    """
    src = image_array(src)
    if src.dtype.kind != "f":
        raise TypeError(f"src must be floating, as it is changed in place, got {src.dtype}")
    src -= np.asarray(mean, src.dtype)
    if std is not None:
        src /= np.asarray(std, src.dtype)
    return src


def random_size_crop(
    src: NDArray[Value],
    size: tuple[int, int],
    area: float | tuple[float, float],
    ratio: tuple[float, float],
    interp: int = 2,
    *,
    min_area: float | tuple[float, float] | None = None,
) -> tuple[NDArray[Value], Region]:
    """Crop a region of random area and aspect ratio, from Python's `random`, and resize it.

    Ten regions are tried. If none fits into the image, the center is cropped, as by `center_crop`.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels), uint8, float32 or float64
        Image.
    size : (int, int)
        Width and height of the result, in pixels.
    area : float or (float, float)
        Smallest and largest area of the region, as fractions of the image's area, in (0, 1]. A number is the smallest,
        and the largest is 1.
    ratio : (float, float)
        Smallest and largest ratio of its width to its height; the logarithm of the ratio is uniform.
    interp : int, default 2
        As for `imresize`.
    min_area : float or (float, float), optional
        Deprecated name of `area`, which it replaces.

    Returns
    -------
    crop : ndarray, shape (size[1], size[0], channels), dtype of `src`
        Crop.
    region : (int, int, int, int)
        Left, top, width and height of the cropped region, in pixels.
    """
    low, high = area_range(renamed_area(area, min_area))
    h, w = _checked(src).shape[:2]
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
    """Return the area under either of its names; warn if it is the deprecated one."""
    if min_area is None:
        return area
    warnings.warn("min_area is deprecated: use area", DeprecationWarning, stacklevel=3)
    return min_area


def area_range(area: float | tuple[float, float]) -> tuple[float, float]:
    """Return the smallest and the largest area; a number is the smallest, and the largest is 1."""
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
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Add a border to an image, with the same pixels as OpenCV's ``copyMakeBorder``.

    Parameters
    ----------
    src : ndarray, shape (height, width, channels)
        Image of any number of channels and any numeric dtype.
    top, bot, left, right : int
        Thickness of the border on each side, in pixels, at least 0.
    type : int, default 0
        Type of the border: 0 constant `value`; 1 replicate the edge (``aaa|abcd|ddd``); 2 reflect, with the edge
        (``cba|abcd|dcb``); 3 wrap (``bcd|abcd|abc``); 4 reflect, without the edge (``dcb|abcd|cba``).
    value : float, default 0
        Value of all channels, if `type` is 0. With an integer dtype it is rounded, and clipped to its range.
    values : sequence of float, optional
        One value for each channel, instead of `value`; missing ones are 0.
    out : ndarray, shape and dtype of the result, optional
        Array that the result is written to.

    Returns
    -------
    ndarray, shape (top + height + bot, left + width + right, channels), dtype of `src`
        Image with the border; `out` if it was given.

    Raises
    ------
    ValueError
        If `src` is not an image, `type` is another number, or a thickness is negative.
    """
    src = image_array(src)
    if src.ndim != _AXES or 0 in src.shape:
        raise ValueError(f"src must have shape (height, width, channels), got {src.shape}; for gray use src[..., None]")
    if type not in range(_BORDER_TYPES):
        raise ValueError(
            f"type must be 0 (constant), 1 (replicate), 2 (reflect), 3 (wrap) or 4 (reflect 101), got {type}"
        )
    if min(top, bot, left, right) < 0:
        raise ValueError(f"top, bot, left and right must be at least 0, got {top}, {bot}, {left} and {right}")
    pixel = _border_values(value, values, src).tobytes() if type == _CONSTANT else b""
    # Native code copies pixels of any number of bytes.
    pixels: NDArray[np.uint8] = np.ascontiguousarray(src).view(np.uint8)
    bordered = _recio.make_border(pixels, (top, bot, left, right), int(type), pixel)
    return put(bordered.view(src.dtype), out)


def _border_values(value: float, values: Sequence[float], image: NDArray[Any]) -> NDArray[Any]:
    """Return the value of the border in each channel, converted to the dtype as in OpenCV."""
    channels = image.shape[2]
    per_channel = [*values, *[0.0] * channels][:channels] if len(values) else [value] * channels
    if image.dtype.kind in "biu" and not any(per_channel):
        return np.zeros(channels, image.dtype)
    border = np.asarray(per_channel, np.float64)
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        border = np.clip(np.rint(border), limits.min, limits.max)
    return border.astype(image.dtype)
