"""Thread pool with OpenCV, for decoding too, and NumPy. Requires OpenCV 4.11 or later."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

from peers.thread_pool import ThreadPoolLoader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workload import Loader, Workload

RGB = cv2.IMREAD_COLOR_RGB


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a full image."""
    return cast("NDArray[np.uint8]", cv2.imdecode(np.frombuffer(data, np.uint8), RGB))


def open_loader(workload: Workload) -> Loader:
    """Start the pool."""
    return ThreadPoolLoader(workload, decode)
