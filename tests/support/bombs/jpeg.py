"""JPEGs that say little and ask for much: sizes, scans, runs of empty blocks, restarts, tables, segments."""

from __future__ import annotations

import struct
from itertools import islice
from random import Random
from typing import TYPE_CHECKING

from tests.support.bombs.bomb import MOST_SIDE, Bomb

if TYPE_CHECKING:
    from collections.abc import Iterator

SOF0, SOF2, DHT, SOI, EOI, SOS, DQT, DRI, COM, RST0 = 0xC0, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE, 0xD0

RUN = 0xE0
"""The symbol for a run of blocks that end: the longest, of 2¹⁴ blocks and as many as 14 bits say."""
WITHIN = MOST_SIDE, 10_880
"""Nearly the largest size that the limits admit, three bytes a pixel."""
PROGRESSIVE = MOST_SIDE, 6_144
"""Likewise, with the memory for coefficients."""
SCANS_SECONDS = 0.8
"""Scans that say nothing take a tenth of it; where each block is looked at in each of them, they take more than all."""

Size = tuple[int, int]


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def _one_code(table: int, symbol: int) -> bytes:
    """Define a Huffman table with a single code: a bit, 0."""
    return _segment(DHT, bytes([table, 1, *[0] * 15, symbol]))


def _head(size: Size, process: int, components: int = 1, between: bytes = b"") -> bytes:
    """Begin a JPEG, with a code for no difference, and one for a long run or, if it is sequential, for the end."""
    width, height = size
    parts = b"".join(bytes([n + 1, 0x11, 0]) for n in range(components))
    frame = struct.pack(">BHHB", 8, height, width, components) + parts
    tables = _one_code(0, 0) + _one_code(0x10, RUN if process == SOF2 else 0)
    quantisation = _segment(DQT, bytes([0, *[1] * 64]))
    return bytes([0xFF, SOI]) + quantisation + _segment(process, frame) + tables + between


def _scan(band: tuple[int, int] = (0, 63), bits: tuple[int, int] = (0, 0), components: int = 1) -> bytes:
    selectors = b"".join(bytes([n + 1, 0]) for n in range(components))
    return _segment(SOS, bytes([components]) + selectors + bytes([*band, bits[0] << 4 | bits[1]]))


END = bytes([0xFF, EOI])
SHORT_TABLE = bytes([0x11, 1, *[0] * 15, 1])
LONG_TABLE = bytes([0x11, *[0] * 8, 255, 1, *[0] * 6, *range(256)])


