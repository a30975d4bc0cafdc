"""TIFF files: photometrics, depths, alpha, compressions, predictors, strips and tiles, planes, orientations."""

from __future__ import annotations

import io
from itertools import product
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import tifffile
from PIL import Image

from tests.support.formats.pictures import SIZES, Files, Size, all_of, picture, run, saved

if TYPE_CHECKING:
    from numpy.typing import NDArray


def written(data: NDArray[Any], **options: object) -> bytes:
    """Return an image encoded by tifffile."""
    out = io.BytesIO()
    tifffile.imwrite(out, data, **options)
    return out.getvalue()


def bases(number: int, size: Size) -> dict[str, bytes]:
    """Return a TIFF of each photometric, depth and kind of alpha."""
    made = {}
    for dtype in (np.uint8, np.uint16):
        bits = np.iinfo(dtype).bits
        gray = picture(number, size, 1, dtype)[..., 0]
        rgb, rgba = picture(number, size, 3, dtype), picture(number, size, 4, dtype)
        made[f"gray{bits}"] = written(gray, photometric="minisblack")
        made[f"white{bits}"] = written(gray, photometric="miniswhite")
        made[f"rgb{bits}"] = written(rgb, photometric="rgb")
        for alpha in ("unassalpha", "assocalpha", "unspecified"):
            made[f"rgba{bits}-{alpha}"] = written(rgba, photometric="rgb", extrasamples=[alpha])
            pair = np.ascontiguousarray(rgba[..., :2])
            made[f"la{bits}-{alpha}"] = written(
                pair, photometric="minisblack", planarconfig="contig", extrasamples=[alpha]
            )
    made["cmyk8"] = written(picture(number, size, 4), photometric="separated")
    image = Image.fromarray(picture(number, size, 3))
    made["palette8"] = saved(image.quantize(77), "TIFF")
    made["bilevel"] = saved(image.convert("1"), "TIFF")
    made["lab8"] = saved(image.convert("LAB"), "TIFF")
    made["pil-rgba"] = saved(image.convert("RGBA"), "TIFF")
    made["pil-cmyk"] = saved(image.convert("CMYK"), "TIFF")
    made["int8"] = written(picture(number, size, 1)[..., 0].astype(np.int8), photometric="minisblack")
    made["int16"] = written(picture(number, size, 3, np.uint16).astype(np.int16), photometric="rgb")
    made["float32"] = written(picture(number, size, 3).astype(np.float32), photometric="rgb")
    made["five8"] = written(picture(number, size, 5), photometric="rgb", planarconfig="contig")
    made["cv2-rgb16"] = cv2.imencode(".tiff", picture(number, size, 3, np.uint16))[1].tobytes()
    made["cv2-gray8"] = cv2.imencode(".tiff", picture(number, size, 1))[1].tobytes()
    png = saved(image, "PNG")
    for label, options in {
        "im-gray4": ["-colorspace", "Gray", "-depth", "4"],
        "im-gray2": ["-colorspace", "Gray", "-depth", "2"],
        "im-pal4": ["+dither", "-colors", "16", "-type", "Palette", "-depth", "4"],
        "im-pal2": ["+dither", "-colors", "4", "-type", "Palette", "-depth", "2"],
        "im-pal1": ["+dither", "-colors", "2", "-type", "Palette"],
        "im-bilevel": ["-monochrome", "-compress", "None"],
        "im-white": ["-monochrome", "-define", "quantum:polarity=min-is-white"],
    }.items():
        tiff = run(["convert", "IN", *options, "OUT"], png, ".png", ".tif")
        if tiff is not None:
            made[label] = tiff
    for factors in ("1 1", "2 1", "2 2", "4 2", "4 4", "1 2", "4 1"):
        h, v = factors.split()
        tiff = run(["rgb2ycbcr", "-c", "none", "-h", h, "-v", v, "IN", "OUT"], made["rgb8"], ".tif", ".tif")
        if tiff is not None:
            made[f"ycbcr{h}{v}"] = tiff
    return made


def by_tifffile(number: int, size: Size) -> Files:
    """Yield layouts that tiffcp cannot write: separate planes of 16 bits, predictors of all samples."""
    shapes: dict[str, dict[str, Any]] = {"r7": {"rowsperstrip": 7}, "t16": {"tile": (16, 16)}}
    codes = [(None, False), ("packbits", False), *product(("lzw", "zlib"), (False, True))]
    kinds: dict[str, dict[str, Any]] = {
        "rgb": {},
        "rgba": {"extrasamples": ["unassalpha"]},
        "rgbx": {"extrasamples": ["unspecified"]},
    }
    for dtype, kind, planes, shape in product((np.uint8, np.uint16), kinds, ("contig", "separate"), shapes):
        pixels = picture(number, size, 3 + len(kinds[kind]), dtype)
        if planes == "separate":
            pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
        label = f"{kind}{np.iinfo(dtype).bits}-{planes}-{shape}"
        for (compression, predictor), order in product(codes, "<>"):
            options = {"compression": compression, "predictor": predictor, "byteorder": order}
            made = written(pixels, photometric="rgb", planarconfig=planes, **kinds[kind], **shapes[shape], **options)
            yield f"tiff-{number}-tf-{label}-{compression}-{predictor}-{ord(order)}.tif", made


