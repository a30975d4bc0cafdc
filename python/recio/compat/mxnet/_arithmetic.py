"""Operations on two arrays, or an array and a number, with MXNet's types: the result has the type of the arrays.

A number is converted to the type of the array, as in MXNet: 0.5 is 0 for integers. Two arrays of different types are an
error. Division of integers truncates. Comparisons return 0 and 1 in the type of the arrays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Operation: TypeAlias = Callable[[Array, Array], Array]

NUMERIC = (float, int, np.generic)
"""Types of numbers: MXNet's."""

_INTEGERS = "iub"


def converted(number: float, dtype: np.dtype[Any]) -> Array:
    """Return a number in a type: for integers truncated, and wrapped as in C."""
    value = float(number)
    if dtype.kind in _INTEGERS:
        if not np.isfinite(value):
            raise ValueError(f"the array holds {dtype}, and {number} cannot be converted to it; use astype")
        return np.asarray(np.array(int(value) % (1 << 64), np.uint64).astype(dtype))
    return np.asarray(value, dtype)


def compute(name: str, operation: Operation, left: Array, right: Array) -> Array:
    """Apply an operation to arrays of one type, broadcast against each other."""
    if left.dtype != right.dtype:
        raise ValueError(
            f"{name}: both arrays must have the same dtype, as in MXNet, got {left.dtype} and {right.dtype};"
            " convert one with astype"
        )
    with np.errstate(all="ignore"):
        return np.asarray(operation(left, right)).astype(left.dtype, copy=False)


def divide(left: Array, right: Array) -> Array:
    """Divide; integers toward zero."""
    if left.dtype.kind not in _INTEGERS:
        return np.asarray(left / right)
    if not np.all(right):
        raise ZeroDivisionError("integer division by zero; use astype('float32')")
    # NumPy's division rounds down.
    quotient = np.floor_divide(left, right)
    return np.asarray(quotient + ((quotient < 0) & (quotient * right != left)))


def modulo(left: Array, right: Array) -> Array:
    """Return the remainder, with the sign of the divisor; 0 where the divisor is 0."""
    return np.where(right == 0, np.zeros((), left.dtype), np.mod(left, np.where(right == 0, 1, right)))


def power(base: Array, exponent: Array) -> Array:
    """Raise to a power; for integers truncated to the type."""
    if base.dtype.kind in _INTEGERS:
        return np.trunc(np.power(base.astype(np.float64), exponent.astype(np.float64)))
    return np.asarray(np.power(base, exponent))


OPERATIONS: dict[str, Operation] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": divide,
    "modulo": modulo,
    "power": power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "lesser": np.less,
    "lesser_equal": np.less_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
"""Operations by MXNet's names."""

COMPARISONS = {
    name: function for name, function in OPERATIONS.items() if "equal" in name or name in ("greater", "lesser")
}


def with_number(name: str, array: Array, number: float, is_left: bool) -> Array:
    """Apply an operation to an array and a number, which is the left operand or the right one."""
    operation = OPERATIONS[name]
    if name in COMPARISONS and array.dtype.kind in _INTEGERS and np.isfinite(float(number)):
        # A number beyond the range of the type is compared by its value; C++ leaves that undefined.
        operand = np.asarray(int(number), np.float64 if abs(number) > np.iinfo(np.int64).max else np.int64)
    else:
        operand = converted(number, array.dtype)
    operands = (operand, array) if is_left else (array, operand)
    with np.errstate(all="ignore"):
        return np.asarray(operation(*operands)).astype(array.dtype, copy=False)
