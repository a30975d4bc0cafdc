"""Functions of ``mx.nd`` of each element, and of two arrays; the result has the type of the array."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from recio.compat.mxnet import _arithmetic
from recio.compat.mxnet._ndarray import OPERATORS, NDArray, binary, operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import DTypeLike, NDArray as Plain

    Array: TypeAlias = Plain[Any]

_UNARY: dict[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "sign": np.sign,
    "square": np.square,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "cbrt": np.cbrt,
    "rcbrt": lambda x: 1 / np.cbrt(x),
    "reciprocal": lambda x: 1 / x,
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "fix": np.trunc,
    # Halves away from zero.
    "round": lambda x: np.trunc(x + np.copysign(0.5, x)),
    # Halves down.
    "rint": lambda x: np.where(x - np.floor(x) <= np.ceil(x) - x, np.floor(x), np.ceil(x)),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "arcsin": np.arcsin,
    "arccos": np.arccos,
    "arctan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "arcsinh": np.arcsinh,
    "arccosh": np.arccosh,
    "arctanh": np.arctanh,
    "degrees": np.degrees,
    "radians": np.radians,
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
}


def _define_unary(name: str, function: Callable[[Array], Array]) -> None:
    def unary(data: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(function(data.astype(np.float64))).astype(data.dtype)

    unary.__name__ = name
    unary.__doc__ = f"Return {name} of each element, in the type of the array."
    operator()(unary)


for _name, _function in _UNARY.items():
    _define_unary(_name, _function)


def _define_binary(name: str) -> None:
    def operation(lhs: Any, rhs: Any, out: NDArray | None = None) -> Any:  # noqa: ANN401 arrays and numbers
        result = binary(name, lhs, rhs)
        if out is None:
            return result
        out[:] = result
        return out

    operation.__name__ = name
    operation.__doc__ = f"Return {name} of two arrays, broadcast against each other, or an array and a number."
    OPERATORS[name] = operation


_ALIASES = {
    "broadcast_add": "add",
    "broadcast_plus": "add",
    "elemwise_add": "add",
    "broadcast_sub": "subtract",
    "broadcast_minus": "subtract",
    "elemwise_sub": "subtract",
    "broadcast_mul": "multiply",
    "elemwise_mul": "multiply",
    "broadcast_div": "divide",
    "elemwise_div": "divide",
    "true_divide": "divide",
    "broadcast_mod": "modulo",
    "broadcast_power": "power",
    "broadcast_maximum": "maximum",
    "broadcast_minimum": "minimum",
    "broadcast_equal": "equal",
    "broadcast_not_equal": "not_equal",
    "broadcast_greater": "greater",
    "broadcast_greater_equal": "greater_equal",
    "broadcast_lesser": "lesser",
    "broadcast_lesser_equal": "lesser_equal",
}
for _name in _arithmetic.OPERATIONS:
    _define_binary(_name)
OPERATORS.update({alias: OPERATORS[name] for alias, name in _ALIASES.items()})


@operator()
def clip(data: Array, a_min: float, a_max: float) -> Array:
    """Limit the elements to a range, in the type of the array."""
    low, high = (_arithmetic.converted(each, data.dtype) for each in (a_min, a_max))
    return np.where(data > a_max, high, np.where(data < a_min, low, data))


@operator("Cast", is_method=False)
def cast(data: Array, dtype: DTypeLike) -> Array:
    """Convert to a dtype."""
    with np.errstate(invalid="ignore"):
        return data.astype(dtype)


@operator()
def zeros_like(data: Array) -> Array:
    """Return zeros of the shape and type of an array."""
    return np.zeros_like(data)


@operator()
def ones_like(data: Array) -> Array:
    """Return ones of the shape and type of an array."""
    return np.ones_like(data)


@operator()
def softmax(data: Array, axis: int = -1, temperature: float | None = None) -> Array:
    """Return the softmax along an axis."""
    values = data.astype(np.float64) / (temperature or 1)
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True)).astype(data.dtype)


@operator(is_method=False)
def where(condition: Array, x: Array, y: Array) -> Array:
    """Choose elements of `x` where the condition is not 0, else of `y`; a vector chooses along the first axis."""
    for name, value in (("condition", condition), ("x", x), ("y", y)):
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{name} must have NDArray type, as in MXNet, got {value!r}")
    if x.shape != y.shape or x.dtype != y.dtype:
        raise ValueError(f"x and y must have the same shape and dtype, got {x.dtype} {x.shape}, {y.dtype} {y.shape}")
    if condition.ndim == 1 and x.ndim > 1:
        condition = condition.reshape(-1, *[1] * (x.ndim - 1))
    elif condition.shape != x.shape:
        raise ValueError(f"condition must have the shape of x, or be a vector, got {condition.shape} and {x.shape}")
    return np.where(condition != 0, x, y)


@operator("ElementWiseSum", is_method=False)
def add_n(*args: Array) -> Array:
    """Return the sum of arrays of the same shape and dtype."""
    kinds = {(str(each.dtype), each.shape) for each in args}
    if len(kinds) != 1:
        raise ValueError(f"add_n: arrays of the same shape and dtype are needed, got {sorted(kinds) or 'none'}")
    return functools.reduce(np.add, args)


@operator(is_method=False)
def dot(lhs: Array, rhs: Array, transpose_a: bool = False, transpose_b: bool = False) -> Array:
    """Return the product over the last axis of `lhs` and the first of `rhs`."""
    if lhs.dtype != rhs.dtype:
        raise ValueError(f"dot: both arrays must have the same dtype, as in MXNet, got {lhs.dtype} and {rhs.dtype}")
    left, right = (lhs.T if transpose_a else lhs), (rhs.T if transpose_b else rhs)
    return np.asarray(np.tensordot(left, right, axes=(-1, 0)))
