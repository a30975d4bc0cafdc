"""TensorFlow: a ``tf.data.Dataset`` over the batches of an iterator.

It needs TensorFlow: ``pip install tensorflow``, or ``tensorflow-cpu``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._util import explains_missing

with explains_missing("recio.tensorflow needs TensorFlow: pip install tensorflow", "tensorflow"):
    import tensorflow as tf

from recio._loader.sample_loops import SampleLoops

if TYPE_CHECKING:
    from recio.io import DataIter

__all__ = ["dataset"]


def dataset(batches: DataIter, *, drop_pad: bool = True) -> tf.data.Dataset:
    """Return a data set over pairs (images, labels), the batches of an iterator, with an epoch for each loop over it.

    The tensors share the memory of the batches. The first loop is over the epoch of the iterator, which must be at its
    beginning, for example after `batches.set_epoch`; each later one is over the next epoch, also after a loop that was
    left.

    Parameters
    ----------
    batches : DataIter
        Iterator such as `recio.io.ImageRecordIter`, `ImageDetRecordIter` or `ImageMaskRecordIter`. Nothing else should
        read it, and one loop over the data set reads it at a time.
    drop_pad : bool, default True
        Whether the samples that only fill the last batch are left out. With False all batches have the same
        shape, which several processes that train together need.

    Returns
    -------
    tf.data.Dataset
        Its elements have the dtypes and the layout of the batches, its cardinality is the number of batches,
        or unknown if the iterator may skip records.

    Raises
    ------
    TypeError
        If `batches` is not an iterator of recio.
    ValueError
        If it has not one array of data and one of labels.

    Examples
    --------
    >>> data = recio.tensorflow.dataset(recio.io.ImageRecordIter(...))  # doctest: +SKIP
    >>> for epoch in range(10):  # doctest: +SKIP
    ...     for x, y in data:
    ...         train_step(x, y)
    """
    loops = SampleLoops(batches, drop_pad=drop_pad)
    signature = tuple(tf.TensorSpec(shape, dtype) for shape, dtype in loops.specs())
    made = tf.data.Dataset.from_generator(lambda: loops, output_signature=signature)
    return made if loops.may_skip() else made.apply(tf.data.experimental.assert_cardinality(len(loops)))
