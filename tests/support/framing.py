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
FULL, FIRST, MIDDLE, LAST = range(4)
LONGEST = 2**29 - 1


def frame(flag: int, data: bytes) -> bytes:
    return MAGIC + struct.pack("<I", flag << 29 | len(data)) + data + bytes(-len(data) % 4)


def encode(record: bytes) -> bytes:
    """Frame a record, split at each aligned magic word."""
    splits = [at for at in range(0, len(record) - 3, 4) if record[at : at + 4] == MAGIC]
    starts, ends = [0, *(at + 4 for at in splits)], [*splits, len(record)]
    fragments = [record[start:end] for start, end in zip(starts, ends, strict=True)]
    flags = [FIRST, *[MIDDLE] * (len(fragments) - 2), LAST] if splits else [FULL]
    return b"".join(map(frame, flags, fragments))


def decode(frames: bytes) -> list[bytes]:
    """Return the records of undamaged frames."""
    records: list[bytes] = []
    at = 0
    while at < len(frames):
        magic, word = struct.unpack_from("<4sI", frames, at)
        assert magic == MAGIC
        flag, length = word >> 29, word % 2**29
        data = frames[at + 8 : at + 8 + length]
        if flag in (FULL, FIRST):
            records.append(data)
        else:
            records[-1] += MAGIC + data
        at += 8 + length + -length % 4
    return records


def cases() -> list[bytes]:
    """Return all payloads, no two alike, in the order of their keys, which count from 0."""
    kinds = (short(), _words(), _shifted(), _pieces(), _lookalikes(), _long())
    return list(dict.fromkeys(itertools.chain.from_iterable(kinds)))


def short() -> Iterator[bytes]:
    """Return payloads of 0 to 9 bytes, with none, one or two magic words at every position, aligned or not."""
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
    """Return up to six words, each a magic word or not, then 0 to 3 bytes for all paddings."""
    for count in range(7):
        for word in itertools.product((b"WORD", MAGIC), repeat=count):
            for tail in range(4):
                yield b"".join(word) + LETTERS[:tail]


def _shifted() -> Iterator[bytes]:
    """Return magic words unaligned by 1 to 3 bytes, which split no record, around an aligned one, which does."""
    for shift, count, tail in itertools.product((1, 2, 3), range(1, 4), range(4)):
        off = LETTERS[:shift] + MAGIC * count
        yield off + LETTERS[:tail]
        yield off + LETTERS[: -len(off) % 4] + MAGIC + LETTERS[:tail]
        yield MAGIC + off + LETTERS[:tail]


def _pieces() -> Iterator[bytes]:
    """Return prefixes and suffixes of the magic word at both ends, and the magic word with one wrong byte."""
    for part in (MAGIC[:1], MAGIC[:2], MAGIC[:3], MAGIC[1:], MAGIC[2:], MAGIC[3:], MAGIC[::-1]):
        for whole in (b"", b"WORD", MAGIC):
            yield whole + part
            yield part + whole
    for byte, bit in itertools.product(range(4), (0, 7)):
        nearly = bytearray(MAGIC)
        nearly[byte] ^= 1 << bit
        yield bytes(nearly) * 2


def _lookalikes() -> Iterator[bytes]:
    """Return payloads that look like frames, aligned or not, and zeros that look like padding."""
    for flag, shift in itertools.product(range(8), range(4)):
        yield LETTERS[:shift] + MAGIC + struct.pack("<I", flag << 29 | 4) + b"data"
    for zeros in range(10):
        yield b"a" + bytes(zeros)
        yield bytes(zeros) + MAGIC + bytes(zeros)


def _long() -> Iterator[bytes]:
    """Return lengths near powers of two with a magic word at the first word, the last, and around the middle."""
    for length in (255, 256, 257, 4095, 4096, 4097):
        filled = (LETTERS * (length // 26 + 1))[:length]
        last = (length - 4) // 4 * 4
        for at in ((0,), (last,), (length // 2 // 4 * 4,), (length // 2 // 4 * 4 + 1,), (0, 4, last)):
            record = bytearray(filled)
            for place in at:
                record[place : place + 4] = MAGIC
            yield bytes(record)


def generated(count: int, seed: int) -> Iterator[bytes]:
    """Return payloads of magic words, pieces of them, zeros and other bytes, aligned or not; some are long."""
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
