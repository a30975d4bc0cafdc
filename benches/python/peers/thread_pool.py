"""Image files to batches in a pool of threads: the loader that one writes in twenty lines.

The decoder is given (`simplejpeg_pool`, `cv2_pool`); the rest is `cv2.resize` and NumPy,
which let go of the interpreter's lock as the decoders do, so the threads run at once. Some
batches are under way while one is used, as with every other loader here. Each batch is a
new array: who writes such a loader hands its batches on and cannot know when they are done with.
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

# The pool's threads are the parallelism; OpenCV's own would contend with them.
cv2.setNumThreads(0)

CHUNK = 8
"""Images a job: small enough to spread a batch over the threads evenly."""

AHEAD = 4
"""Batches under way at once."""

SCALE = [1 / std for std in STD]
SHIFT = [mean / std for mean, std in zip(MEAN, STD, strict=True)]


class Underway(NamedTuple):
    """A batch being filled, and the jobs that fill it."""

    pixels: NDArray[Any]
    jobs: list[Future[None]]


class ThreadPoolLoader:
    """Decode, crop, resize, flip and normalise each image of a batch in its place."""

    def __init__(self, workload: Workload, decode: Decode) -> None:
        self._files = workload.files()
        self._task = workload.task
        self._decode = decode
        self._pool = ThreadPoolExecutor(workload.threads)
        self._epochs = count()

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the batches, each in an array of its own."""
        rng = Random(next(self._epochs))
        files = rng.sample(self._files, len(self._files)) if self._task.random else self._files
        waiting: deque[Underway] = deque()
        for part in slices(len(files), BATCH):
            waiting.append(self._start(files[part], rng))
            if len(waiting) == AHEAD:
                yield finish(waiting.popleft())
        while waiting:
            yield finish(waiting.popleft())

    def _start(self, files: list[Path], rng: Random) -> Underway:
        pixels = np.empty((len(files), *self._task.shape), self._task.dtype)
        jobs = [
            self._pool.submit(self._fill, files[part], pixels[part], Random(rng.random()))
            for part in slices(len(files), CHUNK)
        ]
        return Underway(pixels, jobs)

    def _fill(self, files: list[Path], slots: NDArray[Any], rng: Random) -> None:
        for file, slot in zip(files, slots, strict=True):
            image = self._decode(file.read_bytes())
            image = augment(image, rng) if self._task.random else centre(image)
            write(image, slot, self._task)


def slices(length: int, size: int) -> Iterator[slice]:
    """Cut what is so long into parts of at most so many items."""
    return (slice(start, start + size) for start in range(0, length, size))


def finish(batch: Underway) -> NDArray[Any]:
    """Wait until the batch is full; a failed job raises here."""
    for job in batch.jobs:
        job.result()
    return batch.pixels


def augment(image: NDArray[np.uint8], rng: Random) -> NDArray[np.uint8]:
    """Cut a random box, resize it, mirror every second one."""
    height, width = image.shape[:2]
    x, y, w, h = random_box(width, height, rng)
    crop = cv2.resize(image[y : y + h, x : x + w], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    mirrored = cv2.flip(crop, 1) if rng.getrandbits(1) else crop
    return cast("NDArray[np.uint8]", mirrored)


def random_box(width: int, height: int, rng: Random) -> tuple[int, int, int, int]:
    """Draw a box of random area and aspect as torchvision does: left, top, width, height."""
    for _ in range(10):
        area = width * height * rng.uniform(*AREA)
        aspect = exp(rng.uniform(log(ASPECT[0]), log(ASPECT[1])))
        w, h = round(sqrt(area * aspect)), round(sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            return rng.randint(0, width - w), rng.randint(0, height - h), w, h
    # Hardly any box fits an image this oblong: the largest of an allowed aspect, in the middle.
    w = min(width, round(height * ASPECT[1]))
    h = min(height, round(width / ASPECT[0]))
    return (width - w) // 2, (height - h) // 2, w, h


def centre(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize to a shorter side of 256 and cut the middle 224 x 224."""
    height, width = image.shape[:2]
    scale = SHORTER_SIDE / min(height, width)
    size = (max(SHORTER_SIDE, int(width * scale)), max(SHORTER_SIDE, int(height * scale)))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
    left, top = (size[0] - SIDE) // 2, (size[1] - SIDE) // 2
    middle = resized[top : top + SIDE, left : left + SIDE]
    return cast("NDArray[np.uint8]", middle)


def write(image: NDArray[np.uint8], slot: NDArray[Any], task: Task) -> None:
    """Put an image in its place in the batch, normalised where the task asks for it."""
    if not task.normalised:
        slot[:] = image
        return
    # Plane by plane from contiguous planes: of five ways that were timed the fastest.
    for channel, plane in enumerate(cv2.split(image)):
        np.multiply(plane, SCALE[channel], out=slot[channel], dtype=np.float32)
        np.subtract(slot[channel], SHIFT[channel], out=slot[channel])
