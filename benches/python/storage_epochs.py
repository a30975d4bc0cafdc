"""Measure task A on a record file at a path or URL and print the result as JSON; started by `storage.py`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from peers.recio_iter import RecioLoader
from storage_measure import measure
from stores.job import Job
from workload import Task, Workload

if TYPE_CHECKING:
    from collections.abc import Iterator


def arrivals(loader: RecioLoader) -> Iterator[int]:
    """Read all epochs; yield the number of images in each batch."""
    while True:
        for images in loader.epoch():
            yield len(images)


def main() -> None:
    """Measure the record file on the command line, with the default options."""
    prefix, endpoint, seconds, threads = sys.argv[1:]
    os.environ.update(Job(Path(), endpoint, 0, 0).environment)
    workload = Workload(Task.A, int(threads), Path(prefix), Path())
    loader = RecioLoader(workload, path_imgrec=f"{prefix}.rec", path_imgidx=f"{prefix}.idx")
    print(json.dumps(measure(arrivals(loader), float(seconds), 1.0)))


if __name__ == "__main__":
    main()
