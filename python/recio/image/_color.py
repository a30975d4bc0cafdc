"""Color augmenters: cast, brightness, contrast, saturation, hue, lighting, normalize, gray.

They work on float32 values in R, G, B; uint8 images are converted first. Nothing is rounded or clipped. The pipeline
applies several of them in one pass over the pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._recio import Step
from recio.image._augmenter import NativeAugmenter
from recio.image._compose import RandomOrderAug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, DTypeLike, NDArray

_CHANNELS = 3


class CastAug(NativeAugmenter):
    """Convert to another dtype.

    Parameters
    ----------
    typ : dtype, default 'float32'
        Type of the result. Inside the pipeline only uint8 and float32 exist: other types are converted back to one of
        them.
    """

    def __init__(self, typ: DTypeLike = "float32") -> None:
        self.typ = typ
        super().__init__(type=typ if isinstance(typ, str) else np.dtype(typ).name)

    def step(self) -> Step | None:
        """Return the step; ``None`` if the type is not float32."""
        return Step.cast() if np.dtype(self.typ) == np.float32 else None

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Convert an image to the type; the result is a new array."""
        return np.asarray(src).astype(self.typ)


class BrightnessJitterAug(NativeAugmenter):
    """Multiply all values by a random factor.

    Parameters
    ----------
    brightness : float
        Range of the factor: 1 - `brightness` to 1 + `brightness`; at least 0.
    """

    def __init__(self, brightness: float) -> None:
        self.brightness = brightness
        super().__init__(brightness=brightness)

    def step(self) -> Step:
        """Return the step."""
        return Step.brightness(self.brightness)


class ContrastJitterAug(NativeAugmenter):
    """Scale the difference of all values from the mean gray of the image by a random factor.

    Gray is 0.299 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    contrast : float
        Range of the factor: 1 - `contrast` to 1 + `contrast`; at least 0.
    """

    def __init__(self, contrast: float) -> None:
        self.contrast = contrast
        super().__init__(contrast=contrast)

    def step(self) -> Step:
        """Return the step."""
        return Step.contrast(self.contrast)


class SaturationJitterAug(NativeAugmenter):
    """Scale the difference of the values of each pixel from its gray by a random factor.

    Gray is 0.299 R + 0.587 G + 0.114 B.

    Parameters
    ----------
    saturation : float
        Range of the factor: 1 - `saturation` to 1 + `saturation`; at least 0.
    """

    def __init__(self, saturation: float) -> None:
        self.saturation = saturation
        super().__init__(saturation=saturation)

    def step(self) -> Step:
        """Return the step."""
        return Step.saturation(self.saturation)


class HueJitterAug(NativeAugmenter):
    """Rotate all colors about the gray axis of YIQ by a random angle.

    Parameters
    ----------
    hue : float
        Range of the angle: -`hue` to `hue`, in half turns; at least 0.
    """

    def __init__(self, hue: float) -> None:
        self.hue = hue
        super().__init__(hue=hue)

    def step(self) -> Step:
        """Return the step."""
        return Step.hue(self.hue)


class ColorJitterAug(RandomOrderAug):
    """Change brightness, contrast and saturation by random factors, in random order; those that are 0 are skipped.

    Parameters
    ----------
    brightness, contrast, saturation : float
        As for `BrightnessJitterAug`, `ContrastJitterAug` and `SaturationJitterAug`.
    """

    def __init__(self, brightness: float, contrast: float, saturation: float) -> None:
        ranges = {BrightnessJitterAug: brightness, ContrastJitterAug: contrast, SaturationJitterAug: saturation}
        super().__init__([augmenter(value) for augmenter, value in ranges.items() if value != 0])


class LightingAug(NativeAugmenter):
    """Add PCA lighting noise: a random shift along the principal components of natural images' colors.

    The shift is ``eigvec @ (alpha * eigval)``, with three normally distributed alphas of mean 0. (Krizhevsky,
    Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks, 2012.)

    Parameters
    ----------
    alphastd : float
        Standard deviation of the alphas; at least 0.
    eigval : array-like, shape (3,)
        Eigenvalues, in 8-bit values.
    eigvec : array-like, shape (3, 3)
        Eigenvectors as columns; rows are R, G, B.
    """

    def __init__(self, alphastd: float, eigval: ArrayLike, eigvec: ArrayLike) -> None:
        self.alphastd = alphastd
        self.eigval = eigval
        self.eigvec = eigvec
        super().__init__(alphastd=alphastd, eigval=eigval, eigvec=eigvec)

    def step(self) -> Step:
        """Return the step."""
        return Step.lighting(self.alphastd, np.ravel(self.eigval).tolist(), np.asarray(self.eigvec).tolist())


class ColorNormalizeAug(NativeAugmenter):
    """Subtract a mean and divide by a standard deviation.

    Parameters
    ----------
    mean, std : array-like of 1 or 3 numbers, or None
        Mean and standard deviation in 8-bit values: one for all channels, or one for each. ``None`` skips the
        subtraction or division. `std` is not 0.
    """

    def __init__(self, mean: ArrayLike | None, std: ArrayLike | None) -> None:
        self.mean = mean
        self.std = std
        super().__init__(mean=mean, std=std)

    def step(self) -> Step:
        """Return the step."""
        return Step.normalize(_per_channel("mean", self.mean, 0), _per_channel("std", self.std, 1))


class RandomGrayAug(NativeAugmenter):
    """Set all three channels to 0.21 R + 0.72 G + 0.07 B with a probability.

    Parameters
    ----------
    p : float
        Probability, from 0 to 1.
    """

    def __init__(self, p: float) -> None:
        self.p = p
        super().__init__(p=p)

    def step(self) -> Step:
        """Return the step; the result is float32 in any case."""
        return Step.sequence([Step.cast(), Step.gray(self.p)])


def _per_channel(name: str, values: ArrayLike | None, default: float) -> Sequence[float]:
    numbers: list[float] = np.asarray(default if values is None else values, np.float32).ravel().tolist()
    if len(numbers) not in (1, _CHANNELS):
        raise ValueError(f"{name} must have 1 or {_CHANNELS} numbers, got {len(numbers)}")
    return numbers if len(numbers) == _CHANNELS else numbers * _CHANNELS
