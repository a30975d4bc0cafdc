"""Arrays that `NDArrayIter` reads: NumPy arrays, data sets of HDF5 files, and SciPy's sparse CSR matrices.

h5py and SciPy are not imported here: a caller that has one of their objects has imported them.
"""

from __future__ import annotations

import sys
import warnings
import zlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Source: TypeAlias = Any
"""An array, a data set or a sparse matrix; the libraries of the last two may not be installed."""

SliceReader: TypeAlias = Callable[[slice], Any]
"""Function that copies a slice of samples."""


def named(data: object, default_name: str) -> list[tuple[str, Source]]:
    """Return pairs of name and array from an array, a list or a dict, which is sorted by name.

    Raises
    ------
    TypeError
        If `data` is anything else, or an array does not hold real numbers.
    """
    if isinstance(data, dict):
        pairs = sorted(data.items())
    elif isinstance(data, list) and data and all(isinstance(value, int | float | np.generic) for value in data):
        # A list of numbers is an array, not a list of arrays.
        pairs = [(default_name, np.array(data))]
    elif isinstance(data, list):
        names = [default_name] if len(data) == 1 else [f"_{i}_{default_name}" for i in range(len(data))]
        pairs = list(zip(names, data, strict=True))
    elif _is_lazy(data) or hasattr(data, "__array__"):
        pairs = [(default_name, data)]
    else:
        raise TypeError(f"{default_name} must be an array, or a list or dict of arrays, got {type(data).__name__}")
    return [(name, _source(name, value)) for name, value in pairs]


def is_csr(value: Source) -> bool:
    """Return whether an array is a sparse matrix in CSR format."""
    return _is_sparse(value) and value.format == "csr"


def take(name: str, source: Source, numbers: NDArray[np.int64], axis: int) -> Any:  # noqa: ANN401 array or sparse matrix
    """Copy samples along `axis`, in the type of `dtype_of`. The numbers may be in any order, and repeat.

    Warns
    -----
    UserWarning
        If the type changes an integer.
    """
    samples = _take_stored(source, numbers, axis)
    return _checked(name, samples, samples.astype(dtype_of(source), copy=False))


def slice_reader(name: str, source: Source, axis: int) -> SliceReader:
    """Return a function that copies a slice of the samples, as `take` copies samples by their numbers."""
    if _is_lazy(source) or axis > 0 or _may_round(source.dtype, dtype_of(source)):
        return partial(_read_slice, name, source, axis)
    if source.dtype == dtype_of(source):
        return partial(_copy_slice, np.asarray(source))
    return partial(_convert_slice, np.asarray(source), dtype_of(source))


def _copy_slice(array: NDArray[Any], samples: slice) -> NDArray[Any]:
    return array[samples].copy()


def _convert_slice(array: NDArray[Any], dtype: np.dtype[Any], samples: slice) -> NDArray[Any]:
    return array[samples].astype(dtype, "C")


def _read_slice(name: str, source: Source, axis: int, samples: slice) -> Any:  # noqa: ANN401 array or sparse matrix
    array = source if _is_lazy(source) else np.asarray(source)
    stored = array[(slice(None),) * axis + (samples,)]
    dtype = dtype_of(source)
    # A copy, also of the same type: a slice is a view.
    return _checked(name, stored, stored.astype(dtype) if _is_sparse(stored) else np.array(stored, dtype, order="C"))


def _checked(name: str, samples: Any, converted: Any) -> Any:  # noqa: ANN401 arrays or sparse matrices
    """Return samples in another type, with a warning if that changes an integer."""
    if _may_round(samples.dtype, converted.dtype):
        _warn_of_rounding(name, *(array.data if _is_sparse(array) else array for array in (samples, converted)))
    return converted


def _may_round(stored: np.dtype[Any], dtype: np.dtype[Any]) -> bool:
    return stored.kind in "iu" and not np.can_cast(stored, dtype)


def _take_stored(source: Source, numbers: NDArray[np.int64], axis: int) -> Any:  # noqa: ANN401 array or sparse matrix
    if _is_dataset(source):
        return _from_file(source, numbers, axis)
    return source[numbers] if _is_sparse(source) else np.take(np.asarray(source), numbers, axis)


def _warn_of_rounding(name: str, integers: NDArray[Any], converted: NDArray[Any]) -> None:
    changed = converted != integers
    if changed.any():
        value, rounded = integers[changed][0], int(converted[changed][0])
        # The location of the warning is here for all iterators, so Python shows it once.
        warnings.warn(
            f"NDArrayIter: {name} has the integer {value}, which becomes {rounded} as {converted.dtype}: "
            "float32 has all integers up to 2**24 only, as in MXNet",
            stacklevel=1,
        )


def dtype_of(source: Source) -> np.dtype[Any]:
    """Return the type of the samples of an array: its own if it is marked, otherwise float32."""
    return np.dtype(np.float32) if not isinstance(source, _KeepsDtype) else source.dtype


class _KeepsDtype(np.ndarray[Any, Any]):
    """View of an array of MXNet's, whose type its samples keep."""


def fingerprint(source: Source, axis: int) -> str:
    """Return text that identifies an array: its dtype and shape, and a checksum of the first and last sample."""
    numbers = np.array([0, -1])[: source.shape[axis]] % max(source.shape[axis], 1)
    ends = _take_stored(source, numbers, axis).astype(dtype_of(source), copy=False)
    values = ends.toarray() if _is_sparse(ends) else ends
    return f"{source.dtype} {tuple(map(int, source.shape))}, crc32 of its ends {zlib.crc32(values.tobytes()):08x}"


def _from_file(dataset: Source, numbers: NDArray[np.int64], axis: int) -> NDArray[Any]:
    """Read samples in the order of the file, each once, as h5py requires; then put them into the given order."""
    unique, positions = np.unique(numbers, return_inverse=True)
    # h5py reads a slice as one block, but single numbers one by one.
    is_range = unique[-1] - unique[0] + 1 == unique.size
    selection = slice(unique[0], unique[-1] + 1) if is_range else unique
    samples = dataset[(slice(None),) * axis + (selection,)]
    return np.take(samples, positions, axis)


def _source(name: str, value: object) -> Source:
    if _is_sparse(value) and not is_csr(value):
        raise TypeError(f"{name} is a sparse matrix, but not in CSR format; pass its tocsr()")
    source: Source = value if _is_lazy(value) else np.asarray(value)
    if hasattr(value, "asnumpy"):
        source = source.view(_KeepsDtype)
    if source.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {source.dtype}")
    return source


def _is_lazy(value: object) -> bool:
    return _is_dataset(value) or _is_sparse(value)


def _is_dataset(value: object) -> bool:
    h5py = sys.modules.get("h5py")
    return h5py is not None and isinstance(value, h5py.Dataset)


def _is_sparse(value: object) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and sparse.issparse(value)
