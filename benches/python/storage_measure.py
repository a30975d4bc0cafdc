"""Measure one reader of an object store and print the result as a line of JSON; started by `storage.py`."""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from stores.job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

WARM_UP_S = 0.5
FOR_EVER = float("inf")


def cpu_s() -> float:
    """Return the seconds of CPU time of this process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measure(arrivals: Iterator[int], seconds: float, warm_up: float) -> dict[str, float]:
    """Count the records that arrive in some seconds after the warm-up, or until there are no more."""
    records, start, cpu = 0, perf_counter(), cpu_s()
    if warm_up:
        while perf_counter() - start < warm_up:
            next(arrivals)
        start, cpu = perf_counter(), cpu_s()
    for count in arrivals:
        records += count
        if perf_counter() - start > seconds:
            break
    elapsed = perf_counter() - start
    return {"records_s": records / elapsed, "cpu_ms_record": 1000 * (cpu_s() - cpu) / max(1, records)}


def main() -> None:
    """Measure the reader on the command line."""
    module, folder, endpoint, delay, in_flight, seconds = sys.argv[1:]
    job = Job(Path(folder), endpoint, int(delay), int(in_flight))
    arrivals = import_module(f"stores.{module}").read(job)
    # Downloading first is measured by an epoch, from its start.
    times = (FOR_EVER, 0.0) if module == "download" else (float(seconds), WARM_UP_S)
    print(json.dumps(measure(arrivals, *times)), flush=True)
    # obstore 0.12.1 now and then aborts when the interpreter ends while requests are in flight.
    os._exit(0)


if __name__ == "__main__":
    main()
