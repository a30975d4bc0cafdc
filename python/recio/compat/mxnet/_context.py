"""``Context``, the device of an array, always memory of the CPU, and the functions of ``mx.context``."""

from __future__ import annotations

import threading
from typing import Any, ClassVar, Self

__all__ = ["Context", "cpu", "cpu_pinned", "cpu_shared", "current_context", "num_gpus"]

_TYPES = {"cpu": 1, "cpu_pinned": 3, "cpu_shared": 5}


class Context:
    """Device. As a context manager it sets the default device of new arrays, in the current thread.

    Parameters
    ----------
    device_type : {'cpu', 'cpu_pinned', 'cpu_shared'} or Context
        Type of the device: names for the same memory.
    device_id : int, default 0
        Number of the device.

    Raises
    ------
    NotImplementedError
        If the type is another one.
    """

    _default: ClassVar = threading.local()

    def __init__(self, device_type: str | Context, device_id: int = 0) -> None:
        self.device_type: str = device_type.device_type if isinstance(device_type, Context) else device_type
        self.device_id: int = device_type.device_id if isinstance(device_type, Context) else device_id
        if self.device_type not in _TYPES:
            raise NotImplementedError(f"recio has no device {device_type!r}; its arrays are in memory, on the CPU")
        self._outer: list[Context] = []

    @property
    def device_typeid(self) -> int:
        """MXNet's number of the type."""
        return _TYPES[self.device_type]

    def __eq__(self, other: object) -> bool:
        """Return whether another context has the same type and number."""
        return isinstance(other, Context) and (self.device_type, self.device_id) == (other.device_type, other.device_id)

    def __hash__(self) -> int:
        """Return a hash of the type and the number."""
        return hash((self.device_type, self.device_id))

    def __repr__(self) -> str:
        """Return the type and the number."""
        return f"{self.device_type}({self.device_id})"

    def __enter__(self) -> Self:
        """Make it the default device of this thread."""
        self._outer.append(current_context())
        Context._default.value = self
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the default device from before."""
        Context._default.value = self._outer.pop()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what copies and pickles are made of: the type and the number."""
        return Context, (self.device_type, self.device_id)

    def empty_cache(self) -> None:
        """Do nothing: there is no cache of device memory."""


def cpu(device_id: int = 0) -> Context:
    """Return the CPU, the device of all arrays."""
    return Context("cpu", device_id)


def cpu_pinned(device_id: int = 0) -> Context:
    """Return the CPU under the name of MXNet's pinned memory."""
    return Context("cpu_pinned", device_id)


def cpu_shared(device_id: int = 0) -> Context:
    """Return the CPU under the name of MXNet's shared memory."""
    return Context("cpu_shared", device_id)


def num_gpus() -> int:
    """Return 0: recio has no GPUs."""
    return 0


def current_context() -> Context:
    """Return the default device of the current thread."""
    context: Context = getattr(Context._default, "value", None) or Context("cpu")  # noqa: SLF001 of this module
    return context
