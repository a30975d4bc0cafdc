"""A pool of threads that decodes images held in memory, whole or a region of each, and drops the pixels.

The decoder is an argument (`decode_*`, `decode_region_*`); `decoding.py` compares them. The regions are the random crops
of task A, sampled once: every decoder and every epoch gets the same.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from peers.thread_pool import random_box, slices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from workload import Workload

    Box = tuple[int, int, int, int]
    Job = Callable[[], object]

CHUNK = 16
"""Images a job of the pool: enough that handing jobs out costs nothing, too few to leave a thread idle."""

SEED = 20


class DecodePool:
    """Does each image's work once an epoch."""

    def __init__(self, jobs: list[Job], threads: int) -> None:
        self._chunks = [jobs[part] for part in slices(len(jobs), CHUNK)]
        self._pool = ThreadPoolExecutor(threads)

    def epoch(self) -> Iterator[range]:
        """Yield, in place of pixels, a range as long as each chunk."""
        return self._pool.map(work, self._chunks)


def work(jobs: list[Job]) -> range:
    """Do a chunk of the work."""
    for job in jobs:
        job()
    return range(len(jobs))


def whole(workload: Workload, decode: Callable[[bytes], object]) -> DecodePool:
    """Decode whole images."""
    return DecodePool([partial(decode, file.read_bytes()) for file in workload.files()], workload.threads)


def regions(workload: Workload, decode: Callable[[bytes, Box], object]) -> DecodePool:
    """Decode a random region (left, top, width, height) of each."""
    rng = Random(SEED)
    images = [file.read_bytes() for file in workload.files()]
    jobs: list[Job] = [partial(decode, data, random_box(*size(data), rng)) for data in images]
    return DecodePool(jobs, workload.threads)


def size(jpeg: bytes) -> tuple[int, int]:
    """Read the width and height from a JPEG's frame header."""
    at = 2
    while not (0xC0 <= jpeg[at + 1] <= 0xCF and jpeg[at + 1] not in {0xC4, 0xC8, 0xCC}):
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4])
    return int.from_bytes(jpeg[at + 7 : at + 9]), int.from_bytes(jpeg[at + 5 : at + 7])
