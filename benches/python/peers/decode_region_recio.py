"""recio's decoder, regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import decode_regions
from recio.image import imdecode

if TYPE_CHECKING:
    from peers.decode_pool import Box
    from workload import Loader, Workload


def decode(data: bytes, box: Box) -> object:
    """Decode the region."""
    return imdecode(data, region=box)


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_regions(workload, decode)
