"""Functions of the caller's as native threads hold them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class WeakFunction:
    """Calls a function through a weak reference; the iterator keeps the function alive.

    If the iterator's threads kept it alive, a function that refers to its iterator would keep both alive for ever: the
    garbage collector cannot see references held by native threads.

    Parameters
    ----------
    function : callable
        The function; if it is a method, its object is kept alive by the iterator.
    name : str
        What it is, for a message.
    """

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._name = name
        kind: Any = (
            weakref.WeakMethod if hasattr(function, "__self__") and hasattr(function, "__func__") else weakref.ref
        )
        try:
            self._get: Callable[[], Callable[..., Any] | None] = kind(function)
        except TypeError:
            # Objects without weak references, such as ufuncs, do not refer to an iterator.
            self._get = lambda: function

    @property
    def function(self) -> Callable[..., Any]:
        """The function.

        Raises
        ------
        ReferenceError
            If it no longer exists.
        """
        function = self._get()
        if function is None:
            raise ReferenceError(f"the {self._name} no longer exists, nor does the iterator that it was passed to")
        return function

    def __call__(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 as of the function
        """Call the function."""
        return self.function(*args, **named)
