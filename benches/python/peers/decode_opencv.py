"""OpenCV's `imdecode` (libjpeg-turbo), full images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from peers.decode_pool import decode_full

if TYPE_CHECKING:
    from workload import Loader, Workload


def decode(data: bytes) -> object:
    """Decode to BGR, which OpenCV returns without another pass over the pixels."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_full(workload, decode)
