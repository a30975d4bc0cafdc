"""Loops over pairs of samples and labels, as Keras and TensorFlow take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio._loader import validate
from recio._loader.epoch_loops import EpochLoops
from recio._loader.native_iter import PipelineIter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._loader.base import DataBatch, DataIter


class SampleLoops(EpochLoops["tuple[NDArray[Any], NDArray[Any]]"]):
    """Iterable over the pairs (data, labels) of an epoch for each loop.

    Parameters
    ----------
    batches : DataIter
        The iterator, with one array of data and one of labels. Nothing else should read it.
    drop_pad : bool
        Whether the samples that only fill the last batch are left out. A batch that has no others is returned with
        them, as the loss of an empty batch is not a number; shards have it if others have more records.
    """

    def __init__(self, batches: DataIter, *, drop_pad: bool) -> None:
        super().__init__(batches)
        arrays = len(self._batches.provide_data), len(self._batches.provide_label)
        if arrays != (1, 1):
            raise ValueError("batches must have one array of data and one of labels, got {} and {}".format(*arrays))
        self._drop_pad = validate.flag("drop_pad", drop_pad)

    def specs(self) -> list[tuple[tuple[int | None, ...], Any]]:
        """Return shape and dtype of data and labels; the number of samples is None if it varies."""
        descriptions = [*self._batches.provide_data, *self._batches.provide_label]
        return [((None if self._drop_pad else one.shape[0], *one.shape[1:]), one.dtype) for one in descriptions]

    def may_skip(self) -> bool:
        """Return whether damaged records may be skipped, so that an epoch has fewer batches than announced."""
        return isinstance(self._batches, PipelineIter) and self._batches._may_skip()  # noqa: SLF001 of the same package

    def _convert(self, batch: DataBatch) -> tuple[NDArray[Any], NDArray[Any]]:
        (data,), (labels,) = batch.data, batch.label or ()
        count = len(data) - (batch.pad or 0) if self._drop_pad else len(data)
        return (data[:count], labels[:count]) if count else (data, labels)
