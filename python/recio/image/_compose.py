"""Combinations of augmenters: in order, or in random order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from recio._loader.to_steps import image_function, to_steps
from recio._recio import Step
from recio.image._augmenter import Augmenter, NativeAugmenter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray


class _Combined(NativeAugmenter):
    """Base of combinations of the augmenters `ts`."""

    def __init__(self, ts: Iterable[Callable[..., Any]]) -> None:
        self.ts = list(ts)
        super().__init__()

    def dumps(self) -> list[Any]:
        """Return a description of the augmenters.

        Returns
        -------
        list
            The name of the class in lower case, and a list with the `dumps` of each augmenter or, for other callables,
            their `repr`.
        """
        inner = [each.dumps() if isinstance(each, Augmenter) else repr(each) for each in self.ts]
        return [type(self).__name__.lower(), inner]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.ts!r})"


class SequentialAug(_Combined):
    """Apply several augmenters in order.

    Parameters
    ----------
    ts : list of callables
        Augmenters, or functions: ``f(image)``, or ``f(image=image)["image"]`` as in albumentations.
    """

    def step(self) -> Step:
        """Return the step."""
        return Step.sequence(to_steps(self.ts))

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Apply the augmenters to an image, in order."""
        return _apply(self.ts, src)


class RandomOrderAug(_Combined):
    """Apply several augmenters in random order, a new one for each image.

    Parameters
    ----------
    ts : list of callables
        Augmenters, as for `SequentialAug`. The list is not modified. (MXNet shuffles it.)
    """

    def step(self) -> Step:
        """Return the step."""
        return Step.random_order(to_steps(self.ts))

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Apply the augmenters to an image, in a random order from Python's `random`."""
        return _apply(random.sample(self.ts, len(self.ts)), src)


def _apply(augmenters: Sequence[Callable[..., Any]], src: NDArray[Any]) -> NDArray[Any]:
    for augmenter in augmenters:
        src = image_function(augmenter)(src)
    return src
