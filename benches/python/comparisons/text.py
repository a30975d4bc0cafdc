"""CSV and LibSVM files, compared with MXNet and pandas. Needs pandas and SciPy."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from comparisons.case import MXNET_PYTHON, Case, Remote
from recio.io import CSVIter, LibSVMIter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS = 1_000_000
COLUMNS = 10
DIFFERENT_ROWS = 20_000
"""Rows that the files repeat."""
BATCH = 128
WIDTH = 1000
"""Length of a sparse sample, of which `COLUMNS` values are not zero."""

MXNET = """
import mxnet
def make():
    return mxnet.io.{kind}(batch_size={batch}, **{settings})
"""
MXNET_EPOCH = """
batches = make()
def run():
    batches.reset()
    for _ in batches:
        pass
    mxnet.nd.waitall()
"""


def cases() -> Iterator[Case]:
    """Yield the cases of CSV and LibSVM files."""
    with TemporaryDirectory() as folder:
        csv: dict[str, Any] = {"data_csv": write_csv(Path(folder)), "data_shape": (COLUMNS,)}
        libsvm: dict[str, Any] = {"data_libsvm": write_libsvm(Path(folder)), "data_shape": (WIDTH,)}
        yield from cases_with_mxnet(CSVIter, csv)
        yield Case(
            f"CSVIter, epoch of {ROWS:,} rows",
            "pandas.read_csv",
            epochs(CSVIter(batch_size=BATCH, **csv)),
            lambda: pd.read_csv(csv["data_csv"], header=None, dtype=np.float32),
            1.5,
        )
        yield from cases_with_mxnet(LibSVMIter, libsvm)


def cases_with_mxnet(kind: type[Any], settings: dict[str, Any]) -> Iterator[Case]:
    """Yield the construction and the epoch of an iterator."""
    if not MXNET_PYTHON:
        return
    name = kind.__name__
    code = MXNET.format(kind=name, batch=BATCH, settings=settings)
    make = Remote(MXNET_PYTHON, code + "run = make\n")
    yield Case(f"{name}, constructed", f"MXNet's {name}", lambda: kind(batch_size=BATCH, **settings), make, 0.5)
    epoch = Remote(MXNET_PYTHON, code + MXNET_EPOCH)
    yield Case(
        f"{name}, epoch of {ROWS:,} rows", f"MXNet's {name}", epochs(kind(batch_size=BATCH, **settings)), epoch, 0.5
    )


def epochs(batches: Any) -> Callable[[], None]:  # noqa: ANN401 an iterator
    """Return a function that reads an epoch."""

    def run() -> None:
        batches.reset()
        for _ in batches:
            pass

    return run


def write_csv(folder: Path) -> str:
    """Write rows of normally distributed numbers."""
    values = np.random.default_rng(0).standard_normal((DIFFERENT_ROWS, COLUMNS)).astype(np.float32)
    lines = "".join(",".join(map(str, row)) + "\n" for row in values)
    return write(folder / "rows.csv", lines)


def write_libsvm(folder: Path) -> str:
    """Write sparse samples."""
    generator = np.random.default_rng(0)
    lines = ""
    for label in range(DIFFERENT_ROWS):
        columns = np.sort(generator.choice(WIDTH, COLUMNS, replace=False))
        values = generator.standard_normal(COLUMNS)
        lines += f"{label % 10} " + " ".join(f"{c}:{v:.6g}" for c, v in zip(columns, values, strict=True)) + "\n"
    return write(folder / "rows.svm", lines)


def write(path: Path, lines: str) -> str:
    """Write a file of `ROWS` lines, and return its path."""
    path.write_text(lines * (ROWS // DIFFERENT_ROWS))
    return str(path)
