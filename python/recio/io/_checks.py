"""What the iterators over arrays and text say of arguments that make no sense."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike


def whole(name: str, value: SupportsIndex) -> int:
    """Give a whole number."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}; it is a whole number") from None


def positive(name: str, value: SupportsIndex) -> int:
    """Give a whole number that is at least 1."""
    number = whole(name, value)
    if number < 1:
        raise ValueError(f"{name}={number}; it is at least 1")
    return number


def shape(name: str, value: Sequence[int] | int) -> tuple[int, ...]:
    """Give the shape of a sample; a number is that of a vector."""
    sides = tuple(value) if hasattr(value, "__iter__") else (value,)
    return tuple(positive(name, side) for side in sides)


def part(samples: int, num_parts: int, part_index: int) -> range:
    """Give the numbers of the samples in a part; parts differ by at most one sample."""
    parts, index = positive("num_parts", num_parts), whole("part_index", part_index)
    if not 0 <= index < parts:
        raise ValueError(f"part_index={index}, num_parts={parts}; part_index is from 0 to num_parts-1")
    return range(samples * index // parts, samples * (index + 1) // parts)


def dtype(value: DTypeLike | None, *choices: str) -> np.dtype[Any]:
    """Give the type of the data, one of `choices`; the first for ``None``."""
    try:
        given = np.dtype(choices[0] if value is None else value)
    except TypeError:
        given = None
    if given is None or given.name not in choices:
        raise ValueError(f"dtype={value!r}; it is {' or '.join(choices)}")
    return given
