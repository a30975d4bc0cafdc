"""Data set of small images: face crops of 112 x 112 pixels, as in InsightFace's record files.

They are encoded by OpenCV with quality 95, about 4.8 kB each, and packed once into the build folder.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import cv2

from dataset import PHOTOGRAPHS
from recio.image import imread
from recio.recordio import IRHeader, MXIndexedRecordIO, pack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUILD = Path(__file__).parents[2] / "build" / "bench"

COUNT = 4000

SIDE = 112

CROP_SIDES = (72, 112)
"""Range of the side of a crop, before it is resized: enlarged, its detail is that of a face crop."""

QUALITY = 95


def pack_faces() -> Path:
    """Pack the faces, unless that was done before, and return the path prefix."""
    prefix = BUILD / f"faces-{COUNT}" / "images"
    if prefix.with_suffix(".idx").exists():
        return prefix
    prefix.parent.mkdir(parents=True, exist_ok=True)
    partial = prefix.with_name("partial.idx")
    records = MXIndexedRecordIO(str(partial), str(prefix.with_suffix(".rec")), "w")
    photographs = [imread(str(path)) for path in sorted(PHOTOGRAPHS.glob("*/*.jpg"))]
    rng = Random(0)
    for number in range(COUNT):
        face = crop(photographs[number % len(photographs)], rng)
        _, data = cv2.imencode(".jpg", face[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        header = IRHeader(0, float(number % 100), number, 0)
        records.write_idx(number, pack(header, data.tobytes()))
    records.close()
    partial.rename(prefix.with_suffix(".idx"))
    return prefix


def crop(photograph: NDArray[np.uint8], rng: Random) -> NDArray[np.uint8]:
    """Cut a square from a photograph and resize it."""
    height, width = photograph.shape[:2]
    side = rng.randint(*CROP_SIDES)
    x, y = rng.randint(0, width - side), rng.randint(0, height - side)
    square = photograph[y : y + side, x : x + side]
    return cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]
