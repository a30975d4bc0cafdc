"""What every loader of the throughput bench is asked to do: the task, the images, the threads.

The driver (`throughput.py`) fills a `Workload`, `measure.py` hands it to one loader of
`peers/`. The loaders and the clocks know nothing of each other beyond what stands here.
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
"""Task B: the shorter side in pixels before the centre crop."""

AREA = (0.08, 1.0)
"""Random crops: the fraction of the image's area, torchvision's and MXNet's range."""

ASPECT = (3 / 4, 4 / 3)
"""Random crops: width over height."""

# ImageNet's channel means and deviations (red, green, blue) on the 0-255 scale.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


class Task(StrEnum):
    """The three workloads."""

    A = "A"
    """Train: random resized crop, flip, normalise, float32 NCHW, shuffled."""
    B = "B"
    """Validate: shorter side 256, centre crop, normalise, float32 NCHW, in order."""
    C = "C"
    """As A, but the cropped and flipped pixels themselves: uint8 NHWC."""

    @property
    def random(self) -> bool:
        """Whether the order, the crops and the flips are random."""
        return self is not Task.B

    @property
    def normalised(self) -> bool:
        """Whether the batch is normalised float32 NCHW (else raw uint8 NHWC)."""
        return self is not Task.C

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of one image in the batch."""
        return (3, SIDE, SIDE) if self.normalised else (SIDE, SIDE, 3)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type of the batch."""
        return np.dtype(np.float32 if self.normalised else np.uint8)

    def check(self, batch: NDArray[Any]) -> None:
        """Refuse a batch that is not what the task asks for.

        Raises
        ------
        TypeError
            If the shape or the element type differ.
        """
        if batch.shape[1:] != self.shape or batch.dtype != self.dtype:
            found = f"{batch.dtype} {batch.shape}"
            raise TypeError(f"task {self}: got {found}, not {self.dtype} (n, *{self.shape})")


@dataclass(frozen=True)
class Workload:
    """One task on one packed set of images, with so many threads (or workers)."""

    task: Task
    threads: int
    prefix: Path
    """The packed set: `prefix.rec`, `prefix.idx` and `prefix.lst` lie side by side."""
    root: Path
    """The folder that the paths of the list are relative to."""

    @property
    def rec(self) -> str:
        """The path of the packed images."""
        return str(self.prefix.with_suffix(".rec"))

    @property
    def idx(self) -> str:
        """The path of their index."""
        return str(self.prefix.with_suffix(".idx"))

    def files(self) -> list[Path]:
        """List the images as files, in the order of the packed set."""
        lines = self.prefix.with_suffix(".lst").read_text(encoding="utf-8").splitlines()
        return [self.root / line.split("\t")[-1] for line in lines]


class Loader(Protocol):
    """What `open_loader(workload)` of each module in `peers/` returns."""

    def epoch(self) -> Iterator[Sized]:
        """Yield one pass over the images, batch by batch.

        A batch is the ndarray of its images, without padding, valid until the next one
        is asked for. The one loader that makes no pixels yields something of the same
        length instead.
        """
        ...
