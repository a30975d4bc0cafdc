"""``RecordDataset``: map-style data set of images for torchvision's transforms."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset

from recio import datasets
from recio._util import explains_missing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RecordDataset(datasets.RecordDataset, Dataset):  # type: ignore[misc] # PyTorch has types elsewhere
    """`recio.datasets.RecordDataset` whose samples are those that torchvision's ``v2`` transforms and PyTorch take.

    An image is a ``torchvision.tv_tensors.Image``, uint8, of shape (3, height, width), or (1, height, width) with
    ``flag=0``; it shares the memory of the decoded image. With ``decode=False`` it is bytes. A label is an int where it
    is whole, so that batches of labels are int64; a float where it is not; and a float32 tensor where a record has
    several. `transform` and `target_transform` are called with these.

    It needs torchvision, unless ``decode=False``.

    Parameters
    ----------
    *args, **settings
        As for `recio.datasets.RecordDataset`.

    Raises
    ------
    ModuleNotFoundError
        If torchvision is missing. Otherwise as for `recio.datasets.RecordDataset`.

    Examples
    --------
    >>> transform = v2.Compose([v2.RandomResizedCrop(224), v2.ToDtype(torch.float32, scale=True)])  # doctest: +SKIP
    >>> dataset = RecordDataset("train.rec", transform=transform)  # doctest: +SKIP
    >>> loader = torch.utils.data.DataLoader(dataset, batch_size=64, shuffle=True, num_workers=4)  # doctest: +SKIP
    """

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 they are of many types
        super().__init__(*args, **settings)
        if self._decoding is not None:
            _require_torchvision()

    def _converted(self, image: Any, label: Any) -> tuple[Any, Any]:  # noqa: ANN401 as of the base
        return image if isinstance(image, bytes) else _tv_image(image), _label(label)


RecordDataset.__signature__ = inspect.signature(datasets.RecordDataset)


def _require_torchvision() -> None:
    message = (
        "recio.torch.RecordDataset needs torchvision: pip install torchvision; recio.datasets.RecordDataset has the "
        "images as ndarrays"
    )
    with explains_missing(message, "torchvision"):
        import torchvision  # noqa: F401, PLC0415 this data set alone needs it


def _tv_image(image: NDArray[np.uint8]) -> torch.Tensor:
    from torchvision.tv_tensors import Image  # noqa: PLC0415 this data set alone needs it

    return Image(torch.from_numpy(image).permute(2, 0, 1))


def _label(label: float | NDArray[np.float32]) -> int | float | torch.Tensor:
    if isinstance(label, float):
        return int(label) if label.is_integer() else label
    return torch.from_numpy(label)
