"""Loader of image files in a thread pool, as a user might write it in twenty lines.

The decoder is an argument (`simplejpeg_pool`, `cv2_pool`); the rest is `cv2.resize` and NumPy. They
release the GIL as the decoders do, so the threads run in parallel. Batches are prefetched, as in all
other loaders here. Each batch is a new array: such a loader cannot know when a batch is no longer used.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from math import exp, log, sqrt
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import cv2
import numpy as np

from workload import AREA, ASPECT, BATCH, MEAN, SHORTER_SIDE, SIDE, STD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from workload import Task, Workload

    Decode = Callable[[bytes], NDArray[np.uint8]]

# The images are processed in parallel; threads within OpenCV would compete with those of the pool.
cv2.setNumThreads(0)

CHUNK = 8
"""Images per job: few enough to distribute a batch evenly over the threads."""

PREFETCH = 4
"""Batches being filled at the same time."""

SCALE = [1 / std for std in STD]
SHIFT = [mean / std for mean, std in zip(MEAN, STD, strict=True)]


class PendingBatch(NamedTuple):
    """A batch that is being filled, and the jobs that fill it."""

    pixels: NDArray[Any]
    jobs: list[Future[None]]


class ThreadPoolLoader:
    """Loader that decodes, crops, resizes, flips and normalizes images into slots of a batch."""

    def __init__(self, workload: Workload, decode: Decode) -> None:
        self._files = workload.files()
        self._task = workload.task
        self._decode = decode
        self._pool = ThreadPoolExecutor(workload.threads)
        self._epochs = count()

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the batches, each in a new array."""
        rng = Random(next(self._epochs))
        files = rng.sample(self._files, len(self._files)) if self._task.random else self._files
        pending: deque[PendingBatch] = deque()
        for batch in slices(len(files), BATCH):
            pending.append(self._start(files[batch], rng))
            if len(pending) == PREFETCH:
                yield finish(pending.popleft())
        while pending:
            yield finish(pending.popleft())

    def _start(self, files: list[Path], rng: Random) -> PendingBatch:
        pixels = np.empty((len(files), *self._task.shape), self._task.dtype)
        jobs = [
            self._pool.submit(self._fill, files[chunk], pixels[chunk], Random(rng.random()))
            for chunk in slices(len(files), CHUNK)
        ]
        return PendingBatch(pixels, jobs)

    def _fill(self, files: list[Path], slots: NDArray[Any], rng: Random) -> None:
        for file, slot in zip(files, slots, strict=True):
            image = self._decode(file.read_bytes())
            image = augment(image, rng) if self._task.random else center(image)
            write(image, slot, self._task)


def slices(length: int, size: int) -> Iterator[slice]:
    """Split a length into slices of at most `size` items."""
    return (slice(start, start + size) for start in range(0, length, size))


def finish(batch: PendingBatch) -> NDArray[Any]:
    """Wait until a batch is filled; raise the exception of a failed job."""
    for job in batch.jobs:
        job.result()
    return batch.pixels


def augment(image: NDArray[np.uint8], rng: Random) -> NDArray[np.uint8]:
    """Crop a random box, resize it and flip it with probability 0.5."""
    height, width = image.shape[:2]
    x, y, w, h = random_box(width, height, rng)
    crop = cv2.resize(image[y : y + h, x : x + w], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    flipped = cv2.flip(crop, 1) if rng.getrandbits(1) else crop
    return cast("NDArray[np.uint8]", flipped)


def random_box(width: int, height: int, rng: Random) -> tuple[int, int, int, int]:
    """Sample a box (left, top, width, height) as torchvision does."""
    for _ in range(10):
        area = width * height * rng.uniform(*AREA)
        aspect = exp(rng.uniform(log(ASPECT[0]), log(ASPECT[1])))
        w, h = round(sqrt(area * aspect)), round(sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return rng.randint(0, width - w), rng.randint(0, height - h), w, h
    # Almost no box fits: use the largest centered box with an aspect ratio in the range.
    w = min(width, round(height * ASPECT[1]))
    h = min(height, round(width / ASPECT[0]))
    return (width - w) // 2, (height - h) // 2, w, h


def center(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize the shorter side to 256 and crop the center 224 x 224."""
    height, width = image.shape[:2]
    scale = SHORTER_SIDE / min(height, width)
    size = (max(SHORTER_SIDE, int(width * scale)), max(SHORTER_SIDE, int(height * scale)))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    crop = resized[top : top + SIDE, left : left + SIDE]
    return cast("NDArray[np.uint8]", crop)


def write(image: NDArray[np.uint8], slot: NDArray[Any], task: Task) -> None:
    """Write an image into its slot of the batch, normalized if the task requires it."""
    if not task.normalized:
        slot[:] = image
        return
    # Contiguous planes one by one: the fastest of five ways that were measured.
    for channel, plane in enumerate(cv2.split(image)):
        np.multiply(plane, SCALE[channel], out=slot[channel], dtype=np.float32)
        np.subtract(slot[channel], SHIFT[channel], out=slot[channel])
