"""Rotation of float32 images and batches with channels first, which no iterator uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from recio import _recio
from recio.image._codec import image_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats: TypeAlias = NDArray[np.float32]

_IMAGE_AXES = 3
_BATCH_AXES = 4


def imrotate(src: Floats, rotation_degrees: ArrayLike, zoom_in: bool = False, zoom_out: bool = False) -> Floats:
    """Rotate an image, or each image of a batch, about its center; the size does not change.

    Pixels are interpolated bilinearly; pixels outside of the image are 0.

    Parameters
    ----------
    src : ndarray, shape (channels, height, width) or (batch_size, channels, height, width), float32
        Image, or batch of images, with any values.
    rotation_degrees : float, or array-like of shape (batch_size,)
        Angle in degrees, counterclockwise; for a batch one for all images, or one for each.
    zoom_in : bool, default False
        Whether to enlarge the images until the result shows no pixels outside of them, except up to half of the
        outermost pixels. (The scale is MXNet's.)
    zoom_out : bool, default False
        Whether to shrink the images until the result shows all of their pixels.

    Returns
    -------
    ndarray, shape of `src`, float32
        Rotated images.

    Raises
    ------
    TypeError
        If `src` is not float32, or there are several angles for one image.
    ValueError
        If both zooms are True, `src` has other axes, or the number of angles differs from the number of images.
    """
    if zoom_in and zoom_out:
        raise ValueError("zoom_in and zoom_out exclude each other")
    src = image_array(src)
    if src.dtype != np.float32:
        raise TypeError(f"src must be float32, got {src.dtype}")
    if src.ndim == _IMAGE_AXES:
        if np.ndim(rotation_degrees) != 0:
            raise TypeError(f"rotation_degrees must be a number for a single image, got {rotation_degrees!r}")
        image: Floats = imrotate(src[np.newaxis], rotation_degrees, zoom_in, zoom_out)[0]
        return image
    if src.ndim != _BATCH_AXES:
        raise ValueError(f"src must have shape (channels, height, width), or be a batch of such, got {src.shape}")
    rotated = np.empty_like(src)
    for image, angle, into in zip(src, _radians(rotation_degrees, len(src)), rotated, strict=True):
        scale = _scale(image.shape[1], image.shape[2], angle, zoom_in, zoom_out)
        into[...] = _recio.rotate(np.ascontiguousarray(image), np.sin(angle), np.cos(angle), scale)
    return rotated


def random_rotate(
    src: Floats, angle_limits: tuple[float, float], zoom_in: bool = False, zoom_out: bool = False
) -> Floats:
    """Rotate an image, or each image of a batch, by a random angle from NumPy's global generator.

    Parameters
    ----------
    src, zoom_in, zoom_out
        As for `imrotate`.
    angle_limits : (float, float)
        Smallest and largest angle, in degrees.

    Returns
    -------
    ndarray, shape of `src`, float32
        Rotated images.
    """
    count = None if image_array(src).ndim == _IMAGE_AXES else len(src)
    return imrotate(src, np.random.uniform(*angle_limits, size=count), zoom_in, zoom_out)  # noqa: NPY002 as MXNet


def _radians(degrees: ArrayLike, count: int) -> Floats:
    angles = np.asarray(degrees, np.float32)
    if angles.shape not in ((), (count,)):
        raise ValueError(
            f"rotation_degrees must be one angle, or one for each of {count} images, got shape {angles.shape}"
        )
    return np.broadcast_to(np.float32(np.pi) * angles / 180, count)


def _scale(height: int, width: int, angle: np.float32, zoom_in: bool, zoom_out: bool) -> float:
    """Return the factor of distances from the center, from the result to the source, in float32 as in MXNet."""
    if not zoom_in and not zoom_out:
        return 1.0
    # Ratio of the bounding rectangle of the rotated image to the image.
    ratio = abs(np.cos(angle)) + abs(np.sin(angle)) * np.float32(max(height / width, width / height))
    return float(1 / ratio if zoom_in else ratio)
