"""Records whose framing matters: of all short lengths, with the magic word wherever a writer may stumble over it.

`cases` is the recipe of the payloads in ``data/framing``, which MXNet's own writer framed; run as a script under MXNet,
this file makes them (see ``data/ORIGIN.md``). `generated` gives any number more. Plain Python: recio is not needed.
"""

from __future__ import annotations

import itertools
import random
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = bytes.fromhex("0a23d7ce")
LETTERS = b"abcdefghijklmnopqrstuvwxyz"


def cases() -> list[bytes]:
    """Give all payloads, no two alike, in the order of their keys, which count from 0."""
    kinds = (_short(), _words(), _shifted(), _pieces(), _lookalikes(), _long())
    return list(dict.fromkeys(itertools.chain.from_iterable(kinds)))


def _short() -> Iterator[bytes]:
    """Give the lengths 0 to 9, with none, one or two magics in every place, aligned or not."""
    for length in range(10):
        places = range(max(length - 3, 0))
        for at in itertools.chain([()], ((one,) for one in places), itertools.combinations(places, 2)):
            if len(at) < 2 or at[1] - at[0] >= 4:
                yield _with_magics(length, at)


def _with_magics(length: int, places: tuple[int, ...]) -> bytes:
    record = bytearray(LETTERS[:length])
    for at in places:
        record[at : at + 4] = MAGIC
    return bytes(record)


def _words() -> Iterator[bytes]:
    """Give up to six words, each a magic or none: first, last, consecutive, all. Then 0 to 3 bytes, of all paddings."""
    for count in range(7):
        for word in itertools.product((b"WORD", MAGIC), repeat=count):
            for tail in range(4):
                yield b"".join(word) + LETTERS[:tail]


def _shifted() -> Iterator[bytes]:
    """Give magics off the grid by 1 to 3 bytes, which are no cuts, before and behind one on the grid, which is."""
    for shift, count, tail in itertools.product((1, 2, 3), range(1, 4), range(4)):
        off = LETTERS[:shift] + MAGIC * count
        yield off + LETTERS[:tail]
        yield off + LETTERS[: -len(off) % 4] + MAGIC + LETTERS[:tail]
        yield MAGIC + off + LETTERS[:tail]


def _pieces() -> Iterator[bytes]:
    """Give beginnings and ends of the magic at either end, and the magic with one byte wrong."""
    for part in (MAGIC[:1], MAGIC[:2], MAGIC[:3], MAGIC[1:], MAGIC[2:], MAGIC[3:], MAGIC[::-1]):
        for whole in (b"", b"WORD", MAGIC):
            yield whole + part
            yield part + whole
    for byte, bit in itertools.product(range(4), (0, 7)):
        nearly = bytearray(MAGIC)
        nearly[byte] ^= 1 << bit
        yield bytes(nearly) * 2


def _lookalikes() -> Iterator[bytes]:
    """Give payloads that look like frames, on the grid and off it, and zeros that look like padding."""
    for flag, shift in itertools.product(range(8), range(4)):
        yield LETTERS[:shift] + MAGIC + struct.pack("<I", flag << 29 | 4) + b"data"
    for zeros in range(10):
        yield b"a" + bytes(zeros)
        yield bytes(zeros) + MAGIC + bytes(zeros)


def _long() -> Iterator[bytes]:
    """Give lengths about powers of two with a magic at the first word, the last, and on both sides of the middle."""
    for length in (255, 256, 257, 4095, 4096, 4097):
        filled = (LETTERS * (length // 26 + 1))[:length]
        last = (length - 4) // 4 * 4
        for at in ((0,), (last,), (length // 2 // 4 * 4,), (length // 2 // 4 * 4 + 1,), (0, 4, last)):
            record = bytearray(filled)
            for place in at:
                record[place : place + 4] = MAGIC
            yield bytes(record)


def generated(count: int, seed: int) -> Iterator[bytes]:
    """Give payloads of magics, pieces of magics, zeros and other bytes, on the grid and off it; some are long."""
    draw = random.Random(seed)
    pieces = [MAGIC, MAGIC, MAGIC[:3], MAGIC[1:], b"\0", b"\0\0\0\0", b"abcd", b"e"]
    for _ in range(count):
        tail = draw.randbytes(draw.choice((0, 0, 0, 1, 50, 1000)))
        yield b"".join(draw.choices(pieces, k=draw.randint(0, 12))) + tail


def main(prefix: str) -> None:
    """Write ``PREFIX.rec`` and ``PREFIX.idx`` by MXNet."""
    import mxnet  # noqa: PLC0415 only here, where the files are made

    writer = mxnet.recordio.MXIndexedRecordIO(prefix + ".idx", prefix + ".rec", "w")
    for key, payload in enumerate(cases()):
        writer.write_idx(key, payload)
    writer.close()


if __name__ == "__main__":
    main(sys.argv[1])
