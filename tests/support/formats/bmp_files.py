"""BMP files: all depths, headers, masks, row orders and run-length encoding."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from tests.support.formats.pictures import SIZES, Files, Size, all_of, picture, saved

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bitmap(
    size: Size,
    bits: int,
    pixels: bytes,
    *,
    compression: int = 0,
    palette: bytes = b"",
    masks: bytes = b"",
    header: int = 40,
) -> bytes:
    """Return a BMP; a negative height in `size` is a top-down one."""
    width, height = size
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack(
            "<IiiHHIIIIII", header, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0
        )
        info += masks + bytes(header - 40 - len(masks)) if header > 40 else masks
    offset = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", offset + len(pixels), 0, 0, offset) + info + palette + pixels


def rows(indices: NDArray[Any], bits: int) -> bytes:
    """Return rows of packed samples, padded to 4 bytes."""
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    per_byte = 8 // bits
    width = -(-indices.shape[1] // per_byte) * per_byte
    padded = np.zeros((indices.shape[0], width), np.uint8)
    padded[:, : indices.shape[1]] = indices
    packed = (padded.reshape(len(indices), -1, per_byte) << shifts).sum(-1).astype(np.uint8)
    return b"".join(row.tobytes() + bytes(-len(row) % 4) for row in packed)


def run_lengths(rng: np.random.Generator, size: Size, bits: int) -> bytes:
    """Return random codes: runs, literals, skipped pixels and ends of lines."""
    width, height = size
    out, x, y = bytearray(), 0, 0
    top = 256 if bits == 8 else 16
    while y < height:
        left = width - x
        kind = int(rng.integers(0, 6))
        if left == 0 or kind == 0:
            out += b"\0\0"
            x, y = 0, y + 1
        elif kind == 1 and left > 4 and bits == 8:
            right, down = int(rng.integers(0, left - 1)), int(rng.integers(0, 2))
            if y + down < height:
                out += bytes([0, 2, right, down])
                x, y = x + right, y + down
        elif kind == 2 and left > 4:
            count = int(rng.integers(3, left))
            values = rng.integers(0, 256, count if bits == 8 else (count + 1) // 2, np.uint8).tobytes()
            out += bytes([0, count]) + values + bytes(len(values) % 2)
            x += count
        else:
            count = int(rng.integers(1, left + 1))
            value = int(rng.integers(0, top)) if bits == 8 else int(rng.integers(0, 256))
            out += bytes([count, value])
            x += count
            if x == width:
                out += b"\0\0"
                x, y = 0, y + 1
    return bytes(out + b"\0\1")


def indexed(number: int, size: Size) -> Files:
    """Yield files with a palette, built byte by byte."""
    rng = np.random.default_rng(number)
    width, height = size
    for bits in (1, 4, 8):
        pixels = rows(rng.integers(0, 1 << bits, (height, width), np.uint8), bits)
        color = rng.integers(0, 256, (1 << bits, 4), np.uint8).tobytes()
        gray = np.repeat(rng.integers(0, 256, (1 << bits, 1), np.uint8), 4, 1).tobytes()
        for label, palette in {"color": color, "gray": gray, "short": color[: 4 * (1 << bits) - 4]}.items():
            yield f"bmp-{number}-{bits}-{label}.bmp", bitmap(size, bits, pixels, palette=palette)
            yield f"bmp-{number}-{bits}-{label}-down.bmp", bitmap((width, -height), bits, pixels, palette=palette)
            yield f"bmp-{number}-{bits}-{label}-v5.bmp", bitmap(size, bits, pixels, palette=palette, header=124)
        triples = rng.integers(0, 256, (1 << bits, 3), np.uint8).tobytes()
        yield f"bmp-{number}-{bits}-os2.bmp", bitmap(size, bits, pixels, palette=triples, header=12)


def compressed(number: int, size: Size) -> Files:
    """Yield run-length encoded files, built byte by byte."""
    rng = np.random.default_rng(number)
    for bits, compression in {4: 2, 8: 1}.items():
        for attempt in range(12):
            palette = rng.integers(0, 256, (1 << bits, 4), np.uint8).tobytes()
            if attempt % 4 == 0:
                palette = np.repeat(np.arange(1 << bits, dtype=np.uint8)[:, None], 4, 1).tobytes()
            codes = run_lengths(rng, size, bits)
            made = bitmap(size, bits, codes, compression=compression, palette=palette)
            yield f"bmp-{number}-rle{bits}-{attempt}.bmp", made


def true_color(number: int, size: Size) -> Files:
    """Yield files of 16, 24 and 32 bits per pixel with and without masks, built byte by byte."""
    rng = np.random.default_rng(number)
    width, height = size
    masks = {
        16: [(0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F), (0xF00, 0xF0, 0xF)],
        24: [],
        32: [(0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000)],
    }
    for bits, of_bits in masks.items():
        pixels = rng.integers(0, 256, (width * bits // 8 + 3) // 4 * 4 * height, np.uint8).tobytes()
        if bits in (24, 32):
            yield f"bmp-{number}-{bits}-os2.bmp", bitmap(size, bits, pixels, header=12)
        for sign in (1, -1):
            shape = (width, sign * height)
            yield f"bmp-{number}-{bits}-{sign}.bmp", bitmap(shape, bits, pixels)
            for which, mask in enumerate(of_bits):
                for header, alpha in {40: b"", 56: b"\0\0\0\xff", 108: b"", 124: b""}.items():
                    packed = struct.pack("<3I", *mask) + alpha
                    made = bitmap(shape, bits, pixels, compression=3, masks=packed, header=header)
                    yield f"bmp-{number}-{bits}-{sign}-mask{which}-{header}.bmp", made


def encoded(number: int, size: Size) -> Files:
    """Yield files of Pillow, OpenCV, ImageMagick and netpbm."""
    rgba = Image.fromarray(picture(number, size, 4), "RGBA")
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        image = rgba.convert("RGB").quantize(100) if mode == "P" else rgba.convert(mode)
        yield f"bmp-{number}-pil-{mode}.bmp", saved(image, "BMP")
    for channels in (1, 3, 4):
        yield f"bmp-{number}-cv2-{channels}.bmp", cv2.imencode(".bmp", picture(number, size, channels))[1].tobytes()
    commands = {}
    for kind in ("BMP2", "BMP3", "BMP"):
        for label, options in {
            "color": ["-type", "TrueColor"],
            "alpha": ["-type", "TrueColorAlpha"],
            "gray": ["-colorspace", "Gray"],
            "bw": ["-monochrome"],
            "pal16": ["+dither", "-colors", "16"],
            "pal": ["+dither", "-colors", "200"],
            "rle": ["+dither", "-colors", "20", "-compress", "RLE"],
        }.items():
            commands[f"im-{kind}-{label}"] = ["convert", "IN", *options, f"{kind}:OUT"]
    for kind in ("RGB565", "RGB555", "ARGB4444", "ARGB1555"):
        commands[f"im-{kind}"] = ["convert", "IN", "-define", f"bmp:subtype={kind}", "OUT"]
    yield from all_of(f"bmp-{number}", saved(rgba, "PNG"), ".png", ".bmp", commands)
    for bits, colors in {1: 2, 4: 16, 8: 256, 24: 0}.items():
        image = rgba.convert("RGB").quantize(colors).convert("RGB") if colors else rgba.convert("RGB")
        shells = {
            f"ppm{bits}{kind}": ["sh", "-c", f"ppmtobmp {kind} -bpp={bits} IN > OUT"] for kind in ("-windows", "-os2")
        }
        yield from all_of(f"bmp-{number}", saved(image, "PPM"), ".ppm", ".bmp", shells)


def files(sizes: list[Size] = SIZES) -> Files:
    """Yield all BMP files."""
    for number, size in enumerate(sizes):
        yield from indexed(number, size)
        yield from compressed(number, size)
        yield from true_color(number, size)
        yield from encoded(number, size)
