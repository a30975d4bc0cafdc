"""``CreateAugmenter``: a list of augmenters from keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import validate
from recio._loader.validate import REQUIRED, Keyword
from recio.image._color import CastAug, ColorJitterAug, ColorNormalizeAug, HueJitterAug, LightingAug, RandomGrayAug
from recio.image._geometry import CenterCropAug, HorizontalFlipAug, RandomCropAug, RandomSizedCropAug, ResizeAug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from recio.image._augmenter import Augmenter

# Statistics of ImageNet's pixels, in 8-bit values; the numbers are MXNet's.
_MEAN = (123.68, 116.28, 103.53)
_STD = (58.395, 57.12, 57.375)
_EIGENVALUES = (55.46, 4.794, 1.148)
_EIGENVECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))

_MIN_AREA = 0.08
_ASPECT = (3 / 4, 4 / 3)

COMMON = {
    "data_shape": Keyword(REQUIRED, validate.image_shape),
    "resize": Keyword(0, validate.number_kept_integer),
    "rand_mirror": Keyword(False, validate.truth),  # noqa: FBT003 a default
    **{
        name: Keyword(0, validate.number)
        for name in ("brightness", "contrast", "saturation", "hue", "pca_noise", "rand_gray")
    },
    "inter_method": Keyword(2, validate.integer),
}
"""Keywords of `CreateAugmenter` and `CreateDetAugmenter`."""
_KEYWORDS = {
    **COMMON,
    "rand_crop": Keyword(False, validate.truth),  # noqa: FBT003 a default
    "rand_resize": Keyword(False, validate.truth),  # noqa: FBT003 a default
}


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
    """Return a list of augmenters, in this order: resize, crop, flip, cast, color jitter, normalize.

    Parameters
    ----------
    data_shape : (int, int, int)
        Channels, height and width of the result, in pixels.
    resize : int, default 0
        Length that the shorter side is resized to first, in pixels; 0 or less for no resize.
    rand_crop : bool, default False
        Whether the position of the crop is random or the center.
    rand_resize : bool, default False
        Whether the size of the crop is random too: area of 8 to 100 % of the image, aspect ratio 3/4 to 4/3. Requires
        `rand_crop`.
    rand_mirror : bool, default False
        Whether to flip half of the images left to right.
    mean, std : True, or array-like of 1 or 3 numbers, optional
        Mean and standard deviation in 8-bit values. True for ImageNet's, (123.68, 116.28, 103.53) and (58.395, 57.12,
        57.375).
    brightness, contrast, saturation : float, default 0
        As for `ColorJitterAug`.
    hue : float, default 0
        As for `HueJitterAug`.
    pca_noise : float, default 0
        Standard deviation for `LightingAug`, with the principal components of ImageNet's colors.
    rand_gray : float, default 0
        Probability for `RandomGrayAug`.
    inter_method : int, default 2
        Interpolation, as for `ResizeAug`.

    Returns
    -------
    list of Augmenter
        Augmenters: `ResizeAug`; `RandomSizedCropAug`, `RandomCropAug` or `CenterCropAug`; `HorizontalFlipAug`;
        `CastAug`; `ColorJitterAug`; `HueJitterAug`; `LightingAug`; `RandomGrayAug`; `ColorNormalizeAug`. The crop and
        `CastAug` are always in the list, the others if a keyword asks for them.

    Raises
    ------
    TypeError
        If a value has the wrong type. Numbers and booleans may be text, as for `recio.io.ImageRecordIter`.
    ValueError
        If `data_shape` is not the shape of an image, `rand_resize` is given without `rand_crop`, or a number is out of
        range.

    Examples
    --------
    >>> CreateAugmenter((3, 224, 224), rand_mirror=True)
    [CenterCropAug(size=(224, 224), interp=2), HorizontalFlipAug(p=0.5), CastAug(type='float32')]
    """
    given = {
        "data_shape": data_shape,
        "resize": resize,
        "rand_crop": rand_crop,
        "rand_resize": rand_resize,
        "rand_mirror": rand_mirror,
        "brightness": brightness,
        "contrast": contrast,
        "saturation": saturation,
        "hue": hue,
        "pca_noise": pca_noise,
        "rand_gray": rand_gray,
        "inter_method": inter_method,
    }
    checked = validate.check_keywords(_KEYWORDS, given)
    _, height, width = checked["data_shape"]
    interpolation = checked["inter_method"]
    augmenters: list[Augmenter] = []
    if checked["resize"] > 0:
        augmenters.append(ResizeAug(checked["resize"], interpolation))
    augmenters.append(_crop((width, height), checked["rand_crop"], checked["rand_resize"], interpolation))
    if checked["rand_mirror"]:
        augmenters.append(HorizontalFlipAug(0.5))
    augmenters.append(CastAug())
    color = color_augmenters(checked)
    return augmenters + color + normalize_augmenters(mean, std)


def _crop(size: tuple[int, int], rand_crop: bool, rand_resize: bool, inter_method: int) -> Augmenter:
    if rand_resize and not rand_crop:
        raise ValueError("rand_resize needs rand_crop=True")
    if rand_resize:
        return RandomSizedCropAug(size, _MIN_AREA, _ASPECT, inter_method)
    if rand_crop:
        return RandomCropAug(size, inter_method)
    return CenterCropAug(size, inter_method)


def color_augmenters(checked: Mapping[str, Any]) -> list[Augmenter]:
    """Return the color augmenters for the keywords that are not 0."""
    augmenters: list[Augmenter] = []
    jitter = [checked[name] for name in ("brightness", "contrast", "saturation")]
    if any(jitter):
        augmenters.append(ColorJitterAug(*jitter))
    if checked["hue"]:
        augmenters.append(HueJitterAug(checked["hue"]))
    if checked["pca_noise"]:
        augmenters.append(LightingAug(checked["pca_noise"], np.array(_EIGENVALUES), np.array(_EIGENVECTORS)))
    if checked["rand_gray"]:
        augmenters.append(RandomGrayAug(checked["rand_gray"]))
    return augmenters


def normalize_augmenters(mean: ArrayLike | None, std: ArrayLike | None) -> list[Augmenter]:
    """Return the augmenter that normalizes, if there is a mean or a standard deviation."""
    mean, std = replace_true(mean, std)
    return [] if mean is None and std is None else [ColorNormalizeAug(mean, std)]


def replace_true(mean: ArrayLike | None, std: ArrayLike | None) -> tuple[ArrayLike | None, ArrayLike | None]:
    """Return mean and standard deviation; ``True`` is replaced by ImageNet's."""
    return _replace_true(mean, _MEAN), _replace_true(std, _STD)


def _replace_true(value: ArrayLike | None, default: tuple[float, ...]) -> ArrayLike | None:
    if isinstance(value, str):
        value = validate.true_or_numbers("mean and std", value)
    if value is None or value is False:
        return None
    return np.array(default, np.float32) if value is True else value
