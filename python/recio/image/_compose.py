"""Augmenters made of augmenters, recio's or one's own: all in order, or all in random order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from recio._loader.to_steps import image_function, to_steps
from recio._recio import Step
from recio.image._augmenter import Augmenter, Native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray


class _Combined(Native):
    """Augmenters, `ts`."""

    def __init__(self, ts: Iterable[Callable[..., Any]]) -> None:
        self.ts = list(ts)
        super().__init__()

    def children(self) -> Sequence[Any]:
        return self.ts

    def dumps(self) -> list[Any]:
        """Describe the augmenters.

        Returns
        -------
        list
            The name of the class in lower case, and a list of what each augmenter's own `dumps` gives; of other
            callables, how they show themselves.
        """
        inner = [part.dumps() if isinstance(part, Augmenter) else repr(part) for part in self.ts]
        return [type(self).__name__.lower(), inner]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.ts!r})"


class SequentialAug(_Combined):
    """All of several augmenters.

    Parameters
    ----------
    ts : list of callables
        The augmenters, in order. Functions are taken too: ``f(image)``, or ``f(image=image)["image"]`` as
        albumentations has it.
    """

    def step(self) -> Step:
        """Give the step."""
        return Step.sequence(to_steps(self.ts))

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Call the augmenters, in order."""
        return _called(self.ts, src)


class RandomOrderAug(_Combined):
    """All of several augmenters, in an order drawn for each image.

    Parameters
    ----------
    ts : list of callables
        The augmenters, as for `SequentialAug`. The list stays as it is. (MXNet shuffled it.)
    """

    def step(self) -> Step:
        """Give the step."""
        return Step.random_order(to_steps(self.ts))

    def __call__(self, src: NDArray[Any]) -> NDArray[Any]:
        """Call the augmenters, in an order drawn from Python's `random`."""
        return _called(random.sample(self.ts, len(self.ts)), src)


def _called(augmenters: Sequence[Callable[..., Any]], src: NDArray[Any]) -> NDArray[Any]:
    for augmenter in augmenters:
        src = image_function(augmenter)(src)
    return src
