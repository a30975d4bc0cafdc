"""recio with `antialias=True`: bilinear resampling as in Pillow and torchvision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.recio_iter import RecioLoader

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Open recio's iterator."""
    return RecioLoader(workload, antialias=True)
