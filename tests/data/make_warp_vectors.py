"""Write ``warp_vectors.txt``: what OpenCV's ``warpAffine`` gives, for the core's tests to replay.

Each line holds ``method width height channels canvas_width canvas_height matrix result``: the method
is OpenCV's number; the matrix is the bits of its six floats, by rows, in hexadecimal; the result is
the 64-bit FNV-1a of the pixels in hexadecimal. The source's pixels come from ``noise`` of
``make_resize_vectors.py``, which the test repeats, as it does ``BORDER``. Needs OpenCV 4 on x86-64;
the file in the repository is from 4.8.1. OpenCV 5.0 gives other pixels.

Usage, in the repository's root: python -m tests.data.make_warp_vectors
"""

from __future__ import annotations

import random
from pathlib import Path

import cv2
import numpy as np
from tests.data.make_resize_vectors import fnv1a, noise

NEAREST, LINEAR, CUBIC, AREA, LANCZOS4 = range(5)
BORDER = (7, 99, 180, 250)
Matrix = tuple[float, float, float, float, float, float]
Size = tuple[int, int]
# Source, canvas, matrix.
Case = tuple[Size, Size, Matrix]
EDGE_CASES: list[Case] = [
    ((1, 1), (3, 3), (1, 0, 1, 0, 1, 1)),
    ((1, 9), (7, 7), (0.5, 0.25, 1, -0.75, 1, 2)),
    ((9, 1), (7, 7), (0.5, 0.25, 1, -0.75, 1, 2)),
    ((3, 3), (20, 20), (6, 0, 0.5, 0, 6, 0.5)),
    ((7, 8), (12, 12), (0, 1, 2, 1, 0, 3)),
    ((20, 15), (20, 15), (1, 0, 0, 0, 1, 0)),
    ((20, 15), (20, 15), (1, 0, 0.015625, 0, 1, -0.015625)),
    ((20, 15), (20, 15), (1, 0, 0.5, 0, 1, 0.5)),
    ((20, 15), (24, 18), (-1, 0, 19, 0, -1, 14)),
    ((20, 15), (10, 8), (1, 0, 40, 0, 1, 40)),
    ((20, 15), (10, 8), (1, 0, -40, 0, 1, -40)),
    ((20, 15), (16, 16), (0.2, 0, 3, 0, 0.3, 2)),
    # No inverse.
    ((20, 15), (4, 4), (0, 0, 0, 0, 0, 0)),
    ((20, 15), (4, 4), (1, 2, 3, 2, 4, 6)),
    # Points beyond 32 bits.
    ((20, 15), (40, 30), (1e-6, 0, 0, 0, 1e-6, 0)),
    ((20, 15), (40, 30), (3e-7, -4, 1, 2e-7, 5, 1e6)),
]
RANDOM_CASES = 24


def cases() -> list[Case]:
    """Return the cases: those above, then turned, sheared and scaled pictures on the middle of a canvas."""
    draw = random.Random(7)

    def case() -> Case:
        source, canvas = [(draw.randint(2, 60), draw.randint(2, 60)) for _ in range(2)]
        a, b, c, d = (draw.uniform(-1.5, 1.5) for _ in range(4))
        shift = [(canvas[i] - x * source[0] - y * source[1]) / 2 for i, (x, y) in enumerate(((a, b), (c, d)))]
        return source, canvas, (a, b, shift[0], c, d, shift[1])

    return EDGE_CASES + [case() for _ in range(RANDOM_CASES)]


def line(method: int, case: Case, channels: int) -> str:
    """Return a case's line."""
    (width, height), canvas, numbers = case
    source = noise(width * height * channels).reshape(height, width, channels)
    matrix = np.array(numbers, np.float32).reshape(2, 3)
    pixels = cv2.warpAffine(
        source, matrix, canvas, flags=method, borderMode=cv2.BORDER_CONSTANT, borderValue=BORDER
    ).tobytes()
    bits = " ".join(f"{number:08x}" for number in matrix.view(np.uint32).ravel())
    return f"{method} {width} {height} {channels} {canvas[0]} {canvas[1]} {bits} {fnv1a(pixels):016x}"


def main() -> None:
    """Write the file beside this script."""
    lines = [
        line(method, case, channels)
        for method in (NEAREST, LINEAR, CUBIC, AREA, LANCZOS4)
        for at, case in enumerate(cases())
        for channels in ((1, 3, 4) if at % 4 == 0 else (3,))
    ]
    Path(__file__).with_name("warp_vectors.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
