"""Measure one loader on one task and print the result as a line of JSON.

`throughput.py` starts it as a process, under the interpreter that has the loader's packages::

    python measure.py pool A 2 PREFIX ROOT 3

The first epoch warms up caches, pools and buffers and measures the time to the first batch. The
timed epochs follow without a pause.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import asdict, dataclass
from importlib import import_module
from json import dumps
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

import process
from workload import Loader, Task, Workload

if TYPE_CHECKING:
    from collections.abc import Callable, Sized


@dataclass(frozen=True)
class Measurement:
    """Throughput and cost of one loader. Rates in images per second, memory in MB."""

    images_s: float
    """Median over the timed epochs, including the start and the end of each."""
    steady_images_s: float
    """The same from the first batch to the last: without filling the pipeline."""
    cpu_ms_image: float
    """User and system time of the process tree."""
    first_batch_s: float
    """Time from the construction of the loader (after imports) to its first batch."""
    peak_mb: float
    """Peak resident memory, above the resident memory after imports."""
    imports_mb: float
    """Resident memory added by the loader's imports, above `base_mb`."""
    base_mb: float
    """Resident memory of Python and NumPy."""
    faults_image: float
    """Minor page faults per image after the warm-up."""
    other_cores: float
    """Cores used by other processes meanwhile; if far above 0, the other figures are unreliable."""


@dataclass(frozen=True)
class Epoch:
    """Timing of one epoch."""

    images: int
    images_s: float
    steady_images_s: float


def measure(name: str, workload: Workload, epochs: int) -> Measurement:
    """Open the loader `peers.<name>` and time `epochs` epochs after a warm-up epoch."""
    base_mb = process.resident_mb()
    module = import_module(f"peers.{name}")
    ready_mb = process.resident_mb()
    process.reset_peak()
    loader, first_batch_s = warm_up(module.open_loader, workload)

    start, cost, machine = perf_counter(), process.tree_cost(), process.machine_cpu_s()
    timings = [time_epoch(loader, workload.task) for _ in range(epochs)]
    cost, machine = process.tree_cost() - cost, process.machine_cpu_s() - machine
    other_cores = max(0.0, machine - cost.cpu_s) / (perf_counter() - start)

    images = sum(epoch.images for epoch in timings)
    return Measurement(
        images_s=statistics.median(epoch.images_s for epoch in timings),
        steady_images_s=statistics.median(epoch.steady_images_s for epoch in timings),
        cpu_ms_image=1000 * cost.cpu_s / images,
        first_batch_s=first_batch_s,
        peak_mb=process.peak_mb() - ready_mb,
        imports_mb=ready_mb - base_mb,
        base_mb=base_mb,
        faults_image=cost.minor_faults / images,
        other_cores=other_cores,
    )


def warm_up(open_loader: Callable[[Workload], Loader], workload: Workload) -> tuple[Loader, float]:
    """Open the loader and run its first epoch; return it and the seconds to its first batch."""
    start = perf_counter()
    loader = open_loader(workload)
    batches = iter(loader.epoch())
    use(next(batches), workload.task)
    first_batch_s = perf_counter() - start
    for batch in batches:
        use(batch, workload.task)
    return loader, first_batch_s


def time_epoch(loader: Loader, task: Task) -> Epoch:
    """Run one epoch and time it."""
    start = perf_counter()
    arrivals = [(perf_counter(), use(batch, task)) for batch in loader.epoch()]
    end = perf_counter()  # includes the preparation of the next epoch
    (first, first_images), (last, _) = arrivals[0], arrivals[-1]
    images = sum(count for _, count in arrivals)
    return Epoch(images, images / (end - start), (images - first_images) / (last - first))


def use(batch: Sized, task: Task) -> int:
    """Check the shape and dtype of a batch and return the number of its images."""
    if isinstance(batch, np.ndarray):
        task.check(batch)
    return len(batch)


def main() -> None:
    """Run the measurement named on the command line and print it as JSON."""
    name, task, threads, prefix, root, epochs = sys.argv[1:]
    workload = Workload(Task(task), int(threads), Path(prefix), Path(root))
    print(dumps(asdict(measure(name, workload, int(epochs)))))


if __name__ == "__main__":
    main()
