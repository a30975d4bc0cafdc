"""``mx.nd.sparse``: ``CSRNDArray``, a sparse matrix with MXNet's methods, around SciPy's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio.compat.mxnet._context import Context, current_context
from recio.compat.mxnet._ndarray import NDArray

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray as Plain

__all__ = ["CSRNDArray", "csr_matrix"]


class CSRNDArray:
    """Sparse matrix of compressed rows.

    Parameters
    ----------
    matrix : scipy.sparse.csr_array or csr_matrix
        The matrix, which is shared.
    """

    def __init__(self, matrix: Any) -> None:  # noqa: ANN401 of SciPy
        self._matrix = matrix

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 never
        """Raise an error that names the conversions."""
        raise AttributeError(f"recio's CSRNDArray has no {name}; asnumpy() returns a dense array, asscipy() SciPy's")

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and columns."""
        return tuple(map(int, self._matrix.shape))

    @property
    def dtype(self) -> type[np.generic]:
        """Type of the elements, such as ``numpy.float32``."""
        kind: type[np.generic] = self._matrix.dtype.type
        return kind

    @property
    def stype(self) -> str:
        """Storage type: ``'csr'``."""
        return "csr"

    @property
    def context(self) -> Context:
        """Device of the matrix."""
        return current_context()

    ctx = context

    @property
    def data(self) -> NDArray:
        """Copy of the elements that are stored, row by row."""
        return NDArray(self._matrix.data.copy())

    @property
    def indices(self) -> NDArray:
        """Copy of their columns, int64."""
        return NDArray(self._matrix.indices.astype(np.int64))

    @property
    def indptr(self) -> NDArray:
        """Copy of the positions in `data` at which rows begin, int64."""
        return NDArray(self._matrix.indptr.astype(np.int64))

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, key: int | slice) -> CSRNDArray:
        """Return rows."""
        if isinstance(key, int) and not -len(self) <= key < len(self):
            raise IndexError(f"index {key} is out of bounds for axis 0 with size {len(self)}")
        rows = slice(key, key + 1 or None) if isinstance(key, int) else key
        return CSRNDArray(self._matrix[rows])

    def __repr__(self) -> str:
        """Return the shape and the device, as MXNet does."""
        return f"\n<CSRNDArray {'x'.join(map(str, self.shape))} @{self.context}>"

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Plain[Any]:
        """Return a dense copy for NumPy's functions."""
        return self.asnumpy().astype(dtype or self.dtype, copy=False)

    def asnumpy(self) -> Plain[Any]:
        """Return a dense copy as a NumPy array."""
        return np.asarray(self._matrix.toarray())

    def asscipy(self) -> Any:  # noqa: ANN401 of SciPy
        """Return a copy as SciPy's ``csr_matrix``."""
        from scipy.sparse import csr_matrix as scipy_matrix  # noqa: PLC0415 optional

        return scipy_matrix(self._matrix, copy=True)

    def tostype(self, stype: str) -> CSRNDArray | NDArray:
        """Return a copy, sparse (``'csr'``) or dense (``'default'``)."""
        if stype not in ("csr", "default"):
            raise NotImplementedError(f"recio has no arrays of the storage type {stype!r}")
        return self.copy() if stype == "csr" else NDArray(self.asnumpy())

    def astype(self, dtype: DTypeLike) -> CSRNDArray:
        """Return a copy of another dtype."""
        return CSRNDArray(self._matrix.astype(dtype))

    def copy(self) -> CSRNDArray:
        """Return a copy."""
        return CSRNDArray(self._matrix.copy())

    def as_in_context(self, context: Context) -> CSRNDArray:  # noqa: ARG002 there is one
        """Return the matrix itself."""
        return self

    def wait_to_read(self) -> None:
        """Do nothing: the matrix is ready."""

    def check_format(self, full_check: bool = True) -> None:
        """Check that the columns are in range and ascend within a row.

        Raises
        ------
        ValueError
            If they are not.
        """
        self._matrix.check_format(full_check)
        if not self._matrix.has_sorted_indices:
            raise ValueError("the columns of a row must ascend")


def csr_matrix(
    arg1: Any,  # noqa: ANN401 whatever SciPy takes
    shape: tuple[int, int] | None = None,
    ctx: Context | None = None,  # noqa: ARG001 MXNet's
    dtype: DTypeLike | None = None,
) -> CSRNDArray:
    """Make a sparse matrix from what ``scipy.sparse.csr_matrix`` takes, float32 by default."""
    from scipy.sparse import csr_matrix as scipy_matrix, issparse  # noqa: PLC0415 optional

    if isinstance(arg1, CSRNDArray):
        return CSRNDArray(arg1.asscipy().astype(dtype or arg1.dtype))
    kept = arg1.dtype if issparse(arg1) or isinstance(arg1, NDArray | np.ndarray) else np.float32
    source = tuple(map(np.asarray, arg1)) if isinstance(arg1, tuple) and len(arg1) == 3 else arg1  # noqa: PLR2004
    return CSRNDArray(scipy_matrix(np.asarray(source) if isinstance(source, NDArray) else source, shape, dtype or kept))
