"""MXNet's indexing: a contiguous region is a view, any other region a copy."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Key: TypeAlias = "tuple[Any, ...]"


def normalized_key(key: Any, shape: tuple[int, ...]) -> Key:  # noqa: ANN401 whatever indexes
    """Return a key with an entry for each axis: int, slice, None or array of integers.

    Raises
    ------
    IndexError
        If there are too many indices, an integer is out of bounds, or an index is boolean.
    ValueError
        If an index is anything else.
    """
    entries = [_entry(each) for each in (key if isinstance(key, tuple) else (key,))]
    ellipses = sum(each is Ellipsis for each in entries)
    if ellipses > 1:
        raise IndexError("Cannot use more than one ellipsis (`...`) for indexing")
    missing = len(shape) - sum(each is not None and each is not Ellipsis for each in entries)
    if missing < 0:
        raise IndexError(f"too many indices ({len(shape) - missing}) for array with {len(shape)} dimensions")
    position = next((index for index, each in enumerate(entries) if each is Ellipsis), len(entries))
    entries[position : position + 1] = [slice(None)] * missing
    _check_bounds(entries, shape)
    return tuple(entries)


def is_basic(key: Key) -> bool:
    """Return whether a key consists of integers, slices and None only."""
    return not any(isinstance(each, np.ndarray) for each in key)


def is_contiguous(key: Key, shape: tuple[int, ...]) -> bool:
    """Return whether the region of a basic key is contiguous in memory, by MXNet's rule.

    From the last axis to the first: after an axis of which only a part is used, the others have one element.
    """
    entries = [each for each in key if each is not None]
    steps = [each.indices(side)[2] if isinstance(each, slice) else 1 for each, side in zip(entries, shape, strict=True)]
    counts = [_count(each, side) for each, side in zip(entries, shape, strict=True)]
    if np.prod(counts, dtype=object) <= 1:
        return True
    is_partial = False
    for count, step, side in reversed([*zip(counts, steps, shape, strict=True)]):
        if count > 1 and (step != 1 or is_partial):
            return False
        is_partial |= count < side
    return True


def as_slices(key: Key) -> Key:
    """Return a basic key without integers and None: each integer is a slice of one element."""
    return tuple(slice(each, each + 1 or None) if isinstance(each, int) else each for each in key if each is not None)


def _entry(index: Any) -> Any:  # noqa: ANN401 whatever indexes
    if index is None or index is Ellipsis or isinstance(index, slice):
        return index
    if isinstance(index, bool | np.bool_) or getattr(index, "dtype", None) in (bool, np.bool_):
        raise IndexError("an index must not be boolean, as in MXNet: pass the numbers, np.nonzero(mask)[0]")
    if isinstance(index, int | np.integer):
        return int(index)
    if isinstance(index, list | tuple | range | np.ndarray) or hasattr(index, "asnumpy"):
        numbers = np.asarray(index)
        if numbers.dtype.kind not in "iuf":
            raise IndexError(f"an index must hold integers, got {numbers.dtype}: {index!r}")
        # MXNet converts floats too.
        return numbers.astype(np.int64)
    raise ValueError(f"NDArray does not support slicing with key {index} of type {type(index)}.")


def _check_bounds(entries: list[Any], shape: tuple[int, ...]) -> None:
    indices = [each for each in entries if each is not None]
    for axis, (index, side) in enumerate(zip(indices, shape, strict=True)):
        if isinstance(index, int) and not -side <= index < side:
            raise IndexError(f"index {index} is out of bounds for axis {axis} with size {side}")


def _count(entry: slice | int, side: int) -> int:
    return len(range(*entry.indices(side))) if isinstance(entry, slice) else 1
