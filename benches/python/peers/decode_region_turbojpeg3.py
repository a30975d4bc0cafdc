"""TurboJPEG interface of libjpeg-turbo 3, regions: decodes the columns of MCUs and crops.

It does not use the chroma next to the columns that it decodes: with 4:2:2 and 4:2:0 the outer columns
may differ from those of the full image. A larger region would fix that and take longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import decode_regions
from turbojpeg3 import decode_region

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_regions(workload, decode_region)
