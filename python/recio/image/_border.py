"""A border around an image: MXNet's ``copyMakeBorder``, which was OpenCV's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_CONSTANT = 0
_MODES = {_CONSTANT: "constant", 1: "edge", 2: "symmetric", 3: "wrap", 4: "reflect"}
"""What NumPy calls OpenCV's types of borders."""
_AXES = 3


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
