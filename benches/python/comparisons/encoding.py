"""Encoding of images, alone and in record files, compared with OpenCV and simplejpeg.

Needs simplejpeg. Photographs are those of the tests; packing takes a hundred of them.
"""

from __future__ import annotations

import shutil
import struct
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import cv2
import numpy as np
import simplejpeg

from comparisons.case import Case
from recio.im2rec import pack
from recio.image import imencode
from recio.recordio import IRHeader, MXIndexedRecordIO, pack_img

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

PHOTOGRAPHS = Path(__file__).parents[3] / "tests" / "data" / "photos"
PACKED = 100


def cases() -> Iterator[Case]:
    """Yield the cases of encoding."""
    cv2.setNumThreads(1)
    photo = read(min(PHOTOGRAPHS.glob("*/*.jpg")))
    yield from jpeg_cases(photo, "photograph")
    yield from jpeg_cases(np.asarray(cv2.resize(photo, (112, 112)), np.uint8), "face of 112x112")
    yield from png_cases(photo)
    yield from packing_cases()


def read(path: Path) -> NDArray[np.uint8]:
    """Read a photograph."""
    return np.asarray(cv2.imread(str(path)), np.uint8)


def jpeg_cases(bgr: NDArray[np.uint8], name: str) -> Iterator[Case]:
    """Yield `imencode` and `pack_img` of a JPEG."""
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    for quality in (85, 95):
        yield Case(
            f"imencode, {name}, quality {quality}",
            "cv2.imencode",
            partial(imencode, rgb, quality=quality),
            partial(cv2.imencode, ".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality]),
            0.8,
        )
        yield Case(
            f"imencode, {name}, quality {quality}",
            "simplejpeg.encode_jpeg",
            partial(imencode, rgb, quality=quality),
            partial(simplejpeg.encode_jpeg, rgb, quality, "RGB", "420"),
            0.8,
        )
    header = IRHeader(0, 3.0, 7, 0)
    yield Case(
        f"pack_img, {name}",
        "struct.pack, cv2.imencode",
        lambda: pack_img(header, bgr),
        lambda: pack_by_opencv(header, bgr),
        0.8,
    )


def pack_by_opencv(header: IRHeader, bgr: NDArray[np.uint8]) -> bytes:
    """Return a record as MXNet's `pack_img` makes it."""
    flag, label, id_, id2 = header
    jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
    return struct.pack("IfQQ", flag, label, id_, id2) + jpeg.tobytes()


def png_cases(bgr: NDArray[np.uint8]) -> Iterator[Case]:
    """Yield `imencode` of a PNG."""
    rgb = np.ascontiguousarray(bgr[..., ::-1])
    for level in (1, 3, 6, 9):
        yield Case(
            f"imencode, photograph, PNG level {level}",
            "cv2.imencode",
            partial(imencode, rgb, ".png", level),
            partial(cv2.imencode, ".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, level]),
            1.0,
        )
    yield Case(
        "imencode, photograph, PNG of default level",
        "cv2.imencode",
        lambda: imencode(rgb, ".png"),
        lambda: cv2.imencode(".png", bgr),
        1.0,
    )


def packing_cases() -> Iterator[Case]:
    """Yield `im2rec.pack` of photographs that are encoded again."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        paths = sorted(PHOTOGRAPHS.glob("*/*.jpg"))
        for number in range(PACKED):
            shutil.copy(paths[number % len(paths)], root / f"{number}.jpg")
        lst = root / "a.lst"
        lst.write_text("".join(f"{number}\t{number}\t{number}.jpg\n" for number in range(PACKED)))
        for name, side in (("encoded again", 0), ("resized to 256 and encoded again", 256)):
            yield Case(
                f"im2rec, {PACKED} photographs {name}",
                "cv2.imread, resize, imencode",
                partial(pack, lst, root, resize=side, rec=root / "recio.rec"),
                loop(root, side),
                0.8,
            )


def loop(root: Path, side: int) -> Callable[[], None]:
    """Return a loop that does what MXNet's im2rec.py does, in one thread."""

    def run() -> None:
        with MXIndexedRecordIO(root / "cv2.idx", root / "cv2.rec", "w") as records:
            for number in range(PACKED):
                image = read(root / f"{number}.jpg")
                height, width = image.shape[:2]
                if side:
                    is_tall = height > width
                    size = (side, height * side // width) if is_tall else (width * side // height, side)
                    image = np.asarray(cv2.resize(image, size), np.uint8)
                records.write_idx(number, pack_by_opencv(IRHeader(0, float(number), number, 0), image))

    return run
