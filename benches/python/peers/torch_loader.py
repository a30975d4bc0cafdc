"""PyTorch `DataLoader` with worker processes; torchvision decodes and augments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch.utils.data import DataLoader
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms import v2

from workload import AREA, ASPECT, BATCH, MEAN, SHORTER_SIDE, SIDE, STD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workload import Loader, Task, Workload


class Images:
    """Map-style data set of image files, decoded and transformed."""

    def __init__(self, files: list[Path], transform: v2.Transform) -> None:
        self._files = files
        self._transform = transform

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._files)

    def __getitem__(self, index: int) -> torch.Tensor:
        """Return an image in the form that the task requires."""
        image = decode_image(str(self._files[index]), ImageReadMode.RGB)
        return cast("torch.Tensor", self._transform(image))


def channels_last(image: torch.Tensor) -> torch.Tensor:
    """Convert an image to (height, width, channels), the layout of task C."""
    return image.permute(1, 2, 0).contiguous()


def transform(task: Task) -> v2.Transform:
    """Return the transform of a task."""
    geometry: list[v2.Transform] = [v2.Resize(SHORTER_SIDE), v2.CenterCrop(SIDE)]
    if task.random:
        geometry = [v2.RandomResizedCrop(SIDE, AREA, ASPECT), v2.RandomHorizontalFlip()]
    if not task.normalized:
        return v2.Compose([*geometry, v2.Lambda(channels_last)])
    mean, std = [value / 255 for value in MEAN], [value / 255 for value in STD]
    return v2.Compose([*geometry, v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean, std)])


class TorchLoader:
    """A `DataLoader` with persistent workers."""

    def __init__(self, workload: Workload) -> None:
        self._batches = DataLoader(
            Images(workload.files(), transform(workload.task)),
            BATCH,
            shuffle=workload.task.random,
            num_workers=workload.threads,
            persistent_workers=True,
        )

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the batches as arrays that share memory with the tensors."""
        for batch in self._batches:
            yield batch.numpy()


def open_loader(workload: Workload) -> Loader:
    """Open the `DataLoader`."""
    return TorchLoader(workload)
