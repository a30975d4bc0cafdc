"""Conversion of labels to another type without changing a class or an id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio._util import FLOAT32_EXACT

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ID = 1 << 64
"""Larger numbers are no ids, and may be rounded."""


def check_float32(label: float) -> float:
    """Return a label, after checking that float32 does not change it to another class or id.

    Raises
    ------
    ValueError
        If it is above 2**24 and not representable.
    """
    if FLOAT32_EXACT < abs(label) < MAX_ID or abs(label) > np.finfo(np.float32).max:
        with np.errstate(over="ignore"):
            rounded = float(np.float32(label))
        if rounded != label:
            raise ValueError(
                f"the label {label:.16g} is not representable as float32, which has integers up to 2^24: it would "
                f"become {rounded:.16g}"
            )
    return label


def convert_labels(labels: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return labels as another type.

    Raises
    ------
    ValueError
        If the type would change a label that is an integer, or is a type of integers and would change any label.
    """
    if labels.dtype == dtype:
        return labels
    with np.errstate(invalid="ignore", over="ignore"):
        converted = labels.astype(dtype)
    must_be_equal = (labels == np.rint(labels)) | (dtype.kind not in "fc")
    changed = must_be_equal & (converted != labels)
    if changed.any():
        raise ValueError(f"the label {labels[changed][0]:.16g} is not representable as {dtype}; pass another dtype")
    return converted
