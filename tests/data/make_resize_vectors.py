"""Write ``resize_vectors.txt`` and ``resize_float_vectors.txt``: what OpenCV's ``resize`` gives, for the core's tests.

Each line holds ``method source_width source_height channels width height result``: the method is
OpenCV's number; the result is the 64-bit FNV-1a of the pixels in hexadecimal or, for cubic, which
is compared within 1, the pixels themselves. The source's pixels come from ``noise`` below, which
the test repeats. Of floats, whose source is ``2 * noise - 100``, the result is the bits of every
sample: eight hexadecimal digits each. Needs OpenCV 4 on x86-64; the files in the repository are
from 4.8.1.

Usage: python make_resize_vectors.py
"""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEAREST, LINEAR, CUBIC, AREA, LANCZOS4 = range(5)
NEAREST_EXACT = 6
EDGE_CASES = [
    (1, 1, 1, 7),
    (1, 1, 9, 9),
    (1, 40, 1, 13),
    (1, 40, 6, 80),
    (40, 1, 13, 1),
    (40, 1, 80, 6),
    (2, 2, 1, 1),
    (3, 3, 1, 1),
    (64, 48, 32, 24),
    (65, 49, 32, 24),
    (60, 40, 20, 20),
    (60, 40, 30, 40),
    (60, 40, 60, 20),
    (60, 40, 60, 41),
    (60, 40, 120, 80),
    (60, 40, 90, 20),
    (60, 40, 30, 80),
    (60, 40, 61, 39),
    (49, 98, 1, 2),
    (196, 49, 4, 7),
    (103, 93, 1, 1),
    (200, 3, 7, 2),
    (300, 300, 224, 224),
    (256, 192, 299, 224),
]
RANDOM_CASES = 60
CUBIC_CASES = [
    (1, 1, 3, 3),
    (2, 3, 9, 5),
    (20, 16, 31, 29),
    (31, 29, 20, 16),
    (40, 24, 20, 12),
    (50, 3, 7, 9),
]
FLOAT_CASES = [
    (1, 1, 3, 3),
    (2, 3, 9, 5),
    (11, 8, 13, 10),
    (13, 10, 8, 7),
    (16, 12, 8, 6),
    (18, 6, 6, 2),
    (30, 3, 5, 7),
    (9, 7, 5, 12),
    (49, 98, 1, 2),
    (1000, 1, 41, 1),
]


def noise(count: int) -> NDArray[np.uint8]:
    """Return the high bytes of a xorshift64 sequence seeded by ``count``: shape (count,), uint8."""
    mask = (1 << 64) - 1
    state = count ^ 0x9E3779B97F4A7C15
    out = np.empty(count, np.uint8)
    for at in range(count):
        state ^= (state << 13) & mask
        state ^= state >> 7
        state ^= (state << 17) & mask
        out[at] = state >> 56
    return out


def fnv1a(data: bytes) -> int:
    """Return the 64-bit FNV-1a digest."""
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = ((digest ^ byte) * 0x100000001B3) & ((1 << 64) - 1)
    return digest


def sizes() -> list[tuple[int, int, int, int]]:
    """Return the cases: source width, source height, width, height, in pixels."""
    draw = random.Random(7)

    def side() -> int:
        return draw.randint(1, 120)

    return EDGE_CASES + [(side(), side(), side(), side()) for _ in range(RANDOM_CASES)]


def source(case: tuple[int, int, int, int], channels: int) -> NDArray[np.uint8]:
    """Return the image that a case resizes."""
    width, height, _, _ = case
    return noise(width * height * channels).reshape(height, width, channels)


def parameters(method: int, case: tuple[int, int, int, int], channels: int) -> str:
    """Return what stands before the result in a case's line."""
    source_width, source_height, width, height = case
    return f"{method} {source_width} {source_height} {channels} {width} {height}"


def line(method: int, case: tuple[int, int, int, int], channels: int) -> str:
    """Return a case's line."""
    pixels = cv2.resize(source(case, channels), case[2:], interpolation=method).tobytes()
    result = pixels.hex() if method == CUBIC else f"{fnv1a(pixels):016x}"
    return f"{parameters(method, case, channels)} {result}"


def float_line(method: int, case: tuple[int, int, int, int], channels: int) -> str:
    """Return a case's line, of floats."""
    image = source(case, channels) * np.float32(2) - np.float32(100)
    samples = cv2.resize(image, case[2:], interpolation=method)
    return f"{parameters(method, case, channels)} {samples.astype('>f4').tobytes().hex()}"


def levels() -> list[str]:
    """Return the lines of ``resize_vectors.txt``."""
    methods = (NEAREST, LINEAR, CUBIC, AREA, LANCZOS4, NEAREST_EXACT)
    cases = {method: CUBIC_CASES if method == CUBIC else sizes() for method in methods}
    return [
        line(method, case, channels)
        for method, sizes_of_method in cases.items()
        for at, case in enumerate(sizes_of_method)
        for channels in ((1, 3, 4) if at < len(EDGE_CASES) else (3,))
    ]


def floats() -> list[str]:
    """Return the lines of ``resize_float_vectors.txt``, by OpenCV's own arithmetic: Intel's IPP has other positions."""
    cv2.ipp.setUseIPP(False)
    return [
        float_line(method, case, channels)
        for method in (NEAREST, LINEAR, CUBIC, AREA, LANCZOS4, NEAREST_EXACT)
        for case, channels in zip(FLOAT_CASES, itertools.cycle((1, 3, 4)))
    ]


def main() -> None:
    """Write the files beside this script."""
    folder = Path(__file__).parent
    (folder / "resize_vectors.txt").write_text("\n".join(levels()) + "\n")
    (folder / "resize_float_vectors.txt").write_text("\n".join(floats()) + "\n")


if __name__ == "__main__":
    main()
