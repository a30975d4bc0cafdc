"""RecordIO image data as NumPy batches.

Reads and writes the ``.rec``, ``.idx`` and ``.lst`` files of MXNet, with MXNet's names and results, and with nothing
to install but NumPy. ``import recio as mx`` is the line that a script on ``mx.recordio``, ``mx.io`` or ``mx.image``
changes.

============== ==========================================================
recio.recordio records and their headers, one by one
recio.image    images: decode, encode, augment; ``ImageIter``. ``recio.img`` too
recio.io       iterators over batches; ``ImageRecordIter`` is the fast one
recio.im2rec   folders of images to record files
recio.datasets records as map-style data sets, for PyTorch's ``DataLoader``
recio.compat   ``import mxnet`` for scripts that are not to be changed
recio.errors   the exceptions that are recio's own
recio.limits   how large an image may be
============== ==========================================================
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from recio import errors, limits
from recio._recio import __version__
from recio.errors import DecodeError, RecordError, TooManyErrors
from recio.limits import Limits

if TYPE_CHECKING:
    from types import ModuleType

    from recio import compat, datasets, im2rec, image, image as img, io, recordio

__all__ = [
    "DecodeError",
    "Limits",
    "RecordError",
    "TooManyErrors",
    "__version__",
    "compat",
    "datasets",
    "errors",
    "im2rec",
    "image",
    "img",
    "io",
    "limits",
    "recordio",
]

_SUBMODULES = {name: name for name in ("compat", "datasets", "im2rec", "image", "io", "recordio")} | {"img": "image"}


def __getattr__(name: str) -> ModuleType:
    """Import a submodule when it is first used: so the command im2rec need not wait for NumPy."""
    if name in _SUBMODULES:
        return importlib.import_module(f"recio.{_SUBMODULES[name]}")
    raise AttributeError(f"module 'recio' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the submodules too, used or not."""
    return sorted({*globals(), *_SUBMODULES})
