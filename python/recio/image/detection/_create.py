"""``CreateDetAugmenter`` and ``CreateMultiRandCropAugmenter``: detection augmenters from keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from recio._loader import validate
from recio._loader.validate import Keyword
from recio.image._color import CastAug
from recio.image._create import COMMON, color_augmenters, normalize_augmenters
from recio.image._geometry import ForceResizeAug, ResizeAug
from recio.image.detection._augmenter import DetBorrowAug, DetRandomSelectAug
from recio.image.detection._geometry import DetHorizontalFlipAug, DetRandomCropAug, DetRandomPadAug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from recio.image._augmenter import Augmenter
    from recio.image.detection._augmenter import DetAugmenter

    Range: TypeAlias = float | tuple[float, float]


_KEYWORDS = {**COMMON, "rand_crop": Keyword(0, validate.number), "rand_pad": Keyword(0, validate.number)}


def CreateMultiRandCropAugmenter(
    min_object_covered: float | list[float] = 0.1,
    aspect_ratio_range: Range | list[Range] = (0.75, 1.33),
    area_range: Range | list[Range] = (0.05, 1.0),
    min_eject_coverage: float | list[float] = 0.3,
    max_attempts: int | list[int] = 50,
    skip_prob: float = 0,
) -> DetRandomSelectAug:
    """Return several `DetRandomCropAug`, a random one of which is applied to each image.

    Parameters
    ----------
    min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts
        As for `DetRandomCropAug`. A list (not a tuple) has one item for each augmenter; all lists have the same length.
        Any other value is for all augmenters.
    skip_prob : float, default 0
        Probability of applying none, from 0 to 1.

    Returns
    -------
    DetRandomSelectAug
        Augmenters.

    Raises
    ------
    ValueError
        If lists have different lengths, or a number is out of range.

    Examples
    --------
    >>> len(CreateMultiRandCropAugmenter(min_object_covered=[0.1, 0.5, 0.9], skip_prob=0.5).aug_list)
    3
    """
    given: dict[str, Any] = {
        "min_object_covered": min_object_covered,
        "aspect_ratio_range": aspect_ratio_range,
        "area_range": area_range,
        "min_eject_coverage": min_eject_coverage,
        "max_attempts": max_attempts,
    }
    lists = {name: value if isinstance(value, list) else [value] for name, value in given.items()}
    count = max(len(values) for values in lists.values())
    wrong = [f"{name} of {len(values)}" for name, values in lists.items() if len(values) not in (1, count)]
    if wrong:
        raise ValueError(f"lists must have the same length, got {', '.join(wrong)}, others of {count}")
    aligned = {name: values * count if len(values) == 1 else values for name, values in lists.items()}
    crops = [DetRandomCropAug(**{name: values[i] for name, values in aligned.items()}) for i in range(count)]
    return DetRandomSelectAug(crops, skip_prob=skip_prob)


def CreateDetAugmenter(
    data_shape: Sequence[int],
    resize: int = 0,
    rand_crop: float = 0,
    rand_pad: float = 0,
    rand_gray: float = 0,
    rand_mirror: bool = False,
    mean: ArrayLike | None = None,
    std: ArrayLike | None = None,
    brightness: float = 0,
    contrast: float = 0,
    saturation: float = 0,
    pca_noise: float = 0,
    hue: float = 0,
    inter_method: int = 2,
    min_object_covered: float | list[float] = 0.1,
    aspect_ratio_range: Range | list[Range] = (0.75, 1.33),
    area_range: Range | list[Range] = (0.05, 3.0),
    min_eject_coverage: float | list[float] = 0.3,
    max_attempts: int | list[int] = 50,
    pad_val: float | Sequence[float] = (127, 127, 127),
) -> list[DetAugmenter]:
    """Return a list of detection augmenters, in this order: resize, crop, flip, pad, resize, cast, color jitter.

    Parameters
    ----------
    data_shape : (int, int, int)
        Channels, height and width of the result, in pixels.
    resize : int, default 0
        Length that the shorter side is resized to first, in pixels; 0 or less for no resize.
    rand_crop : float, default 0
        Probability of a crop, from 0 to 1.
    rand_pad : float, default 0
        Probability of a canvas, from 0 to 1.
    rand_gray : float, default 0
        Probability of gray, from 0 to 1.
    rand_mirror : bool, default False
        Whether to flip half of the images left to right.
    mean, std : True, or array-like of 1 or 3 numbers, optional
        As for `CreateAugmenter`.
    brightness, contrast, saturation, pca_noise, hue : float, default 0
        As for `CreateAugmenter`.
    inter_method : int, default 2
        Interpolation, as for `ResizeAug`.
    min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts
        As for `CreateMultiRandCropAugmenter`. The aspect ratios, the largest area and the attempts are also those of
        the canvas; from lists, the widest range and the largest number.
    pad_val : float or (float, float, float), default (127, 127, 127)
        R, G and B of the canvas, as for `DetRandomPadAug`.

    Returns
    -------
    list of DetAugmenter
        Augmenters. The resize to `data_shape` and `CastAug` are always in the list, the others if a keyword asks for
        them.

    Raises
    ------
    TypeError
        If a value has the wrong type. Numbers and booleans may be text, as for `recio.io.ImageRecordIter`.
    ValueError
        If `data_shape` is not the shape of an image, or a number is out of range.

    Examples
    --------
    >>> CreateDetAugmenter((3, 300, 300), rand_mirror=True)[0]
    DetHorizontalFlipAug(p=0.5)
    """
    given = {
        "data_shape": data_shape,
        "resize": resize,
        "rand_crop": rand_crop,
        "rand_pad": rand_pad,
        "rand_gray": rand_gray,
        "rand_mirror": rand_mirror,
        "brightness": brightness,
        "contrast": contrast,
        "saturation": saturation,
        "pca_noise": pca_noise,
        "hue": hue,
        "inter_method": inter_method,
    }
    checked = validate.check_keywords(_KEYWORDS, given)
    _, height, width = checked["data_shape"]
    interpolation = checked["inter_method"]
    augmenters: list[DetAugmenter] = []
    if checked["resize"] > 0:
        augmenters.append(DetBorrowAug(ResizeAug(checked["resize"], interpolation)))
    if checked["rand_crop"] > 0:
        limits = (min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts)
        augmenters.append(CreateMultiRandCropAugmenter(*limits, skip_prob=1 - checked["rand_crop"]))
    if checked["rand_mirror"]:
        augmenters.append(DetHorizontalFlipAug(0.5))
    if checked["rand_pad"] > 0:
        area = (1.0, _widest(area_range)[1])
        pad = DetRandomPadAug(_widest(aspect_ratio_range), area, round(_widest(max_attempts)[1]), pad_val)
        augmenters.append(DetRandomSelectAug([pad], 1 - checked["rand_pad"]))
    borrowed: list[Augmenter] = [ForceResizeAug((width, height), interpolation), CastAug()]
    borrowed += color_augmenters(checked)
    borrowed += normalize_augmenters(mean, std)
    return augmenters + [DetBorrowAug(augmenter) for augmenter in borrowed]


def _widest(value: Range | list[Range] | list[int]) -> tuple[float, float]:
    """Return the smallest range that contains all of these ranges and numbers."""
    values = value if isinstance(value, list) else [value]
    ranges = [(one, one) if isinstance(one, int | float) else one for one in values]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
