"""``CreateAugmenter``: from keywords to the augmenters that MXNet's scripts use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recio.image._color import CastAug, ColorJitterAug, ColorNormalizeAug, HueJitterAug, LightingAug, RandomGrayAug
from recio.image._geometry import CenterCropAug, HorizontalFlipAug, RandomCropAug, RandomSizedCropAug, ResizeAug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from recio.image._augmenter import Augmenter

# Of ImageNet's pixels, in levels; the values are MXNet's.
_MEAN = (123.68, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)
_EIGENVALUES = (55.46, 4.794, 1.148)
_EIGENVECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))

_LEAST_AREA = 0.08
_RATIOS = (3 / 4, 4 / 3)


def CreateAugmenter(
    data_shape: Sequence[int],
    resize: int = 0,
    rand_crop: bool = False,
    rand_resize: bool = False,
    rand_mirror: bool = False,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    brightness: float = 0,
    contrast: float = 0,
    saturation: float = 0,
    hue: float = 0,
    pca_noise: float = 0,
    rand_gray: float = 0,
    inter_method: int = 2,
) -> list[Augmenter]:
    """Make a list of augmenters, in this order: resize, crop, flip, float32, colours, normalise.

    Parameters
    ----------
    data_shape : (int, int, int)
        Channels, height and width of the result, in pixels.
    resize : int, default 0
        What the shorter side is brought to first, in pixels; 0 or less: not.
    rand_crop : bool, default False
        Whether the crop is at a random place, or in the middle.
    rand_resize : bool, default False
        Whether the crop is of random size too: 8 to 100 % of the image's area, ratio 3/4 to 4/3. Needs `rand_crop`.
    rand_mirror : bool, default False
        Whether half of the images are flipped left to right.
    mean, std : True, or array-like of 1 or 3 numbers, optional
        Subtracted and divided by, in levels. True: those of ImageNet, (123.68, 116.28, 103.53) and (58.395, 57.12,
        57.375).
    brightness, contrast, saturation : float, default 0
        As for `ColorJitterAug`.
    hue : float, default 0
        As for `HueJitterAug`.
    pca_noise : float, default 0
        Deviation for `LightingAug`, with the directions of ImageNet's colours.
    rand_gray : float, default 0
        Probability for `RandomGrayAug`.
    inter_method : int, default 2
        How images are resampled, as for `ResizeAug`.

    Returns
    -------
    list of Augmenter
        The augmenters: `ResizeAug`; `RandomSizedCropAug`, `RandomCropAug` or `CenterCropAug`; `HorizontalFlipAug`;
        `CastAug`; `ColorJitterAug`; `HueJitterAug`; `LightingAug`; `RandomGrayAug`; `ColorNormalizeAug`. Of what is not
        asked for, there is none; of the crop and `CastAug` always one.

    Raises
    ------
    ValueError
        If `rand_resize` is asked for without `rand_crop`, or a number makes no sense.

    Examples
    --------
    >>> CreateAugmenter((3, 224, 224), rand_mirror=True)
    [CenterCropAug(size=(224, 224), interp=2), HorizontalFlipAug(p=0.5), CastAug(type='float32')]
    """
    _, height, width = data_shape
    augmenters: list[Augmenter] = []
    if resize > 0:
        augmenters.append(ResizeAug(resize, inter_method))
    augmenters.append(_crop((width, height), rand_crop, rand_resize, inter_method))
    if rand_mirror:
        augmenters.append(HorizontalFlipAug(0.5))
    augmenters.append(CastAug())
    return augmenters + colours(brightness, contrast, saturation, hue, pca_noise, rand_gray) + normalise(mean, std)


def _crop(size: tuple[int, int], rand_crop: bool, rand_resize: bool, inter_method: int) -> Augmenter:
    if rand_resize and not rand_crop:
        raise ValueError("rand_resize needs rand_crop=True")
    if rand_resize:
        return RandomSizedCropAug(size, _LEAST_AREA, _RATIOS, inter_method)
    if rand_crop:
        return RandomCropAug(size, inter_method)
    return CenterCropAug(size, inter_method)


def colours(
    brightness: float, contrast: float, saturation: float, hue: float, pca_noise: float, rand_gray: float
) -> list[Augmenter]:
    """Give the augmenters that change colours, of those that are asked for."""
    augmenters: list[Augmenter] = []
    if brightness or contrast or saturation:
        augmenters.append(ColorJitterAug(brightness, contrast, saturation))
    if hue:
        augmenters.append(HueJitterAug(hue))
    if pca_noise:
        augmenters.append(LightingAug(pca_noise, np.array(_EIGENVALUES), np.array(_EIGENVECTORS)))
    if rand_gray:
        augmenters.append(RandomGrayAug(rand_gray))
    return augmenters


def normalise(mean: ArrayLike | None, std: ArrayLike | None) -> list[Augmenter]:
    """Give the augmenter that normalises, if it is asked for."""
    mean, std = or_imagenets(mean, std)
    return [] if mean is None and std is None else [ColorNormalizeAug(mean, std)]


def or_imagenets(mean: ArrayLike | None, std: ArrayLike | None) -> tuple[ArrayLike | None, ArrayLike | None]:
    """Give mean and deviation; for ``True``, those of ImageNet."""
    return _or_default(mean, _MEAN), _or_default(std, _STD)


def _or_default(given: ArrayLike | None, default: tuple[float, ...]) -> ArrayLike | None:
    if given is None or given is False:
        return None
    return np.array(default, np.float32) if given is True else given
