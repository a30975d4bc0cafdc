"""Augmenters that change colours (R, G, B), in floats as `CastAug` makes them.

uint8 images are made floats first. Nothing is rounded or clamped; several of these one after another are one pass over
the pixels in the pipeline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._recio import Step
from recio.image._augmenter import Native
from recio.image._compose import RandomOrderAug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

_CHANNELS = 3


class CastAug(Native):
    """Convert to another type.

    Parameters
    ----------
    typ : dtype, default 'float32'
        The type. Others than float32 are not for the pipeline's inside: it is uint8 or float32 again after them.
    """

    def __init__(self, typ: DTypeLike = "float32") -> None:
        self.typ = typ
        super().__init__(type=typ if isinstance(typ, str) else np.dtype(typ).name)

    def step(self) -> Step | None:
        """Give the step, if the type is float32."""
        return Step.cast() if np.dtype(self.typ) == np.float32 else None

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Convert an image; the result is another array."""
        return np.asarray(src).astype(self.typ)


class BrightnessJitterAug(Native):
    """Multiply all levels by a random factor.

    Parameters
    ----------
    brightness : float
        The factor is from 1 - `brightness` to 1 + `brightness`.
    """

    def __init__(self, brightness: float) -> None:
        self.brightness = brightness
        super().__init__(brightness=brightness)

    def step(self) -> Step:
        """Give the step."""
        return Step.brightness(self.brightness)


class ContrastJitterAug(Native):
    """Move all levels away from the mean grey of the image, or towards it, by a random factor.

    Grey is 0.299 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    contrast : float
        The factor is from 1 - `contrast` to 1 + `contrast`.
    """

    def __init__(self, contrast: float) -> None:
        self.contrast = contrast
        super().__init__(contrast=contrast)

    def step(self) -> Step:
        """Give the step."""
        return Step.contrast(self.contrast)


class SaturationJitterAug(Native):
    """Move the levels of each pixel away from its own grey, or towards it, by a random factor.

    Grey is 0.299 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    saturation : float
        The factor is from 1 - `saturation` to 1 + `saturation`.
    """

    def __init__(self, saturation: float) -> None:
        self.saturation = saturation
        super().__init__(saturation=saturation)

    def step(self) -> Step:
        """Give the step."""
        return Step.saturation(self.saturation)


class HueJitterAug(Native):
    """Turn all colours about the grey axis of YIQ by a random angle.

    Parameters
    ----------
    hue : float
        The angle is from -`hue` to `hue` half turns.
    """

    def __init__(self, hue: float) -> None:
        self.hue = hue
        super().__init__(hue=hue)

    def step(self) -> Step:
        """Give the step."""
        return Step.hue(self.hue)


class ColorJitterAug(RandomOrderAug):
    """Change brightness, contrast and saturation at random, in random order. What is 0 is left out.

    Parameters
    ----------
    brightness, contrast, saturation : float
        As for `BrightnessJitterAug`, `ContrastJitterAug` and `SaturationJitterAug`.
    """

    def __init__(self, brightness: float, contrast: float, saturation: float) -> None:
        ranges = {BrightnessJitterAug: brightness, ContrastJitterAug: contrast, SaturationJitterAug: saturation}
        super().__init__([augmenter(most) for augmenter, most in ranges.items() if most != 0])


class LightingAug(Native):
    """Add a random shift along the directions in which the colours of natural images vary.

    It is ``eigvec @ (alpha * eigval)``, each of the three alphas normally distributed with mean 0. (Krizhevsky,
    Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012.)

    Parameters
    ----------
    alphastd : float
        Deviation of the alphas.
    eigval : array-like, shape (3,)
        How far colours spread along each direction, in levels.
    eigvec : array-like, shape (3, 3)
        The directions, a column each; a row for each of R, G, B.
    """

    def __init__(self, alphastd: float, eigval: ArrayLike, eigvec: ArrayLike) -> None:
        self.alphastd = alphastd
        self.eigval = eigval
        self.eigvec = eigvec
        super().__init__(alphastd=alphastd, eigval=eigval, eigvec=eigvec)

    def step(self) -> Step:
        """Give the step."""
        return Step.lighting(self.alphastd, np.ravel(self.eigval).tolist(), np.asarray(self.eigvec).tolist())


class ColorNormalizeAug(Native):
    """Subtract a mean and divide by a standard deviation.

    Parameters
    ----------
    mean, std : array-like of 1 or 3 numbers, or None
        In levels: one for all channels, or one for each. ``None`` leaves it out. `std` is not 0.
    """

    def __init__(self, mean: ArrayLike | None, std: ArrayLike | None) -> None:
        self.mean = mean
        self.std = std
        super().__init__(mean=mean, std=std)

    def step(self) -> Step:
        """Give the step."""
        return Step.normalize(_per_channel("mean", self.mean, 0), _per_channel("std", self.std, 1))


class RandomGrayAug(Native):
    """Make all three channels 0.21 R + 0.72 G + 0.07 B with a probability.

    Parameters
    ----------
    p : float
        The probability, from 0 to 1.
    """

    def __init__(self, p: float) -> None:
        self.p = p
        super().__init__(p=p)

    def step(self) -> Step:
        """Give the step, after which the image is of floats whatever was drawn."""
        return Step.sequence([Step.cast(), Step.gray(self.p)])


def _per_channel(name: str, values: ArrayLike | None, default: float) -> Sequence[float]:
    numbers = np.ravel(np.asarray(default if values is None else values, np.float32))
    if numbers.size not in (1, _CHANNELS):
        raise ValueError(f"{name} has {numbers.size} numbers; it has 1, for all channels, or {_CHANNELS}")
    listed: list[float] = np.broadcast_to(numbers, _CHANNELS).tolist()
    return listed
