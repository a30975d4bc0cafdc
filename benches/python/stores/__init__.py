"""Readers of records in an object store, for `storage.py`: recio and its alternatives.

Each module has a function `read(job) -> Iterator[int]`, which reads records in random order, for ever, with
`job.in_flight` requests at a time, and yields how many have arrived. A reader is installed where its module can be
imported.
"""

from __future__ import annotations

STORES = {
    "recio": "recio_iter",
    "obstore": "obstore_async",
    "obstore, threads": "obstore_threads",
    "s3fs": "s3fs_ranges",
    "download first": "download",
}
"""For each reader, its name in the tables, and its module."""
