"""GIF files: palettes, transparency, interlacing, frames that do not fill the canvas, animations."""

from __future__ import annotations

import struct

from PIL import Image

from tests.support.formats.pictures import SIZES, Files, Size, all_of, picture, run, saved


def edited(gif: bytes, canvas: tuple[int, int], position: tuple[int, int], background: int) -> bytes:
    """Return a GIF with another canvas, position of the first frame and background."""
    out = bytearray(gif)
    out[6:10] = struct.pack("<HH", *canvas)
    out[11] = background
    at = 13 + (3 * (2 << (out[10] & 7)) if out[10] & 0x80 else 0)
    while out[at] == 0x21:
        at += 2
        while out[at]:
            at += 1 + out[at]
        at += 1
    out[at + 1 : at + 5] = struct.pack("<HH", *position)
    return bytes(out)


def of_pillow(seed: int, size: Size) -> dict[str, bytes]:
    """Return files of Pillow; of some, the canvas is enlarged."""
    rgba = Image.fromarray(picture(seed, size, 4), "RGBA")
    rgb = rgba.convert("RGB")
    made = {"pil-L": saved(rgb.convert("L"), "GIF"), "pil-1": saved(rgb.convert("1"), "GIF")}
    for colors in (2, 3, 9, 33, 256):
        image = rgb.quantize(colors)
        made[f"pil{colors}"] = saved(image, "GIF", interlace=seed % 2)
        made[f"pil{colors}-clear"] = saved(image, "GIF", transparency=1, interlace=1 - seed % 2)
    canvas = (size[0] + 5, size[1] + 4)
    made.update({f"{label}-canvas": edited(gif, canvas, (3, 2), 1) for label, gif in made.items()})
    made["pil-rgba"] = saved(rgba, "GIF")
    frames = [Image.fromarray(picture(seed + i, size, 3)).quantize(20) for i in range(3)]
    for disposal in range(4):
        clear = {"transparency": 3} if disposal % 2 else {}
        options = {"save_all": True, "append_images": frames[1:], "disposal": disposal, **clear}
        made[f"pil-animated{disposal}"] = saved(frames[0], "GIF", **options)
    return made


GIFSICLE = {
    "sicle-i": ["gifsicle", "--interlace", "IN", "-o", "OUT"],
    "sicle-o3": ["gifsicle", "-O3", "IN", "-o", "OUT"],
    "sicle-16": ["gifsicle", "--colors", "16", "IN", "-o", "OUT"],
    "sicle-clear": ["gifsicle", "--transparent", "#000000", "IN", "-o", "OUT"],
    "sicle-careful": ["gifsicle", "--careful", "--no-extensions", "IN", "-o", "OUT"],
}
MAGICK = {
    "im": ["convert", "IN", "OUT"],
    "im-line": ["convert", "IN", "-interlace", "Line", "OUT"],
    "im-page": ["convert", "IN", "-repage", "90x90+7+5", "OUT"],
    "im-87": ["convert", "IN", "-alpha", "off", "GIF87:OUT"],
    "im-bg": ["convert", "IN", "-background", "red", "-repage", "90x90+7+5", "OUT"],
}
NETPBM = {
    f"ppm{i}": ["sh", "-c", f"ppmtogif {words} IN > OUT"]
    for i, words in enumerate(["", "-interlace", "-sort", "-nolzw"])
}


def encoded_again(name: str, made: dict[str, bytes], png: bytes) -> Files:
    """Yield files of gifsicle, ImageMagick and netpbm."""
    for label in ("pil33", "pil256-clear", "pil-animated2", "pil9-canvas"):
        yield from all_of(f"{name}-{label}", made[label], ".gif", ".gif", GIFSICLE)
    yield from all_of(name, png, ".png", ".gif", MAGICK)
    ppm = run(["convert", "IN", "-alpha", "off", "-colors", "200", "OUT"], png, ".png", ".ppm")
    if ppm is not None:
        yield from all_of(name, ppm, ".ppm", ".gif", NETPBM)


def files(sizes: list[Size] = SIZES) -> Files:
    """Yield all GIF files."""
    for number, size in enumerate(sizes):
        for seed in range(4):
            name = f"gif-{number}-{seed}"
            made = of_pillow(seed, size)
            for label, gif in made.items():
                yield f"{name}-{label}.gif", gif
            if number < 2:
                png = saved(Image.fromarray(picture(seed, size, 4), "RGBA"), "PNG")
                yield from encoded_again(name, made, png)
