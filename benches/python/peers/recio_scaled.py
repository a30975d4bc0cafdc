"""recio with `decode_scale="auto"`: decodes large JPEGs at a fraction of their size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.recio_iter import RecioLoader

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Open recio's iterator."""
    return RecioLoader(workload, decode_scale="auto")
