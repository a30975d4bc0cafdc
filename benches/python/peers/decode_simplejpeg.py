"""The ceiling: libjpeg-turbo (through simplejpeg) decodes the same images in full, no more.

Their bytes are in memory before the clock starts, the pixels are dropped: no reading, no
crop, no resize, no batch. A pipeline that outruns this one decodes less than whole images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import simplejpeg

from peers.decode_pool import whole

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return whole(workload, lambda data: simplejpeg.decode_jpeg(data, "RGB", strict=False))
