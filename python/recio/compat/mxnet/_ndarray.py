"""``NDArray``: NumPy's array with the methods that MXNet's has besides; and where it is, always the CPU.

A pickle of one names this module, not ``mxnet``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray as Plain


@dataclass(frozen=True, repr=False)
class Context:
    """A device.

    Parameters
    ----------
    device_type : {'cpu'}
        Its kind.
    device_id : int, default 0
        Its number; all are the same.

    Raises
    ------
    NotImplementedError
        For another kind than ``'cpu'``.
    """

    device_type: str
    device_id: int = 0

    def __post_init__(self) -> None:
        """Refuse what is not there."""
        if self.device_type != "cpu":
            raise NotImplementedError(f"recio has no device {self.device_type!r}; its arrays are NumPy's, on the CPU")

    def __repr__(self) -> str:
        """Show both."""
        return f"{self.device_type}({self.device_id})"


class NDArray(np.ndarray):
    """An array of NumPy's with MXNet's methods. Of a single number its shape is (1,), as in MXNet."""

    @property
    def context(self) -> Context:
        """Where it is: ``cpu(0)``."""
        return Context("cpu")

    ctx = context

    def asnumpy(self) -> Plain[Any]:
        """Give a copy that is a plain ndarray, of the same shape and type."""
        return np.array(self)

    def asscalar(self) -> Any:  # noqa: ANN401 of the array's type
        """Give the one number that it holds.

        Raises
        ------
        ValueError
            If it holds more than one, or none.
        """
        if self.size != 1:
            raise ValueError("The current array is not a scalar")
        return self.asnumpy().reshape(1)[0]

    def as_in_context(self, context: Context) -> Self:  # noqa: ARG002 there is one
        """Give itself: it is where it has to be."""
        return self

    as_in_ctx = as_in_context

    def wait_to_read(self) -> None:
        """Do nothing: it is there."""

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 whatever NumPy takes
        """Give a part: an array also where NumPy gives a number."""
        return keep(super().__getitem__(key))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:  # noqa: ANN401
        """Keep a sum or a mean an array."""
        return keep(array)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 never
        """Say that there is no such thing."""
        raise AttributeError(
            f"recio's NDArray has no {name}; it has NumPy's methods, and of MXNet's asnumpy and asscalar"
        )

    def __repr__(self) -> str:
        """Show the numbers, the shape and the device, as MXNet does."""
        return f"\n{self.asnumpy()}\n<NDArray {'x'.join(map(str, self.shape))} @{self.context}>"

    __str__ = __repr__


def keep(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Give the same with MXNet's methods: of an array a view, of a list or a tuple one of such views."""
    match value:
        case np.ndarray() | np.generic():
            return np.atleast_1d(value).view(NDArray)
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(map(keep, value))
        case _:
            return value
