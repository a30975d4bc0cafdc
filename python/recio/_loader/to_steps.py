"""Augmenters as steps of the native pipeline.

recio's augmenters become native steps and run without Python. Any other callable becomes a step that calls it.
"""

from __future__ import annotations

import inspect
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from recio._loader.weak_function import WeakFunction
from recio._recio import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray


class ArrayType(NamedTuple):
    """Kind of arrays that functions take and return, in place of NumPy's."""

    wrap: Callable[[Any], Any]
    """Convert NumPy's arrays in arguments."""
    unwrap: Callable[[Any], Any]
    """Convert a result to NumPy's arrays."""

    def call(self, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401 as of the function
        """Call a function with arrays of this kind."""
        return self.unwrap(function(*self.wrap(args)))


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


array_type: ContextVar[ArrayType] = ContextVar("array_type", default=ArrayType(_same, _same))  # noqa: B039 immutable
"""Kind of arrays for the functions that become steps."""


class HasStep:
    """Base of augmenters that the native pipeline can run itself."""

    def step(self) -> Step | None:
        """Return the step that does the same in the pipeline.

        Returns
        -------
        recio._recio.Step or None
            The step, with new random parameters for each image; ``None`` if the augmenter must be called.

        Raises
        ------
        ValueError
            If a parameter of the augmenter is out of range.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")


def to_steps(aug_list: Iterable[Any]) -> list[Step]:
    """Convert augmenters to steps.

    Parameters
    ----------
    aug_list : iterable
        recio's augmenters, or callables from image to image: ``f(image)``, or ``f(image=image)["image"]`` as in
        albumentations.

    Returns
    -------
    list of recio._recio.Step
        One step for each augmenter.

    Raises
    ------
    TypeError
        If one of them is not callable; the message has its index.
    ValueError
        If a parameter of one is out of range.
    """
    # An augmenter that is in the list twice is one step, so that two threads do not call it at
    # once.
    steps_by_id: dict[int, Step] = {}
    steps = []
    for index, augmenter in enumerate(list(aug_list)):
        if id(augmenter) not in steps_by_id:
            steps_by_id[id(augmenter)] = _step(index, augmenter)
        steps.append(steps_by_id[id(augmenter)])
    return steps


def image_function(augmenter: Callable[..., Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return a function from image to image: the augmenter or, if it takes its image by name, a wrapper."""
    return CalledByName(augmenter) if _takes_by_name(augmenter) else augmenter


class CalledByName:
    """Function from image to image around a transform that is called as ``f(image=image)["image"]``.

    Parameters
    ----------
    transform : callable
        Transform in the style of albumentations.
    """

    def __init__(self, transform: Callable[..., Any]) -> None:
        self._transform = transform

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Transform an image."""
        image: NDArray[Any] = self._transform(image=src)["image"]
        return image

    def __repr__(self) -> str:
        """Return the transform as text."""
        return f"{type(self).__name__}({self._transform!r})"


class WeakCall:
    """Calls an augmenter, which the iterator keeps alive.

    Parameters
    ----------
    augmenter : callable
        The augmenter.
    """

    def __init__(self, augmenter: Callable[..., Any]) -> None:
        self._by_name = _takes_by_name(augmenter)
        self._array_type = array_type.get()
        self._weak = WeakFunction(augmenter, "augmenter")

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 as of the augmenter
        """Call the augmenter."""
        if self._by_name:
            return self._weak(image=args[0])["image"]
        return self._array_type.call(self._weak.function, *args)


def _step(index: int, augmenter: Any) -> Step:  # noqa: ANN401 any item of the list
    if not callable(augmenter):
        raise TypeError(f"augmenter {index} is not callable: {augmenter!r}")
    if isinstance(augmenter, type):
        raise TypeError(f"augmenter {index} is the class {augmenter.__name__}; pass an instance of it")
    if hasattr(augmenter, "is_for_detection"):
        raise TypeError(f"augmenter {index} is for images with boxes, in ImageDetIter: {augmenter!r}")
    return _native_step(augmenter) or Step.call(WeakCall(augmenter), with_boxes=False)


def _native_step(augmenter: object) -> Step | None:
    """Return the step of one of recio's augmenters, unless a subclass redefines what it does."""
    if isinstance(augmenter, HasStep) and not redefines_call(type(augmenter)):
        return augmenter.step()
    return None


def redefines_call(cls: type) -> bool:
    """Return whether a class overrides `__call__` without `step`, so that its step is not what it does."""
    call, step = (
        next(index for index, base in enumerate(cls.__mro__) if name in vars(base)) for name in ("__call__", "step")
    )
    return call < step


def _takes_by_name(augmenter: Callable[..., Any]) -> bool:
    classes = type(augmenter).__mro__
    # The signatures of albumentations have *args too, only to reject positional arguments with a
    # message.
    if any(cls.__module__.partition(".")[0] == "albumentations" for cls in classes):
        return True
    try:
        parameters = inspect.signature(augmenter).parameters.values()
    except (TypeError, ValueError):
        # Functions written in C may have no signature.
        return False
    kinds = {parameter.kind for parameter in parameters}
    if kinds == {inspect.Parameter.VAR_KEYWORD}:
        return True
    return any(parameter.name == "image" and parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
