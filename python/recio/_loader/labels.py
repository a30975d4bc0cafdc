"""Conversion of labels to another type without changing a class or an id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
