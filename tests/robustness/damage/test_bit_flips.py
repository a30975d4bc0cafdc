"""Row R2: each bit of each header of a file is flipped, and the file is read in order and by its index.

Without checksums beside the file a flip may pass only by adding one to three zero bytes to a record's end: a length
that grows into the padding still describes a sound file. Nothing else may come out wrong, nothing crash, nothing hang,
and each error says where.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.recordio import MXIndexedRecordIO
from tests.support.framing import MAGIC
from tests.support.records import RecordFile, read_all, write_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

RECORDS, SPLIT = 150, 20
HANGS = 1.0
"""Seconds that no reading may take."""


@dataclass(frozen=True)
class Sound:
    """The file before it is damaged."""

    file: RecordFile
    records: list[bytes]

    @cached_property
    def headers(self) -> list[int]:
        """Where all headers are: those of records, and of their further parts."""
        content = self.file.rec.read_bytes()
        return [at for at in range(0, len(content), 4) if content[at : at + 4] == MAGIC]

    def flipped(self) -> Iterator[int]:
        """Flip one bit of one header after another; give where the header is."""
        descriptor = os.open(self.file.rec, os.O_RDWR)
        try:
            for at in self.headers:
                for bit in range(64):
                    flip(descriptor, at + bit // 8, bit % 8)
                    yield at
                    flip(descriptor, at + bit // 8, bit % 8)
        finally:
            os.close(descriptor)


def flip(descriptor: int, at: int, bit: int) -> None:
    (byte,) = os.pread(descriptor, 1, at)
    os.pwrite(descriptor, bytes([byte ^ 1 << bit]), at)


@pytest.fixture
def sound(tmp_path: Path) -> Sound:
    """Write 150 records of random bytes, about every eighth of several fragments."""
    draw = random.Random(3)
    records = [draw.randbytes(draw.randint(24, 300)) for _ in range(RECORDS)]
    for n in draw.sample(range(RECORDS), SPLIT):
        cut = len(records[n]) // 8 * 4
        records[n] = records[n][:cut] + MAGIC + records[n][cut:]
    return Sound(write_records(tmp_path, records), records)


def in_order(sound: Sound) -> tuple[list[bytes], list[RecordError]]:
    """Read up to the first error; give what came out wrong, and the error."""
    found, error = read_all(sound.file.rec)
    assert error is not None or len(found) == RECORDS, "records are missing, and no error says so"
    wrong = [got for got, true in zip(found, sound.records, strict=False) if not is_right(got, true)]
    return wrong, [] if error is None else [error]


def by_index(sound: Sound) -> tuple[list[bytes], list[RecordError]]:
    """Read each record by its key; give what came out wrong, and the errors."""
    wrong, errors = [], []
    with MXIndexedRecordIO(sound.file.idx, sound.file.rec, "r") as reader:
        for key, true in enumerate(sound.records):
            try:
                got = reader.read_idx(key)
            except RecordError as error:
                errors.append(error)
            else:
                wrong += [] if is_right(got, true) else [got]
    return wrong, errors


def is_right(got: bytes, true: bytes) -> bool:
    """Return whether a record is the written one; if not, only zeros may be appended."""
    if got == true:
        return True
    assert got[: len(true)] == true
    assert got[len(true) :] in (b"\0", b"\0\0", b"\0\0\0"), "more is wrong than zeros at the end"
    return False


def assert_says_where(error: RecordError, sound: Sound, at: int) -> None:
    """Check path, ordinal and byte.

    The record named is the flipped header's, or the one before, which must end at a head. The byte is that of a part of
    it, or where the next record begins instead of the part that the flipped header promises.
    """
    offsets = [*sound.file.offsets, sound.file.rec.stat().st_size]
    broken = sum(offset <= at for offset in offsets) - 1
    assert error.path == str(sound.file.rec)
    assert error.record in (broken - 1, broken)
    assert error.offset is not None
    assert offsets[max(broken - 1, 0)] <= error.offset <= offsets[broken + 1]
    assert str(error).startswith(f"{error.path}: record {error.record} at byte {error.offset}: ")


@pytest.mark.parametrize("read", [in_order, by_index])
def test_flipped_header_bit_is_an_error_with_position(
    sound: Sound, read: Callable[[Sound], tuple[list[bytes], list[RecordError]]]
) -> None:
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for at in sound.flipped():
        start = time.perf_counter()
        wrong, errors = read(sound)
        slowest = max(slowest, time.perf_counter() - start)
        for error in errors:
            assert_says_where(error, sound, at)
        assert wrong or errors, f"the flip in the header at {at} was seen by nobody"
        outcomes["wrong" if wrong else "error"] += 1
    flips = outcomes.total()
    print(  # noqa: T201 the figure is the point
        f"R2 {read.__name__}: {flips} flips, {outcomes['wrong']} wrong ({outcomes['wrong'] / flips:.2%}), all by zeros "
        f"at the end; the slowest reading took {slowest * 1000:.0f} ms"
    )
    assert flips >= 10_000
    assert outcomes["wrong"] <= flips / 100
    assert slowest < HANGS
