"""libjpeg-turbo (through simplejpeg) decoding the same images in full, and nothing else.

The files are in memory before the measurement, and the pixels are discarded: no reading, cropping,
resizing or batching. A loader faster than this decodes less than full images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import simplejpeg

from peers.decode_pool import decode_full

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_full(workload, lambda data: simplejpeg.decode_jpeg(data, "RGB", strict=False))
