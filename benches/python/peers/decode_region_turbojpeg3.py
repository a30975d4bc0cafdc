"""libjpeg-turbo 3 through its TurboJPEG interface, regions: it decodes the columns of the region's MCUs, then cuts.

It knows nothing of the chroma beside what it decodes: with 4:2:2 and 4:2:0 the outer columns may differ from those of
the whole image. A larger region would mend that, and take longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import regions
from turbojpeg3 import decode_region

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return regions(workload, decode_region)
