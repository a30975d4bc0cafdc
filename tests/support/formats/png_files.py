"""PNG files: all colors, depths and interlacing, with chunks of gamma, color profiles, EXIF and transparency."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageCms

from tests.support.formats.pictures import SIZES, Files, Size, all_of, picture, run, saved


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk with its checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def inserted(png: bytes, kind: bytes, *chunks: bytes) -> bytes:
    """Return a PNG with chunks before the first chunk of a kind."""
    at = png.index(kind) - 4
    return png[:at] + b"".join(chunks) + png[at:]


def exif(orientation: int, order: str = "<", kind: int = 3) -> bytes:
    """Return EXIF data with an orientation, of type SHORT (3) or LONG (4)."""
    value = struct.pack(order + "HH", orientation, 0) if kind == 3 else struct.pack(order + "I", orientation)
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(order + "HHI", 0x112, kind, 1) + value
    return mark + struct.pack(order + "HIH", 42, 8, 1) + entry + bytes(4)


def profile(name: bytes, data: bytes) -> bytes:
    """Return an iCCP chunk."""
    return chunk(b"iCCP", name + b"\0\0" + zlib.compress(data))


def metadata() -> dict[str, tuple[bytes, bytes]]:
    """Return chunks to insert, and the kind of the chunk that they precede."""
    head, tail = b"IDAT", b"IEND"
    made = {}
    for value in (
        0,
        10,
        16,
        22727,
        30000,
        45455,
        50000,
        55555,
        95000,
        95237,
        95238,
        100000,
        105000,
        105001,
        180000,
        220000,
        625000001,
    ):
        made[f"gama{value}"] = (head, chunk(b"gAMA", struct.pack(">I", value)))
    srgb, gamma = chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 60000))
    about = chunk(b"gAMA", struct.pack(">I", 46000))
    made["srgb"] = (head, srgb)
    made["srgb9"] = (head, chunk(b"sRGB", b"\x09") + gamma)
    made["srgb-gama"] = (head, srgb + gamma)
    made["gama-srgb"] = (head, gamma + srgb)
    made["srgb-about"] = (head, srgb + about)
    made["twice"] = (head, gamma + about)
    made["gama-late"] = (tail, gamma)
    made["gama-bad-crc"] = (head, gamma[:-1] + b"\0")
    made["chrm"] = (
        head,
        chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)) + gamma,
    )
    for bits in (3, 5, 8, 12):
        made[f"sbit{bits}"] = (head, chunk(b"sBIT", bytes([bits] * 3)) + gamma)
    standard = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    made["icc"] = (head, profile(b"sRGB", standard))
    made["icc-gama"] = (head, profile(b"sRGB", standard) + gamma)
    made["gama-icc"] = (head, gamma + profile(b"sRGB", standard))
    made["icc-lab-gama"] = (head, profile(b"LAB", lab) + gamma)
    made["icc-junk-gama"] = (head, chunk(b"iCCP", b"sRGB\0\0junk") + gamma)
    for orientation in range(1, 9):
        made[f"exif{orientation}"] = (head, chunk(b"eXIf", exif(orientation)))
        made[f"exif{orientation}-late"] = (tail, chunk(b"eXIf", exif(orientation, ">")))
    made["exif-long"] = (head, chunk(b"eXIf", exif(6, "<", 4)))
    made["exif-long-late"] = (tail, chunk(b"eXIf", exif(8, "<", 4)))
    made["exif-long-big"] = (head, chunk(b"eXIf", exif(6, ">", 4)))
    made["exif9"] = (head, chunk(b"eXIf", exif(9)))
    return made


def bases(size: Size, seed: int) -> dict[str, bytes]:
    """Return a PNG of each color and depth."""
    made = {}
    rgba = Image.fromarray(picture(seed, size, 4), "RGBA")
    rgb = rgba.convert("RGB")
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA"):
        image = rgb.quantize(40) if mode == "P" else rgba.convert(mode)
        made[f"pil-{mode}"] = saved(image, "PNG")
    for bits in (1, 2, 4):
        made[f"pil-P{bits}"] = saved(rgb.quantize(1 << bits), "PNG", bits=bits)
    for channels in (1, 3, 4):
        wide = picture(seed + 1, size, channels, np.uint16)
        made[f"cv2-16-{channels}"] = cv2.imencode(".png", wide)[1].tobytes()
    transparent = rgb.quantize(16)
    made["pil-trns-P"] = saved(transparent, "PNG", transparency=bytes([0, 128, 255, 7]))
    gray = rgb.convert("L")
    made["pil-trns-L"] = saved(gray, "PNG", transparency=gray.getpixel((0, 0)))
    made["pil-trns-RGB"] = saved(rgb, "PNG", transparency=rgb.getpixel((0, 0)))
    for name, color in {"la16": 4, "rgb16": 2}.items():
        define = ["-define", f"png:color-type={color}", "-define", "png:bit-depth=16"]
        again = run(["convert", "IN", *define, "OUT"], made["cv2-16-4"], ".png", ".png")
        if again is not None:
            made[f"im-{name}"] = again
    return made


def converted(name: str, png: bytes) -> Files:
    """Yield a PNG encoded again by ImageMagick and netpbm, interlaced too."""
    commands = {"adam7": ["convert", "IN", "-interlace", "PNG", "OUT"]}
    for color, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            define = ["-define", f"png:color-type={color}", "-define", f"png:bit-depth={depth}"]
            commands[f"im{color}x{depth}"] = ["convert", "IN", *define, "OUT"]
            commands[f"im{color}x{depth}i"] = ["convert", "IN", "-interlace", "PNG", *define, "OUT"]
    commands["im-exif"] = ["convert", "IN", "-orient", "RightTop", "OUT"]
    commands["im-gamma"] = ["convert", "IN", "-set", "gamma", "0.6", "OUT"]
    yield from all_of(name, png, ".png", ".png", commands)
    pnm = run(["convert", "IN", "OUT"], png, ".png", ".ppm")
    if pnm is not None:
        options = {
            "plain": "",
            "adam7": "-interlace",
            "gamma": "-gamma 0.45",
            "rgb": "-rgb '0.3 0.3 0.6 0.3 0.3 0.6 0.15 0.06'",
            "trans": "-transparent black",
        }
        yield from all_of(
            f"{name}-pnm",
            pnm,
            ".ppm",
            ".png",
            {label: ["sh", "-c", f"pnmtopng {words} IN > OUT"] for label, words in options.items()},
        )


def files(sizes: list[Size] = SIZES) -> Files:
    """Yield all PNG files."""
    for number, size in enumerate(sizes):
        for name, png in bases(size, number).items():
            yield f"png-{number}-{name}.png", png
            if number == 0:
                for label, (before, chunks) in metadata().items():
                    yield f"png-{number}-{name}-{label}.png", inserted(png, before, chunks)
            if number == min(1, len(sizes) - 1) and name in ("pil-RGB", "pil-RGBA", "pil-P", "cv2-16-3", "pil-L"):
                for made, again in converted(f"png-{number}-{name}", png):
                    yield made, again
                    if "i.png" in made:
                        yield made[:-4] + "-srgb.png", inserted(again, b"IDAT", chunk(b"sRGB", b"\0"))
