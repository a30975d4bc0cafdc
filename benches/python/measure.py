"""One measurement: one loader, one task, in a process of its own, printed as a line of JSON.

`throughput.py` starts it, under the interpreter that has the loader's packages::

    python measure.py pool A 2 PREFIX ROOT 3

The first epoch warms caches, pools and buffers up and yields the time to the first batch;
the timed ones follow back to back, nothing but the clock running beside them.
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
    """What one loader did and what it cost. Rates in images a second, memory in MB."""

    images_s: float
    """Median over the timed epochs, each with all it takes to start and to end it."""
    steady_images_s: float
    """The same between the first batch and the last: without filling the pipeline."""
    cpu_ms_image: float
    """User and system time of the process tree."""
    first_batch_s: float
    """From before the loader's construction (imports done) to its first batch."""
    peak_mb: float
    """The most that was resident, above what was resident when the imports were done."""
    imports_mb: float
    """What the loader's imports made resident, above `base_mb`."""
    base_mb: float
    """What Python and NumPy make resident."""
    faults_image: float
    """Minor page faults an image after the warm-up."""
    foreign_cores: float
    """Cores that other processes kept busy meanwhile: far above 0, distrust the rest."""


@dataclass(frozen=True)
class Epoch:
    """The clock's readings of one pass over the images."""

    images: int
    images_s: float
    steady_images_s: float


def measure(name: str, workload: Workload, epochs: int) -> Measurement:
    """Open the loader `peers.<name>` and time so many epochs after a warm-up epoch."""
    base_mb = process.resident_mb()
    module = import_module(f"peers.{name}")
    ready_mb = process.resident_mb()
    process.reset_peak()
    loader, first_batch_s = warm_up(module.open_loader, workload)

    start, cost, machine = perf_counter(), process.tree_cost(), process.machine_cpu_s()
    passes = [time_epoch(loader, workload.task) for _ in range(epochs)]
    cost, machine = process.tree_cost() - cost, process.machine_cpu_s() - machine
    foreign_cores = max(0.0, machine - cost.cpu_s) / (perf_counter() - start)

    images = sum(epoch.images for epoch in passes)
    return Measurement(
        images_s=statistics.median(epoch.images_s for epoch in passes),
        steady_images_s=statistics.median(epoch.steady_images_s for epoch in passes),
        cpu_ms_image=1000 * cost.cpu_s / images,
        first_batch_s=first_batch_s,
        peak_mb=process.peak_mb() - ready_mb,
        imports_mb=ready_mb - base_mb,
        base_mb=base_mb,
        faults_image=cost.minor_faults / images,
        foreign_cores=foreign_cores,
    )


def warm_up(open_loader: Callable[[Workload], Loader], workload: Workload) -> tuple[Loader, float]:
    """Open the loader and run its first epoch; give the seconds to the first batch too."""
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
    end = perf_counter()  # after the loader has made itself ready for the next epoch
    (first, first_images), (last, _) = arrivals[0], arrivals[-1]
    images = sum(count for _, count in arrivals)
    return Epoch(images, images / (end - start), (images - first_images) / (last - first))


def use(batch: Sized, task: Task) -> int:
    """Check the batch as a consumer would, by shape and type, and count its images."""
    if isinstance(batch, np.ndarray):
        task.check(batch)
    return len(batch)


def main() -> None:
    """Measure what the command line names and print it as JSON."""
    name, task, threads, prefix, root, epochs = sys.argv[1:]
    workload = Workload(Task(task), int(threads), Path(prefix), Path(root))
    print(dumps(asdict(measure(name, workload, int(epochs)))))


if __name__ == "__main__":
    main()
