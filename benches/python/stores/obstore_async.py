"""obstore: `get_range_async` in as many tasks as requests may be in flight."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from obstore.store import S3Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.job import Job

from stores.job import NAME

STEP = 0.05


def open_store(job: Job) -> S3Store:
    """Open the bucket."""
    options = job.options
    return S3Store(
        job.bucket,
        endpoint=options["aws_endpoint_url"],
        access_key_id=options["aws_access_key_id"],
        secret_access_key=options["aws_secret_access_key"],
        region=options["aws_region"],
        client_options={"allow_http": True},
    )


def read(job: Job) -> Iterator[int]:
    """Read by tasks that take the next range each."""
    store, ranges, arrived = open_store(job), job.ranges(), 0

    async def work() -> None:
        nonlocal arrived
        for start, end in ranges:
            await store.get_range_async(f"{NAME}.rec", start=start, end=end)
            arrived += 1

    async def start() -> list[asyncio.Task[None]]:
        return [asyncio.create_task(work()) for _ in range(job.in_flight)]

    with asyncio.Runner() as runner:
        _tasks = runner.run(start())
        while True:
            before = arrived
            runner.run(asyncio.sleep(STEP))
            yield arrived - before
