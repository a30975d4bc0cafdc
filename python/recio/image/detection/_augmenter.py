"""Base classes of detection augmenters: callables from image and label to image and label.

recio's detection augmenters have a native step, like its other augmenters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader.to_steps import HasStep, WeakCall, redefines_call, to_steps
from recio._recio import Step
from recio.image._augmenter import Augmenter, Described, apply_step, check_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from recio._recio import Step as StepType


class DetAugmenter(Described):
    """Base class of detection augmenters, which map an image and its label to an image and its label.

    Parameters
    ----------
    **kwargs
        The parameters that `dumps` shows, by name. Arrays are kept as lists.

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
    """Marks augmenters with boxes, which `ImageIter` does not accept."""

    def __call__(self, src: NDArray[Any], label: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Augment an image and its label.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels)
            Image.
        label : ndarray, shape (objects, 5 or more)
            Objects: class, left, top, right, bottom, and other numbers. Sides are fractions of the image's sides, from
            0 to 1.

        Returns
        -------
        image : ndarray, shape (height, width, channels)
            Augmented image.
        label : ndarray, shape (objects, 5 or more)
            Objects on it.
        """
        raise NotImplementedError(f"{type(self).__name__} has no __call__")


class NativeDetAugmenter(HasStep, DetAugmenter):
    """Base of recio's detection augmenters, which the native pipeline runs by their steps.

    If a subclass overrides `__call__`, the pipeline calls it, and does not use `step`.
    """

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 parameters of many types
        super().__init__(**kwargs)
        # Subclasses set the attributes that `step` reads before they call this.
        check_parameters(self)

    def step(self) -> StepType:
        """Return the step that does the same in the pipeline, with new random parameters for each image.

        Raises
        ------
        ValueError
            If a parameter of the augmenter is out of range.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def __call__(self, src: NDArray[Any], label: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Augment an image and its label. Random parameters are seeded from Python's `random`.

        Parameters
        ----------
        src : ndarray, shape (height, width, channels), uint8 or floating
            Image of 1, 3 or 4 channels. It is not modified.
        label : array-like, shape (objects, 5 or more)
            Objects, as for `DetAugmenter`. It is not modified. (MXNet modifies it.)

        Returns
        -------
        image : ndarray, shape (height, width, channels)
            Augmented image, with a dtype as for `Augmenter`.
        label : ndarray, shape (objects, 5 or more), float32
            Objects on it.
        """
        image, boxes = apply_step(self.step(), src, np.asarray(label, np.float32))
        assert boxes is not None  # noqa: S101 boxes in, boxes out
        return image, boxes


class DetBorrowAug(NativeDetAugmenter):
    """Apply an augmenter of images, and leave the label as it is.

    Boxes do not move, except with `HorizontalFlipAug`: do not borrow augmenters that crop or pad.

    Parameters
    ----------
    augmenter : Augmenter or callable
        Augmenter from image to image.

    Raises
    ------
    TypeError
        If it is not callable, or a detection augmenter.
    """

    def __init__(self, augmenter: Callable[..., Any]) -> None:
        if not callable(augmenter) or isinstance(augmenter, DetAugmenter):
            raise TypeError(f"augmenter must map an image to an image, got {augmenter!r}")
        self.augmenter = augmenter
        super().__init__(augmenter=_description(augmenter))

    def step(self) -> StepType:
        """Return the step of the augmenter."""
        (step,) = to_steps([self.augmenter])
        return step

    def dumps(self) -> list[Any]:
        """Return the name of this class, and the description of the augmenter."""
        return [type(self).__name__.lower(), _description(self.augmenter)]


class DetRandomSelectAug(NativeDetAugmenter):
    """Apply a random one of several detection augmenters or, with a probability, none.

    Parameters
    ----------
    aug_list : DetAugmenter or list of DetAugmenter
        Augmenters. The list is not modified. (MXNet shuffles it.)
    skip_prob : float, default 0
        Probability of applying none, from 0 to 1.

    Raises
    ------
    ValueError
        If an augmenter is not a `DetAugmenter`, or the probability is out of range.
    """

    def __init__(self, aug_list: DetAugmenter | Sequence[DetAugmenter], skip_prob: float = 0) -> None:
        self.aug_list: list[DetAugmenter] = [aug_list] if isinstance(aug_list, DetAugmenter) else list(aug_list)
        if not all(isinstance(augmenter, DetAugmenter) for augmenter in self.aug_list):
            raise ValueError(f"aug_list must hold objects of class DetAugmenter, got {self.aug_list!r}")
        self.skip_prob = skip_prob
        super().__init__(skip_prob=skip_prob)

    def step(self) -> StepType:
        """Return the step that chooses one of the augmenters' steps."""
        return Step.either(det_steps(self.aug_list), self.skip_prob)

    def dumps(self) -> list[Any]:
        """Return the name of this class, and the descriptions of the augmenters."""
        return [type(self).__name__.lower(), [augmenter.dumps() for augmenter in self.aug_list]]

    def __repr__(self) -> str:
        """Return the expression that makes the augmenter."""
        return f"{type(self).__name__}({self.aug_list!r}, skip_prob={self.skip_prob!r})"


def det_steps(aug_list: Iterable[Callable[..., Any]]) -> list[StepType]:
    """Convert detection augmenters to steps: recio's, or functions ``f(image, label) -> (image, label)``.

    Raises
    ------
    TypeError
        If one of them is not callable, or maps images only; the message has its index.
    """
    return [_step(index, augmenter) for index, augmenter in enumerate(aug_list)]


def _step(index: int, augmenter: Any) -> StepType:  # noqa: ANN401 any item of the list
    if isinstance(augmenter, Augmenter):
        raise TypeError(f"augmenter {index} is for images without boxes; wrap it in a DetBorrowAug: {augmenter!r}")
    if not callable(augmenter):
        raise TypeError(f"augmenter {index} is not callable: {augmenter!r}")
    if isinstance(augmenter, NativeDetAugmenter) and not redefines_call(type(augmenter)):
        return augmenter.step()
    return Step.call(WeakCall(augmenter), with_boxes=True)


def _description(augmenter: Callable[..., Any]) -> Any:  # noqa: ANN401 as for dumps
    return augmenter.dumps() if isinstance(augmenter, Augmenter) else repr(augmenter)
