"""Labels of other formats as float32: numbers, lists of them, and names of classes."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._util import FLOAT32_EXACT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


_MAX_INTEGER = 1 << 128
"""float32 has no larger integers."""


class LabelReader:
    """Reader of labels.

    Parameters
    ----------
    classes : sequence of str, optional
        Names of the labels 0, 1, 2 …
    """

    def __init__(self, classes: Sequence[str] | None) -> None:
        self._numbers = {name: number for number, name in enumerate(classes or ())}

    def read(self, value: Any) -> NDArray[np.float32]:  # noqa: ANN401 whatever a format has
        """Return a number, a list of numbers or the name of a class as labels.

        Raises
        ------
        ValueError
            If it is no label, or an integer that float32 does not represent.
        """
        if isinstance(value, str):
            value = self.number(value)
        values = value if isinstance(value, list | tuple | np.ndarray) else [value]
        if not len(values):
            raise ValueError("the list of labels is empty")
        labels = np.array([_float(number) for number in values], "<f4")
        labels.flags.writeable = False
        return labels

    def number(self, text: str) -> float:
        """Return the number of a class by its name, or the number that a text is.

        Raises
        ------
        ValueError
            If it is neither.
        """
        name = text.strip()
        if name in self._numbers:
            return self._numbers[name]
        return number_in(name)


def number_in(text: str) -> float:
    """Return the number that a text is.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        number = int(text) if re.fullmatch(r"\s*[+-]?[0-9]{1,40}\s*", text) else float(text)
    except ValueError:
        advice = "--classes FILE (classes=) has the names in the order of their labels"
        raise ValueError(f"the label {text!r:.60} is no number and no known name of a class; {advice}") from None
    if math.isinf(number) and re.search("[0-9]", text):
        raise ValueError(f"the label {text!r:.60} would become {number}: labels are float32")
    return number


def _float(value: Any) -> float:  # noqa: ANN401 whatever a format has
    """Return a number that becomes float32."""
    if value is None:
        raise ValueError("it has no label")
    if not isinstance(value, int | float | np.number | np.bool_):
        raise ValueError(f"a label must be a number, got {value!r:.60}")  # noqa: TRY004 of the file
    is_integer = isinstance(value, int | np.integer)
    number = np.inf if is_integer and abs(int(value)) > _MAX_INTEGER else float(value)
    with np.errstate(over="ignore"):
        kept = float(np.float32(number))
    if (is_integer and abs(number) > FLOAT32_EXACT and kept != value) or (math.isinf(kept) and not math.isinf(number)):
        raise ValueError(f"the label {value!r:.60} would become {kept:g}: labels are float32; ids are exact")
    return number
