"""The ceiling: libjpeg-turbo (through simplejpeg) decodes the same images in full, no more.

Their bytes are in memory before the clock starts, the pixels are dropped: no reading, no
crop, no resize, no batch. A pipeline that outruns this one decodes less than whole images.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import simplejpeg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workload import Loader, Workload

CHUNK = 16
"""Images a job: enough that handing jobs out costs nothing, too few to leave a thread idle."""


class DecodeOnly:
    """A pool of threads that decodes chunks of images held in memory."""

    def __init__(self, workload: Workload) -> None:
        self._images = [file.read_bytes() for file in workload.files()]
        self._pool = ThreadPoolExecutor(workload.threads)

    def epoch(self) -> Iterator[range]:
        """Yield, in place of pixels, a range as long as each chunk."""
        images = self._images
        chunks = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
        return self._pool.map(decode, chunks)


def decode(images: list[bytes]) -> range:
    """Decode each image and drop its pixels."""
    for data in images:
        simplejpeg.decode_jpeg(data, "RGB", strict=False)
    return range(len(images))


def open_loader(workload: Workload) -> Loader:
    """Read the images and start the pool."""
    return DecodeOnly(workload)
