"""Thread pool with simplejpeg (libjpeg-turbo), OpenCV and NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import simplejpeg

from peers.thread_pool import ThreadPoolLoader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workload import Loader, Workload


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a full JPEG with the default settings of libjpeg-turbo."""
    return cast("NDArray[np.uint8]", simplejpeg.decode_jpeg(data, "RGB", strict=False))


def open_loader(workload: Workload) -> Loader:
    """Start the pool."""
    return ThreadPoolLoader(workload, decode)
