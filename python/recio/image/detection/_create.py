"""``CreateDetAugmenter`` and ``CreateMultiRandCropAugmenter``: from keywords to augmenters of detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from recio.image._color import CastAug
from recio.image._create import colours, normalise
from recio.image._geometry import ForceResizeAug, ResizeAug
from recio.image.detection._augmenter import DetBorrowAug, DetRandomSelectAug
from recio.image.detection._geometry import DetHorizontalFlipAug, DetRandomCropAug, DetRandomPadAug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from recio.image._augmenter import Augmenter
    from recio.image.detection._augmenter import DetAugmenter

    Range: TypeAlias = float | tuple[float, float]


def CreateMultiRandCropAugmenter(
    min_object_covered: float | list[float] = 0.1,
    aspect_ratio_range: Range | list[Range] = (0.75, 1.33),
    area_range: Range | list[Range] = (0.05, 1.0),
    min_eject_coverage: float | list[float] = 0.3,
    max_attempts: int | list[int] = 50,
    skip_prob: float = 0,
) -> DetRandomSelectAug:
    """Make several `DetRandomCropAug`, one of which is taken for each image.

    Parameters
    ----------
    min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts
        As for `DetRandomCropAug`; a list (not a tuple) has one for each. Lists are of one length; what is no list goes
        for all.
    skip_prob : float, default 0
        The probability that none is taken.

    Returns
    -------
    DetRandomSelectAug
        The augmenters.

    Raises
    ------
    ValueError
        If lists are of different lengths, or a number makes no sense.

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
        raise ValueError(f"lists of different lengths: {', '.join(wrong)}, others of {count}")
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
    """Make a list of augmenters of detection, in this order: resize, crop, flip, pad, resize, float32, colours.

    Parameters
    ----------
    data_shape : (int, int, int)
        Channels, height and width of the result, in pixels.
    resize : int, default 0
        What the shorter side is brought to first, in pixels; 0: not.
    rand_crop : float, default 0
        The probability of a crop.
    rand_pad : float, default 0
        The probability of a canvas.
    rand_gray : float, default 0
        The probability of grey.
    rand_mirror : bool, default False
        Whether half of the images are flipped left to right.
    mean, std : True, or array-like of 1 or 3 numbers, optional
        As for `CreateAugmenter`.
    brightness, contrast, saturation, pca_noise, hue : float, default 0
        As for `CreateAugmenter`.
    inter_method : int, default 2
        How images are resampled, as for `ResizeAug`.
    min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts
        As for `CreateMultiRandCropAugmenter`. The canvas has these ratios too, at most the largest of these areas, and
        as many attempts; of lists, the widest range and the largest number.
    pad_val : float or (float, float, float), default (127, 127, 127)
        The canvas's levels, as for `DetRandomPadAug`.

    Returns
    -------
    list of DetAugmenter
        The augmenters. Of what is not asked for, there is none; of the resize to `data_shape` and `CastAug` always one.

    Raises
    ------
    ValueError
        If a number makes no sense.

    Examples
    --------
    >>> CreateDetAugmenter((3, 300, 300), rand_mirror=True)[0]
    DetHorizontalFlipAug(p=0.5)
    """
    _, height, width = data_shape
    augmenters: list[DetAugmenter] = []
    if resize > 0:
        augmenters.append(DetBorrowAug(ResizeAug(resize, inter_method)))
    if rand_crop > 0:
        limits = (min_object_covered, aspect_ratio_range, area_range, min_eject_coverage, max_attempts)
        augmenters.append(CreateMultiRandCropAugmenter(*limits, skip_prob=1 - rand_crop))
    if rand_mirror:
        augmenters.append(DetHorizontalFlipAug(0.5))
    if rand_pad > 0:
        area = (1.0, _widest(area_range)[1])
        pad = DetRandomPadAug(_widest(aspect_ratio_range), area, round(_widest(max_attempts)[1]), pad_val)
        augmenters.append(DetRandomSelectAug([pad], 1 - rand_pad))
    borrowed: list[Augmenter] = [ForceResizeAug((width, height), inter_method), CastAug()]
    borrowed += colours(brightness, contrast, saturation, hue, pca_noise, rand_gray) + normalise(mean, std)
    return augmenters + [DetBorrowAug(augmenter) for augmenter in borrowed]


def _widest(value: Range | list[Range] | list[int]) -> tuple[float, float]:
    """Give the range that has all of these ranges and numbers within."""
    values = value if isinstance(value, list) else [value]
    ranges = [(one, one) if isinstance(one, int | float) else one for one in values]
    return min(low for low, _ in ranges), max(high for _, high in ranges)
