"""Digests of OpenCV's pixels, and archives of images with them.

    python -m tests.support.formats.digests FOLDER SUFFIX
    python -m tests.support.formats.digests tests/data/formats/gif.zip

The first form writes `reference-SUFFIX.json` into a folder, the second the digests of an archive.

The digests of a file are, for each flag of `cv2.imdecode` (-1, 0, 1), shape, dtype and the beginning of the SHA-256 of
the pixels, or null.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAGS = (-1, 0, 1)

CORPUS_SHARES = {"png": 8, "bmp": 1, "gif": 2, "webp": 1, "tiff": 10}
"""The formats, and of how many of their files the corpus has one."""


def digest(pixels: NDArray[Any] | None) -> list[object] | None:
    """Return shape, dtype and SHA-256 of an image."""
    if pixels is None:
        return None
    return [
        list(pixels.shape),
        pixels.dtype.name,
        hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()[:16],
    ]


def reference(payload: bytes) -> dict[str, list[object] | None]:
    """Return the digests of the pixels of OpenCV for each flag."""
    made = {}
    for flag in FLAGS:
        try:
            pixels = cv2.imdecode(np.frombuffer(payload, np.uint8), flag)
        except cv2.error:
            pixels = None
        made[str(flag)] = digest(pixels)
    return made


def write_archive(path: Path, images: dict[str, bytes]) -> None:
    """Write images and their digests."""
    digests = {name: reference(payload) for name, payload in images.items()}
    made = json.dumps({"opencv": cv2.__version__, "files": digests}).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, payload in {**images, "reference.json": made}.items():
            archive.writestr(zipfile.ZipInfo(name), payload, zipfile.ZIP_DEFLATED)


def read_archive(path: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Return the images and their digests."""
    with zipfile.ZipFile(path) as archive:
        images = {name: archive.read(name) for name in archive.namelist()}
    return images, json.loads(images.pop("reference.json"))["files"]


def write_digests(folder: Path, name: str, suffix: str = "") -> None:
    """Write the digests of the images of a folder whose names have a suffix."""
    paths = sorted(
        path for path in folder.iterdir() if path.suffix not in {".json", ".txt"} and path.match(f"*{suffix}")
    )
    digests = {path.name: reference(path.read_bytes()) for path in paths}
    (folder / name).write_text(json.dumps({"opencv": cv2.__version__, "files": digests}, indent=1))
    sys.stdout.write(f"{len(digests)} images, OpenCV {cv2.__version__}\n")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if target.suffix == ".zip":
        write_archive(target, read_archive(target)[0])
    else:
        write_digests(target, f"reference-{sys.argv[2]}.json", f".{sys.argv[2]}")
