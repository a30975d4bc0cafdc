"""``NDArray``, an array with MXNet's methods and MXNet's meaning of each, on the memory of a NumPy array.

Pickles of it name this module, not ``mxnet``.
"""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from recio.compat.mxnet import _arithmetic, _indexing
from recio.compat.mxnet._context import Context, current_context
from recio.compat.mxnet._reshape import inferred_shape, kept_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import DTypeLike, NDArray as Plain

OPERATORS: dict[str, Callable[..., Any]] = {}
"""Functions of ``mx.nd`` by name; those in `METHODS` are methods of arrays too."""
METHODS: set[str] = set()


class NDArray:
    """Array with the methods of MXNet's arrays that concern data.

    An integer index and a contiguous slice are views: what is written to them is written to the array. The result of a
    method has MXNet's type and shape: the shape of a single number is (1,), sums and indices have the type of the
    array. MXNet's other methods, and NumPy's, raise an AttributeError; `asnumpy` returns a NumPy array.

    Parameters
    ----------
    array : ndarray
        Elements. A C-contiguous array is shared, any other is copied.
    context : Context, optional
        Device. Default: the current one.
    """

    __slots__ = ("__weakref__", "_array", "_context", "writable")
    # NumPy's operators let those of this class handle both operands.
    __array_priority__ = 1000.0

    def __init__(self, array: Plain[Any], context: Context | None = None) -> None:
        self._array = np.ascontiguousarray(np.atleast_1d(array))
        self._context = current_context() if context is None else context
        self.writable = self._array.flags.writeable

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Plain[Any]:
        """Return the elements for NumPy's functions: the array's memory, unless a copy is needed."""
        array = self._array if dtype is None else self._array.astype(dtype, copy=False)
        return array.copy() if copy and array is self._array else array

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 a bound function
        """Return one of the functions of ``mx.nd`` as a method.

        Raises
        ------
        AttributeError
            If MXNet's arrays do not have it, or recio's do not.
        """
        if name in METHODS:
            return functools.partial(OPERATORS[name], self)
        raise AttributeError(
            f"recio's NDArray has no {name}; it has the methods of MXNet's arrays that concern data; asnumpy() returns"
            " a NumPy array, which has NumPy's"
        )

    def __dir__(self) -> list[str]:
        """Return the names of all methods."""
        return sorted({*object.__dir__(self), *METHODS})

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self._array.size

    @property
    def dtype(self) -> type[np.generic]:
        """Type of the elements, such as ``numpy.float32``."""
        return self._array.dtype.type

    @property
    def stype(self) -> str:
        """Storage type: ``'default'``, dense."""
        return "default"

    @property
    def context(self) -> Context:
        """Device of the array."""
        return self._context

    ctx = context

    @property
    def T(self) -> NDArray:
        """Copy with the axes in reverse order."""
        return NDArray(np.array(self._array.T, order="C"), self._context)

    def asnumpy(self) -> Plain[Any]:
        """Return a copy as a NumPy array of the same shape and dtype."""
        return self._array.copy()

    def asscalar(self) -> Any:  # noqa: ANN401 of the array's dtype
        """Return the only element of the array.

        Raises
        ------
        ValueError
            If the array does not have exactly one element.
        """
        if self.size != 1:
            raise ValueError("The current array is not a scalar")
        return self._array.reshape(1)[0]

    def __float__(self) -> float:
        """Return the only element as a float."""
        return float(self.asscalar())

    def __int__(self) -> int:
        """Return the only element as an integer."""
        return int(self.asscalar())

    def __bool__(self) -> bool:
        """Return whether the only element is not 0; False without elements.

        Raises
        ------
        ValueError
            If there are several elements.
        """
        if self.size > 1:
            raise ValueError("The truth value of an NDArray with multiple elements is ambiguous.")
        return self.size == 1 and bool(self.asscalar())

    def __len__(self) -> int:
        """Return the length of the first axis."""
        return self.shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        """Iterate over the first axis; the items are views."""
        return (self[index] for index in range(len(self)))

    def __repr__(self) -> str:
        """Return the elements, the shape and the device, as MXNet does."""
        return f"\n{self._array}\n<NDArray {'x'.join(map(str, self.shape))} @{self._context}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what copies and pickles are made of."""
        return NDArray, (self._array.copy(), self._context)

    def __hash__(self) -> int:
        """Return a hash of the object: equality compares elements."""
        return id(self) // 16

    def __getitem__(self, key: Any) -> NDArray:  # noqa: ANN401 whatever MXNet takes
        """Return a region: a view if it is contiguous in memory, otherwise a copy.

        Raises
        ------
        IndexError
            If an index is out of bounds, or boolean.
        """
        if isinstance(key, tuple) and not key:
            return self
        entries = _indexing.normalized_key(key, self.shape)
        region = self._array[entries]
        if not _indexing.is_basic(entries) or not _indexing.is_contiguous(entries, self.shape):
            return NDArray(np.array(region), self._context)
        # A single element is a number to NumPy; as a slice it is a view.
        return self._viewing(self._array[_indexing.as_slices(entries)].reshape(region.shape or (1,)))

    def __setitem__(self, key: Any, value: Any) -> None:  # noqa: ANN401 whatever MXNet takes
        """Write a number or an array, broadcast, to a region.

        Raises
        ------
        IndexError
            If an index is out of bounds, or boolean.
        ValueError
            If the shapes do not fit, or the array is read-only.
        """
        self._check_writable()
        entries = _indexing.normalized_key(key, self.shape)
        region = self._array[entries].shape or (1,)
        values = self._values(value, region)
        if _indexing.is_basic(entries):
            target = self._array[_indexing.as_slices(entries)]
            target[...] = values.reshape(target.shape)
        else:
            self._array[entries] = values

    def _values(self, value: Any, shape: tuple[int, ...]) -> Plain[Any]:  # noqa: ANN401 a number or an array
        """Return values in this array's type, broadcast to a shape; surplus leading axes have length 1."""
        if isinstance(value, _arithmetic.NUMERIC):
            return np.broadcast_to(_arithmetic.converted(float(value), self._array.dtype), shape)
        try:
            values = np.asarray(value).astype(self._array.dtype)
        except (TypeError, ValueError) as error:
            raise TypeError(f"NDArray does not support assignment with {value!r}: {error}") from None
        while values.ndim > len(shape) and values.shape[0] == 1:
            values = values[0]
        return np.broadcast_to(values, shape)

    def _viewing(self, array: Plain[Any]) -> NDArray:
        """Return an array on the same memory."""
        view = NDArray(array, self._context)
        view.writable = self.writable
        return view

    def _check_writable(self) -> None:
        if not self.writable:
            raise ValueError("the array is read-only")

    def reshape(self, *shape: Any, **kwargs: Any) -> NDArray:  # noqa: ANN401 numbers, or a tuple
        """Return a view with another shape.

        Parameters
        ----------
        *shape : int, or one tuple of int
            Shape, also as ``shape=``. 0 keeps the length of an axis, -1 is what remains, -2 all axes that remain, -3
            the product of two axes, and -4 splits an axis into the two lengths that follow, one of which may be -1.
        reverse : bool, default False
            Whether the codes are read from right to left.
        """
        if unknown := [name for name in kwargs if name not in ("shape", "reverse")]:
            raise TypeError(
                f"Got unknown keywords in reshape: {', '.join(unknown)}."
                " Accepted keyword arguments are 'shape' and 'reverse'."
            )
        sides: Any = shape[0] if len(shape) == 1 and isinstance(shape[0], list | tuple) else shape
        sides = sides or kwargs.get("shape")
        if isinstance(sides, int):
            sides = (sides,)
        if not sides:
            raise ValueError("Shape must be provided.")
        return self._viewing(self._array.reshape(inferred_shape(self.shape, sides, kwargs.get("reverse", False))))

    def flatten(self, inplace: bool = False) -> NDArray:
        """Return a copy with two axes, of which the first is kept; a view with `inplace`."""
        flat = self.reshape((self.shape[0], math.prod(self.shape[1:])))
        return flat if inplace else flat.copy()

    def expand_dims(self, axis: int, inplace: bool = False) -> NDArray:
        """Return a copy with a new axis of length 1; a view with `inplace`."""
        expanded = self._viewing(np.expand_dims(self._array, axis))
        return expanded if inplace else expanded.copy()

    def squeeze(self, axis: int | Sequence[int] | None = None, inplace: bool = False) -> NDArray:
        """Return a copy without axes of length 1; a view with `inplace`."""
        squeezed = self._viewing(np.squeeze(self._array, tuple(axis) if isinstance(axis, list) else axis))
        return squeezed if inplace else squeezed.copy()

    def broadcast_to(self, shape: Sequence[int]) -> NDArray:
        """Return a copy in which axes of length 1 are repeated; 0 keeps the length of an axis."""
        return NDArray(np.array(np.broadcast_to(self._array, kept_shape(self.shape, shape))), self._context)

    def broadcast_like(self, other: NDArray) -> NDArray:
        """Return a copy broadcast to the shape of another array."""
        return self.broadcast_to(other.shape)

    def reshape_like(self, rhs: NDArray) -> NDArray:
        """Return a copy with the shape of another array."""
        return NDArray(self._array.reshape(rhs.shape).copy(), self._context)

    def astype(self, dtype: DTypeLike, copy: bool = True) -> NDArray:
        """Return a copy of another dtype; the array itself if it has that dtype and `copy` is False."""
        if not copy and np.dtype(dtype) == self._array.dtype:
            return self
        with np.errstate(invalid="ignore"):
            return NDArray(self._array.astype(dtype), self._context)

    def copy(self) -> NDArray:
        """Return a copy."""
        return NDArray(self._array.copy(), self._context)

    def copyto(self, other: NDArray | Context) -> NDArray | bool:
        """Copy the elements to another array of the same shape, or to a new array of a device, and return it."""
        if isinstance(other, Context):
            return NDArray(self._array.copy(), other)
        if not isinstance(other, NDArray):
            raise TypeError(f"copyto does not support type {type(other)}")
        if other is self:
            warnings.warn("You are attempting to copy an array to itself", RuntimeWarning, stacklevel=2)
            return False
        if other.shape != self.shape:
            raise ValueError(f"copyto: both arrays must have the same shape, got {self.shape} and {other.shape}")
        other[:] = self
        return other

    def as_in_context(self, context: Context) -> NDArray:
        """Return the array itself if it is on a device, otherwise a copy there."""
        return self if context == self._context else NDArray(self._array.copy(), context)

    as_in_ctx = as_in_context

    def as_nd_ndarray(self) -> NDArray:
        """Return the array itself."""
        return self

    def detach(self) -> NDArray:
        """Return an array on the same memory; there are no gradients to detach it from."""
        return self._viewing(self._array)

    def tostype(self, stype: str) -> NDArray:
        """Return a copy; recio has no arrays that are stored otherwise than dense."""
        if stype != "default":
            raise NotImplementedError(f"recio's NDArray is dense, and has no storage type {stype!r}")
        return self.copy()

    def wait_to_read(self) -> None:
        """Do nothing: the array is ready."""

    def __abs__(self) -> NDArray:
        """Return the absolute values."""
        return NDArray(np.absolute(self._array), self._context)

    def __neg__(self) -> NDArray:
        """Return the negated values; those of unsigned integers wrap."""
        negated: NDArray = binary("multiply", self, -1)
        return negated


