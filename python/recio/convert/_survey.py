"""What the rows of a data set have in common; it decides the columns and fields of the output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from recio.convert._row import Row

_INT64_END = float(1 << 63)


@dataclass
class Survey:
    """Summary of all rows.

    Attributes
    ----------
    rows : int
        Number of rows.
    is_single : bool
        Whether each row has one label.
    is_whole : bool
        Whether each row has one label, which is an integer; -0.0 is none.
    labels : tuple of float
        Minimum and maximum of the labels, if all are integers.
    has_ids : bool
        Whether some ids differ from their keys.
    has_rest : bool
        Whether some rows have a `rest`.
    """

    rows: int = 0
    is_single: bool = True
    is_whole: bool = True
    labels: tuple[float, float] = (np.inf, -np.inf)
    has_ids: bool = False
    has_rest: bool = False

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Survey:
        """Summarize rows by reading them."""
        survey = cls()
        for row in rows:
            survey.rows += 1
            survey.add_labels(row.labels, is_single=len(row.labels) == 1)
            survey.has_ids |= row.id != row.key
            survey.has_rest |= row.rest is not None
        return survey

    def check(self, row: Row) -> None:
        """Check that a row is one of those that were summarized, as far as its labels matter to the output.

        Raises
        ------
        ValueError
            If it is not.
        """
        low, high = self.labels
        is_other = self.is_whole and not (
            are_whole(row.labels) and low <= row.labels.min() and row.labels.max() <= high
        )
        if is_other or (self.is_single and len(row.labels) != 1):
            raise ValueError(f"the labels of the image with the key {row.key} changed while src was read")

    def add_labels(self, labels: NDArray[np.float32], *, is_single: bool) -> None:
        """Add the labels of several rows, or all of one row."""
        self.is_single &= is_single
        self.is_whole &= is_single and are_whole(labels)
        low, high = self.labels
        if not self.is_whole:
            self.labels = np.inf, -np.inf
        elif labels.size:
            self.labels = min(low, float(labels.min())), max(high, float(labels.max()))


def are_whole(labels: NDArray[np.float32]) -> bool:
    """Return whether all labels are integers that int64 represents, and none is -0.0."""
    if labels.size == 1:
        number = labels.item()
        return abs(number) < _INT64_END and number.is_integer() and (number != 0 or not np.signbit(labels[0]))
    whole = (np.abs(labels) < _INT64_END) & (labels == np.trunc(labels)) & ~((labels == 0) & np.signbit(labels))
    return bool(whole.all())
