"""Decoding and encoding of single images, compared with OpenCV and simplejpeg."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from comparisons.case import Case
from recio.image import imdecode

if TYPE_CHECKING:
    from collections.abc import Iterator

PHOTOGRAPHS = Path(__file__).parents[3] / "tests" / "data" / "photos"


def cases() -> Iterator[Case]:
    """Yield the cases of decoding."""
    photo = min(PHOTOGRAPHS.glob("*/*.jpg")).read_bytes()
    array = np.frombuffer(photo, np.uint8)
    yield Case(
        "imdecode(to_rgb=False), photograph",
        "cv2.imdecode",
        lambda: imdecode(photo, to_rgb=False),
        lambda: cv2.imdecode(array, cv2.IMREAD_COLOR),
        0.8,
    )
