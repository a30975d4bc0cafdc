"""From a list of augmenters to the steps of the native pipeline.

recio's own augmenters become what they say they do, and never see Python again. Everything else that can be called
becomes a step that calls it. The iterators come here; so do the combinations of augmenters, for their parts.
"""

from __future__ import annotations

import inspect
import weakref
from typing import TYPE_CHECKING, Any

from recio._recio import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray


class HasStep:
    """The base of augmenters that the native pipeline can carry out itself."""

    def step(self) -> Step | None:
        """Say what the augmenter does.

        Returns
        -------
        recio._recio.Step or None
            What the pipeline does in its place, drawing anew for each image; ``None`` if it must be called.

        Raises
        ------
        ValueError
            If its parameters make no sense.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def parts(self) -> Sequence[Any]:
        """Give the augmenters that it is made of, if it is."""
        return ()


def steps(aug_list: Iterable[Any]) -> list[Step]:
    """Give the steps of augmenters.

    Parameters
    ----------
    aug_list : iterable
        Augmenters: recio's, or anything that makes an image of an image: ``f(image)``, or ``f(image=image)["image"]``
        as albumentations has it.

    Returns
    -------
    list of recio._recio.Step
        A step for each.

    Raises
    ------
    TypeError
        If one of them cannot be called; the message has its place.
    ValueError
        If the parameters of one make no sense.
    """
    # One that is in the list twice is one step: so two threads do not call it at once.
    made: dict[int, Step] = {}
    found = []
    for place, augmenter in enumerate(list(aug_list)):
        if id(augmenter) not in made:
            made[id(augmenter)] = _step(place, augmenter)
        found.append(made[id(augmenter)])
    return found


def has_callables(aug_list: Iterable[Any]) -> bool:
    """Say whether any of the augmenters must be called, so that the pipeline needs the interpreter."""
    return any(
        _own_step(augmenter) is None or (isinstance(augmenter, HasStep) and has_callables(augmenter.parts()))
        for augmenter in aug_list
    )


def function(augmenter: Callable[..., Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Give what makes an image of an image: the augmenter, or, if it takes its image by name, what calls it so."""
    return ByName(augmenter) if _takes_by_name(augmenter) else augmenter


class ByName:
    """A transform in the manner of albumentations, called as ``f(image=image)["image"]``.

    Parameters
    ----------
    transform : callable
        The transform.
    """

    def __init__(self, transform: Callable[..., Any]) -> None:
        self._transform = transform

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Transform an image."""
        image: NDArray[Any] = self._transform(image=src)["image"]
        return image

    def __repr__(self) -> str:
        """Show the transform."""
        return f"{type(self).__name__}({self._transform!r})"


class Borrowed:
    """Calls an augmenter that the iterator keeps which it was given to.

    If the iterator's threads kept it, an augmenter that knows its iterator would keep it, and itself, for ever:
    Python's collector cannot see into threads.

    Parameters
    ----------
    augmenter : callable
        The augmenter.
    """

    def __init__(self, augmenter: Callable[..., Any]) -> None:
        self._by_name = _takes_by_name(augmenter)
        try:
            self._get: Callable[[], Callable[..., Any] | None] = weakref.ref(augmenter)
        except TypeError:
            # What cannot be referred to weakly, such as a ufunc, knows no iterator.
            self._get = lambda: augmenter

    def __call__(self, *args: Any) -> Any:  # noqa: ANN401 as of the augmenter
        """Call it."""
        augmenter = self._get()
        if augmenter is None:
            raise ReferenceError("the augmenter is gone, with the iterator that it was given to")
        return augmenter(image=args[0])["image"] if self._by_name else augmenter(*args)


def _step(place: int, augmenter: Any) -> Step:  # noqa: ANN401 whatever is in the list
    if not callable(augmenter):
        raise TypeError(f"augmenter {place} is {augmenter!r}; it cannot be called")
    if isinstance(augmenter, type):
        raise TypeError(f"augmenter {place} is the class {augmenter.__name__}; give one that is made of it")
    if hasattr(augmenter, "is_for_detection"):
        raise TypeError(f"augmenter {place} is {augmenter!r}; it is for images with boxes, in ImageDetIter")
    return _own_step(augmenter) or Step.call(Borrowed(augmenter), with_boxes=False)


def _own_step(augmenter: object) -> Step | None:
    """Ask an augmenter of recio's for its step, unless a class derived from it says otherwise."""
    if isinstance(augmenter, HasStep) and not redefines_call(type(augmenter)):
        return augmenter.step()
    return None


def redefines_call(cls: type) -> bool:
    """Say whether a class has a `__call__` that its `step` knows nothing of, as it comes before it among its bases."""
    call, step = (
        next(place for place, base in enumerate(cls.__mro__) if name in vars(base)) for name in ("__call__", "step")
    )
    return call < step


def _takes_by_name(augmenter: Callable[..., Any]) -> bool:
    classes = type(augmenter).__mro__
    # Their signatures have *args too, only to refuse what they catch.
    if any(cls.__module__.partition(".")[0] == "albumentations" for cls in classes):
        return True
    try:
        parameters = inspect.signature(augmenter).parameters.values()
    except (TypeError, ValueError):
        # Of a function written in C without a signature.
        return False
    kinds = {parameter.kind for parameter in parameters}
    if kinds == {inspect.Parameter.VAR_KEYWORD}:
        return True
    return any(parameter.name == "image" and parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
