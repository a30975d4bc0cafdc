"""Functions of ``mx.nd`` that reduce axes; the result has the type of the array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from recio.compat.mxnet._ndarray import operator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Axes: TypeAlias = "int | Sequence[int] | None"


def _reduced(
    function: Callable[..., Any], data: Array, axis: Axes, keepdims: bool, exclude: bool = False
) -> tuple[Array, int]:
    """Reduce axes; return the result in float64 or int64, and the number of elements of each of its elements."""
    axes = _axes(data, axis, exclude)
    values = data.astype(np.int64 if data.dtype.kind in "iub" else np.float64)
    count = int(np.prod([data.shape[each] for each in axes], dtype=object))
    return np.asarray(function(values, axis=axes, keepdims=keepdims)), count


def _axes(data: Array, axis: Axes, exclude: bool) -> tuple[int, ...]:
    if axis is None or (not isinstance(axis, int | np.integer) and len(axis) == 0):
        return tuple(range(data.ndim))
    axes = [axis] if isinstance(axis, int | np.integer) else [*axis]
    if any(not -data.ndim <= each < data.ndim for each in axes):
        raise ValueError(f"axis {axis} exceeds the {data.ndim} axes of the array")
    chosen = {int(each) % data.ndim for each in axes}
    if len(chosen) < len(axes):
        raise ValueError(f"axis must not name an axis twice, got {axis}")
    return tuple(each for each in range(data.ndim) if (each in chosen) != exclude)


def _fitting(result: Array, dtype: np.dtype[Any]) -> Array:
    """Return a result in a type; raise if it is an integer that does not fit, which MXNet wraps."""
    if dtype.kind in "iu" and result.size:
        limits = np.iinfo(dtype)
        if result.min() < limits.min or result.max() > limits.max:
            raise ValueError(
                f"the result does not fit into {dtype}, the type of the array: use astype('float32') first"
            )
    with np.errstate(all="ignore"):
        return result.astype(dtype)


@operator("sum_axis")
def sum(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the sum over some axes, by default all; with `exclude`, over all others."""
    return _fitting(_reduced(np.sum, data, axis, keepdims, exclude)[0], data.dtype)


@operator()
def nansum(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the sum over some axes, with NaN as 0."""
    return _fitting(_reduced(np.nansum, data, axis, keepdims, exclude)[0], data.dtype)


@operator()
def prod(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the product over some axes."""
    return _fitting(_reduced(np.prod, data, axis, keepdims, exclude)[0], data.dtype)


@operator()
def nanprod(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the product over some axes, with NaN as 1."""
    return _fitting(_reduced(np.nanprod, data, axis, keepdims, exclude)[0], data.dtype)


@operator()
def mean(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the mean over some axes; of integers truncated, in their type."""
    total, count = _reduced(np.sum, data, axis, keepdims, exclude)
    if data.dtype.kind in "iub":
        return _fitting(np.trunc(_fitting(total, data.dtype) / count), data.dtype)
    return (total / count).astype(data.dtype)


@operator("max_axis")
def max(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the maximum over some axes."""
    return np.asarray(np.max(data, axis=_axes(data, axis, exclude), keepdims=keepdims))


@operator("min_axis")
def min(data: Array, axis: Axes = None, keepdims: bool = False, exclude: bool = False) -> Array:
    """Return the minimum over some axes."""
    return np.asarray(np.min(data, axis=_axes(data, axis, exclude), keepdims=keepdims))


@operator()
def norm(data: Array, ord: int = 2, axis: Axes = None, keepdims: bool = False) -> Array:
    """Return the Euclidean norm over some axes or, with `ord` 1, the sum of the absolute values."""
    if ord not in (1, 2):
        raise ValueError(f"ord must be 1 or 2, got {ord}")
    powers = np.abs(data.astype(np.float64)) ** ord
    return np.asarray(np.sum(powers, axis=_axes(data, axis, exclude=False), keepdims=keepdims) ** (1 / ord)).astype(
        data.dtype
    )


@operator()
def argmax(data: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the index of the maximum along an axis, or of all elements, in the type of the array."""
    return _indices(np.argmax, data, axis, keepdims)


@operator()
def argmin(data: Array, axis: int | None = None, keepdims: bool = False) -> Array:
    """Return the index of the minimum along an axis, or of all elements, in the type of the array."""
    return _indices(np.argmin, data, axis, keepdims)


@operator()
def argmax_channel(data: Array) -> Array:
    """Return the index of the maximum along axis 1, in the type of the array."""
    return _indices(np.argmax, data, 1, keepdims=False)


def _indices(function: Callable[..., Any], data: Array, axis: int | None, keepdims: bool) -> Array:
    if data.ndim == 1:
        axis = None
    return _fitting(np.asarray(function(data, axis=axis, keepdims=keepdims)), data.dtype)
