"""Functions of ``mx.nd`` that select, arrange, join and order elements; all return new arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from recio.compat.mxnet._ndarray import operator
from recio.compat.mxnet._reshape import inferred_shape, kept_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    Array: TypeAlias = NDArray[Any]
    Numbers: TypeAlias = "int | Sequence[int]"
    Limits: TypeAlias = "int | Sequence[int | None] | None"


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 a number or several
    return [value] if value is None or isinstance(value, int | np.integer) else [*value]


@operator("Reshape", is_method=False)
def reshape(data: Array, shape: Sequence[int], reverse: bool = False) -> Array:
    """Return a copy with another shape, in which codes are possible; see `NDArray.reshape`."""
    return data.reshape(inferred_shape(data.shape, _listed(shape), reverse))


@operator("Flatten", is_method=False)
def flatten(data: Array) -> Array:
    """Return a copy with two axes, of which the first is kept."""
    return data.reshape(len(data), -1) if data.size else data.reshape(len(data), 0)


@operator(is_method=False)
def expand_dims(data: Array, axis: int) -> Array:
    """Return a copy with a new axis of length 1."""
    return np.expand_dims(data, axis)


@operator(is_method=False)
def squeeze(data: Array, axis: Numbers | None = None) -> Array:
    """Return a copy without axes of length 1."""
    return np.squeeze(data, None if axis is None else tuple(_listed(axis)))


@operator()
def transpose(data: Array, axes: Sequence[int] | None = None) -> Array:
    """Permute the axes: into the order `axes`, by default reversed."""
    return np.transpose(data, axes or None)


@operator("SwapAxis")
def swapaxes(data: Array, dim1: int = 0, dim2: int = 0) -> Array:
    """Exchange two axes."""
    return np.swapaxes(data, dim1, dim2)


@operator(is_method=False)
def moveaxis(tensor: Array, source: Numbers, destination: Numbers) -> Array:
    """Move axes to other positions."""
    return np.moveaxis(tensor, source, destination)


@operator("reverse")
def flip(data: Array, axis: Numbers) -> Array:
    """Reverse axes."""
    return np.flip(data, tuple(_listed(axis)))


@operator()
def tile(data: Array, reps: Numbers) -> Array:
    """Repeat the array along each axis."""
    return np.tile(data, _listed(reps))


@operator()
def repeat(data: Array, repeats: int, axis: int | None = None) -> Array:
    """Repeat each element, along an axis or in a vector."""
    return np.repeat(data, repeats, axis)


@operator("Pad")
def pad(
    data: Array, mode: Literal["constant", "edge", "reflect"], pad_width: Sequence[int], constant_value: float = 0
) -> Array:
    """Add elements at both ends of each axis; `pad_width` has two numbers for each."""
    if mode not in ("constant", "edge", "reflect") or len(pad_width) != 2 * data.ndim:
        raise ValueError(
            f"mode must be 'constant', 'edge' or 'reflect' and pad_width have {2 * data.ndim} numbers, got {mode!r}"
            f" and {tuple(pad_width)}"
        )
    widths = list(zip(pad_width[::2], pad_width[1::2], strict=True))
    if mode == "constant":
        return np.pad(data, widths, mode, constant_values=constant_value)
    return np.pad(data, widths, mode)


@operator("crop")
def slice(data: Array, begin: Limits, end: Limits, step: Limits = None) -> Array:
    """Return a region: limits, and steps, of the first axes."""
    limits = [_listed(each) for each in (begin, end)]
    steps = [None] * len(limits[0]) if step is None else _listed(step)
    if len(limits[0]) != len(limits[1]) or len(steps) not in (0, len(limits[0])) or len(limits[0]) > data.ndim:
        raise ValueError(f"begin, end and step must name the same axes, got {begin}, {end} and {step}")
    import builtins  # noqa: PLC0415 the name is this function's

    return data[tuple(map(builtins.slice, *limits, steps or [None] * len(limits[0])))]


@operator()
def slice_axis(data: Array, axis: int, begin: int, end: int | None) -> Array:
    """Return a region of one axis."""
    if not -data.ndim <= axis < data.ndim:
        raise ValueError(f"axis {axis} exceeds the {data.ndim} axes of the array")
    length = data.shape[axis]
    first, last = (begin + length if begin < 0 else begin), (length if end is None else end + length * (end < 0))
    if not 0 <= first < last <= length:
        raise ValueError(f"Invalid begin, end, get begin={begin}, end={end} for an axis of length {length}")
    return np.take(data, np.arange(first, last), axis)


@operator()
def slice_like(data: Array, shape_like: Array, axes: Sequence[int] = ()) -> Array:
    """Return the first elements of some axes, by default all: as many as another array has."""
    for axis in _listed(axes) or range(data.ndim):
        data = np.take(data, np.arange(shape_like.shape[axis]), axis)
    return data


@operator()
def take(data: Array, indices: Array, axis: int = 0, mode: Literal["clip", "wrap", "raise"] = "clip") -> Array:
    """Return elements by their indices along an axis; an index beyond it is that of its end, or wraps."""
    return np.take(data, np.asarray(indices).astype(np.int64), axis, mode=mode)


@operator()
def pick(
    data: Array, index: Array, axis: int | None = -1, keepdims: bool = False, mode: Literal["clip", "wrap"] = "clip"
) -> Array:
    """Return one element along an axis for each other position."""
    source, along = (data.reshape(-1), 0) if axis is None else (data, axis)
    length = source.shape[along]
    numbers = np.asarray(index).astype(np.int64)
    numbers = numbers % length if mode == "wrap" else numbers.clip(0, length - 1)
    if numbers.ndim < source.ndim:
        numbers = np.expand_dims(numbers, along)
    picked = np.take_along_axis(source, numbers, along)
    return picked if keepdims else np.squeeze(picked, along)


@operator()
def one_hot(data: Array, depth: int, on_value: float = 1, off_value: float = 0, dtype: DTypeLike = "float32") -> Array:
    """Return a vector for each index, with `on_value` at the index; none for an index outside."""
    is_on = data.astype(np.int64)[..., np.newaxis] == np.arange(depth)
    return np.where(is_on, on_value, off_value).astype(dtype)


@operator()
def diag(data: Array, k: int = 0) -> Array:
    """Return a diagonal, or a matrix with a diagonal."""
    return np.diag(data, k)


@operator()
def shape_array(data: Array) -> Array:
    """Return the shape as an array of int64."""
    return np.array(data.shape, np.int64)


@operator()
def size_array(data: Array) -> Array:
    """Return the number of elements as an array of int64."""
    return np.array([data.size], np.int64)


@operator("broadcast_axis")
def broadcast_axes(data: Array, axis: Numbers = (), size: Numbers = ()) -> Array:
    """Repeat axes of length 1."""
    shape = [*data.shape]
    for each, length in zip(_listed(axis), _listed(size), strict=True):
        if shape[each] != 1:
            raise ValueError(f"an axis must have length 1 to be broadcast, axis {each} has {shape[each]}")
        shape[each] = length
    return np.broadcast_to(data, shape)


@operator(is_method=False)
def broadcast_to(data: Array, shape: Sequence[int]) -> Array:
    """Repeat axes of length 1; 0 keeps the length of an axis."""
    return np.broadcast_to(data, kept_shape(data.shape, shape))


@operator(is_method=False)
def broadcast_like(lhs: Array, rhs: Array) -> Array:
    """Repeat axes of length 1 to the shape of another array."""
    return np.broadcast_to(lhs, rhs.shape)


@operator(is_method=False)
def reshape_like(lhs: Array, rhs: Array) -> Array:
    """Return a copy with the shape of another array."""
    return lhs.reshape(rhs.shape)


@operator("Concat", is_method=False)
def concat(*data: Array, dim: int = 1) -> Array:
    """Join arrays along an axis, by default the second."""
    return np.concatenate(_same_dtype(data), dim)


@operator(is_method=False)
def concatenate(arrays: Sequence[Array], axis: int = 0, always_copy: bool = True) -> Array:  # noqa: ARG001 MXNet's
    """Join arrays along an axis, by default the first."""
    return np.concatenate(_same_dtype(arrays), axis)


@operator(is_method=False)
def stack(*data: Array, axis: int = 0) -> Array:
    """Join arrays along a new axis."""
    return np.stack(_same_dtype(data), axis)


def _same_dtype(arrays: Sequence[Array]) -> Sequence[Array]:
    dtypes = {array.dtype for array in arrays}
    if len(dtypes) > 1:
        raise ValueError(f"the arrays must have the same dtype, as in MXNet, got {', '.join(map(str, dtypes))}")
    return arrays


@operator("SliceChannel")
def split(data: Array, num_outputs: int, axis: int = 1, squeeze_axis: bool = False) -> list[Array] | Array:
    """Divide an axis, by default the second, into equal regions."""
    if data.shape[axis] % num_outputs:
        raise ValueError(f"num_outputs={num_outputs} must divide the length {data.shape[axis]} of axis {axis}")
    return _pieces(np.split(data, num_outputs, axis), axis, squeeze_axis)


@operator()
def split_v2(
    ary: Array, indices_or_sections: int | tuple[int, ...], axis: int = 0, squeeze_axis: bool = False
) -> list[Array] | Array:
    """Divide an axis into equal regions, or before some indices."""
    return _pieces(np.split(ary, indices_or_sections, axis), axis, squeeze_axis)


def _pieces(pieces: list[Array], axis: int, squeeze_axis: bool) -> list[Array] | Array:
    squeezed = [np.squeeze(piece, axis) for piece in pieces] if squeeze_axis else pieces
    return squeezed if len(squeezed) > 1 else squeezed[0]


@operator()
def sort(data: Array, axis: int | None = -1, is_ascend: bool = True) -> Array:
    """Sort along an axis, or all elements."""
    ascending = np.sort(data, axis)
    return ascending if is_ascend else np.flip(ascending, axis if axis is not None else 0)


@operator()
def argsort(data: Array, axis: int | None = -1, is_ascend: bool = True, dtype: DTypeLike = "float32") -> Array:
    """Return the indices that sort along an axis, or all elements."""
    return _order(data, axis, is_ascend).astype(dtype)


@operator()
def topk(
    data: Array,
    axis: int | None = -1,
    k: int = 1,
    ret_typ: Literal["value", "indices", "mask", "both"] = "indices",
    is_ascend: bool = False,
    dtype: DTypeLike = "float32",
) -> Array | list[Array]:
    """Return the largest elements along an axis, or of all; with `is_ascend` the smallest."""
    source, along = (data.reshape(-1), 0) if axis is None else (data, axis)
    count = source.shape[along] if k < 1 else k
    if count > source.shape[along]:
        raise ValueError(f"k must be at most {source.shape[along]}, the length of the axis, got {k}")
    order = np.take(_order(source, along, is_ascend), np.arange(count), along)
    values, indices = np.take_along_axis(source, order, along), order.astype(dtype)
    if ret_typ == "mask":
        mask = np.zeros_like(source)
        np.put_along_axis(mask, order, 1, along)
        return mask.reshape(data.shape)
    if ret_typ not in ("value", "indices", "both"):
        raise ValueError(f"ret_typ must be 'value', 'indices', 'mask' or 'both', got {ret_typ!r}")
    return [values, indices] if ret_typ == "both" else values if ret_typ == "value" else indices


def _order(data: Array, axis: int | None, is_ascend: bool) -> NDArray[np.intp]:
    """Return the indices that sort; equal elements keep their order."""
    source, along = (data.reshape(-1), 0) if axis is None else (data, axis)
    if is_ascend:
        return np.argsort(source, along, kind="stable")
    reversed_order = np.argsort(np.flip(source, along), along, kind="stable")
    return np.asarray(source.shape[along] - 1 - np.flip(reversed_order, along))
