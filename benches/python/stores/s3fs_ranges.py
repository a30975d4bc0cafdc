"""s3fs: `cat_ranges` of some hundred ranges, as many of them at a time as requests may be in flight."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import s3fs

from stores.job import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.job import Job

CALLS = 4
"""Requests of each slot in a call, so that the end of a call, where few are in flight, is rare."""


def read(job: Job) -> Iterator[int]:
    """Read by `cat_ranges`."""
    options = job.options
    store = s3fs.S3FileSystem(
        key=options["aws_access_key_id"],
        secret=options["aws_secret_access_key"],
        endpoint_url=options["aws_endpoint_url"],
        config_kwargs={"max_pool_connections": job.in_flight},
    )
    ranges = job.ranges()
    count = CALLS * job.in_flight
    while True:
        starts, ends = zip(*islice(ranges, count), strict=True)
        store.cat_ranges([f"{job.bucket}/{NAME}.rec"] * count, starts, ends, batch_size=job.in_flight)
        yield count
