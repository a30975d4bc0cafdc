"""The figures of the throughput bench as a table and as JSON: medians, and recio's ratios.

It knows the names of `measure.Measurement`'s figures and nothing of how they came about.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

Figures = dict[str, float]
"""One `measure.Measurement`, or the medians of several."""

COLUMNS = {
    "images_s": ("img/s", ".0f"),
    "steady_images_s": ("steady", ".0f"),
    "cpu_ms_image": ("CPU ms", ".2f"),
    "first_batch_s": ("first s", ".2f"),
    "peak_mb": ("peak MB", ".0f"),
    "imports_mb": ("imports", ".0f"),
    "base_mb": ("base MB", ".0f"),
    "faults_image": ("faults", ".1f"),
    "foreign_cores": ("foreign", ".2f"),
}
"""The table's columns: a figure's name, its heading, how it is printed."""

WIDTH = 9


@dataclass(frozen=True)
class Result:
    """What all loaders did at one task with so many threads."""

    task: str
    threads: int
    rounds: list[dict[str, Figures]]
    """Round by round the figures of each loader, by its name; the same loaders each time."""

    def medians(self, loader: str) -> Figures:
        """Give the median of each figure over the rounds."""
        return {key: median(each[loader][key] for each in self.rounds) for key in COLUMNS}

    def recio_ratio(self, loader: str) -> float:
        """Say how many times as many images a second recio delivers.

        The two are compared within each round, minutes apart at most, and the median of
        those ratios is given: a machine that slows down for a while slows both.
        """
        return median(each["recio"]["images_s"] / each[loader]["images_s"] for each in self.rounds)

    def as_json(self) -> dict[str, Any]:
        """Give everything: the medians, the ratios and each round's figures."""
        loaders = list(self.rounds[0])
        return {
            "task": self.task,
            "threads": self.threads,
            "medians": {loader: self.medians(loader) for loader in loaders},
            "recio_ratio": {loader: self.recio_ratio(loader) for loader in loaders},
            "rounds": self.rounds,
        }


def print_result(result: Result) -> None:
    """Print one line a loader, the fastest first."""
    print(f"\ntask {result.task}, {result.threads} threads, median of {len(result.rounds)} rounds")
    headings = [heading for heading, _ in COLUMNS.values()]
    print(f"{'':18}" + "".join(f"{heading:>{WIDTH}}" for heading in [*headings, "recio x"]))
    medians = {loader: result.medians(loader) for loader in result.rounds[0]}
    for loader in sorted(medians, key=lambda name: -medians[name]["images_s"]):
        cells = [format(medians[loader][key], spec) for key, (_, spec) in COLUMNS.items()]
        cells.append(format(result.recio_ratio(loader), ".2f"))
        print(f"{loader:18}" + "".join(f"{cell:>{WIDTH}}" for cell in cells), flush=True)


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
