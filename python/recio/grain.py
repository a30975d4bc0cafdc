"""Grain: an ``IterDataset`` over the batches of an iterator.

It needs Grain: ``pip install grain``. `recio.datasets.RecordDataset` is a data source of Grain as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._util import explains_missing

with explains_missing("recio.grain needs Grain: pip install grain", "grain"):
    import grain  # Grain itself, not this module

from recio._loader import validate
from recio._loader.base import DataIter

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recio._loader.base import DataBatch

__all__ = ["IterDataset"]


class IterDataset(grain.IterDataset):  # type: ignore[misc]
    """Batches that native threads make, as a data set of Grain.

    An element is a dictionary of arrays: ``image``, the data of the batch; ``label``; ``id``, the ids of the records,
    uint64; and ``valid``, bool, False for the samples that only fill the last batch. All elements have the same shapes.

    Each iterator of the data set opens an iterator of recio of its own. The epochs differ in order and augmentation as
    those of this iterator do, so that neither ``seed`` nor `grain.experimental.RepeatIterDataset`, which repeats an
    epoch unchanged, are needed. The state of an iterator is that of recio's: exact, also between epochs.

    Parameters
    ----------
    open_batches : callable
        Function without arguments that opens the iterator, such as ``lambda: recio.io.ImageRecordIter(...)``. For
        ``mp_prefetch`` it must be picklable by cloudpickle, which includes a lambda.
    num_epochs : int, optional
        Number of epochs, 1 by default; None for no end.

    Raises
    ------
    TypeError
        If `open_batches` is not a function, or, when it is called, does not return an iterator of recio.
    ValueError
        If `num_epochs` is less than 1.

    Examples
    --------
    >>> data = recio.grain.IterDataset(  # doctest: +SKIP
    ...     lambda: recio.io.ImageRecordIter(path_imgrec="train.rec", data_shape=(3, 224, 224), batch_size=64),
    ...     num_epochs=10,
    ... )
    >>> for batch in data.map(augment):  # doctest: +SKIP
    ...     train_step(batch["image"], batch["label"])
    """

    def __init__(self, open_batches: Callable[[], DataIter], *, num_epochs: int | None = 1) -> None:
        super().__init__()
        if not callable(open_batches):
            raise TypeError(f"open_batches must be a function, got {type(open_batches).__name__}")
        self._open_batches = open_batches
        self._num_epochs = validate.optional(validate.positive)("num_epochs", num_epochs)

    def __iter__(self) -> _Iterator:
        """Open an iterator at the first batch."""
        batches = self._open_batches()
        if not isinstance(batches, DataIter):
            raise TypeError(f"open_batches must return an iterator of recio, got {type(batches).__name__}")
        return _Iterator(batches, self._num_epochs)


class _Iterator(grain.DatasetIterator):  # type: ignore[misc]
    """Iterator of Grain over the epochs of an iterator of recio, which it owns."""

    def __init__(self, batches: Any, num_epochs: int | None) -> None:  # noqa: ANN401 of many classes
        super().__init__()
        self._batches = batches
        self._last_epoch = None if num_epochs is None else batches.epoch + num_epochs - 1

    def __next__(self) -> dict[str, NDArray[Any]]:
        """Return the next batch, which may begin an epoch."""
        self._assert_not_closed()
        try:
            return _element(self._batches.next())
        except StopIteration:
            if self._batches.epoch == self._last_epoch:
                raise
        self._batches.reset()
        return _element(self._batches.next())

    def get_state(self) -> dict[str, Any]:
        """Return the position after the last batch that was returned."""
        state: dict[str, Any] = self._batches.state_dict()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Go to a position, of this process or another."""
        self._batches.load_state_dict(state)

    def close(self) -> None:
        """Stop the threads and close the files."""
        super().close()
        close = getattr(self._batches, "close", None)
        if close is not None:
            close()


def _element(batch: DataBatch) -> dict[str, NDArray[Any]]:
    (image,), (label,) = batch.data, batch.label or ()
    arrays = {"image": image, "label": label, "id": batch.index}
    arrays["valid"] = np.arange(len(image)) < len(image) - (batch.pad or 0)
    return {name: array for name, array in arrays.items() if array is not None}
