"""RecordIO image data as NumPy batches.

Reads and writes the ``.rec``, ``.idx`` and ``.lst`` files of MXNet, with MXNet's names and results, and with nothing
to install but NumPy. ``import recio as mx`` is the line that a script on ``mx.recordio``, ``mx.io`` or ``mx.image``
changes.

============== ==========================================================
recio.recordio records and their headers, one by one
recio.image    single images: decode, encode, resize, crop
recio.io       iterators over batches; ``ImageRecordIter`` is the fast one
recio.im2rec   folders of images to record files
recio.errors   the exceptions that are recio's own
============== ==========================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from recio import errors
from recio._recio import __version__
from recio.errors import DecodeError, RecordError

if TYPE_CHECKING:
    from types import ModuleType

    from recio import im2rec, image, io, recordio

__all__ = ["DecodeError", "RecordError", "__version__", "errors", "im2rec", "image", "io", "recordio"]

_SUBMODULES = frozenset({"im2rec", "image", "io", "recordio"})


def __getattr__(name: str) -> ModuleType:
    """Import a submodule when it is first used: so the command im2rec need not wait for NumPy."""
    if name in _SUBMODULES:
        return importlib.import_module(f"recio.{name}")
    raise AttributeError(f"module 'recio' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the submodules too, used or not."""
    return sorted({*globals(), *_SUBMODULES})
