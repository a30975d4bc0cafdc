"""MXNet's codes in the shape that an array is reshaped to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEEP, _INFER, _REST, _MERGE, _SPLIT = 0, -1, -2, -3, -4


def inferred_shape(source: Sequence[int], target: Sequence[int], reverse: bool = False) -> tuple[int, ...]:
    """Return the shape that a target with codes means for an array of the shape `source`.

    Parameters
    ----------
    source : sequence of int
        Shape of the array.
    target : sequence of int
        Lengths and codes: 0 keeps the length of an axis, -1 is what remains, -2 all axes that remain, -3 the product
        of two axes, -4 splits an axis into the two lengths that follow, one of which may be -1.
    reverse : bool, default False
        Whether the codes are read from right to left.

    Raises
    ------
    ValueError
        If the shape does not have as many elements, or a code has no axis.
    """
    shown = f"Cannot reshape array of shape {tuple(source)} into shape {tuple(target)}"
    try:
        shape = _decoded(source[::-1], target[::-1])[::-1] if reverse else _decoded(source, target)
    except ValueError as error:
        raise ValueError(f"{shown}: {error}") from None
    size = math.prod(source)
    unknown = [index for index, length in enumerate(shape) if length == _INFER]
    if len(unknown) > 1:
        raise ValueError(f"{shown}: only one -1 is possible")
    for index in unknown:
        shape[index] = size // max(-math.prod(shape), 1)
    if math.prod(shape) != size:
        raise ValueError(f"{shown}: {math.prod(shape)} elements instead of {size}")
    return tuple(shape)


def kept_shape(source: Sequence[int], target: Sequence[int]) -> tuple[int, ...]:
    """Return the shape to broadcast to, in which 0 keeps the length of an axis.

    Raises
    ------
    ValueError
        If it has fewer axes than the array.
    """
    if len(target) < len(source):
        raise ValueError(f"an array of shape {tuple(source)} cannot be broadcast to {tuple(target)}")
    lengths = (1,) * (len(target) - len(source)) + tuple(source)
    return tuple(length or kept for length, kept in zip(target, lengths, strict=True))


def _decoded(source: Sequence[int], target: Sequence[int]) -> list[int]:
    """Return the lengths that the codes mean, with -1 for the one to be inferred."""
    shape: list[int] = []
    lengths, codes = iter(source), iter(target)
    for code in codes:
        if code == _KEEP:
            shape.append(_next(lengths, code))
        elif code == _REST:
            shape.extend(lengths)
        elif code == _MERGE:
            shape.append(_next(lengths, code) * _next(lengths, code))
        elif code == _SPLIT:
            shape.extend(_split(_next(lengths, code), next(codes, None), next(codes, None)))
        elif code < _SPLIT:
            raise ValueError(f"{code} is no code")
        else:
            next(lengths, None)
            shape.append(code)
    return shape


def _next(lengths: Iterator[int], code: int) -> int:
    length = next(lengths, None)
    if length is None:
        raise ValueError(f"there is no axis for {code}")
    return length


def _split(length: int, left: int | None, right: int | None) -> tuple[int, int]:
    if left is None or right is None or (left == _INFER and right == _INFER) or 0 in (left, right):
        raise ValueError("two lengths must follow -4, one of which may be -1")
    left, right = (length // right if left == _INFER else left), (length // left if right == _INFER else right)
    if left * right != length:
        raise ValueError(f"{left} times {right} is not {length}")
    return left, right
