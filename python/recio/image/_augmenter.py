"""Base classes of augmenters: callables from image to image with a description.

recio's augmenters also have a native step (`NativeAugmenter.step`), which the pipeline runs without Python. Calling one
of them runs the same native code on one array.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import _recio
from recio._loader.to_steps import HasStep
from recio.image._codec import image_array
from recio.image._functional import channel_groups, needs_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AXES = 3


class Described:
    """Base of objects that can show the parameters they were made with.

    Parameters
    ----------
    **kwargs
        The parameters by name. Arrays are kept as lists.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 parameters of many types
        self._kwargs = {name: _plain(value) for name, value in kwargs.items()}

    def dumps(self) -> str | list[Any]:
        """Return a description of the augmenter.

        Returns
        -------
        str
            JSON: the name of the class in lower case, and the parameters. (A combination of augmenters returns a list
            instead: its name, and their descriptions.)
        """
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __repr__(self) -> str:
        """Return the expression that makes the augmenter."""
        settings = ", ".join(f"{name}={value!r}" for name, value in self._kwargs.items())
        return f"{type(self).__name__}({settings})"


class Augmenter(Described):
    """Base class of augmenters, which map an image to an image.

    Parameters
    ----------
    **kwargs
        The parameters that `dumps` shows, by name. Arrays are kept as lists.

    Examples
    --------
    >>> class Invert(Augmenter):
    ...     def __call__(self, src):
    ...         return 255 - src
    >>> Invert()(np.zeros((1, 2, 1), np.uint8)).tolist()
    [[[255], [255]]]
    """

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Augment an image.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels)
            Image.

        Returns
        -------
        ndarray, shape (height, width, channels)
            Augmented image.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__")


class NativeAugmenter(HasStep, Augmenter):
    """Base of recio's augmenters, which the native pipeline runs by their steps.

    If a subclass overrides `__call__`, the pipeline calls it, and does not use `step`.
    """

    is_per_channel = False
    """Whether it treats all channels alike, so that an image may have any number of them."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 parameters of many types
        super().__init__(**kwargs)
        # Subclasses set the attributes that `step` reads before they call this.
        check_parameters(self)

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Augment an image. Random parameters are seeded from Python's `random`.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels), uint8 or floating
            Image; color augmenters need 3 channels, R, G, B, geometric ones take any number. It is not modified. Floats
            are converted to float32 for the computation.

        Returns
        -------
        ndarray, shape (height, width, channels)
            Augmented image. Floats keep their type. From uint8, geometric augmenters return uint8, color augmenters
            float32 values that are neither rounded nor clipped.

        Raises
        ------
        TypeError
            If `src` has another dtype.
        ValueError
            If `src` is not an image, or a parameter of the augmenter is out of range.
        """
        step = self.step()
        if step is None:
            raise NotImplementedError(f"{type(self).__name__} has no __call__")
        if self.is_per_channel and needs_groups(np.shape(src)):
            # Each group of channels gets the same random parameters.
            seed, groups = random.getrandbits(64), channel_groups(np.shape(src)[2])
            return np.concatenate([apply_step(step, src[..., group], rng=seed)[0] for group in groups], axis=2)
        return apply_step(step, src)[0]


def check_parameters(augmenter: HasStep) -> None:
    """Raise an error that names the augmenter if one of its parameters is out of range."""
    try:
        augmenter.step()
    except TypeError as error:
        raise TypeError(f"{augmenter!r}: {error}") from None
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{augmenter!r}: {error}") from None


def apply_step(
    step: _recio.Step,
    src: NDArray[Any],
    boxes: NDArray[np.float32] | None = None,
    rng: _recio.Rng | int | None = None,
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Apply a step to an image, and to its boxes if it has any; without `rng`, seeded from Python's `random`."""
    src = image_array(src)
    if src.ndim != _AXES:
        raise ValueError(
            f"an image must have shape (height, width, channels), got {src.shape}; for gray use src[..., None]"
        )
    is_float = src.dtype.kind == "f"
    if not is_float and src.dtype != np.uint8:
        raise TypeError(f"an image must be uint8 or floating, got {src.dtype}")
    image = np.ascontiguousarray(src, np.float32 if is_float else None)
    augmented, boxes = _recio.augment(image, [step], random.getrandbits(64) if rng is None else rng, boxes)
    return (augmented.astype(src.dtype, copy=False) if is_float else augmented), boxes


def _plain(value: Any) -> Any:  # noqa: ANN401 parameters of many types
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
