"""Thread pool that decodes images in memory, in full or a region of each, and discards the pixels.

The decoder is an argument (`decode_*`, `decode_region_*`); `decoding.py` compares them. The regions
are the random crops of task A, sampled once: the same for every decoder and epoch.
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
"""Images per job: the cost of a job is negligible, and all threads are busy."""

SEED = 20


class DecodePool:
    """Thread pool that runs the job of each image once per epoch."""

    def __init__(self, jobs: list[Job], threads: int) -> None:
        self._chunks = [jobs[chunk] for chunk in slices(len(jobs), CHUNK)]
        self._pool = ThreadPoolExecutor(threads)

    def epoch(self) -> Iterator[range]:
        """Yield a range of the length of each chunk in place of pixels."""
        return self._pool.map(run_chunk, self._chunks)


def run_chunk(jobs: list[Job]) -> range:
    """Run the jobs of a chunk."""
    for job in jobs:
        job()
    return range(len(jobs))


def decode_full(workload: Workload, decode: Callable[[bytes], object]) -> DecodePool:
    """Return a pool that decodes full images."""
    return DecodePool([partial(decode, file.read_bytes()) for file in workload.files()], workload.threads)


def decode_regions(workload: Workload, decode: Callable[[bytes, Box], object]) -> DecodePool:
    """Return a pool that decodes a random region (left, top, width, height) of each image."""
    rng = Random(SEED)
    images = [file.read_bytes() for file in workload.files()]
    jobs: list[Job] = [partial(decode, data, random_box(*read_size(data), rng)) for data in images]
    return DecodePool(jobs, workload.threads)


def read_size(jpeg: bytes) -> tuple[int, int]:
    """Read the width and height from a JPEG's frame header."""
    offset = 2
    while not (0xC0 <= jpeg[offset + 1] <= 0xCF and jpeg[offset + 1] not in {0xC4, 0xC8, 0xCC}):
        offset += 2 + int.from_bytes(jpeg[offset + 2 : offset + 4])
    return int.from_bytes(jpeg[offset + 7 : offset + 9]), int.from_bytes(jpeg[offset + 5 : offset + 7])
