"""Workload of a benchmark: task, images and number of threads.

`throughput.py` creates a `Workload` and `measure.py` passes it to a loader of `peers/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized
    from pathlib import Path

    from numpy.typing import NDArray

BATCH = 64
SIDE = 224
SHORTER_SIDE = 256
"""Task B: shorter side in pixels before the center crop."""

AREA = (0.08, 1.0)
"""Random crops: range of the fraction of the image's area, the default of torchvision and MXNet."""

ASPECT = (3 / 4, 4 / 3)
"""Random crops: range of width / height."""

# Channel means and standard deviations of ImageNet (red, green, blue), range 0 to 255.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


class Task(StrEnum):
    """The three workloads."""

    A = "A"
    """Training: random resized crop, flip, normalize, float32 NCHW, shuffled."""
    B = "B"
    """Validation: shorter side 256, center crop, normalize, float32 NCHW, in order."""
    C = "C"
    """Like A without normalization: uint8 NHWC."""

    @property
    def random(self) -> bool:
        """Whether the order, the crops and the flips are random."""
        return self is not Task.B

    @property
    def normalized(self) -> bool:
        """Whether the batch is normalized float32 NCHW (else raw uint8 NHWC)."""
        return self is not Task.C

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image in the batch."""
        return (3, SIDE, SIDE) if self.normalized else (SIDE, SIDE, 3)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the batch."""
        return np.dtype(np.float32 if self.normalized else np.uint8)

    def check(self, batch: NDArray[Any]) -> None:
        """Check the shape and dtype of a batch.

        Raises
        ------
        TypeError
            If the shape or the dtype differs from the task's.
        """
        if batch.shape[1:] != self.shape or batch.dtype != self.dtype:
            expected = f"{self.dtype} (n, *{self.shape})"
            raise TypeError(f"task {self}: batch must be {expected}, got {batch.dtype} {batch.shape}")


@dataclass(frozen=True)
class Workload:
    """A task on a packed data set, with a number of threads (or workers)."""

    task: Task
    threads: int
    prefix: Path
    """Path prefix of the packed data set: `prefix.rec`, `prefix.idx` and `prefix.lst`."""
    root: Path
    """Folder of the image files; paths in the list are relative to it."""

    @property
    def rec(self) -> str:
        """The path of the .rec file."""
        return str(self.prefix.with_suffix(".rec"))

    @property
    def idx(self) -> str:
        """The path of the .idx file."""
        return str(self.prefix.with_suffix(".idx"))

    def files(self) -> list[Path]:
        """List the image files in the order of the list."""
        lines = self.prefix.with_suffix(".lst").read_text(encoding="utf-8").splitlines()
        return [self.root / line.split("\t")[-1] for line in lines]


class Loader(Protocol):
    """Interface of the loaders that `open_loader(workload)` of the modules in `peers/` returns."""

    def epoch(self) -> Iterator[Sized]:
        """Yield the batches of one epoch.

        A batch is an ndarray of images without padding, valid until the next batch is requested. The
        loaders that only decode yield an object of the same length instead.
        """
        ...