def binary(name: str, lhs: Any, rhs: Any) -> Any:  # noqa: ANN401 arrays and numbers
    """Apply an operation to two arrays, broadcast against each other, or to an array and a number.

    Raises
    ------
    TypeError
        If an operand is neither.
    ValueError
        If the arrays have different dtypes, or shapes that do not fit.
    """
    for operand in (lhs, rhs):
        if not isinstance(operand, NDArray | float | int | np.generic):
            raise TypeError(f"type {type(operand)} not supported: both operands must be NDArrays or numbers")
    if isinstance(lhs, NDArray) and isinstance(rhs, NDArray):
        arrays = np.asarray(lhs), np.asarray(rhs)
        return NDArray(_arithmetic.compute(name, _arithmetic.OPERATIONS[name], *arrays), lhs.context)
    if isinstance(lhs, NDArray):
        return NDArray(_arithmetic.with_number(name, np.asarray(lhs), rhs, is_left=False), lhs.context)
    if isinstance(rhs, NDArray):
        return NDArray(_arithmetic.with_number(name, np.asarray(rhs), lhs, is_left=True), rhs.context)
    return _arithmetic.OPERATIONS[name](np.asarray(lhs, np.float64), np.asarray(rhs, np.float64))[()]


def _add_operators() -> None:
    """Define the operators of NDArray."""
    in_place = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "mod": "modulo"}
    compared = {
        "eq": "equal",
        "ne": "not_equal",
        "gt": "greater",
        "ge": "greater_equal",
        "lt": "lesser",
        "le": "lesser_equal",
    }
    for operator, name in {**in_place, "pow": "power", **compared}.items():
        setattr(NDArray, f"__{operator}__", functools.partialmethod(_operated, name))
    for operator, name in {**in_place, "pow": "power"}.items():
        setattr(NDArray, f"__r{operator}__", functools.partialmethod(_operated_reversed, name))
    for operator, name in in_place.items():
        setattr(NDArray, f"__i{operator}__", functools.partialmethod(_operated_in_place, name))


