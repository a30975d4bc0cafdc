"""Geometric detection augmenters: flip, crop and pad, with the boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._recio import Step
from recio.image.detection._augmenter import NativeDetAugmenter

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHANNELS = 3


class DetHorizontalFlipAug(NativeDetAugmenter):
    """Flip left to right with a probability.

    Parameters
    ----------
    p : float
        Probability, from 0 to 1.
    """

    def __init__(self, p: float) -> None:
        self.p = p
        super().__init__(p=p)

    def step(self) -> Step:
        """Return the step."""
        return Step.mirror(self.p)


class DetRandomCropAug(NativeDetAugmenter):
    """Crop a region of random area and aspect ratio that covers enough of each object that it intersects.

    Parameters
    ----------
    min_object_covered : float, default 0.1
        Fraction of each intersected object that must be exceeded inside the region; at least one object must be
        intersected. Objects of at most 2 pixels are ignored.
    aspect_ratio_range : float or (float, float), default (0.75, 1.33)
        Smallest and largest ratio of the region's width to its height, in pixels, from 0.001 to 1000. A number is both.
    area_range : float or (float, float), default (0.05, 1.0)
        Smallest and largest area of the region, as a fraction of the image's area, from 0 to 64; regions above 1 do not
        exist.
    min_eject_coverage : float, default 0.3
        Fraction of an object inside the region up to which it is dropped; at least one object is kept.
    max_attempts : int, default 50
        Number of regions that are tried, at most 100,000. If none is accepted, the image is not cropped.
    """

    def __init__(
        self,
        min_object_covered: float = 0.1,
        aspect_ratio_range: float | Sequence[float] = (0.75, 1.33),
        area_range: float | Sequence[float] = (0.05, 1.0),
        min_eject_coverage: float = 0.3,
        max_attempts: int = 50,
    ) -> None:
        self.min_object_covered = min_object_covered
        self.aspect_ratio_range = _range(aspect_ratio_range)
        self.area_range = _range(area_range)
        self.min_eject_coverage = min_eject_coverage
        self.max_attempts = max_attempts
        super().__init__(
            min_object_covered=min_object_covered,
            aspect_ratio_range=self.aspect_ratio_range,
            area_range=self.area_range,
            min_eject_coverage=min_eject_coverage,
            max_attempts=max_attempts,
        )

    def step(self) -> Step:
        """Return the step."""
        return Step.area_crop(
            self.min_object_covered,
            self.aspect_ratio_range,
            self.area_range,
            self.min_eject_coverage,
            self.max_attempts,
        )


class DetRandomPadAug(NativeDetAugmenter):
    """Place the image at a random position on a canvas of random area and aspect ratio.

    Parameters
    ----------
    aspect_ratio_range : float or (float, float), default (0.75, 1.33)
        Smallest and largest ratio of the canvas's width to its height, in pixels, from 0.001 to 1000. A number is both.
    area_range : float or (float, float), default (1.0, 3.0)
        Smallest and largest area of the canvas, as a multiple of the image's area, from 0 to 64. The canvas is at least
        2 pixels wider and higher than the image.
    max_attempts : int, default 50
        Number of canvases that are tried, at most 100,000. If none is accepted, the image does not change.
    pad_val : float or (float, float, float), default (128, 128, 128)
        R, G and B of the canvas, from 0 to 255, rounded. A number is all three.
    """

    def __init__(
        self,
        aspect_ratio_range: float | Sequence[float] = (0.75, 1.33),
        area_range: float | Sequence[float] = (1.0, 3.0),
        max_attempts: int = 50,
        pad_val: float | Sequence[float] = (128, 128, 128),
    ) -> None:
        self.aspect_ratio_range = _range(aspect_ratio_range)
        self.area_range = _range(area_range)
        self.max_attempts = max_attempts
        self.pad_val = (pad_val,) * _CHANNELS if isinstance(pad_val, int | float) else tuple(pad_val)
        super().__init__(
            aspect_ratio_range=self.aspect_ratio_range,
            area_range=self.area_range,
            max_attempts=max_attempts,
            pad_val=self.pad_val,
        )

    def step(self) -> Step:
        """Return the step."""
        rgb = [round(value) for value in self.pad_val]
        return Step.area_pad(self.aspect_ratio_range, self.area_range, self.max_attempts, rgb)


def _range(value: float | Sequence[float]) -> tuple[float, float]:
    """Return the smallest and the largest number; a single number is both."""
    if isinstance(value, int | float):
        return float(value), float(value)
    low, high = value
    return low, high
