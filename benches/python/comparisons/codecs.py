"""Decoding of single images, compared with OpenCV and simplejpeg."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np
import simplejpeg

from comparisons.case import Case
from recio.image import imdecode
from recio.io import ImageRecordIter
from recio.limits import FORMATS
from recio.recordio import IRHeader, MXRecordIO, pack, unpack, unpack_img

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PHOTOGRAPHS = Path(__file__).parents[3] / "tests" / "data" / "photos"
FACE = 112
LARGE = (4000, 3000)
CROP, BATCH_SIZE = 224, 16
OTHER_FORMATS = {
    "BMP": (".bmp", [], 1.5),
    "WebP": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 90], 1.2),
    "lossless WebP": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101], 1.2),
    "PNG": (".png", [], 1.0),
    "GIF": (".gif", [], 1.2),
    "TIFF": (".tiff", [], 1.2),
}
"""File name, options of OpenCV's encoder, and goal of each format other than JPEG."""


def cases() -> Iterator[Case]:
    """Yield the cases of decoding."""
    photo, pixels = photograph()
    face = encoded(".jpg", cv2.resize(pixels, (FACE, FACE)), [cv2.IMWRITE_JPEG_QUALITY, 95])
    for name, jpeg in (("photograph", photo), ("face", face)):
        yield Case(
            f"imdecode, {name}", "simplejpeg", partial(imdecode, jpeg), partial(simplejpeg.decode_jpeg, jpeg), 0.8
        )
        yield against_opencv(f"imdecode(to_rgb=False), {name}", jpeg, 0.8, to_rgb=False)
        yield against_opencv(f"imdecode(flag=0), {name}", jpeg, 0.8, flag=0)
        yield unpacking(name, jpeg)
    large = encoded(".jpg", noisy(cv2.resize(pixels, LARGE)), [cv2.IMWRITE_JPEG_QUALITY, 90])
    yield against_simplejpeg("imdecode, 12 MP", large, 0.75)
    for name, (extension, options, goal) in OTHER_FORMATS.items():
        yield against_opencv(f"imdecode, {name}", encoded(extension, pixels, options), goal)
        if name in ("WebP", "PNG"):
            yield iterating(f"records of {name}", encoded(extension, pixels, options), goal)
    yield against_opencv(
        "imdecode, gray PNG", encoded(".png", cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), []), 1.0, flag=0
    )


def photograph() -> tuple[bytes, NDArray[Any]]:
    """Return a photograph as a JPEG, and its pixels."""
    photo = min(PHOTOGRAPHS.glob("*/*.jpg")).read_bytes()
    return photo, decoded(np.frombuffer(photo, np.uint8))


def decoded(image: NDArray[Any], flag: int = cv2.IMREAD_COLOR) -> NDArray[Any]:
    """Decode an image with OpenCV."""
    return cast("NDArray[Any]", cv2.imdecode(image, flag))


def against_simplejpeg(name: str, jpeg: bytes, goal: float) -> Case:
    """Return a case of `imdecode` of a JPEG."""
    return Case(name, "simplejpeg", partial(imdecode, jpeg), partial(simplejpeg.decode_jpeg, jpeg), goal)


def against_opencv(name: str, image: bytes, goal: float, *, flag: int = 1, to_rgb: bool = True) -> Case:
    """Return a case of `imdecode`, in gray or in color."""
    array = np.frombuffer(image, np.uint8)
    # 0 and 1 are OpenCV's flags of gray and color too.
    return Case(name, "cv2.imdecode", partial(imdecode, image, flag, to_rgb), partial(cv2.imdecode, array, flag), goal)


def unpacking(name: str, jpeg: bytes) -> Case:
    """Return a case of `unpack_img`."""
    record = pack(IRHeader(0, 1.0, 0, 0), jpeg)

    def other() -> NDArray[Any]:
        return decoded(np.frombuffer(unpack(record)[1], np.uint8))

    return Case(f"unpack_img, {name}", "unpack, cv2.imdecode", partial(unpack_img, record), other, 0.8)


def encoded(extension: str, pixels: NDArray[Any], options: list[int]) -> bytes:
    """Encode an image with OpenCV."""
    return cv2.imencode(extension, pixels, options)[1].tobytes()


def noisy(pixels: NDArray[Any]) -> NDArray[Any]:
    """Add the noise of a camera to an enlarged photograph, which is smoother than a photograph of that size."""
    noise = np.random.default_rng(1).normal(0, 4, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def iterating(name: str, image: bytes, goal: float) -> Case:
    """Return a case of an epoch of records in batches, against a thread pool that decodes with OpenCV."""
    folder, array = TemporaryDirectory(), np.frombuffer(image, np.uint8)
    with MXRecordIO(f"{folder.name}/images.rec", "w") as file:
        for i in range(2 * BATCH_SIZE):
            file.write(pack(IRHeader(0, 1.0, i, 0), image))
    threads = ThreadPoolExecutor(2)

    def epoch() -> None:
        # An iterator that stays open would decode the next epoch while the other side is measured.
        with ImageRecordIter(
            path_imgrec=f"{folder.name}/images.rec",
            data_shape=(3, CROP, CROP),
            batch_size=BATCH_SIZE,
            preprocess_threads=2,
            formats=FORMATS,
        ) as batches:
            for _ in batches:
                pass

    def other() -> None:
        for _ in range(2):
            np.stack(list(threads.map(center, [array] * BATCH_SIZE)))

    return Case(name, "thread pool with OpenCV", epoch, other, goal)


def center(image: NDArray[Any]) -> NDArray[Any]:
    """Decode an image with OpenCV, and return the floats of its center."""
    pixels = decoded(image, cv2.IMREAD_COLOR_RGB)
    top, left = ((side - CROP) // 2 for side in pixels.shape[:2])
    return pixels[top : top + CROP, left : left + CROP].transpose(2, 0, 1).astype(np.float32)
