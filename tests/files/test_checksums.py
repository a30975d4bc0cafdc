"""Checksums (R2, R3, R4 with a ``.rsum``): every flipped bit and every truncation is an error, no record is wrong.

The files are changed in offset under an open reader: it reads by offset and keeps the checksums in memory.
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
    """Return records of many lengths; every tenth begins with magic words, which split it."""
    rng = np.random.default_rng(5)
    records = []
    for number in range(count):
        image = rng.bytes(int(rng.integers(longest)))
        payload = MAGIC * (number % 3) + image if number % 10 == 0 else image
        records.append(pack(IRHeader(0, float(number), number, 0), payload))
    return records


@dataclass
class Damaged:
    """File in which bytes are changed and restored."""

    descriptor: int
    content: bytes

    def flip(self, offset: int, mask: int) -> None:
        os.pwrite(self.descriptor, bytes([self.content[offset] ^ mask]), offset)

    def restore(self, offset: int) -> None:
        os.pwrite(self.descriptor, self.content[offset : offset + 1], offset)


@pytest.fixture
def damaged(tmp_path: Path) -> Iterator[tuple[RecordFile, list[bytes], Damaged]]:
    records = bytes_like_images(150, 600)
    file = write(tmp_path, records)
    descriptor = os.open(file.rec, os.O_RDWR)
    yield file, records, Damaged(descriptor, file.rec.read_bytes())
    os.close(descriptor)


def headers(content: bytes) -> list[int]:
    """Return the offsets of all fragment headers."""
    return [offset for offset in range(0, len(content), 4) if content[offset : offset + 4] == MAGIC]


def read_until_error(reader: MXRecordIO) -> tuple[list[bytes], Any]:
    """Return all records before the first error, and the error, if any."""
    records: list[bytes] = []
    try:
        # `extend` calls `len` first, which raises for a damaged file.
        for record in reader:
            records.append(record)  # noqa: PERF402
    except RecordError as error:
        return records, error
    return records, None


def test_flipped_header_bit_never_returns_a_wrong_record(damaged: tuple[RecordFile, list[bytes], Damaged]) -> None:
    file, records, content = damaged
    offsets, flips, begins = headers(content.content), 0, np.array(file.offsets)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        for offset in offsets:
            hit = int(np.searchsorted(begins, offset, "right")) - 1
            for bit in range(64):
                content.flip(offset + bit // 8, 1 << bit % 8)
                actual, error = read_until_error(reader)
                assert actual == records[:hit]
                assert (error.path, error.offset) == (str(file.rec), max(file.offsets[hit], error.offset))
                for near in {max(hit - 1, 0), min(hit + 1, len(records) - 1)} - {hit}:
                    assert reader.read_idx(near) == records[near]
                with pytest.raises(RecordError, match=f"record {hit} at byte"):
                    reader.read_idx(hit)
                content.restore(offset + bit // 8)
                flips += 1
        assert read_until_error(reader) == (records, None)
    print(f"{flips} flipped bits of {len(offsets)} headers: 0 wrong records")  # noqa: T201
    assert flips >= 10_000


def test_every_changed_byte_is_detected(tmp_path: Path) -> None:
    records = bytes_like_images(20, 6200)
    file = write(tmp_path, records)
    content = Damaged(os.open(file.rec, os.O_RDWR), file.rec.read_bytes())
    begins = np.array(file.offsets)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        for offset in range(len(content.content)):
            content.flip(offset, 1 << offset % 8)
            with pytest.raises(RecordError):
                reader.read_idx(int(np.searchsorted(begins, offset, "right")) - 1)
            content.restore(offset)
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
            actual, error = read_until_error(reader)
        assert actual == records[: np.searchsorted(ends, length, "right")]
        assert error is not None, length
    print(f"{ends[-1]} truncations: {ends[-1]} reported")  # noqa: T201


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
