"""GIF, TIFF, WebP and BMP files that claim or unpack to more than they hold."""

from __future__ import annotations

import struct
from itertools import repeat

from tests.support.bombs.bomb import MOST_SIDE, Bomb, deflated_zeros

LONG, SHORT = 4, 3
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, SAMPLES, ROWS, COUNTS = (
    256, 257, 258, 259, 262, 273, 277, 278, 279,
)  # fmt: skip
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
RAW, DEFLATE, PACKBITS = 1, 8, 32_773

ONE_PIXEL = b"\x44\x01"
"""LZW's codes of 3 bits: begin, 0, end."""


def _gif(screen: tuple[int, int], frame: tuple[int, int], data: bytes) -> bytes:
    palette = bytes([0, 0, 0, 255, 255, 255])
    head = b"GIF89a" + struct.pack("<HHBBB", *screen, 0x80, 0, 0) + palette
    blocks = b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))
    return head + b"," + struct.pack("<HHHHB", 0, 0, *frame, 0) + b"\2" + blocks + b"\0;"


def _gif_frames(count: int) -> bytes:
    whole = _gif((1, 1), (1, 1), ONE_PIXEL)
    frame = whole[whole.index(b",") : -1]
    return whole[:-1] + frame * count + b";"


def _gif_zeros(pixels: int) -> bytes:
    """Compress zeros as LZW does, with codes that stand for one pixel more each, 4,093 at a time."""
    bits, have, out, size = 0, 0, bytearray(), 0
    codes = [(4, 3), (0, 3), *((code, max(3, min(12, code.bit_length()))) for code in range(6, 4_096))]
    while size < pixels:
        for code, width in codes:
            bits |= code << have
            have += width
            while have >= 8:
                out.append(bits & 0xFF)
                bits, have = bits >> 8, have - 8
        size += sum(range(1, 4_092))
    return bytes(out)


def _tiff(tags: dict[int, tuple[int, int]], data: bytes = b"", count: int = 1) -> bytes:
    """Have one directory, whose data stands behind it; `count` strips or tiles are said to be there."""
    entries = sorted(tags.items())
    fields = b"".join(
        struct.pack("<HHII", tag, kind, count if tag in {OFFSETS, COUNTS, TILE_OFFSETS, TILE_COUNTS} else 1, value)
        for tag, (kind, value) in entries
    )
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + fields + bytes(4) + data


def _strips(size: tuple[int, int], compression: int, data: bytes, **more: int) -> bytes:
    width, height = size
    tags = {
        WIDTH: (LONG, width),
        HEIGHT: (LONG, height),
        BITS: (SHORT, more.get("bits", 8)),
        COMPRESSION: (SHORT, compression),
        PHOTOMETRIC: (SHORT, more.get("photometric", 1)),
        SAMPLES: (SHORT, more.get("samples", 1)),
        ROWS: (LONG, more.get("rows", height)),
        COUNTS: (LONG, more.get("length", len(data))),
        OFFSETS: (LONG, 0),
    }
    tags[OFFSETS] = (LONG, 8 + 2 + 12 * len(tags) + 4)
    return _tiff(tags, data, more.get("count", 1))


def _tiles(side: int) -> bytes:
    tags = {
        WIDTH: (LONG, 64),
        HEIGHT: (LONG, 64),
        BITS: (SHORT, 8),
        COMPRESSION: (SHORT, DEFLATE),
        PHOTOMETRIC: (SHORT, 1),
        SAMPLES: (SHORT, 1),
        TILE_WIDTH: (LONG, side),
        TILE_HEIGHT: (LONG, side),
        TILE_OFFSETS: (LONG, 8 + 2 + 12 * 10 + 4),
        TILE_COUNTS: (LONG, 1_000),
    }
    return _tiff(tags, deflated_zeros(1 << 20))


def _webp(name: bytes, content: bytes) -> bytes:
    content += bytes(len(content) % 2)
    body = b"WEBP" + name + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _lossless(width: int, height: int) -> bytes:
    """Have five codes of one symbol each, which takes no bits: the pixels take none either."""
    codes = sum(1 << (3 + 4 * n) for n in range(5))
    size = (width - 1) | (height - 1) << 14
    return _webp(b"VP8L", b"\x2f" + struct.pack("<I", size) + codes.to_bytes(3, "little") + bytes(9))


def _canvas() -> bytes:
    size = ((1 << 24) - 1).to_bytes(3, "little")
    return _webp(b"VP8X", b"\2\0\0\0" + size + size) + bytes(40)


