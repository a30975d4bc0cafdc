"""What an augmenter of detection is: a callable that makes an image and its label of an image and its label.

As with the augmenters of images alone, recio's own ones say what they do to the pipeline, and do the same to one image
when they are called by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader.to_steps import HasStep, WeakCall, redefines_call, to_steps
from recio._recio import Step
from recio.image._augmenter import Augmenter, Described, carried_out, refuse_senseless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from recio._recio import Step as StepType


class DetAugmenter(Described):
    """The base class of augmenters of detection, recio's and one's own.

    Parameters
    ----------
    **kwargs
        What `dumps` shows, by name. Arrays are kept as lists.

    Examples
    --------
    >>> class Swap(DetAugmenter):
    ...     def __call__(self, src, label):
    ...         return src.transpose(1, 0, 2), label[:, [0, 2, 1, 4, 3]]
    >>> image, label = Swap()(np.zeros((2, 4, 3), np.uint8), np.array([[7, 0, 0, 0.5, 1]]))
    >>> image.shape, label.tolist()
    ((4, 2, 3), [[7.0, 0.0, 0.0, 1.0, 0.5]])
    """

    is_for_detection = True
    """It takes boxes too: not one for `ImageIter`."""

    def __call__(self, src: NDArray[Any], label: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Make an image and its label of an image and its label.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels)
            An image.
        label : ndarray, shape (objects, 5 or more)
            Its objects, each: class, left, top, right, bottom, and others. Sides are fractions of the image's, from 0
            to 1.

        Returns
        -------
        image : ndarray, shape (height, width, channels)
            Another image.
        label : ndarray, shape (objects, 5 or more)
            Its objects.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__")


class DetNative(HasStep, DetAugmenter):
    """An augmenter of recio's own. Not part of MXNet; the iterators look at it.

    A class derived from one of these that has a `__call__` of its own is one's own augmenter: `step` is then not asked.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 whatever an augmenter is made of
        super().__init__(**kwargs)
        # Derived classes have set by now what `step` reads.
        refuse_senseless(self)

    def step(self) -> StepType:
        """Give what the pipeline does in the augmenter's place, drawing anew for each image.

        Raises
        ------
        ValueError
            If its parameters make no sense.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def __call__(self, src: NDArray[Any], label: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Carry out the augmenter on an image and its label. Its random numbers are seeded from Python's `random`.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels), uint8 or floating
            An image of 1, 3 or 4 channels. It is not written to.
        label : array-like, shape (objects, 5 or more)
            Its objects, as for `DetAugmenter`. It is not written to. (In MXNet it was.)

        Returns
        -------
        image : ndarray, shape (height, width, channels)
            Another image; as of an augmenter of images alone.
        label : ndarray, shape (objects, 5 or more), float32
            Its objects.
        """
        image, boxes = carried_out(self.step(), src, np.asarray(label, np.float32))
        assert boxes is not None  # noqa: S101 it gives what it is given
        return image, boxes


class DetBorrowAug(DetNative):
    """An augmenter of images alone, for a label that it does not change.

    Boxes are not moved, but for those of a `HorizontalFlipAug`: what crops or pads is not to be borrowed.

    Parameters
    ----------
    augmenter : Augmenter or callable
        What makes an image of an image.
    """

    def __init__(self, augmenter: Callable[..., Any]) -> None:
        if not callable(augmenter) or isinstance(augmenter, DetAugmenter):
            raise TypeError(f"{augmenter!r} is no augmenter of images alone")
        self.augmenter = augmenter
        super().__init__(augmenter=_description(augmenter))

    def step(self) -> StepType:
        """Give the augmenter's own step."""
        (own,) = to_steps([self.augmenter])
        return own

    def dumps(self) -> list[Any]:
        """Describe the augmenter: the name of this class, and its description."""
        return [type(self).__name__.lower(), _description(self.augmenter)]


class DetRandomSelectAug(DetNative):
    """One of several augmenters of detection or, with a probability, none.

    Parameters
    ----------
    aug_list : DetAugmenter or list of DetAugmenter
        The augmenters. The list stays as it is. (MXNet shuffled it.)
    skip_prob : float, default 0
        The probability that there is none, from 0 to 1.
    """

    def __init__(self, aug_list: DetAugmenter | Sequence[DetAugmenter], skip_prob: float = 0) -> None:
        self.aug_list: list[DetAugmenter] = [aug_list] if isinstance(aug_list, DetAugmenter) else list(aug_list)
        if not all(isinstance(augmenter, DetAugmenter) for augmenter in self.aug_list):
            raise ValueError(f"{self.aug_list!r}; they are of class DetAugmenter")
        self.skip_prob = skip_prob
        super().__init__(skip_prob=skip_prob)

    def step(self) -> StepType:
        """Give the choice between the augmenters' steps."""
        return Step.either(det_steps(self.aug_list), self.skip_prob)

    def dumps(self) -> list[Any]:
        """Describe the augmenters: the name of this class, and their descriptions."""
        return [type(self).__name__.lower(), [augmenter.dumps() for augmenter in self.aug_list]]

    def __repr__(self) -> str:
        """Show the augmenters."""
        return f"{type(self).__name__}({self.aug_list!r}, skip_prob={self.skip_prob!r})"


def det_steps(aug_list: Iterable[Callable[..., Any]]) -> list[StepType]:
    """Give the steps of augmenters of detection: recio's, or anything called as ``f(image, label)`` that gives both.

    Raises
    ------
    TypeError
        If one of them cannot be called, or takes an image alone.
    """
    return [_step(place, augmenter) for place, augmenter in enumerate(aug_list)]


def _step(place: int, augmenter: Any) -> StepType:  # noqa: ANN401 whatever is in the list
    if isinstance(augmenter, Augmenter):
        raise TypeError(f"augmenter {place} is {augmenter!r}; put it into a DetBorrowAug")
    if not callable(augmenter):
        raise TypeError(f"augmenter {place} is {augmenter!r}; it cannot be called")
    if isinstance(augmenter, DetNative) and not redefines_call(type(augmenter)):
        return augmenter.step()
    return Step.call(WeakCall(augmenter), with_boxes=True)


def _description(augmenter: Callable[..., Any]) -> Any:  # noqa: ANN401 as of dumps
    return augmenter.dumps() if isinstance(augmenter, Augmenter) else repr(augmenter)
