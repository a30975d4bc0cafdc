"""simplejpeg (libjpeg-turbo), regions: decodes the full image and crops it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import decode_regions
from peers.simplejpeg_pool import decode

if TYPE_CHECKING:
    from peers.decode_pool import Box
    from workload import Loader, Workload


def decode_and_crop(data: bytes, box: Box) -> object:
    """Decode the image and crop the region; the pixels are not copied."""
    x, y, width, height = box
    return decode(data)[y : y + height, x : x + width]


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_regions(workload, decode_and_crop)
