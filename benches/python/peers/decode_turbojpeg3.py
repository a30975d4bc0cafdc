"""libjpeg-turbo 3 through its TurboJPEG interface, whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from peers.decode_pool import whole
from turbojpeg3 import decode

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return whole(workload, decode)
