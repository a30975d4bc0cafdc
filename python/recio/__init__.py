"""RecordIO image data as NumPy batches.

Reads and writes the ``.rec``, ``.idx`` and ``.lst`` files of MXNet, with MXNet's names and results; NumPy is the only
dependency. In a script that uses ``mx.recordio``, ``mx.io`` or ``mx.image``, replace ``import mxnet as mx`` by
``import recio as mx``, and remove ``.asnumpy()``: arrays are NumPy's. `recio.compat.mxnet.install` keeps it.

============== ==========================================================
recio.recordio records and their headers, one by one
recio.image    decode, encode and augment images; ``ImageIter``. Also ``recio.img``
recio.io       iterators over batches; ``ImageRecordIter`` is the fast one
recio.im2rec   pack folders of images into record files
recio.convert  record files to and from folders, WebDataset, TFRecord and Parquet
recio.files    verify, repair, summarize, merge, split and shuffle record files; shards
recio.datasets map-style data sets, for PyTorch's ``DataLoader``
recio.samplers orders of the records of an epoch: batches of identities, balanced classes, weights, subsets
recio.compat   ``import mxnet`` for scripts that cannot be changed
recio.errors   exceptions
recio.limits   limits on the size of images
============== ==========================================================

These use other libraries, and are imported by name:

================ ========================================================
recio.torch      loaders of tensors, and a data set for torchvision
recio.grain      data sets of Grain
recio.keras      data sets of Keras 3
recio.tensorflow data sets of ``tf.data``
recio.ray        data sets of Ray, and packing on a cluster
================ ========================================================
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

    from recio import compat, convert, datasets, files, im2rec, image, image as img, io, recordio, samplers
    from recio.files import info, repair, verify

__all__ = [
    "DecodeError",
    "Limits",
    "RecordError",
    "TooManyErrors",
    "__version__",
    "compat",
    "convert",
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
    "samplers",
    "verify",
]

_SUBMODULES = ("compat", "convert", "datasets", "files", "im2rec", "image", "io", "recordio", "samplers")
_ALIASES = {"img": "image"}
_FILE_FUNCTIONS = ("info", "repair", "verify")
_MXNETS_NAMES = frozenset(
    [
        "autograd",
        "AttrScope",
        "base",
        "callback",
        "context",
        "Context",
        "contrib",
        "cpu",
        "cpu_pinned",
        "current_context",
        "engine",
        "gluon",
        "gpu",
        "init",
        "initializer",
        "kv",
        "kvstore",
        "lr_scheduler",
        "metric",
        "mod",
        "model",
        "module",
        "mon",
        "monitor",
        "MXNetError",
        "name",
        "nd",
        "ndarray",
        "np",
        "npx",
        "num_gpus",
        "operator",
        "optimizer",
        "profiler",
        "random",
        "rnd",
        "sym",
        "symbol",
        "test_utils",
        "util",
        "viz",
    ]
)
_MXNETS = (
    ", which is MXNet's; recio's arrays are NumPy's. For a script with mx.nd, mx.cpu or .asnumpy(), call"
    " recio.compat.mxnet.install() before its `import mxnet as mx`"
)


def __getattr__(name: str) -> Any:  # noqa: ANN401 a module or a function
    """Import a submodule on first use."""
    if name in _SUBMODULES or name in _ALIASES:
        return importlib.import_module(f"recio.{_ALIASES.get(name, name)}")
    if name in _FILE_FUNCTIONS:
        return getattr(importlib.import_module("recio.files"), name)
    raise AttributeError(f"module 'recio' has no attribute {name!r}{_MXNETS if name in _MXNETS_NAMES else ''}")


def __dir__() -> list[str]:
    """List all names, including submodules that are not imported yet."""
    return sorted({*globals(), *_SUBMODULES, *_ALIASES, *_FILE_FUNCTIONS})
