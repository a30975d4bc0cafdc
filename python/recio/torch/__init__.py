"""PyTorch: loaders of batches as tensors, for plain loops and trainers, and a map-style data set.

It needs PyTorch; `RecordDataset` also torchvision.
"""

from recio._util import explains_missing

with explains_missing("recio.torch needs PyTorch, and the module torch is missing: pip install torch", "torch"):
    import torch  # noqa: F401 PyTorch itself, not this package

from recio.torch._data_iter_loader import DataIterLoader
from recio.torch._dataset import RecordDataset
from recio.torch._detection import ImageDetRecordLoader
from recio.torch._device import pinned_memory
from recio.torch._record_loaders import ImageMaskRecordLoader, ImageRecordLoader

__all__ = [
    "DataIterLoader",
    "ImageDetRecordLoader",
    "ImageMaskRecordLoader",
    "ImageRecordLoader",
    "RecordDataset",
    "pinned_memory",
]
