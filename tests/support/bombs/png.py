"""PNGs that unpack to more than they look like: pixels, profiles, texts, frames."""

from __future__ import annotations

import struct
import zlib

from tests.support.bombs.bomb import MOST_SIDE, Bomb, deflated_zeros

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, RGBA = 0, 2, 3, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, RGBA: 4}
GIB = 1 << 30

WITHIN = MOST_SIDE, 10_922
"""The largest size that the limits admit, three bytes a pixel."""


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _png(size: tuple[int, int], colour: int, bits: int, *, before: bytes = b"", interlaced: bool = False) -> bytes:
    """Make a PNG of zeros, with chunks before its data."""
    width, height = size
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    # A filter byte a row; an interlaced image has a few more, that are not looked at.
    length = height * (1 + -(-width * CHANNELS[colour] * bits // 8)) + (2 * height if interlaced else 0)
    data = deflated_zeros(min(length, 2 * GIB))
    chunks = [_chunk(b"IHDR", header), before, _chunk(b"IDAT", data), _chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(chunks)


def _text(name: bytes, keyword: bytes) -> bytes:
    return _chunk(name, keyword + deflated_zeros(GIB))


def _many_texts() -> bytes:
    one = _chunk(b"zTXt", b"k\0\0" + deflated_zeros(4 << 20))
    return _png((8, 8), RGB, 8, before=one * 400)


def _many_pieces() -> bytes:
    """Spread the data over chunks of one byte."""
    data = deflated_zeros(2_000 * 6_001)
    header = struct.pack(">IIBBBBB", 2_000, 2_000, 8, RGB, 0, 0, 0)
    pieces = b"".join(_chunk(b"IDAT", data[at : at + 1]) for at in range(len(data)))
    return SIGNATURE + _chunk(b"IHDR", header) + pieces + _chunk(b"IEND", b"")


def _empty_pieces() -> bytes:
    whole = _png((64, 64), RGB, 8)
    at = whole.index(b"IDAT") - 4
    return whole[:at] + _chunk(b"IDAT", b"") * 200_000 + whole[at:]


def _animated() -> bytes:
    """Have 30,000 frames, of which the first is the picture."""
    size = 64, 64
    whole = _png(size, RGB, 8, before=_chunk(b"acTL", struct.pack(">II", 30_000, 0)))
    control, data = struct.pack(">IIIIHHBB", *size, 0, 0, 1, 100, 0, 0), deflated_zeros(64 * 193)
    frames = b"".join(
        _chunk(b"fcTL", struct.pack(">I", 2 * n) + control) + _chunk(b"fdAT", struct.pack(">I", 2 * n + 1) + data)
        for n in range(30_000)
    )
    end = whole.index(b"IEND") - 4
    return whole[:end] + frames + whole[end:]


def _short() -> bytes:
    """Claim the largest size that is admitted, and bring a row of it."""
    header = struct.pack(">IIBBBBB", *WITHIN, 8, RGB, 0, 0, 0)
    data = deflated_zeros(3 * MOST_SIDE + 1)
    return SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


PNG_BOMBS = [
    Bomb("png-50000", "7.5 GB of pixels", lambda: _png((50_000, 50_000), RGB, 8), "the limit is 16384 a side"),
    Bomb("png-50000-bits", "2.5 GB of pixels of a bit", lambda: _png((50_000, 50_000), GREY, 1), "16384 a side"),
    Bomb("png-most", "the largest picture", lambda: _png(WITHIN, RGB, 8)),
    Bomb("png-most-bits", "the largest picture, of a bit a pixel", lambda: _png(WITHIN, GREY, 1)),
    Bomb(
        "png-most-palette",
        "the largest picture, of two colours",
        lambda: _png(WITHIN, PALETTE, 1, before=_chunk(b"PLTE", bytes(6))),
    ),
    Bomb("png-most-alpha", "a picture that is converted", lambda: _png((MOST_SIDE, 8_192), RGBA, 8)),
    Bomb("png-most-deep", "a picture of 16 bits that is converted", lambda: _png((8_192, 8_192), RGBA, 16)),
    Bomb("png-most-interlaced", "a picture in seven passes", lambda: _png(WITHIN, RGB, 8, interlaced=True)),
    Bomb(
        "png-over",
        "a row over 512 MiB",
        lambda: _png((MOST_SIDE, 10_923), RGB, 8),
        "; the limit is",
    ),
    Bomb("png-short", "512 MiB for a row of pixels", _short, "not have enough data"),
    Bomb("png-iccp", "a colour profile of 1 GiB", lambda: _png((8, 8), RGB, 8, before=_text(b"iCCP", b"p\0\0"))),
    Bomb("png-ztxt", "a text of 1 GiB", lambda: _png((8, 8), RGB, 8, before=_text(b"zTXt", b"k\0\0"))),
    Bomb("png-itxt", "a text in Unicode", lambda: _png((8, 8), RGB, 8, before=_text(b"iTXt", b"k\0\1\0\0\0"))),
    Bomb("png-ztxts", "400 texts of 4 MiB", _many_texts),
    Bomb("png-apng", "30,000 frames", _animated),
    Bomb("png-pieces", "data in pieces of a byte", _many_pieces),
    Bomb("png-empty-pieces", "200,000 pieces without data", _empty_pieces),
]
