"""PyTorch: loaders of batches as tensors, for plain loops and trainers, and a map-style data set.

It needs PyTorch; `RecordDataset` also torchvision.
"""

try:
    import torch  # noqa: F401 PyTorch itself, not this package
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise ModuleNotFoundError(
        "recio.torch needs PyTorch, and the module torch is missing: pip install torch", name="torch"
    ) from None

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
