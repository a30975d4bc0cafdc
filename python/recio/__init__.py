"""RecordIO image data as NumPy batches.

Reads and writes the ``.rec``, ``.idx`` and ``.lst`` files of MXNet, with MXNet's names and results, and with nothing
to install but NumPy. ``import recio as mx`` is the line that a script on ``mx.recordio``, ``mx.io`` or ``mx.image``
changes.

============== ==========================================================
recio.recordio records and their headers, one by one
recio.image    images: decode, encode, augment; ``ImageIter``. ``recio.img`` too
recio.io       iterators over batches; ``ImageRecordIter`` is the fast one
recio.im2rec   folders of images to record files
recio.files    whole record files: verify, repair, info, merge, split, shuffle
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
    from typing import Any

    from recio import compat, datasets, files, im2rec, image, image as img, io, recordio
    from recio.files import info, repair, verify

__all__ = [
    "DecodeError",
    "Limits",
    "RecordError",
    "TooManyErrors",
    "__version__",
    "compat",
    "datasets",
    "errors",
    "files",
    "im2rec",
    "image",
    "img",
    "info",
    "io",
    "limits",
    "recordio",
    "repair",
    "verify",
]

_OWN = ("compat", "datasets", "files", "im2rec", "image", "io", "recordio")
_SUBMODULES = {name: name for name in _OWN} | {"img": "image"}
_OF_FILES = ("info", "repair", "verify")


def __getattr__(name: str) -> Any:  # noqa: ANN401 a module or a function
    """Import a submodule when it is first used: so the command im2rec need not wait for NumPy."""
    if name in _SUBMODULES:
        return importlib.import_module(f"recio.{_SUBMODULES[name]}")
    if name in _OF_FILES:
        return getattr(importlib.import_module("recio.files"), name)
    raise AttributeError(f"module 'recio' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the submodules too, used or not."""
    return sorted({*globals(), *_SUBMODULES, *_OF_FILES})
