"""PyTurboJPEG (libjpeg-turbo of the system), full images."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from turbojpeg import TJPF_RGB, TurboJPEG

from peers.decode_pool import decode_full

if TYPE_CHECKING:
    from workload import Loader, Workload


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return decode_full(workload, partial(TurboJPEG().decode, pixel_format=TJPF_RGB))
