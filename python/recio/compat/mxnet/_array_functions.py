"""``mx.nd``: functions that make arrays, and the functions on arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._ndarray_file import read_arrays, write_arrays
from recio.compat.mxnet import _elementwise, _reductions, _shapes  # noqa: F401 they register their functions
from recio.compat.mxnet._ndarray import OPERATORS, NDArray, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import DTypeLike

    from recio._util import StrPath
    from recio.compat.mxnet._context import Context

_MAKERS = [
    "arange",
    "array",
    "empty",
    "eye",
    "from_numpy",
    "full",
    "linspace",
    "load",
    "ones",
    "save",
    "waitall",
    "zeros",
]
__all__ = ["NDArray", *_MAKERS, *OPERATORS]  # noqa: PLE0604 the names of functions


def array(source_array: Any, ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:  # noqa: ANN401
    """Create an array from numbers.

    Parameters
    ----------
    source_array : array-like
        The numbers, which are copied.
    ctx : Context, optional
        Device of the array.
    dtype : dtype-like, optional
        The data type. Default: that of `source_array` if it is an `NDArray`, else float32.

    Returns
    -------
    NDArray
        Array of the same shape; (1,) for a single number.
    """
    if dtype is None:
        dtype = source_array.dtype if isinstance(source_array, NDArray) else np.float32
    try:
        try:
            values = np.array(plain(source_array), dtype)
        except OverflowError:
            # Wraps, as NumPy did when MXNet was written.
            values = np.array(plain(source_array)).astype(dtype)
        return NDArray(values, ctx)
    except (TypeError, ValueError) as error:
        raise TypeError(f"source_array must be array like object: {error}") from None


def zeros(
    shape: int | Sequence[int],
    ctx: Context | None = None,
    dtype: DTypeLike | None = None,
    stype: str = "default",
) -> NDArray:
    """Create an array of zeros; `ctx` and `dtype` as for `full`."""
    _require_dense(stype)
    return full(shape, 0, ctx, dtype)


def ones(shape: int | Sequence[int], ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:
    """Create an array of ones; `ctx` and `dtype` as for `full`."""
    return full(shape, 1, ctx, dtype)


empty = zeros
"""MXNet leaves the memory as it is; here it is zero."""


def full(
    shape: int | Sequence[int],
    val: float,
    ctx: Context | None = None,
    dtype: DTypeLike | None = None,
    out: NDArray | None = None,
) -> NDArray:
    """Create an array of one number, float32 by default."""
    if out is None:
        sides = shape if isinstance(shape, int) else tuple(shape)
        out = NDArray(np.empty(sides, np.float32 if dtype is None else dtype), ctx)
    out[:] = val
    return out


def arange(
    start: float,
    stop: float | None = None,
    step: float = 1.0,
    repeat: int = 1,
    infer_range: bool | None = None,  # noqa: ARG001 MXNet's
    ctx: Context | None = None,
    dtype: DTypeLike = np.float32,
) -> NDArray:
    """Create an array of the numbers from `start` up to `stop`, or from 0 up to `start`, each `repeat` times."""
    numbers = np.arange(start, step=step) if stop is None else np.arange(start, stop, step)
    return NDArray(np.repeat(numbers, repeat).astype(dtype), ctx)


def linspace(
    start: float,
    stop: float,
    num: int,
    endpoint: bool = True,
    ctx: Context | None = None,
    dtype: DTypeLike = np.float32,
) -> NDArray:
    """Create an array of evenly spaced numbers."""
    return NDArray(np.linspace(start, stop, num, endpoint).astype(dtype), ctx)


def eye(N: int, M: int = 0, k: int = 0, ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:  # noqa: N803
    """Create a matrix with ones on a diagonal."""
    return NDArray(np.eye(N, M or N, k, np.float32 if dtype is None else dtype), ctx)


def from_numpy(ndarray: np.ndarray[Any, Any], zero_copy: bool = True) -> NDArray:
    """Return an array on the memory of a NumPy array, or a copy of it."""
    if zero_copy and not ndarray.flags["C_CONTIGUOUS"]:
        raise ValueError("Only c-contiguous arrays are supported for zero-copy")
    return NDArray(ndarray if zero_copy else ndarray.copy())


def save(fname: StrPath, data: NDArray | Sequence[NDArray] | Mapping[str, NDArray]) -> None:
    """Write arrays to a file in MXNet's format: one, a list, or a dict by name."""
    if isinstance(data, NDArray):
        data = [data]
    arrays = data if isinstance(data, dict) else dict(enumerate(data))
    names = [str(name) for name in arrays] if isinstance(data, dict) else []
    write_arrays(fname, [np.asarray(each) for each in arrays.values()], names)


def load(fname: StrPath) -> list[NDArray] | dict[str, NDArray]:
    """Read the arrays of a file in MXNet's format: a dict if they have names, else a list."""
    arrays, names = read_arrays(fname)
    wrapped = [NDArray(each) for each in arrays]
    return dict(zip(names, wrapped, strict=True)) if names else wrapped


def waitall() -> None:
    """Do nothing: all functions are synchronous."""


def _require_dense(stype: str) -> None:
    if stype != "default":
        raise NotImplementedError(f"recio's NDArray is dense, and has no storage type {stype!r}")


def __getattr__(name: str) -> Any:  # noqa: ANN401 a function
    """Return a function on arrays."""
    try:
        return OPERATORS[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
