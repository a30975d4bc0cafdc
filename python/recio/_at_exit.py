"""What must stop before the interpreter ends: threads that may call Python functions.

`weakref.finalize` would do, but for its callback, which is Python: a Ctrl-C that arrives in it is lost. Here nothing is
called when an object goes.
"""

from __future__ import annotations

import atexit
import weakref
from typing import Protocol


class Stoppable(Protocol):
    """What has threads."""

    def stop(self) -> None:
        """Have them end."""


_alive: list[weakref.ref[Stoppable]] = []


def stop_at_exit(thing: Stoppable) -> None:
    """Stop it when the interpreter ends, if it is still there then."""
    _alive[:] = [*(ref for ref in _alive if ref() is not None), weakref.ref(thing)]


@atexit.register
def _stop_all() -> None:
    for ref in _alive:
        thing = ref()
        if thing is not None:
            thing.stop()
