"""Write ``encoder_vectors.txt``: digests of JPEGs that libjpeg-turbo makes of noise, for the tests of the encoder.

Each line holds ``width height channels subsampling quality contrast length digest``: the noise is that of `noise`, the
digest the 64-bit FNV-1a of the file in hexadecimal. OpenCV carries libjpeg-turbo; the lines in the repository are from
OpenCV 4.14.0 with 3.1.2.

Usage: python -m tests.data.make_encoder_vectors
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from tests.data.make_jpeg_vectors import fnv1a

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = [(1, 1), (2, 3), (8, 8), (9, 7), (16, 16), (17, 33), (31, 18), (40, 40), (65, 15), (100, 70)]
SUBSAMPLINGS = {
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
}
QUALITIES = (1, 30, 50, 75, 90, 95, 100)
CONTRASTS = (3, 64, 255)


def noise(width: int, height: int, channels: int, contrast: int) -> NDArray[np.uint8]:
    """Return pseudo-random values from 0 to `contrast`, around a slope: B, G, R or gray."""
    state, values = 1, []
    for index in range(width * height * channels):
        state = (state * 1_664_525 + 1_013_904_223) % (1 << 32)
        values.append(min(255, (state >> 24) * contrast // 255 + index // (width * channels)))
    return np.array(values, np.uint8).reshape(height, width, channels)


def line(size: tuple[int, int], channels: int, subsampling: str, quality: int, contrast: int) -> str:
    """Return the line of an image."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SUBSAMPLINGS[subsampling]]
    jpeg = cv2.imencode(".jpg", noise(*size, channels, contrast), parameters)[1].tobytes()
    settings = f"{size[0]} {size[1]} {channels} {subsampling} {quality} {contrast}"
    return f"{settings} {len(jpeg)} {fnv1a(jpeg):016x}"


def lines() -> list[str]:
    """Return all lines: each size with each subsampling; qualities and contrasts in turn."""
    kinds = [*((3, name) for name in SUBSAMPLINGS), (1, "4:4:4")]
    images = list(product(SIZES, kinds, CONTRASTS))
    return [
        line(size, *kind, QUALITIES[number % len(QUALITIES)], contrast)
        for number, (size, kind, contrast) in enumerate(images)
    ]


if __name__ == "__main__":
    Path(__file__).with_name("encoder_vectors.txt").write_text("".join(f"{line}\n" for line in lines()))
