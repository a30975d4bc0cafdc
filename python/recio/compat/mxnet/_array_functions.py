"""``mx.nd``: what makes arrays and turns them round. For arithmetic they have NumPy's operators and methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio.compat.mxnet._ndarray import NDArray, keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from recio.compat.mxnet._ndarray import Context

__all__ = ["NDArray", "array", "empty", "flip", "ones", "transpose", "waitall", "zeros"]


def array(source_array: Any, ctx: Context | None = None, dtype: DTypeLike | None = None) -> NDArray:  # noqa: ANN401, ARG001
    """Make an array of numbers.

    Parameters
    ----------
    source_array : array-like
        The numbers; they are copied.
    ctx : Context, optional
        Where to; there is only the CPU.
    dtype : dtype-like, optional
        The type. Default: that of an `NDArray`, else float32.

    Returns
    -------
    NDArray
        Of the same shape; of a single number (1,).
    """
    if dtype is None:
        dtype = source_array.dtype if isinstance(source_array, NDArray) else np.float32
    made: NDArray = keep(np.array(source_array, dtype))
    return made


def zeros(shape: int | Sequence[int], ctx: Context | None = None, dtype: DTypeLike = np.float32) -> NDArray:  # noqa: ARG001
    """Make an array of zeros; the arguments are those of `array`."""
    return np.zeros(shape, dtype).view(NDArray)


def ones(shape: int | Sequence[int], ctx: Context | None = None, dtype: DTypeLike = np.float32) -> NDArray:  # noqa: ARG001
    """Make an array of ones; the arguments are those of `array`."""
    return np.ones(shape, dtype).view(NDArray)


empty = zeros


def transpose(data: NDArray, axes: Sequence[int] | None = None) -> NDArray:
    """Give the axes another order: turned round, unless `axes` says."""
    return data.transpose(axes)


def flip(data: NDArray, axis: int) -> NDArray:
    """Turn an axis round; the result is an array of its own."""
    return np.flip(data, axis).copy()


def waitall() -> None:
    """Do nothing: all is done when a function returns."""
