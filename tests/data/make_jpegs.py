"""Write ``jpeg/``: JPEGs whose scans, sampling or tables common encoders do not write, for the tests of the decoder.

All show the same piece of a photograph, of an odd size. Needs libjpeg-turbo's ``cjpeg`` and, for YCCK, which it
does not write, the library ``libturbojpeg.so.0``; the files in the repository are from 2.1.5.

Usage: python make_jpegs.py
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile

import cv2
import numpy as np

HERE = Path(__file__).parent
CJPEG = shutil.which("cjpeg") or "cjpeg"
PHOTOGRAPH = HERE / "photos" / "cat" / "00.jpg"
TOP, LEFT, HEIGHT, WIDTH = 60, 90, 53, 67
"""The piece, in pixels."""

# cjpeg's language: components; in progressive files the first and last coefficient, and the lowest
# bit before and now.
APART = "0; 1; 2;"
LUMA_APART = "0; 1 2;"
CHROMA_FIRST = "1 2; 0;"
BANDS = "0 1 2: 0-0, 0, 0; " + " ".join(f"{c}: {k}-{min(k + 8, 63)}, 0, 0;" for c in (0, 1, 2) for k in range(1, 64, 9))
"""Spectral selection alone: each coefficient whole, in one of seven bands."""
BITS = (
    "0 1 2: 0-0, 0, 3; "
    + " ".join(f"0 1 2: 0-0, {low + 1}, {low};" for low in (2, 1, 0))
    + " ".join(f"{c}: 1-63, 0, 4;" for c in (0, 1, 2))
    + " ".join(f"{c}: 1-63, {low + 1}, {low};" for low in (3, 2, 1, 0) for c in (0, 1, 2))
)
"""Successive approximation alone: all coefficients, bit by bit."""
MANY = (
    "0: 0-0, 0, 1; 2: 0-0, 0, 0; 1: 0-0, 0, 2; "
    + " ".join(f"{c}: {k}-{k}, 0, 1;" for k in range(1, 14) for c in (1, 0, 2))
    + " 0: 14-63, 0, 2; 1: 14-63, 0, 2; 2: 14-63, 0, 2; 0: 0-0, 1, 0; "
    + " ".join(f"{c}: 14-63, 2, 1;" for c in (2, 1, 0))
    + " 1: 0-0, 2, 1; 1: 0-0, 1, 0; "
    + " ".join(f"{c}: {k}-{k + 6}, 1, 0;" for k in range(1, 64, 7) for c in (0, 1, 2))
)
"""Both, in 78 scans, those of a component's DC apart from the others'."""
DC_ALONE = "0 1 2: 0-0, 0, 0;"
HALF_OF_THE_BITS = "0 1 2: 0-0, 0, 1; " + " ".join(f"{c}: 1-63, 0, 2;" for c in (0, 1, 2))

SCANS = {
    "apart-420": (["-sample", "2x2"], APART),
    "apart-444": (["-sample", "1x1"], APART),
    "apart-420-restarts": (["-sample", "2x2", "-restart", "3B"], APART),
    "apart-444-restarts": (["-sample", "1x1", "-restart", "1"], APART),
    "luma-apart-420-restarts": (["-sample", "2x2", "-restart", "1"], LUMA_APART),
    "chroma-first-422": (["-sample", "2x1"], CHROMA_FIRST),
    "apart-more-than-10-blocks": (["-sample", "4x2,2x1,2x2"], APART),
    "apart-444-of-2x2": (["-sample", "2x2,2x2,2x2"], APART),
    "progressive-bands": (["-sample", "2x2"], BANDS),
    "progressive-bits": (["-sample", "2x2"], BITS),
    "progressive-bits-440-restarts": (["-sample", "1x2", "-restart", "1"], BITS),
    "progressive-many": (["-sample", "2x1"], MANY),
    "progressive-many-444-restarts": (["-sample", "1x1", "-restart", "5B"], MANY),
    "unfinished-dc": (["-sample", "2x2"], DC_ALONE),
    "unfinished-bits": (["-sample", "2x2"], HALF_OF_THE_BITS),
}
"""Scan scripts."""

SAMPLINGS = [
    *("2x2,1x2,1x2", "2x2,2x1,2x1", "2x2,2x1,1x2", "2x1,1x2,1x1", "1x2,1x1,1x2", "2x2,2x2,1x1"),
    *("1x1,2x2,2x2", "1x1,2x1,1x2", "1x2,2x2,1x1", "4x1,1x1,1x1", "1x4,1x1,1x1", "4x2,1x1,1x1", "2x4,1x1,1x1"),
    *("4x1,2x1,1x1", "1x4,1x2,1x1", "3x1,1x1,1x1", "1x3,1x1,1x1", "3x2,1x1,1x1"),
]
"""Factors across and down, component by component."""


def main() -> None:
    """Write the files."""
    photograph = cv2.imread(str(PHOTOGRAPH))
    assert photograph is not None
    piece = photograph[TOP : TOP + HEIGHT, LEFT : LEFT + WIDTH]
    ppm = cv2.imencode(".ppm", piece)[1].tobytes()
    for name, (options, script) in SCANS.items():
        with NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(script)
            file.flush()
            write(name, cjpeg(ppm, *options, "-scans", file.name))
    for factors in SAMPLINGS:
        write(f"sampling-{factors.replace(',', '-')}", cjpeg(ppm, "-sample", factors))
        write(f"sampling-{factors.replace(',', '-')}-progressive", cjpeg(ppm, "-sample", factors, "-progressive"))
    write("grey-2x2", cjpeg(ppm, "-grayscale", "-sample", "2x2"))
    write("grey-1x3-restarts", cjpeg(ppm, "-grayscale", "-sample", "1x3", "-restart", "1"))
    write("extended", cjpeg(ppm, "-quality", "1"))
    write("ycck-444", ycck(piece, subsampling=0))
    write("ycck-420", ycck(piece, subsampling=2))


def write(name: str, data: bytes) -> None:
    """Write one file."""
    (HERE / "jpeg" / f"{name}.jpg").write_bytes(data)


def cjpeg(ppm: bytes, *options: str) -> bytes:
    """Encode with these options."""
    command = [CJPEG, "-quality", "80", *options]
    return subprocess.run(command, input=ppm, capture_output=True, check=True).stdout


def ycck(image: np.ndarray, subsampling: int) -> bytes:
    """Encode as YCCK: the inverse of blue, green and red, and of a fourth of the grey."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    grey = image.min(axis=2, keepdims=True) // 4
    pixels = np.ascontiguousarray(255 - np.concatenate([image, grey], axis=2))
    data, size = ctypes.c_void_p(), ctypes.c_ulong()
    height, width = image.shape[:2]
    cmyk, quality = 11, 80
    handle = ctypes.c_void_p(library.tjInitCompress())
    failed = library.tjCompress2(
        handle, pixels.ctypes.data_as(ctypes.c_void_p), width, 0, height, cmyk,
        ctypes.byref(data), ctypes.byref(size), subsampling, quality, 0,
    )  # fmt: skip
    if failed:
        raise RuntimeError("tjCompress2")
    return ctypes.string_at(data, size.value)


if __name__ == "__main__":
    main()
