"""What `NDArrayIter` reads from: NumPy's arrays, data sets of HDF5 files, and SciPy's sparse matrices by rows.

Names them, and takes samples from them. h5py and SciPy are not imported: who has an object of theirs has imported
them. Knows nothing of batches and epochs.
"""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source: TypeAlias = Any
"""An array, a data set or a sparse matrix. The libraries of the last two need not be there."""


def named(data: object, default_name: str) -> list[tuple[str, Source]]:
    """Name the arrays of one, of a list or of a dict; those of a dict are in the order of their names.

    Raises
    ------
    TypeError
        For anything else, or if what should be an array holds no real numbers.
    """
    if isinstance(data, dict):
        pairs = sorted(data.items())
    elif isinstance(data, list):
        names = [default_name] if len(data) == 1 else [f"_{i}_{default_name}" for i in range(len(data))]
        pairs = list(zip(names, data, strict=True))
    elif _is_lazy(data) or hasattr(data, "__array__"):
        pairs = [(default_name, data)]
    else:
        raise TypeError(f"{default_name} is an array, a list of arrays or a dict of them, not {type(data).__name__}")
    return [(name, _source(name, value)) for name, value in pairs]


def is_csr(value: Source) -> bool:
    """Tell whether it is a sparse matrix by rows."""
    return _is_sparse(value) and value.format == "csr"


def take(source: Source, numbers: NDArray[np.int64], axis: int) -> Any:  # noqa: ANN401 an array or a sparse matrix
    """Copy samples, which lie along `axis`, as float32. They may be in any order, and the same more than once."""
    if _is_dataset(source):
        samples = _from_file(source, numbers, axis)
    elif _is_sparse(source):
        samples = source[numbers]
    else:
        samples = np.asarray(np.take(source, numbers, axis))
    return samples.astype(np.float32, copy=False)


def fingerprint(source: Source, axis: int) -> str:
    """Tell an array from others: by its type, its shape, and the first and the last of the samples along `axis`."""
    ends = take(source, np.array([0, -1])[: source.shape[axis]] % max(source.shape[axis], 1), axis)
    values = ends.toarray() if _is_sparse(ends) else ends
    return f"{source.dtype} {tuple(map(int, source.shape))}, crc32 of its ends {zlib.crc32(values.tobytes()):08x}"


def _from_file(dataset: Source, numbers: NDArray[np.int64], axis: int) -> NDArray[Any]:
    """Read samples in the order of the file, each once, as h5py wants it; then order them."""
    wanted, places = np.unique(numbers, return_inverse=True)
    # Of a range, h5py reads a block; of single numbers, each by itself.
    in_row = wanted[-1] - wanted[0] + 1 == wanted.size
    chosen = slice(wanted[0], wanted[-1] + 1) if in_row else wanted
    read = dataset[(slice(None),) * axis + (chosen,)]
    return np.take(read, places, axis)


def _source(name: str, value: object) -> Source:
    if _is_sparse(value) and not is_csr(value):
        raise TypeError(f"{name} is a sparse matrix, but not by rows; give its tocsr()")
    source: Source = value if _is_lazy(value) else np.asarray(value)
    if source.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {source.dtype}; it is one of real numbers")
    return source


def _is_lazy(value: object) -> bool:
    return _is_dataset(value) or _is_sparse(value)


def _is_dataset(value: object) -> bool:
    h5py = sys.modules.get("h5py")
    return h5py is not None and isinstance(value, h5py.Dataset)


def _is_sparse(value: object) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and sparse.issparse(value)
