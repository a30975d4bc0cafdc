"""obstore: `get_range` in as many threads as requests may be in flight."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from stores.job import NAME
from stores.obstore_async import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.job import Job


def read(job: Job) -> Iterator[int]:
    """Read in a pool of threads, which always has twice as many ranges as threads to read."""
    store, ranges = open_store(job), job.ranges()
    tickets = threading.Semaphore(2 * job.in_flight)

    def work(start: int, end: int) -> None:
        store.get_range(f"{NAME}.rec", start=start, end=end)
        tickets.release()

    with ThreadPoolExecutor(job.in_flight) as pool:
        try:
            for start, end in ranges:
                tickets.acquire()
                pool.submit(work, start, end)
                yield 1
        finally:
            pool.shutdown(cancel_futures=True)
