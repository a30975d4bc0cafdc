"""``NDArray``, a NumPy array with MXNet's methods, and ``Context``, its device: always the CPU.

Pickles of them name this module, not ``mxnet``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray as Plain


@dataclass(frozen=True, repr=False)
class Context:
    """Device.

    Parameters
    ----------
    device_type : {'cpu'}
        Type of the device.
    device_id : int, default 0
        Number of the device; all are the same.

    Raises
    ------
    NotImplementedError
        If the type is not ``'cpu'``.
    """

    device_type: str
    device_id: int = 0

    def __post_init__(self) -> None:
        """Check the type."""
        if self.device_type != "cpu":
            raise NotImplementedError(f"recio has no device {self.device_type!r}; its arrays are NumPy's, on the CPU")

    def __repr__(self) -> str:
        """Return the type and the number."""
        return f"{self.device_type}({self.device_id})"


class NDArray(np.ndarray):
    """NumPy array with MXNet's methods. The shape of a single number is (1,), as in MXNet."""

    @property
    def context(self) -> Context:
        """Device of the array: ``cpu(0)``."""
        return Context("cpu")

    ctx = context

    def asnumpy(self) -> Plain[Any]:
        """Return a copy as a plain ndarray of the same shape and dtype."""
        return np.array(self)

    def asscalar(self) -> Any:  # noqa: ANN401 of the array's dtype
        """Return the only element of the array.

        Raises
        ------
        ValueError
            If the array does not have exactly one element.
        """
        if self.size != 1:
            raise ValueError("The current array is not a scalar")
        return self.asnumpy().reshape(1)[0]

    def as_in_context(self, context: Context) -> Self:  # noqa: ARG002 there is one
        """Return the array itself, which is on the only device."""
        return self

    as_in_ctx = as_in_context

    def wait_to_read(self) -> None:
        """Do nothing: the array is ready."""

    def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 whatever NumPy takes
        """Return a region of the array; an array also where NumPy returns a number."""
        return as_ndarray(super().__getitem__(key))

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:  # noqa: ANN401
        """Return results such as sums as arrays."""
        return as_ndarray(array)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 never
        """Raise an error that names the supported methods."""
        raise AttributeError(
            f"recio's NDArray has no {name}; it has NumPy's methods, and of MXNet's asnumpy and asscalar"
        )

    def __repr__(self) -> str:
        """Return the numbers, the shape and the device, as MXNet does."""
        return f"\n{self.asnumpy()}\n<NDArray {'x'.join(map(str, self.shape))} @{self.context}>"

    __str__ = __repr__


def as_ndarray(value: Any) -> Any:  # noqa: ANN401 whatever holds arrays
    """Return an array as a view of type `NDArray`; convert the items of lists and tuples; return others as they are."""
    match value:
        case np.ndarray() | np.generic():
            return np.atleast_1d(value).view(NDArray)
        case list() | tuple() if type(value) in (list, tuple):
            return type(value)(map(as_ndarray, value))
        case _:
            return value
