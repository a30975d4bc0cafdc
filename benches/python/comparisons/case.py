"""A case of `compare.py`: two ways to do the same thing, and the ratio of their costs that is the goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Case:
    """Two ways to do the same thing. Each call does it once, with inputs made beforehand."""

    name: str
    """What is done, and on what: `imdecode, 12 MP JPEG`."""
    other_name: str
    """What users would call instead: `cv2.imdecode`."""
    recio: Callable[[], object]
    other: Callable[[], object]
    goal: float
    """Greatest acceptable CPU time of recio, divided by the other's."""
