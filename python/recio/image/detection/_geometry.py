"""Augmenters of detection that flip, crop and pad; boxes go with their objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._recio import Step
from recio.image.detection._augmenter import DetNative

if TYPE_CHECKING:
    from collections.abc import Sequence

_CHANNELS = 3


class DetHorizontalFlipAug(DetNative):
    """Flip left to right with a probability.

    Parameters
    ----------
    p : float
        The probability, from 0 to 1.
    """

    def __init__(self, p: float) -> None:
        self.p = p
        super().__init__(p=p)

    def step(self) -> Step:
        """Give the step."""
        return Step.mirror(self.p)


class DetRandomCropAug(DetNative):
    """Crop a region of random area and aspect ratio that has enough of the objects that it touches.

    Parameters
    ----------
    min_object_covered : float, default 0.1
        Of every object that the region touches, more than this share of its area is within; it touches one at least.
        Objects of 2 pixels and less do not count.
    aspect_ratio_range : float or (float, float), default (0.75, 1.33)
        Least and largest ratio of the region's width to its height, in pixels, from 0.001 to 1000. A number is both.
    area_range : float or (float, float), default (0.05, 1.0)
        Least and largest area of the region, as a fraction of the image's, from 0 to 64; there is none above 1.
    min_eject_coverage : float, default 0.3
        Objects of which no more than this share is within are dropped; one is kept at least.
    max_attempts : int, default 50
        Regions that are tried. If none will do, the image stays whole.
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
        """Give the step."""
        return Step.area_crop(
            self.min_object_covered,
            self.aspect_ratio_range,
            self.area_range,
            self.min_eject_coverage,
            self.max_attempts,
        )


class DetRandomPadAug(DetNative):
    """Put the image anywhere on a canvas of random area and aspect ratio.

    Parameters
    ----------
    aspect_ratio_range : float or (float, float), default (0.75, 1.33)
        Least and largest ratio of the canvas's width to its height, in pixels, from 0.001 to 1000. A number is both.
    area_range : float or (float, float), default (1.0, 3.0)
        Least and largest area of the canvas, as a multiple of the image's, from 0 to 64. The canvas is 2 pixels larger
        than the image at least, in width and height.
    max_attempts : int, default 50
        Canvases that are tried. If none will do, the image stays as it is.
    pad_val : float or (float, float, float), default (128, 128, 128)
        The canvas's levels, R, G, B, from 0 to 255, rounded. A number is all three.
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
        """Give the step."""
        levels = [round(level) for level in self.pad_val]
        return Step.area_pad(self.aspect_ratio_range, self.area_range, self.max_attempts, levels)


def _range(value: float | Sequence[float]) -> tuple[float, float]:
    """Give the least and the largest; a number is both."""
    if isinstance(value, int | float):
        return float(value), float(value)
    low, high = value
    return low, high
