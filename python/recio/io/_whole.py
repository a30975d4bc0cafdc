"""The base of the iterators that make a batch whole, with all its parts at once, as most of recio's do.

Such an iterator has one method of its own, ``_make``; what callers expect of an iterator follows from it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio.io._base import DataBatch, DataIter

if TYPE_CHECKING:
    from numpy.typing import NDArray


class WholeBatchIter(DataIter):
    """An iterator whose batches come from ``_make``. The last one is kept for the getters, as in MXNet."""

    _batch: DataBatch | None = None

    def _make(self) -> DataBatch | None:
        """Make the next batch; ``None`` at the end of the epoch."""
        raise NotImplementedError

    def iter_next(self) -> bool:
        """Move to the next batch; give whether there is one."""
        self._batch = None
        self._batch = self._make()
        return self._batch is not None

    def next(self) -> DataBatch:
        """Give the next batch.

        Raises
        ------
        StopIteration
            At the end of the epoch, until `reset`.
        """
        if not self.iter_next():
            raise StopIteration
        return self._present()

    def getdata(self) -> list[NDArray[Any]]:
        """Give the data of the present batch."""
        return list(self._present().data)

    def getlabel(self) -> list[NDArray[Any]]:
        """Give its labels."""
        return list(self._present().label or [])

    def getindex(self) -> NDArray[Any] | None:
        """Give the numbers of its samples."""
        return self._present().index

    def getpad(self) -> int | None:
        """Give how many of its samples only fill it."""
        return self._present().pad

    def _present(self) -> DataBatch:
        if self._batch is None:
            raise ValueError("there is no present batch: iter_next has not been called, or gave False")
        return self._batch
