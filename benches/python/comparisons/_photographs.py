"""Photographs that the cases of several subjects use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from recio.image import imdecode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PHOTOGRAPHS = Path(__file__).parents[3] / "tests" / "data" / "photos"


def photograph(width: int, height: int) -> NDArray[np.uint8]:
    """Return a photograph of this size; enlarged ones have noise, as sensors do."""
    image = imdecode(min(PHOTOGRAPHS.glob("*/*.jpg")).read_bytes())
    enlarges = width > image.shape[1]
    method = cv2.INTER_CUBIC if enlarges else cv2.INTER_AREA
    image = cv2.resize(image, (width, height), interpolation=method).astype(np.uint8, copy=False)
    if enlarges:
        noise = np.random.default_rng(0).integers(-4, 5, image.shape, np.int16)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image


def sizes() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield photographs of a face data set, of ImageNet and of a camera, and their sizes in words."""
    for width, height in ((112, 112), (500, 375), (4000, 3000)):
        yield f"{width}x{height}", photograph(width, height)
