"""Rotation of images in MXNet's other layout: channels first, float32.

The one part of `recio.image` that takes batches. No iterator uses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float32]

_IMAGE_AXES = 3
_BATCH_AXES = 4


def imrotate(src: Floats, rotation_degrees: ArrayLike, zoom_in: bool = False, zoom_out: bool = False) -> Floats:
    """Rotate an image, or each image of a batch, about its middle; the size stays.

    Pixels are interpolated bilinearly; what lies outside of the image is 0.

    Parameters
    ----------
    src : ndarray, shape (channels, height, width) or (batch_size, channels, height, width), float32
        An image, or a batch of images, with any values.
    rotation_degrees : float, or array-like of shape (batch_size,)
        The angle, counterclockwise, in degrees; for a batch one for all, or one for each image.
    zoom_in : bool, default False
        Whether to enlarge the images so far that nothing from outside of them is seen, but for up to half of the
        outermost pixels. (The enlargement is MXNet's.)
    zoom_out : bool, default False
        Whether to shrink them so far that all of them is seen.

    Returns
    -------
    ndarray, shape of `src`, float32
        The rotated images.

    Raises
    ------
    TypeError
        If `src` is not float32, or there are several angles for one image.
    ValueError
        If both zooms are asked for, `src` has other axes, or there are not as many angles as images.
    """
    if zoom_in and zoom_out:
        raise ValueError("zoom_in and zoom_out exclude each other")
    if src.dtype != np.float32:
        raise TypeError(f"imrotate takes images of float32, not {src.dtype}")
    if src.ndim == _IMAGE_AXES:
        if np.ndim(rotation_degrees) != 0:
            raise TypeError(f"rotation_degrees={rotation_degrees!r}; of a single image it is a number")
        alone: Floats = imrotate(src[np.newaxis], rotation_degrees, zoom_in, zoom_out)[0]
        return alone
    if src.ndim != _BATCH_AXES:
        raise ValueError(f"imrotate takes (channels, height, width) or a batch of such, not {src.shape}")
    rotated = np.empty_like(src)
    for image, angle, into in zip(src, _radians(rotation_degrees, len(src)), rotated, strict=True):
        into[...] = _sampled(image, *_grid(image.shape[1], image.shape[2], angle, zoom_in, zoom_out))
    return rotated


def random_rotate(
    src: Floats, angle_limits: tuple[float, float], zoom_in: bool = False, zoom_out: bool = False
) -> Floats:
    """Rotate an image, or each image of a batch, by a random angle, drawn from NumPy's global generator.

    Parameters
    ----------
    src, zoom_in, zoom_out
        As for `imrotate`.
    angle_limits : (float, float)
        The least and the largest angle, in degrees.

    Returns
    -------
    ndarray, shape of `src`, float32
        The rotated images.
    """
    count = None if src.ndim == _IMAGE_AXES else len(src)
    return imrotate(src, np.random.uniform(*angle_limits, size=count), zoom_in, zoom_out)  # noqa: NPY002 as MXNet


def _radians(degrees: ArrayLike, count: int) -> Floats:
    angles = np.asarray(degrees, np.float32)
    if angles.shape not in ((), (count,)):
        raise ValueError(f"angles of shape {angles.shape} for {count} images; there is one for all, or one for each")
    return np.broadcast_to(np.float32(np.pi) * angles / 180, count)


def _grid(height: int, width: int, angle: np.float32, zoom_in: bool, zoom_out: bool) -> tuple[Floats, Floats]:
    """Give the column and the row that each pixel of the result is taken from; in float32, as MXNet has them."""
    sin, cos = np.sin(angle), np.cos(angle)
    middle_x, middle_y = np.float32(width - 1) / 2, np.float32(height - 1) / 2
    x = np.arange(width, dtype=np.float32) - middle_x
    y = np.arange(height, dtype=np.float32)[:, np.newaxis] - middle_y
    scale = np.float32(1)
    if zoom_in or zoom_out:
        # How many times as large as the image the upright rectangle around the rotated one is.
        scale = abs(cos) + abs(sin) * np.float32(max(height / width, width / height))
    if zoom_in:
        scale = 1 / scale
    return (x * cos - y * sin) * scale + middle_x, (x * sin + y * cos) * scale + middle_y


def _sampled(image: Floats, x: Floats, y: Floats) -> Floats:
    """Take an image's values at fractional places: each a mean of four pixels, of which those outside are 0."""
    left, top = np.floor(x), np.floor(y)
    right_share, lower_share = x - left, y - top
    sampled = np.zeros((image.shape[0], *x.shape), np.float32)
    for dx, dy in (0, 0), (1, 0), (0, 1), (1, 1):
        share = (right_share if dx else 1 - right_share) * (lower_share if dy else 1 - lower_share)
        sampled += _pixels(image, left.astype(np.intp) + dx, top.astype(np.intp) + dy) * share
    return sampled


def _pixels(image: Floats, x: NDArray[np.intp], y: NDArray[np.intp]) -> Floats:
    _, height, width = image.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return np.where(inside, image[:, y.clip(0, height - 1), x.clip(0, width - 1)], np.float32(0))