def _blocks(size: Size) -> int:
    return -(-size[0] // 8) * -(-size[1] // 8)


def _zeros(bits: int) -> bytes:
    return bytes(-(-bits // 8))


def _runs(size: Size) -> bytes:
    """Return the longest runs, a 0 and fourteen 1, until all blocks have ended."""
    text = "011111111111111" * -(-_blocks(size) // 32_767)
    data = int(text.ljust(-(-len(text) // 8) * 8, "1"), 2).to_bytes(-(-len(text) // 8), "big")
    return data.replace(b"\xff", b"\xff\0")


def _bands() -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """Return bands of one coefficient in an allowed order, from the highest bit down."""
    yield from (((k, k), (0, 13)) for k in range(1, 64))
    yield from (((k, k), (low + 1, low)) for low in range(12, -1, -1) for k in range(1, 64))


def _of_runs(size: Size, count: int, *, has_data: bool) -> bytes:
    """Have a scan for DC and so many of runs; the first may lack its data, which is damage."""
    runs = _runs(size)
    scans = (_scan(*band) + runs for band in islice(_bands(), count - 1))
    first = _scan((0, 0)) + (_zeros(_blocks(size)) if has_data else b"")
    return _head(size, SOF2) + first + b"".join(scans) + END


def _of_repeated_runs(size: Size, count: int) -> bytes:
    """Bring the same coefficients again and again."""
    scan = _scan((1, 63)) + _runs(size)
    return _head(size, SOF2) + _scan((0, 0)) + scan * (count - 1) + END


def _of_refinements(size: Size, count: int) -> bytes:
    """Refine blocks in which there is nothing."""
    first, again = _scan((1, 63), (0, 1)) + _runs(size), _scan((1, 63), (1, 0)) + _runs(size)
    return _head(size, SOF2) + _scan((0, 0)) + first + again * (count - 2) + END


def _of_restarts(size: Size, count: int) -> bytes:
    """Have nothing in each scan but restarts, 65,535 blocks apart."""
    restarts = b"".join(bytes([0xFF, RST0 + n % 8]) for n in range(_blocks(size) // 65_535))
    interval = _segment(DRI, struct.pack(">H", 65_535))
    scans = (_scan((1, 63)) + restarts for _ in range(count - 1))
    return _head(size, SOF2, between=interval) + _scan((0, 0)) + restarts + b"".join(scans) + END


def _of_smoothed(size: Size) -> bytes:
    """Have a scan of DC alone, in which each block differs from the one before by 1 or -1, so that all are smoothed."""
    count = 2 * _blocks(size) // 8
    data = (int.from_bytes(Random(1).randbytes(count)) & int.from_bytes(b"\x55" * count)).to_bytes(count)
    return _head(size, SOF2, between=_one_code(0, 1)) + _scan((0, 0)) + data + END


def _of_tables(table: bytes, count: int, segments: int) -> bytes:
    """Define tables that differ from those before, so many in each of so many segments."""
    other = table[:-1] + bytes([table[-1] ^ 1])
    tables = _segment(DHT, (table + other) * (count // 2)) * segments
    return _head((64, 64), SOF0, between=tables + _one_code(0x10, 0)) + _scan() + _zeros(128) + END


def _of_comments(count: int) -> bytes:
    return _head((64, 64), SOF0, between=_segment(COM, b"") * count) + _scan() + _zeros(128) + END


def _of_restart_each_block(size: Size) -> bytes:
    restarts = b"".join(bytes([0, 0xFF, RST0 + n % 8]) for n in range(8)) * (_blocks(size) // 8)
    return _head(size, SOF0, between=_segment(DRI, b"\0\1")) + _scan() + restarts + END


def _sequential(size: Size, components: int = 1, *, has_data: bool = True) -> bytes:
    data = _zeros(2 * components * _blocks(size)) if has_data else b""
    return _head(size, SOF0, components) + _scan(components=components) + data + END


JPEG_BOMBS = [
    Bomb("jpeg-65500", "12.9 GB of pixels", lambda: _sequential((65_500, 65_500), has_data=False), "16384 a side"),
    Bomb("jpeg-most-header", "512 MiB for a header", lambda: _sequential(WITHIN, 3, has_data=False)),
    Bomb("jpeg-most", "the largest picture", lambda: _sequential(WITHIN)),
    Bomb("jpeg-most-colours", "the largest picture, in colours", lambda: _sequential(WITHIN, 3)),
    Bomb("jpeg-most-inks", "the largest picture, of four inks", lambda: _sequential(WITHIN, 4)),
    Bomb("jpeg-coefficients", "memory for coefficients", lambda: _of_runs(PROGRESSIVE, 1, has_data=False)),
    Bomb("jpeg-all-coefficients", "more of it", lambda: _of_runs((MOST_SIDE, 10_922), 1, has_data=False)),
    Bomb(
        "jpeg-runs",
        "98 scans of runs of empty blocks",
        lambda: _of_runs(PROGRESSIVE, 98, has_data=False),
        seconds=SCANS_SECONDS,
    ),
    Bomb(
        "jpeg-whole-runs",
        "the same, and nothing is missing",
        lambda: _of_runs(PROGRESSIVE, 98, has_data=True),
        seconds=SCANS_SECONDS,
    ),
    Bomb(
        "jpeg-repeated-runs",
        "the same coefficients 97 times",
        lambda: _of_repeated_runs(PROGRESSIVE, 98),
        seconds=SCANS_SECONDS,
    ),
    Bomb(
        "jpeg-refinements",
        "97 times the bits of nothing",
        lambda: _of_refinements(PROGRESSIVE, 98),
        seconds=SCANS_SECONDS,
    ),
    Bomb("jpeg-smoothed", "1.5 million blocks to smooth", lambda: _of_smoothed(PROGRESSIVE)),
    Bomb("jpeg-restarts", "98 scans of restarts", lambda: _of_restarts(PROGRESSIVE, 98)),
    Bomb("jpeg-scans", "more than 100 scans", lambda: _of_runs((64, 64), 102, has_data=True), "more than 100 scans"),
    Bomb("jpeg-restart-each", "a restart for each block", lambda: _of_restart_each_block((8_192, 4_096))),
    Bomb("jpeg-tables", "100,000 Huffman tables of a code", lambda: _of_tables(SHORT_TABLE, 2_500, 40)),
    Bomb("jpeg-long-tables", "20,000 Huffman tables of 256 codes", lambda: _of_tables(LONG_TABLE, 200, 100)),
    Bomb("jpeg-comments", "a million segments", lambda: _of_comments(1_000_000)),
]
