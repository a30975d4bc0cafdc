"""Geometric augmenters: resize, crop and flip; uint8 images stay uint8."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._recio import Step
from recio.image._augmenter import NativeAugmenter
from recio.image._functional import area_range, renamed_area

if TYPE_CHECKING:
    from collections.abc import Sequence


class ResizeAug(NativeAugmenter):
    """Resize the shorter side to a length; the other side keeps the aspect ratio, rounded down.

    Parameters
    ----------
    size : int
        Length of the shorter side, in pixels, from 1 to 65,536.
    interp : int, default 2
        Interpolation: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos over 8x8 pixels; 9 bicubic to enlarge, area
        to shrink and bilinear otherwise; 10 a random one of 0 to 4.
    """

    is_per_channel = True

    def __init__(self, size: int, interp: int = 2) -> None:
        self.size = size
        self.interp = interp
        super().__init__(size=size, interp=interp)

    def step(self) -> Step:
        """Return the step."""
        return Step.resize_short(self.size, self.interp)


class ForceResizeAug(NativeAugmenter):
    """Resize to a width and height, whatever the aspect ratio.

    Parameters
    ----------
    size : (int, int)
        Width and height, in pixels, from 1 to 65,536.
    interp : int, default 2
        As for `ResizeAug`.
    """

    is_per_channel = True

    def __init__(self, size: Sequence[int], interp: int = 2) -> None:
        self.size = size
        self.interp = interp
        super().__init__(size=size, interp=interp)

    def step(self) -> Step:
        """Return the step."""
        return Step.resize(_size(self.size), self.interp)


class RandomCropAug(NativeAugmenter):
    """Crop at a random position; in a smaller image, the largest region of the same ratio is cropped and enlarged.

    Parameters
    ----------
    size : (int, int)
        Width and height of the result, in pixels.
    interp : int, default 2
        As for `ResizeAug`.
    """

    is_per_channel = True

    def __init__(self, size: Sequence[int], interp: int = 2) -> None:
        self.size = size
        self.interp = interp
        super().__init__(size=size, interp=interp)

    def step(self) -> Step:
        """Return the step."""
        return Step.fit(_size(self.size), random=True, interp=self.interp)


class CenterCropAug(NativeAugmenter):
    """Crop the center; in a smaller image, the largest region of the same ratio is cropped and enlarged.

    Parameters
    ----------
    size, interp
        As for `RandomCropAug`.
    """

    is_per_channel = True

    def __init__(self, size: Sequence[int], interp: int = 2) -> None:
        self.size = size
        self.interp = interp
        super().__init__(size=size, interp=interp)

    def step(self) -> Step:
        """Return the step."""
        return Step.fit(_size(self.size), random=False, interp=self.interp)


class RandomSizedCropAug(NativeAugmenter):
    """Crop a region of random area and aspect ratio and resize it, as `random_size_crop`.

    Parameters
    ----------
    size : (int, int)
        Width and height of the result, in pixels.
    area : float or (float, float)
        Smallest and largest area of the region, as fractions of the image's area, in (0, 1]; a number is the smallest.
    ratio : (float, float)
        Smallest and largest ratio of its width to its height.
    interp : int, default 2
        As for `ResizeAug`.
    min_area : float or (float, float), optional
        Deprecated name of `area`, which it replaces.
    """

    is_per_channel = True

    def __init__(
        self,
        size: Sequence[int],
        area: float | tuple[float, float],
        ratio: tuple[float, float],
        interp: int = 2,
        *,
        min_area: float | tuple[float, float] | None = None,
    ) -> None:
        area = renamed_area(area, min_area)
        self.size = size
        self.area = area
        self.ratio = ratio
        self.interp = interp
        super().__init__(size=size, area=area, ratio=ratio, interp=interp)

    def step(self) -> Step:
        """Return the step."""
        low, high = self.ratio
        return Step.resized_crop(_size(self.size), area_range(self.area), (low, high), log=True, interp=self.interp)


class HorizontalFlipAug(NativeAugmenter):
    """Flip left to right with a probability.

    Parameters
    ----------
    p : float
        Probability, from 0 to 1.
    """

    is_per_channel = True

    def __init__(self, p: float) -> None:
        self.p = p
        super().__init__(p=p)

    def step(self) -> Step:
        """Return the step."""
        return Step.mirror(self.p)


def _size(size: Sequence[int]) -> tuple[int, int]:
    width, height = size
    return width, height