def layouts() -> dict[str, list[str]]:
    """Return options of tiffcp for strips, tiles, planes, byte and bit orders."""
    made = {}
    for label, shape in {
        "r1": ["-s", "-r", "1"],
        "r7": ["-s", "-r", "7"],
        "r-all": ["-s", "-r", "10000"],
        "t16": ["-t", "-w", "16", "-l", "16"],
        "t48": ["-t", "-w", "48", "-l", "32"],
    }.items():
        for planes in ("contig", "separate"):
            made[f"{label}-{planes}"] = [*shape, "-p", planes]
    made["lsb"] = ["-f", "lsb2msb"]
    made["big-endian"] = ["-B"]
    made["big-endian-lsb"] = ["-B", "-f", "lsb2msb", "-s", "-r", "5"]
    made["bigtiff"] = ["-8"]
    made["bigtiff-tiles"] = ["-8", "-B", "-t", "-w", "32", "-l", "16"]
    return made


COMPRESSIONS = [
    "none",
    "packbits",
    "lzw",
    "lzw:2",
    "zip",
    "zip:2",
    "jpeg",
    "jpeg:r",
    "jpeg:r:50",
    "jpeg:raw",
    "zstd",
    "lzma",
    "webp",
]
FAXES = ["g3", "g3:1d", "g3:2d", "g3:2d:fill", "g3:fill", "g4"]


def copied(name: str, tiff: bytes, *, all_layouts: bool) -> Files:
    """Yield a TIFF copied by tiffcp with every compression and layout."""
    is_bilevel = "bilevel" in name or "im-white" in name
    compressions = ["none", "packbits", "lzw", "zip", *FAXES] if is_bilevel else COMPRESSIONS
    for compression in compressions:
        for label, options in layouts().items():
            if all_layouts or label in ("r7-contig", "t16-separate", "big-endian-lsb"):
                command = ["tiffcp", "-c", compression, *options, "IN", "OUT"]
                yield from all_of(name, tiff, ".tif", ".tif", {f"{compression.replace(':', '_')}-{label}": command})


def files(sizes: list[Size] = SIZES) -> Files:
    """Yield all TIFF files."""
    many = ("rgb8", "rgb16", "gray8", "gray16", "rgba8-unspecified", "bilevel", "palette8")
    for number, size in enumerate(sizes):
        for label, tiff in bases(number, size).items():
            name = f"tiff-{number}-{label}"
            yield f"{name}.tif", tiff
            if number == 0:
                yield from copied(name, tiff, all_layouts=label in many)
            if number < 2:
                for orientation in range(2, 9):
                    command = ["sh", "-c", f"cp IN OUT && tiffset -s 274 {orientation} OUT"]
                    yield from all_of(name, tiff, ".tif", ".tif", {f"orient{orientation}": command})
        if number in (0, 2):
            yield from by_tifffile(number, size)
        for orientation in range(2, 9) if number < 2 else ():
            command = ["sh", "-c", f"tiffcp -t -w 16 -l 16 IN OUT && tiffset -s 274 {orientation} OUT"]
            tiff = written(picture(number, size, 3), photometric="rgb")
            yield from all_of(f"tiff-{number}-tiles", tiff, ".tif", ".tif", {f"orient{orientation}": command})
        rgb = Image.fromarray(picture(number, size, 3))
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "tiff_deflate", "jpeg"):
            yield f"tiff-{number}-pil-{compression}.tif", saved(rgb, "TIFF", compression=compression)
        for compression in ("group3", "group4", "tiff_ccitt"):
            yield f"tiff-{number}-pil-{compression}.tif", saved(rgb.convert("1"), "TIFF", compression=compression)
        commands = {
            f"im-{kind}-{depth}": ["convert", "IN", "-compress", kind, "-depth", str(depth), "OUT"]
            for kind in ("None", "LZW", "Zip", "RLE", "JPEG", "Group4", "Fax")
            for depth in (8, 16)
        }
        commands["im-alpha"] = ["convert", "IN", "-alpha", "set", "-channel", "A", "-evaluate", "set", "50%", "OUT"]
        commands["im-cmyk"] = ["convert", "IN", "-colorspace", "CMYK", "OUT"]
        commands["im-cmyk16"] = ["convert", "IN", "-colorspace", "CMYK", "-depth", "16", "OUT"]
        commands["im-ycc"] = ["convert", "IN", "-colorspace", "YCbCr", "OUT"]
        commands["im-ptif"] = ["convert", "IN", "-define", "tiff:tile-geometry=32x32", "OUT"]
        yield from all_of(f"tiff-{number}", saved(rgb, "PNG"), ".png", ".tif", commands)
