"""Labels of many records as one array, with one or several labels a record."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def from_flat(widths: NDArray[np.integer], values: NDArray[np.float32]) -> NDArray[Any]:
    """Split concatenated labels into those of each record.

    Parameters
    ----------
    widths : ndarray, shape (records,), integer
        Number of labels of each record, at least 1.
    values : ndarray, shape (sum of widths,), float32
        All labels.

    Returns
    -------
    ndarray
        As from `RecordDataset.labels`.
    """
    if not widths.size or (widths == 1).all():
        return values
    if (widths == widths[0]).all():
        return values.reshape(len(widths), int(widths[0]))
    ragged = np.empty(len(widths), object)
    for row, (start, end) in enumerate(pairwise([0, *np.cumsum(widths, dtype=np.int64).tolist()])):
        ragged[row] = values[start:end]
    return ragged


def to_flat(labels: NDArray[Any]) -> tuple[NDArray[np.integer], NDArray[np.float32]]:
    """Concatenate labels: the inverse of `from_flat`."""
    if labels.dtype == object:
        return np.array([label.size for label in labels], np.uint32), np.concatenate(labels)
    width = labels.shape[1] if labels.ndim > 1 else 1
    return np.full(len(labels), width, np.uint32), labels.ravel()


def first(labels: NDArray[Any]) -> NDArray[Any]:
    """Return each record's first label.

    Returns
    -------
    ndarray, shape (records,)
        Of the dtype of the labels.
    """
    if labels.dtype == object:
        return np.array([label[0] for label in labels], np.float32)
    return labels if labels.ndim == 1 else labels[:, 0]


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return a read-only view of an array."""
    view = array.view()
    view.flags.writeable = False
    return view