def _operated(self: NDArray, name: str, other: Any) -> Any:  # noqa: ANN401 an array or a number
    return binary(name, self, other)


def _operated_reversed(self: NDArray, name: str, other: Any) -> Any:  # noqa: ANN401 an array or a number
    return binary(name, other, self)


def _operated_in_place(self: NDArray, name: str, other: Any) -> NDArray:  # noqa: ANN401 an array or a number
    result = binary(name, self, other)
    if result.shape != self.shape:
        raise ValueError(f"{name} in place: the result has shape {result.shape}, the array {self.shape}")
    self[:] = result
    return self


_add_operators()


def operator(*names: str, is_method: bool = True) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that registers a function on NumPy arrays as a function of ``mx.nd``.

    Parameters
    ----------
    *names : str
        Names in ``mx.nd`` besides the function's.
    is_method : bool, default True
        Whether arrays have it as a method.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        has_dtype = "dtype" in inspect.signature(function).parameters

        @functools.wraps(function)
        def call(*args: Any, out: NDArray | None = None, name: str | None = None, **kwargs: Any) -> Any:  # noqa: ANN401, ARG001
            if not has_dtype and kwargs.get("dtype", 0) is None:
                # NumPy's functions pass it on.
                del kwargs["dtype"]
            result = as_ndarray(_detached(function(*plain(args), **plain(kwargs)), args, kwargs))
            if out is None:
                return result
            if out.shape != result.shape:
                raise ValueError(f"out must have shape {result.shape}, got {out.shape}")
            out[:] = result
            return out

        for each in (function.__name__.rstrip("_"), *names):
            OPERATORS[each] = call
            if is_method:
                METHODS.add(each)
        return call

    return register


def _detached(result: Any, args: Any, kwargs: Any) -> Any:  # noqa: ANN401 arrays
    """Return results as copies where they share memory with an argument: MXNet's functions return new arrays."""
    if isinstance(result, list):
        return [_detached(each, args, kwargs) for each in result]
    sources = [np.asarray(each) for each in (*args, *kwargs.values()) if isinstance(each, NDArray)]
    shares = any(np.may_share_memory(result, source) for source in sources)
    return np.array(result) if shares else result


def plain(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Return an NDArray as the NumPy array on its memory; convert what lists, tuples and dicts hold."""
    match value:
        case NDArray():
            return value.__array__()
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(map(plain, value))
        case dict() if type(value) is dict:
            return {key: plain(each) for key, each in value.items()}
        case _:
            return value


def as_ndarray(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Return a NumPy array as an NDArray on its memory; convert what lists and tuples hold; others as they are."""
    match value:
        case np.ndarray() | np.generic():
            return NDArray(np.asarray(value))
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(map(as_ndarray, value))
        case _:
            return value