def _lossy(width: int, height: int) -> bytes:
    return _webp(b"VP8 ", b"\x10\x02\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + bytes(200))


def _bmp(size: tuple[int, int], bits: int, compression: int, data: bytes) -> bytes:
    palette = bytes(4 * 256) if bits <= 8 else b""
    offset = 14 + 40 + len(palette)
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset) + header + palette + data


def _bmp_runs(size: tuple[int, int]) -> bytes:
    """Have runs of 255 pixels, two bytes each."""
    row = b"\xff\0" * -(-size[0] // 255) + b"\0\0"
    return _bmp(size, 8, 1, b"".join(repeat(row, size[1])) + b"\0\1")


OTHER_BOMBS = [
    Bomb("gif-screen", "a screen of 65,535 pixels a side", lambda: _gif((65_535, 65_535), (1, 1), ONE_PIXEL), "a side"),
    Bomb("gif-most-screen", "a large screen for one pixel", lambda: _gif((MOST_SIDE, 8_192), (1, 1), ONE_PIXEL)),
    Bomb("gif-zeros", "a large picture", lambda: _gif((MOST_SIDE, 8_192), (MOST_SIDE, 8_192), _gif_zeros(1 << 27))),
    Bomb(
        "gif-two-screens",
        "a frame that is nearly the screen",
        lambda: _gif((12_000, 8_000), (11_999, 8_000), _gif_zeros(1 << 27)),
    ),
    Bomb("gif-frames", "100,000 frames", lambda: _gif_frames(100_000)),
    Bomb("tiff-strip", "a strip of 4 GiB", lambda: _strips((8_192, 8_192), RAW, b"", length=(1 << 32) - 1), ""),
    Bomb("tiff-strips", "a billion strips", lambda: _strips((8_192, 8_192), RAW, b"", count=1 << 30, rows=1), ""),
    Bomb("tiff-size", "4 Gpixel a side", lambda: _strips(((1 << 32) - 1, (1 << 32) - 1), RAW, b""), ""),
    Bomb("tiff-samples", "65,535 samples a pixel", lambda: _strips((8_192, 8_192), RAW, b"", samples=65_535), ""),
    Bomb("tiff-zeros", "a large picture", lambda: _strips((MOST_SIDE, 8_192), DEFLATE, deflated_zeros(1 << 27))),
    Bomb(
        "tiff-largest",
        "a strip as large as the limit",
        lambda: _strips((13_300, 13_300), DEFLATE, deflated_zeros(13_300**2 * 3), samples=3, photometric=2, bits=8),
        seconds=4.0,
    ),
    Bomb(
        "tiff-largest-palette",
        "the same of 8 bits per pixel, in strips of one row",
        lambda: _strips((13_300, 13_300), PACKBITS, b"\x81\0" * 1_500_000),
        seconds=4.0,
    ),
    Bomb("tiff-too-much", "more than its size", lambda: _strips((64, 64), DEFLATE, deflated_zeros(1 << 30))),
    Bomb("tiff-packbits", "runs of bytes", lambda: _strips((MOST_SIDE, 8_192), PACKBITS, b"\x81\0" * (1 << 20))),
    Bomb("tiff-tile", "a tile of a million pixels a side", lambda: _tiles(1 << 20), ""),
    Bomb("tiff-most-tile", "a tile that is larger than the picture", lambda: _tiles(16_000)),
    Bomb("webp-canvas", "a canvas of 16 Mpixel a side", _canvas, ""),
    Bomb(
        "webp-lossless",
        "1 GiB of pixels in 40 bytes",
        lambda: _lossless(16_383, 16_383),
        "; the limit is",
    ),
    Bomb("webp-most-lossless", "a large picture that takes 40 bytes", lambda: _lossless(8_192, 8_192)),
    Bomb("webp-half-lossless", "the same, half as large", lambda: _lossless(8_192, 5_800)),
    Bomb("webp-most-lossy", "a large picture for a header", lambda: _lossy(11_000, 11_000)),
    Bomb("bmp-50000", "7.5 GB of pixels", lambda: _bmp((50_000, 50_000), 24, 0, b""), "a side"),
    Bomb("bmp-most", "512 MiB for a header", lambda: _bmp((MOST_SIDE, 10_922), 24, 0, b""), ""),
    Bomb("bmp-runs", "a large picture of runs", lambda: _bmp_runs((MOST_SIDE, 8_192))),
    Bomb("bmp-empty-runs", "a large picture of no runs", lambda: _bmp((MOST_SIDE, 8_192), 8, 1, b"\0\1")),
]
