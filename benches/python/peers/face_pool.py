"""Loader of small images in a thread pool, as a user might write it: OpenCV and NumPy, from a record file.

Nothing but decoding, mirroring and the layout is done, in jobs of several images that each write to
their slots of the batch. Batches are prefetched; each is a new array.
"""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from peers.thread_pool import PendingBatch, finish, slices

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

HEADERS = 8 + 24
"""Bytes of a record before its JPEG: those of the frame, and the header of an image with one label."""

CHUNK = 16
"""Images per job."""

PREFETCH = 2
"""Batches being filled at the same time."""


class FacePool:
    """Threads that decode and mirror the JPEGs of a record file into batches (n, 3, side, side)."""

    def __init__(self, prefix: Path, side: int, batch_size: int, threads: int, dtype: DTypeLike) -> None:
        self._file = os.open(prefix.with_suffix(".rec"), os.O_RDONLY)
        lines = prefix.with_suffix(".idx").read_text(encoding="utf-8").splitlines()
        offsets = [int(line.split("\t")[1]) for line in lines]
        self._spans = list(zip(offsets, [*offsets[1:], os.fstat(self._file).st_size], strict=True))
        self._side, self._batch_size, self._dtype = side, batch_size, dtype
        self._pool = ThreadPoolExecutor(threads)
        self._rng = Random(0)

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the batches in the order of the file."""
        pending: deque[PendingBatch] = deque()
        for batch in slices(len(self._spans), self._batch_size):
            pending.append(self._start(self._spans[batch]))
            if len(pending) == PREFETCH:
                yield finish(pending.popleft())
        while pending:
            yield finish(pending.popleft())

    def _start(self, spans: list[tuple[int, int]]) -> PendingBatch:
        pixels = np.empty((len(spans), 3, self._side, self._side), self._dtype)
        jobs = [
            self._pool.submit(self._fill, spans[chunk], pixels[chunk], self._rng.getrandbits(CHUNK))
            for chunk in slices(len(spans), CHUNK)
        ]
        return PendingBatch(pixels, jobs)

    def _fill(self, spans: list[tuple[int, int]], slots: NDArray[Any], mirrored: int) -> None:
        for number, ((start, end), slot) in enumerate(zip(spans, slots, strict=True)):
            record = np.frombuffer(os.pread(self._file, end - start, start), np.uint8)
            image = cast("NDArray[np.uint8]", cv2.imdecode(record[HEADERS:], cv2.IMREAD_COLOR_RGB))
            if mirrored >> number & 1:
                image = cast("NDArray[np.uint8]", cv2.flip(image, 1))
            for channel, plane in enumerate(cv2.split(image)):
                slot[channel] = plane
