"""Results of the benchmarks as tables and as JSON: medians and recio's ratios.

The names of the figures are the fields of `measure.Measurement`.
"""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

Figures = dict[str, float]
"""A `measure.Measurement` as a dict, or the medians of several."""

COLUMNS = {
    "images_s": ("img/s", ".0f"),
    "steady_images_s": ("steady", ".0f"),
    "cpu_ms_image": ("CPU ms", ".2f"),
    "first_batch_s": ("first s", ".2f"),
    "peak_mb": ("peak MB", ".0f"),
    "imports_mb": ("imports", ".0f"),
    "base_mb": ("base MB", ".0f"),
    "faults_image": ("faults", ".1f"),
    "other_cores": ("other", ".2f"),
}
"""Columns of the table: name of the figure, heading and number format."""

WIDTH = 9


@dataclass(frozen=True)
class Result:
    """Results of all loaders for one task and number of threads."""

    task: str
    threads: int
    rounds: list[dict[str, Figures]]
    """For each round, the figures of each loader by name; the same loaders in every round."""

    def medians(self, loader: str) -> Figures:
        """Return the median of each figure over the rounds."""
        return {key: median(figures[loader][key] for figures in self.rounds) for key in COLUMNS}

    def recio_ratio(self, loader: str) -> float:
        """Return recio's images per second divided by a loader's.

        The ratio is computed within each round, so that a machine that slows down for some minutes slows
        both; the median of these ratios is returned.
        """
        return median(figures["recio"]["images_s"] / figures[loader]["images_s"] for figures in self.rounds)

    def as_json(self) -> dict[str, Any]:
        """Return the medians, the ratios and the figures of each round."""
        loaders = list(self.rounds[0])
        return {
            "task": self.task,
            "threads": self.threads,
            "medians": {loader: self.medians(loader) for loader in loaders},
            "recio_ratio": {loader: self.recio_ratio(loader) for loader in loaders},
            "rounds": self.rounds,
        }


def print_result(result: Result) -> None:
    """Print one line per loader, the fastest first."""
    print(f"\ntask {result.task}, {result.threads} threads, median of {len(result.rounds)} rounds")
    headings = [heading for heading, _ in COLUMNS.values()]
    print(f"{'':18}" + "".join(f"{heading:>{WIDTH}}" for heading in [*headings, "recio x"]))
    medians = {loader: result.medians(loader) for loader in result.rounds[0]}
    for loader in sorted(medians, key=lambda name: -medians[name]["images_s"]):
        cells = [format(medians[loader][key], spec) for key, (_, spec) in COLUMNS.items()]
        cells.append(format(result.recio_ratio(loader), ".2f"))
        print(f"{loader:18}" + "".join(f"{cell:>{WIDTH}}" for cell in cells), flush=True)


def machine() -> dict[str, Any]:
    """Describe the machine of the measurement."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in cpuinfo if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
