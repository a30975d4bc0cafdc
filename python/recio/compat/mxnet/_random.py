"""``mx.nd.random`` and ``mx.random``: random arrays from NumPy's global generator; their numbers are not MXNet's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio.compat.mxnet._ndarray import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike

    from recio.compat.mxnet._context import Context

__all__ = ["normal", "randint", "randn", "seed", "shuffle", "uniform"]


def seed(seed_state: int, ctx: Context | str = "all") -> None:  # noqa: ARG001 MXNet's
    """Seed ``numpy.random``, which the functions of this module use. Iterators have their own seeds."""
    np.random.seed(seed_state % 2**32)  # noqa: NPY002 the generator that this module uses


def uniform(
    low: float = 0,
    high: float = 1,
    shape: int | Sequence[int] = 1,
    dtype: DTypeLike | None = None,
    ctx: Context | None = None,
    out: NDArray | None = None,
) -> NDArray:
    """Return numbers from `low` to `high`, float32 by default."""
    return _filled(np.random.uniform(low, high, _shape(shape, out)), dtype, ctx, out)  # noqa: NPY002


def normal(
    loc: float = 0,
    scale: float = 1,
    shape: int | Sequence[int] = 1,
    dtype: DTypeLike | None = None,
    ctx: Context | None = None,
    out: NDArray | None = None,
) -> NDArray:
    """Return normally distributed numbers, float32 by default."""
    return _filled(np.random.normal(loc, scale, _shape(shape, out)), dtype, ctx, out)  # noqa: NPY002


def randn(
    *shape: int, loc: float = 0, scale: float = 1, dtype: DTypeLike | None = None, ctx: Context | None = None
) -> NDArray:
    """Return normally distributed numbers in an array of a shape."""
    return normal(loc, scale, shape or 1, dtype, ctx)


def randint(
    low: int,
    high: int,
    shape: int | Sequence[int] = 1,
    dtype: DTypeLike = "int32",
    ctx: Context | None = None,
    out: NDArray | None = None,
) -> NDArray:
    """Return integers from `low` to `high` - 1, int32 by default."""
    return _filled(np.random.randint(low, high, _shape(shape, out)), dtype, ctx, out)  # noqa: NPY002


def shuffle(data: NDArray) -> NDArray:
    """Return a copy with the items of the first axis in random order."""
    return data[np.random.permutation(len(data))]  # noqa: NPY002


def _shape(shape: int | Sequence[int], out: NDArray | None) -> Any:  # noqa: ANN401 a shape
    return shape if out is None else out.shape


def _filled(values: Any, dtype: DTypeLike | None, ctx: Context | None, out: NDArray | None) -> NDArray:  # noqa: ANN401
    if out is not None:
        out[:] = values
        return out
    return NDArray(np.asarray(values).astype(np.float32 if dtype is None else dtype), ctx)
