"""Write ``jpeg_vectors.txt`` and ``jpeg-pixels/``: what libjpeg-turbo makes of JPEGs, for the tests of the decoder.

Each line of the first holds ``file length denominator channels width height digest``: the file, of which the first
``length`` bytes count; the scale, 1/1 to 1/8; and the 64-bit FNV-1a of the pixels in hexadecimal. Of files that are cut
off, libjpeg-turbo fills in the rest. The second has the pixels of one file at all scales, to look at where they differ.
Pillow carries libjpeg-turbo; the files in the repository are from Pillow 13.0 with 3.2.0.

Usage: python make_jpeg_vectors.py
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

HERE = Path(__file__).parent
ODD = ["cmyk", "gray", "one-pixel", "plain", "progressive", "s422", "s444", "tiny", "with-restarts"]
UNFINISHED = {*(HERE / "jpeg").glob("unfinished-*.jpg")}
WHOLE = [
    *sorted({*(HERE / "jpeg").glob("*.jpg")} - UNFINISHED),
    *(HERE / "odd-images" / f"{name}.jpg" for name in ODD),
]
INKS = {HERE / "odd-images" / "cmyk.jpg", *(HERE / "jpeg").glob("ycck-*.jpg")}
CUT = [
    HERE / "odd-images" / "tiny.jpg",
    *sorted((HERE / "jpeg").glob("sampling-*.jpg")),
    *sorted((HERE / "jpeg").glob("progressive-*.jpg")),
]
SHOWN = HERE / "odd-images" / "tiny.jpg"
DENOMINATORS = (1, 2, 4, 8)


def fnv1a(data: bytes) -> int:
    """Return the 64-bit FNV-1a digest."""
    digest = 0xCBF29CE484222325
    for byte in data:
        digest = ((digest ^ byte) * 0x100000001B3) & ((1 << 64) - 1)
    return digest


def decode(data: bytes, denominator: int, *, is_grey: bool) -> NDArray[np.uint8]:
    """Decode at a scale, to shape (height, width, channels): grey, R, G, B or four inks as they are stored."""
    with Image.open(io.BytesIO(data)) as image:
        is_inverted = "adobe" in image.info and image.mode == "CMYK"
        width, height = image.size
        image.draft("L" if is_grey else image.mode, (max(1, width // denominator), max(1, height // denominator)))
        is_repeated = image.mode == "L" and not is_grey
        pixels = np.asarray(image.convert("RGB") if is_repeated else image)
    assert pixels.shape[:2] == (-(-height // denominator), -(-width // denominator)), "Pillow chose another scale"
    pixels = ~pixels if is_inverted else pixels
    return pixels.reshape(*pixels.shape[:2], -1)


def line(path: Path, length: int, denominator: int, *, is_grey: bool = False) -> str:
    """Return the line for the first bytes of a file."""
    pixels = decode(path.read_bytes()[:length], denominator, is_grey=is_grey)
    height, width, channels = pixels.shape
    name = path.relative_to(HERE)
    return f"{name} {length} {denominator} {channels} {width} {height} {fnv1a(pixels.tobytes()):016x}"


def lines() -> list[str]:
    """Return all lines."""
    files = [(path, path.stat().st_size) for path in WHOLE]
    scaled = [line(path, size, denominator) for path, size in files for denominator in DENOMINATORS]
    grey = [line(path, size, 1, is_grey=True) for path, size in files if path not in INKS]
    cut = [line(path, length, 1) for path in CUT for length in lengths(path)]
    # Without the end marker, so that they count as cut off.
    unfinished = [
        line(path, path.stat().st_size - 2, denominator) for path in sorted(UNFINISHED) for denominator in DENOMINATORS
    ]
    return [*scaled, *grey, *cut, *unfinished]


def lengths(path: Path) -> list[int]:
    """Return the lengths at which a file is cut off, but not within the tables between scans: Pillow shows nothing."""
    data = path.read_bytes()
    candidates = [len(data) * part // 8 for part in (5, 7)]
    return [length for length in candidates if decode(data[:length], 1, is_grey=False).any()]


def main() -> None:
    """Write the files."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    (HERE / "jpeg_vectors.txt").write_text("\n".join(lines()) + "\n")
    folder = HERE / "jpeg-pixels"
    folder.mkdir(exist_ok=True)
    for denominator in DENOMINATORS:
        pixels = decode(SHOWN.read_bytes(), denominator, is_grey=False)
        Image.fromarray(pixels).save(folder / f"{SHOWN.stem}-{denominator}.ppm")


if __name__ == "__main__":
    main()
