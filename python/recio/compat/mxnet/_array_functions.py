"""``mx.nd``: functions that create, transpose and flip arrays. Arithmetic is NumPy's operators and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio.compat.mxnet._ndarray import NDArray, as_ndarray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from recio.compat.mxnet._ndarray import Context

__all__ = ["NDArray", "array", "empty", "flip", "ones", "transpose", "waitall", "zeros"]


def array(source_array: Any, ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:  # noqa: ANN401, ARG001
    """Create an array from numbers.

    Parameters
    ----------
    source_array : array-like
        The numbers, which are copied.
    ctx : Context, optional
        Ignored: all arrays are on the CPU.
    dtype : dtype-like, optional
        The data type. Default: that of `source_array` if it is an `NDArray`, else float32.

    Returns
    -------
    NDArray
        Array of the same shape; (1,) for a single number.
    """
    if dtype is None:
        dtype = source_array.dtype if isinstance(source_array, NDArray) else np.float32
    result: NDArray = as_ndarray(np.array(source_array, dtype))
    return result


def zeros(shape: int | Sequence[int], ctx: Context | None = None, dtype: DTypeLike = np.float32) -> NDArray:  # noqa: ARG001
    """Create an array of zeros; `ctx` and `dtype` as for `array`."""
    return np.zeros(shape, dtype).view(NDArray)


def ones(shape: int | Sequence[int], ctx: Context | None = None, dtype: DTypeLike = np.float32) -> NDArray:  # noqa: ARG001
    """Create an array of ones; `ctx` and `dtype` as for `array`."""
    return np.ones(shape, dtype).view(NDArray)


empty = zeros


def transpose(data: NDArray, axes: Sequence[int] | None = None) -> NDArray:
    """Permute the axes: into the order `axes`, by default reversed."""
    return data.transpose(axes)


def flip(data: NDArray, axis: int) -> NDArray:
    """Reverse an axis, in a copy."""
    return np.flip(data, axis).copy()


def waitall() -> None:
    """Do nothing: all functions are synchronous."""
