"""Keras 3: a ``PyDataset`` over the batches of an iterator, for the backends JAX and PyTorch.

It needs Keras: ``pip install keras``. For the backend TensorFlow there is `recio.tensorflow.dataset`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio._util import explains_missing

with explains_missing("recio.keras needs Keras 3: pip install keras", "keras"):
    import keras  # Keras itself, not this module

from recio._loader.sample_loops import SampleLoops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._loader.epoch_loops import EpochLoop
    from recio.io import DataIter

__all__ = ["PyDataset"]

_PEEKED = 2
"""Number of batches that Keras reads at most to build a model, before it begins the epoch again."""


class PyDataset(keras.utils.PyDataset):  # type: ignore[misc]
    """Pairs (images, labels), the batches of an iterator, for ``fit``, ``evaluate`` and ``predict`` of Keras models.

    Each epoch of Keras is one of the iterator, with its order and augmentation. The batches come in the order of the
    iterator; `shuffle` of ``fit`` has no effect, and neither do workers: native threads make the batches.

    ``fit`` reads one or two batches to build a model. The epoch then begins again, as after a loop that was left after
    so few; so do not pass `steps_per_epoch`, unless it is larger.

    Parameters
    ----------
    batches : DataIter
        Iterator such as `recio.io.ImageRecordIter`. Nothing else should read it.
    drop_pad : bool, default True
        Whether the samples that only fill the last batch are left out, so that metrics and predictions count each
        sample once. With False all batches have the same shape, which several processes that train together need.

    Raises
    ------
    RuntimeError
        If the backend is TensorFlow, which reads batches ahead in a thread of its own.
    TypeError
        If `batches` is not an iterator of recio.
    ValueError
        If it has not one array of data and one of labels.

    Examples
    --------
    >>> data = recio.keras.PyDataset(recio.io.ImageRecordIter(...))  # doctest: +SKIP
    >>> validation = recio.keras.PyDataset(recio.io.ImageRecordIter(...))  # doctest: +SKIP
    >>> model.fit(data, validation_data=validation, epochs=10)  # doctest: +SKIP
    """

    def __init__(self, batches: DataIter, *, drop_pad: bool = True) -> None:
        if keras.config.backend() == "tensorflow":
            raise RuntimeError("with the backend TensorFlow, pass recio.tensorflow.dataset(batches) to the model")
        super().__init__()
        self._loops = SampleLoops(batches, drop_pad=drop_pad)
        self._loop: EpochLoop[tuple[NDArray[Any], NDArray[Any]]] | None = None
        self._returned = 0

    def __getitem__(self, index: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the next batch of the epoch, whatever the index."""
        loop = self._loop or self._begin()
        try:
            batch = next(loop)
        except StopIteration:
            # There are fewer batches than announced if damaged records were skipped.
            batch = next(self._begin())
        self._returned += 1
        return batch

    @property
    def num_batches(self) -> int:
        """Number of batches in an epoch."""
        return len(self._loops)

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        return self._loops.epoch

    def set_epoch(self, epoch: int) -> None:
        """Make the next epoch of Keras this one, as for ``fit(initial_epoch=epoch)``.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0.
        """
        self._loops.set_epoch(epoch)
        self._loop, self._returned = None, 0

    def on_epoch_begin(self) -> None:
        """Begin the next epoch, or the same one again if only the batches to build a model were read."""
        self._begin()

    def _begin(self) -> EpochLoop[tuple[NDArray[Any], NDArray[Any]]]:
        if 0 < self._returned <= min(_PEEKED, self.num_batches - 1):
            self._loops.set_epoch(self.epoch)
        self._loop, self._returned = iter(self._loops), 0
        return self._loop

    def close(self) -> None:
        """Stop the threads of the iterator and close its files."""
        self._loops.close()
