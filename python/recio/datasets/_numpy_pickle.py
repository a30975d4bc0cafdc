"""Functions that pickles of NumPy's booleans and integers name, replaced by ones that only build these values.

NumPy writes a scalar as ``scalar(dtype, bytes)``, an array as ``_reconstruct(ndarray, ...)`` with a state or, in
protocol 5, as ``_frombuffer(bytes, dtype, shape, order)``. Scalars of booleans and integers, and one-dimensional arrays
of booleans are accepted. What is allocated is not larger than the bytes in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_BOOL = "b1"
_CODES = {_BOOL, "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"}
_DTYPE_STATE_VERSION, _ARRAY_STATE_VERSION = 3, 1


class Function(NamedTuple):
    """Function that a pickle may call."""

    call: Callable[..., Any]


class DType:
    """Data type of one boolean or integer; its state is the byte order."""

    def __init__(self, code: str) -> None:
        self.code, self._order = code, "|"

    def set_state(self, version: int, order: object, *rest: object) -> None:
        """Set the byte order; the rest of the state describes types that are not supported."""
        text = _text(order)
        if version != _DTYPE_STATE_VERSION or text not in ("|", "<", ">", "=") or rest != (None, None, None, -1, -1, 0):
            raise ValueError
        self._order = text

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type in NumPy."""
        return np.dtype(self._order + self.code)


class Array:
    """One-dimensional array of booleans, once its state is set."""

    def __init__(self) -> None:
        self.values: NDArray[np.bool_] | None = None

    def set_state(self, version: int, shape: object, dtype: object, fortran: object, data: object) -> None:
        """Set the values. The order of the axes means nothing to an array with one."""
        if version != _ARRAY_STATE_VERSION or fortran not in (False, True):
            raise ValueError
        self.values = _booleans(data, dtype, shape)


def _text(value: object) -> str:
    """Return a string; those of Python 2 are bytes."""
    if type(value) is bytes:
        return value.decode("ascii")
    if type(value) is not str:
        raise TypeError
    return value


def _encode(text: object, encoding: object) -> bytes:
    """Return bytes that Python 3 wrote as text in protocols 0 to 2."""
    if type(text) is not str or encoding != "latin1":
        raise ValueError
    return text.encode("latin-1")


def _dtype(code: object, align: object, copy: object) -> DType:
    text = _text(code)
    if text not in _CODES or align not in (False, True) or copy not in (False, True):
        raise ValueError
    return DType(text)


def _scalar(dtype: object, data: object) -> bool | int:
    if type(dtype) is not DType or type(data) is not bytes or len(data) != dtype.dtype.itemsize:
        raise ValueError
    value: bool | int = np.frombuffer(data, dtype.dtype)[0].item()
    return value


def _booleans(data: object, dtype: object, shape: object) -> NDArray[np.bool_]:
    if type(dtype) is not DType or dtype.code != _BOOL or type(data) is not bytes or shape != (len(data),):
        raise ValueError
    return np.frombuffer(data, np.uint8).astype(np.bool_)


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> Array:
    if order not in ("C", "F"):
        raise ValueError
    array = Array()
    array.values = _booleans(data, dtype, shape)
    return array


def _refuse(*_: object) -> None:
    raise ValueError


_NDARRAY = Function(_refuse)


def _reconstruct(cls: object, shape: object, code: object) -> Array:
    if cls is not _NDARRAY or shape != (0,) or code != b"b":
        raise ValueError
    return Array()


FUNCTIONS = {
    "_codecs encode": Function(_encode),
    "numpy dtype": Function(_dtype),
    "numpy ndarray": _NDARRAY,
    # NumPy 1 and NumPy 2.
    **{f"numpy.{core}.multiarray scalar": Function(_scalar) for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray _reconstruct": Function(_reconstruct) for core in ("core", "_core")},
    **{f"numpy.{core}.numeric _frombuffer": Function(_from_buffer) for core in ("core", "_core")},
}
"""What replaces a function, by its module and name."""
