"""TurboJPEG interface of libjpeg-turbo 3 through ctypes, which releases the GIL.

The environment variable TURBOJPEG is the path of the library. Version 2, which many systems have,
cannot decode regions.
"""

from __future__ import annotations

import os
from ctypes import CDLL, Structure, c_char_p, c_int, c_size_t, c_void_p
from threading import local
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Constants of turbojpeg.h, version 3.0 and later.
DECOMPRESS = 1
SUBSAMPLING, WIDTH, HEIGHT = 4, 5, 6
FATAL = 1
RGB = 0
MCU_WIDTH = [8, 16, 16, 8, 8, 32, 8, 32, 16]
"""Width of an MCU in pixels, indexed by the subsampling constant."""


class Region(Structure):
    """`tjregion`, in pixels."""

    _fields_ = (("x", c_int), ("y", c_int), ("w", c_int), ("h", c_int))


FULL = Region(0, 0, 0, 0)


def load(path: str) -> CDLL:
    """Load the library and declare the functions used."""
    library = CDLL(path)
    for name, result, arguments in (
        ("tj3Init", c_void_p, [c_int]),
        ("tj3DecompressHeader", c_int, [c_void_p, c_char_p, c_size_t]),
        ("tj3Get", c_int, [c_void_p, c_int]),
        ("tj3GetErrorCode", c_int, [c_void_p]),
        ("tj3GetErrorStr", c_char_p, [c_void_p]),
        ("tj3SetCroppingRegion", c_int, [c_void_p, Region]),
        ("tj3Decompress8", c_int, [c_void_p, c_char_p, c_size_t, c_void_p, c_int, c_int]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


turbojpeg = load(os.environ["TURBOJPEG"])
threads = local()


def handle() -> c_void_p:
    """Return the decompressor of this thread."""
    if not hasattr(threads, "handle"):
        threads.handle = c_void_p(turbojpeg.tj3Init(DECOMPRESS))
    decompressor: c_void_p = threads.handle
    return decompressor


def check(result: int) -> None:
    """Raise RuntimeError for an error of the library; ignore warnings, as the other decoders do."""
    if result and turbojpeg.tj3GetErrorCode(handle()) == FATAL:
        raise RuntimeError(turbojpeg.tj3GetErrorStr(handle()).decode())


def read_header(data: bytes) -> tuple[int, int, int]:
    """Return the width and height in pixels and the subsampling constant."""
    check(turbojpeg.tj3DecompressHeader(handle(), data, len(data)))
    width, height, subsampling = (turbojpeg.tj3Get(handle(), field) for field in (WIDTH, HEIGHT, SUBSAMPLING))
    return width, height, subsampling


def decompress(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """Decode the cropping region that is set on the handle, of this size in pixels."""
    pixels = np.empty((height, width, 3), np.uint8)
    check(turbojpeg.tj3Decompress8(handle(), data, len(data), pixels.ctypes.data, 3 * width, RGB))
    return pixels


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode a full image to RGB of shape (height, width, 3)."""
    width, height, _ = read_header(data)
    check(turbojpeg.tj3SetCroppingRegion(handle(), FULL))
    return decompress(data, width, height)


def decode_region(data: bytes, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Decode a region (left, top, width, height) from the first MCU of it, and crop it."""
    x, y, width, height = box
    _, _, subsampling = read_header(data)
    extra = x % MCU_WIDTH[subsampling]
    check(turbojpeg.tj3SetCroppingRegion(handle(), Region(x - extra, y, width + extra, height)))
    return decompress(data, width + extra, height)[:, extra:]
