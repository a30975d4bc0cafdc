"""Hooks of `ImageIter`: methods that a subclass overrides to do a part of the work itself.

Hooks that read or decode are called in the calling thread, one image after another, and supply the native pipeline with
images. Hooks that take a decoded image are steps of the native pipeline, called by its threads, one at a time.
"""

from __future__ import annotations

import threading
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from recio._loader.to_steps import array_type
from recio._recio import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from recio._recio import Rng
    from recio.image._image_iter import ImageIter

READING_HOOKS = ("next_sample", "imdecode", "read_image")
IMAGE_HOOKS = ("check_valid_image", "augmentation_transform", "postprocess_data")

image_rng: ContextVar[Rng | None] = ContextVar("image_rng", default=None)
"""Random numbers of the image for which ``augmentation_transform`` is called, if the pipeline calls it."""

_AXES = 3


Hook = TypeVar("Hook", bound="Callable[..., Any]")


def default_hook(hook: Hook) -> Hook:
    """Mark a method as the default of a hook, which does not count as overridden."""
    # Not True: `functools.wraps` copies it to the functions of others.
    hook.default_hook = hook  # type: ignore[attr-defined]
    return hook


def overridden_hooks(iterator: object) -> dict[str, Any]:
    """Return the hooks that a subclass of the iterator's class overrides, or that were set on it or on its class."""
    hooks = {name: vars(iterator).get(name, getattr(type(iterator), name)) for name in READING_HOOKS + IMAGE_HOOKS}
    return {name: hook for name, hook in hooks.items() if getattr(hook, "default_hook", None) is not hook}


def hook_steps(
    iterator: ImageIter, hooks: Collection[str], augmentation: Sequence[Step], with_boxes: bool
) -> list[Step]:
    """Return the steps of a pipeline that calls hooks with decoded images.

    Parameters
    ----------
    iterator : ImageIter
        Iterator with the hooks. The steps have only a weak reference to it.
    hooks : collection of str
        Names of the hooks, of which those of `IMAGE_HOOKS` become steps.
    augmentation : sequence of Step
        Steps in place of ``augmentation_transform``, if that is not among the hooks.
    with_boxes : bool
        Whether ``augmentation_transform`` takes and returns boxes too.
    """
    lock = threading.Lock()
    steps = []
    if "check_valid_image" in hooks:
        steps.append(Step.check(_HookCall(iterator, _check, lock)))
    if "augmentation_transform" in hooks:
        steps.append(Step.call(_HookCall(iterator, _augment, lock), with_boxes, with_rng=True))
    else:
        steps.extend(augmentation)
    if "postprocess_data" in hooks:
        steps.append(Step.call(_HookCall(iterator, _postprocess, lock), with_boxes=False))
    return steps


class _HookCall:
    """Function that calls a hook while no other thread calls one of the same iterator.

    Parameters
    ----------
    iterator : ImageIter
        The iterator. If threads of its pipeline kept it alive, it would never be closed.
    call : callable
        ``call(iterator, *arguments)``.
    lock : Lock
        Lock that all hooks of the iterator share.
    """

    def __init__(self, iterator: ImageIter, call: Callable[..., Any], lock: threading.Lock) -> None:
        self._iterator, self._call, self._lock = weakref.ref(iterator), call, lock
        self._array_type = array_type.get()

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 as of the hook
        """Call the hook."""
        iterator = self._iterator()
        if iterator is None:
            raise ReferenceError("the iterator with this hook no longer exists")
        with self._lock:
            return self._array_type.call(self._call, iterator, *arguments)


def _check(iterator: ImageIter, images: list[NDArray[Any]]) -> None:
    iterator._check_image(images)  # noqa: SLF001 how the class calls its hook


def _augment(iterator: ImageIter, *arguments: Any) -> Any:  # noqa: ANN401 as of the hook
    *image_and_boxes, rng = arguments
    token = image_rng.set(rng)
    try:
        return iterator.augmentation_transform(*image_and_boxes)
    finally:
        image_rng.reset(token)


def _postprocess(iterator: ImageIter, image: NDArray[Any]) -> NDArray[Any]:
    planes = np.asarray(iterator.postprocess_data(image))
    if planes.ndim != _AXES:
        raise ValueError(f"postprocess_data must return shape (channels, height, width), got {planes.shape}")
    return planes.transpose(1, 2, 0)
