"""TurboJPEG interface of libjpeg-turbo 3, full images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import decode_full
from turbojpeg3 import decode

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_full(workload, decode)
