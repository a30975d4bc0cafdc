"""What an augmenter is: a callable that makes an image of an image and can describe itself.

recio's own ones also say what they do to the pipeline (`Native.step`); there it is done without Python. Called by
themselves, they have the same native code do it to one array.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from recio import _recio
from recio._loader.to_steps import HasStep

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AXES = 3


class Described:
    """What was made with parameters, and can show them.

    Parameters
    ----------
    **kwargs
        The parameters, by name. Arrays are kept as lists.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 whatever an augmenter is made of
        self._kwargs = {name: _plain(value) for name, value in kwargs.items()}

    def dumps(self) -> str | list[Any]:
        """Describe the augmenter.

        Returns
        -------
        str
            JSON: the name of the class in lower case, and the parameters. (A combination of augmenters gives a list
            instead: its name, and their descriptions.)
        """
        return json.dumps([type(self).__name__.lower(), self._kwargs])

    def __repr__(self) -> str:
        """Show the augmenter as it was made."""
        settings = ", ".join(f"{name}={value!r}" for name, value in self._kwargs.items())
        return f"{type(self).__name__}({settings})"


class Augmenter(Described):
    """The base class of augmenters, recio's and one's own: an image goes in, an image comes out.

    Parameters
    ----------
    **kwargs
        What `dumps` shows, by name. Arrays are kept as lists.

    Examples
    --------
    >>> class Invert(Augmenter):
    ...     def __call__(self, src):
    ...         return 255 - src
    >>> Invert()(np.zeros((1, 2, 1), np.uint8)).tolist()
    [[[255], [255]]]
    """

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Make an image of an image.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels)
            An image.

        Returns
        -------
        ndarray, shape (height, width, channels)
            Another one.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__")


class Native(HasStep, Augmenter):
    """An augmenter of recio's own. Not part of MXNet; the iterators look at it.

    A class derived from one of these that has a `__call__` of its own is one's own augmenter: `step` is then not asked.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 whatever an augmenter is made of
        super().__init__(**kwargs)
        # Derived classes have set by now what `step` reads.
        refuse_senseless(self)

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Carry out the augmenter on an image. Its random numbers are seeded from Python's `random`.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels), uint8 or floating
            An image of 1, 3 or 4 channels; colours are changed in images of 3, R, G, B. It is not written to. Floats
            are computed in float32.

        Returns
        -------
        ndarray, shape (height, width, channels)
            Another one. Floats keep their type. Of uint8, geometry makes uint8, and what changes colours float32, whose
            levels are neither rounded nor clamped.

        Raises
        ------
        TypeError
            If `src` is of another type.
        ValueError
            If it is not an image, or the augmenter's parameters make no sense.
        """
        step = self.step()
        if step is None:
            raise NotImplementedError(f"{type(self).__name__} has no __call__")
        return carried_out(step, src)[0]


def refuse_senseless(augmenter: HasStep) -> None:
    """Raise if an augmenter's parameters make no sense, and say which augmenter it is."""
    try:
        augmenter.step()
    except TypeError as error:
        raise TypeError(f"{augmenter!r}: {error}") from None
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{augmenter!r}: {error}") from None


def carried_out(
    step: _recio.Step, src: NDArray[Any], boxes: NDArray[np.float32] | None = None
) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Carry out a step on an image, and on its boxes if it has any."""
    src = np.asarray(src)
    if src.ndim != _AXES:
        raise ValueError(f"augmenters take (height, width, channels), not {src.shape}; of grey, src[..., None]")
    is_float = src.dtype.kind == "f"
    if not is_float and src.dtype != np.uint8:
        raise TypeError(f"augmenters take images of uint8 or floats, not {src.dtype}")
    image = np.ascontiguousarray(src, np.float32 if is_float else None)
    augmented, boxes = _recio.augment(image, [step], random.getrandbits(64), boxes)
    return (augmented.astype(src.dtype, copy=False) if is_float else augmented), boxes


def _plain(value: Any) -> Any:  # noqa: ANN401 whatever an augmenter is made of
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
