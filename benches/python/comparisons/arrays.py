"""Arrays in memory, compared with slices of NumPy and SciPy. Needs SciPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from comparisons.case import Case
from recio.io import NDArrayIter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SAMPLES = 100_000
WIDTH = 10
BATCH = 128


def cases() -> Iterator[Case]:
    """Yield the cases of batches in the order of the arrays, for dense and sparse ones."""
    dense = np.random.default_rng(0).random((SAMPLES, WIDTH), np.float32)
    labels = np.arange(SAMPLES, dtype=np.float32)
    rows = sparse.random_array((SAMPLES, 1000), density=0.01, dtype=np.float32, format="csr", rng=0)
    for name, data, goal in (("dense", dense, 3.0), ("CSR", rows, 1.5)):
        batches = NDArrayIter(data, labels, BATCH, last_batch_handle="discard")
        yield Case(f"NDArrayIter, epoch, {name}", "slices, copied", epochs(batches), slices(data, labels), goal)


def epochs(batches: NDArrayIter) -> Callable[[], None]:
    """Return a function that reads an epoch."""

    def run() -> None:
        batches.reset()
        for _ in batches:
            pass

    return run


def slices(*arrays: Any) -> Callable[[], None]:  # noqa: ANN401 arrays or sparse matrices
    """Return a function that copies slices of arrays."""

    def run() -> None:
        for start in range(0, SAMPLES - BATCH + 1, BATCH):
            for array in arrays:
                array[start : start + BATCH].copy()

    return run
