"""simplejpeg (libjpeg-turbo), regions: it knows none, so the whole image is decoded and the region cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import regions
from peers.simplejpeg_pool import decode

if TYPE_CHECKING:
    from peers.decode_pool import Box
    from workload import Loader, Workload


def decode_and_cut(data: bytes, box: Box) -> object:
    """Decode the image and cut the region out; the pixels are not copied."""
    x, y, width, height = box
    return decode(data)[y : y + height, x : x + width]


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return regions(workload, decode_and_cut)
