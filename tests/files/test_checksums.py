"""What checksums promise (R2, R3, R4 with a ``.rsum``): each flipped bit and each cut is an error, no record is wrong.

The files are changed in place under an open reader: it reads by offset, and keeps its checksums in memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.recordio import IRHeader, MXIndexedRecordIO, MXRecordIO, pack
from tests.support.records import RecordFile, image_record, noise, open_iter, png

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MAGIC = (0xCED7230A).to_bytes(4, "little")


def write(folder: Path, records: Sequence[bytes]) -> RecordFile:
    """Write records with checksums, indexed by their numbers."""
    file = RecordFile(folder / "some.rec", folder / "some.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w", checksum=True) as writer:
        for number, record in enumerate(records):
            writer.write_idx(number, record)
    return file


def bytes_like_images(count: int, longest: int) -> list[bytes]:
    """Make records of many lengths; of every tenth, magic words make several parts."""
    dice = np.random.default_rng(5)
    records = []
    for number in range(count):
        image = dice.bytes(int(dice.integers(longest)))
        parts = MAGIC * (number % 3) + image if number % 10 == 0 else image
        records.append(pack(IRHeader(0, float(number), number, 0), parts))
    return records


@dataclass
class Damaged:
    """A file in which bytes are changed, and changed back."""

    descriptor: int
    content: bytes

    def flip(self, place: int, mask: int) -> None:
        os.pwrite(self.descriptor, bytes([self.content[place] ^ mask]), place)

    def mend(self, place: int) -> None:
        os.pwrite(self.descriptor, self.content[place : place + 1], place)


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[tuple[RecordFile, list[bytes], Damaged]]:
    records = bytes_like_images(150, 600)
    file = write(tmp_path, records)
    descriptor = os.open(file.rec, os.O_RDWR)
    yield file, records, Damaged(descriptor, file.rec.read_bytes())
    os.close(descriptor)


def headers(content: bytes) -> list[int]:
    """Return the offsets of all frame headers, those of later fragments included."""
    return [place for place in range(0, len(content), 4) if content[place : place + 4] == MAGIC]


def read_until_error(reader: MXRecordIO) -> tuple[list[bytes], Any]:
    """Read all records from the first; give those before an error, and the error if there is one."""
    found: list[bytes] = []
    try:
        # `extend` would ask for the length first, and of a damaged file there is none.
        for record in reader:
            found.append(record)  # noqa: PERF402
    except RecordError as error:
        return found, error
    return found, None


def test_flipped_header_bit_never_returns_a_wrong_record(damaged: tuple[RecordFile, list[bytes], Damaged]) -> None:
    file, records, content = damaged
    places, flips, begins = headers(content.content), 0, np.array(file.offsets)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        for place in places:
            hit = int(np.searchsorted(begins, place, "right")) - 1
            for bit in range(64):
                content.flip(place + bit // 8, 1 << bit % 8)
                found, error = read_until_error(reader)
                assert found == records[:hit]
                assert (error.path, error.offset) == (str(file.rec), max(file.offsets[hit], error.offset))
                for near in {max(hit - 1, 0), min(hit + 1, len(records) - 1)} - {hit}:
                    assert reader.read_idx(near) == records[near]
                with pytest.raises(RecordError, match=f"record {hit} at byte"):
                    reader.read_idx(hit)
                content.mend(place + bit // 8)
                flips += 1
        assert read_until_error(reader) == (records, None)
    print(f"{flips} flipped bits of {len(places)} headers: 0 wrong records")  # noqa: T201
    assert flips >= 10_000


def test_every_changed_byte_is_detected(tmp_path: Path) -> None:
    records = bytes_like_images(20, 6200)
    file = write(tmp_path, records)
    content = Damaged(os.open(file.rec, os.O_RDWR), file.rec.read_bytes())
    begins = np.array(file.offsets)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        for place in range(len(content.content)):
            content.flip(place, 1 << place % 8)
            with pytest.raises(RecordError):
                reader.read_idx(int(np.searchsorted(begins, place, "right")) - 1)
            content.mend(place)
        assert read_until_error(reader) == (records, None)
    os.close(content.descriptor)
    print(f"{len(content.content)} changed bytes: 0 undetected")  # noqa: T201
    assert len(content.content) >= 50_000


def test_every_truncation_is_reported_after_all_complete_records(tmp_path: Path) -> None:
    records = bytes_like_images(20, 6200)
    file = write(tmp_path, records)
    ends = [*file.offsets[1:], file.rec.stat().st_size]
    for length in range(ends[-1] - 1, -1, -1):
        os.truncate(file.rec, length)
        with MXRecordIO(file.rec, "r") as reader:
            found, error = read_until_error(reader)
        assert found == records[: np.searchsorted(ends, length, "right")]
        assert error is not None, length
    print(f"{ends[-1]} cuts: {ends[-1]} reported")  # noqa: T201


def test_truncation_between_records_is_reported_with_a_hint(tmp_path: Path) -> None:
    file = write(tmp_path, [b"one", b"two", b"three"])
    os.truncate(file.rec, file.offsets[2])
    with MXRecordIO(file.rec, "r") as reader:
        assert (reader.read(), reader.read()) == (b"one", b"two")
        with pytest.raises(
            RecordError, match=r"24 bytes, but some.rsum was written for a file of 40: .* truncated"
        ) as error:
            reader.read()
    assert "`recio repair` saves the intact records" in str(error.value)


def test_iterator_refuses_a_truncated_file(tmp_path: Path) -> None:
    good = png(noise(8, 8))
    file = write(tmp_path, [image_record(good, number) for number in range(8)])
    assert len(list(open_iter(file))) == 2
    os.truncate(file.rec, file.offsets[4])
    for index in ({}, {"path_imgidx": file.idx}):
        with pytest.raises(RecordError, match=r"but some\.rsum was written for a file of"):
            open_iter(file, **index)


def test_iterator_names_the_changed_record(tmp_path: Path) -> None:
    good = png(noise(8, 8))
    file = write(tmp_path, [image_record(good, number) for number in range(8)])
    content = bytearray(file.rec.read_bytes())
    # A byte of the label: neither framing nor decoding knows.
    content[file.offsets[5] + 8 + 4] ^= 1
    file.rec.write_bytes(content)
    batches = open_iter(file)
    batches.next()
    with pytest.raises(
        RecordError, match=r"the bytes of this record do not match their checksum in some\.rsum"
    ) as error:
        batches.next()
    assert (error.value.record, error.value.offset) == (5, file.offsets[5])


def test_damaged_checksum_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = write(tmp_path, [b"one", b"two"])
    rsum = file.rec.with_suffix(".rsum")
    content = rsum.read_bytes()
    for changed in (content[:-1], content[:-1] + b"\0", b""):
        rsum.write_bytes(changed)
        with pytest.raises(RecordError, match=r"some\.rsum: the checksum file is damaged") as error:
            MXRecordIO(file.rec, "r")
        assert error.value.path == str(rsum)
