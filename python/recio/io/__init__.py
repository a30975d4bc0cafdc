"""Iterators over batches: ``mx.io``.

`ImageRecordIter` reads images from record files with native threads. `DataIter` is the base class for other iterators;
they return `DataBatch` and describe it by `DataDesc`. The iterators that are native in MXNet are instances of
`MXDataIter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._util import lazy_imports

if TYPE_CHECKING:
    from recio._loader.base import (
        DataBatch as DataBatch,
        DataDesc as DataDesc,
        DataIter as DataIter,
        ImageBatch as ImageBatch,
        MXDataIter as MXDataIter,
    )
    from recio.io._csv_libsvm import CSVIter as CSVIter, LibSVMIter as LibSVMIter
    from recio.io._image_det_record import ImageDetRecordIter as ImageDetRecordIter
    from recio.io._image_mask_record import ImageMaskRecordIter as ImageMaskRecordIter
    from recio.io._image_record import (
        ImageRecordInt8Iter as ImageRecordInt8Iter,
        ImageRecordIter as ImageRecordIter,
        ImageRecordIter_v1 as ImageRecordIter_v1,
        ImageRecordUInt8Iter as ImageRecordUInt8Iter,
        ImageRecordUInt8Iter_v1 as ImageRecordUInt8Iter_v1,
    )
    from recio.io._mnist import MNISTIter as MNISTIter
    from recio.io._ndarray import NDArrayIter as NDArrayIter
    from recio.io._wrappers import PrefetchingIter as PrefetchingIter, ResizeIter as ResizeIter

_NAMES = {
    ".._loader.base": ["DataBatch", "DataDesc", "DataIter", "ImageBatch", "MXDataIter"],
    "._image_det_record": ["ImageDetRecordIter"],
    "._image_mask_record": ["ImageMaskRecordIter"],
    "._mnist": ["MNISTIter"],
    "._ndarray": ["NDArrayIter"],
    "._image_record": [
        "ImageRecordInt8Iter",
        "ImageRecordIter",
        "ImageRecordIter_v1",
        "ImageRecordUInt8Iter",
        "ImageRecordUInt8Iter_v1",
    ],
    "._csv_libsvm": ["CSVIter", "LibSVMIter"],
    "._wrappers": ["PrefetchingIter", "ResizeIter"],
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_imports(__name__, _NAMES)
