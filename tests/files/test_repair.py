"""`recio.repair`: the records salvaged from damaged files (R5), skipped regions, index and checksums.

``rust/recio-core/tests/salvage.rs`` measures the success rate over a thousand trials of ten thousand records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import recio
from recio.recordio import IRHeader, MXIndexedRecordIO, pack
from tests.support.records import FIRST_ID, RecordFile, write_records

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 1000


def record(number: int, rng: np.random.Generator) -> bytes:
    """Return an image record with a payload of 20 to 499 random bytes."""
    return pack(IRHeader(0, float(number), FIRST_ID + number, 0), rng.bytes(int(rng.integers(20, 500))))


def write(folder: Path, seed: int, *, checksum: bool) -> tuple[RecordFile, list[bytes]]:
    rng = np.random.default_rng(seed)
    records = [record(number, rng) for number in range(RECORDS)]
    if not checksum:
        return write_records(folder, records), records
    file = RecordFile(folder / "some.rec", folder / "some.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w", checksum=True) as writer:
        for number, payload in enumerate(records):
            writer.write_idx(number, payload)
    return file, records


def overwrite_regions(rng: np.random.Generator, content: bytearray) -> list[tuple[int, int]]:
    """Overwrite regions with random bytes or zeros and return them."""
    regions = []
    for _ in range(int(rng.integers(1, 21))):
        size, begin = int(rng.integers(1, 4097)), int(rng.integers(len(content)))
        end = min(begin + size, len(content))
        content[begin:end] = rng.bytes(end - begin) if rng.integers(2) else bytes(end - begin)
        regions.append((begin, end))
    return regions


def shift_regions(rng: np.random.Generator, content: bytearray) -> None:
    """Insert or remove regions, from the end to the beginning."""
    for begin in sorted(rng.integers(len(content), size=int(rng.integers(1, 6))), reverse=True):
        size = int(rng.integers(1, 4097))
        if rng.integers(2):
            content[begin:begin] = rng.bytes(size)
        else:
            del content[begin : begin + size]


def salvaged(repaired: recio.files.RepairReport) -> dict[int, bytes]:
    """Return the records of the new file by their ids."""
    with MXIndexedRecordIO(repaired.idx, repaired.rec, "r") as reader:
        return {key - FIRST_ID: reader.read_idx(key) for key in reader.keys}


def assert_adds_up(repaired: recio.files.RepairReport, length: int) -> None:
    """Check that records and skipped regions add up to the damaged file and that regions are in order."""
    assert repaired.bytes + sum(region.end - region.begin for region in repaired.skipped) == length
    offsets = [offset for region in repaired.skipped for offset in (region.begin, region.end)]
    assert offsets == sorted(offsets)
    assert all(region.reason for region in repaired.skipped)


@pytest.mark.parametrize("seed", range(8))
def test_with_checksums_exactly_the_undamaged_records_are_salvaged(tmp_path: Path, seed: int) -> None:
    file, records = write(tmp_path, seed, checksum=True)
    original = file.rec.read_bytes()
    content = bytearray(original)
    overwrite_regions(np.random.default_rng(100 + seed), content)
    file.rec.write_bytes(content)
    ends = [*file.offsets[1:], len(content)]
    same = [n for n in range(RECORDS) if content[file.offsets[n] : ends[n]] == original[file.offsets[n] : ends[n]]]
    repaired = recio.repair(file.rec, tmp_path / "new.rec")
    assert salvaged(repaired) == {n: records[n] for n in same}
    assert repaired.keys == "ids"
    assert_adds_up(repaired, len(content))
    assert recio.verify(repaired.rec, decode=False).ok
    assert recio.verify(repaired.rec, decode=False).has_checksums


@pytest.mark.parametrize("seed", range(8))
def test_with_checksums_no_record_is_invented_from_shifted_bytes(tmp_path: Path, seed: int) -> None:
    file, records = write(tmp_path, seed, checksum=True)
    content = bytearray(file.rec.read_bytes())
    shift_regions(np.random.default_rng(200 + seed), content)
    file.rec.write_bytes(content)
    repaired = recio.repair(file.rec, tmp_path / "new.rec")
    actual = salvaged(repaired)
    assert actual == {n: records[n] for n in actual}
    untouched = sum(bytes(payload) in bytes(content) for payload in records)
    assert len(actual) >= 0.97 * untouched
    assert_adds_up(repaired, len(content))


@pytest.mark.parametrize("seed", range(8))
def test_without_checksums_every_undamaged_record_is_salvaged(tmp_path: Path, seed: int) -> None:
    file, records = write(tmp_path, seed, checksum=False)
    file.idx.unlink()
    with MXIndexedRecordIO(tmp_path / "again.idx", tmp_path / "again.rec", "w") as again:
        offsets = []
        for number, payload in enumerate(records):
            offsets.append(again.tell())
            again.write_idx(number, payload)
        offsets.append(again.tell())
    content = bytearray(file.rec.read_bytes())
    regions = overwrite_regions(np.random.default_rng(300 + seed), content)
    file.rec.write_bytes(content)
    repaired = recio.repair(file.rec, tmp_path / "new.rec")
    untouched = [
        n for n in range(RECORDS) if all(end <= offsets[n] or offsets[n + 1] <= begin for begin, end in regions)
    ]
    with MXIndexedRecordIO(repaired.idx, repaired.rec, "r") as reader:
        actual = list(reader)
    assert {records[n] for n in untouched} <= set(actual)
    assert {len(payload) for payload in actual} <= {len(payload) for payload in records}
    assert_adds_up(repaired, len(content))


def test_sound_file_is_copied_unchanged(tmp_path: Path) -> None:
    file, _ = write(tmp_path, 0, checksum=True)
    repaired = recio.repair(file.rec, tmp_path / "new.rec")
    assert (repaired.records, repaired.skipped, repaired.unused) == (RECORDS, [], [])
    assert repaired.rec.read_bytes() == file.rec.read_bytes()
    assert repaired.rec.with_suffix(".rsum").read_bytes() == file.rec.with_suffix(".rsum").read_bytes()


def test_keys_are_those_of_the_old_index_if_ids_repeat(tmp_path: Path) -> None:
    file = RecordFile(tmp_path / "some.rec", tmp_path / "some.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        for number in range(5):
            writer.write_idx(10 * number, pack(IRHeader(0, 0.0, 7, 0), b"image"))
    content = bytearray(file.rec.read_bytes())
    content[file.offsets[2]] ^= 1
    file.rec.write_bytes(content)
    repaired = recio.repair(file.rec, tmp_path / "new.rec")
    assert repaired.keys == "index"
    assert [line.split()[0] for line in repaired.idx.read_text().splitlines()] == ["0", "10", "30", "40"]
    (region,) = repaired.skipped
    assert (region.begin, region.end) == (file.offsets[2], file.offsets[3])
    assert region.reason == "magic 0xced7230b, expected 0xced7230a"
    file.idx.unlink()
    assert recio.repair(file.rec, tmp_path / "new.rec").keys == "ordinals"


def test_damaged_index_is_reported_and_ignored(tmp_path: Path) -> None:
    file, _ = write(tmp_path, 0, checksum=False)
    file.idx.write_text("0\tx\n")
    repaired = recio.repair(file.rec, tmp_path / "new.rec")
    assert repaired.records == RECORDS
    assert "some.idx: line 1" in repaired.unused[0]


def test_output_must_be_another_file(tmp_path: Path) -> None:
    file, _ = write(tmp_path, 0, checksum=False)
    content = file.rec.read_bytes()
    with pytest.raises(ValueError, match="would overwrite an input"):
        recio.repair(file.rec, tmp_path / "." / "some.rec")
    assert file.rec.read_bytes() == content


def test_exception_in_progress_leaves_no_file(tmp_path: Path) -> None:
    file, _ = write(tmp_path, 0, checksum=False)

    def stop(done: int, total: int) -> None:
        raise RuntimeError(f"{done} of {total}")

    with pytest.raises(RuntimeError, match="of"):
        recio.repair(file.rec, tmp_path / "new.rec", progress=stop)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some.idx", "some.rec"]


def test_file_without_a_complete_record_writes_no_file(tmp_path: Path) -> None:
    junk = tmp_path / "junk.rec"
    junk.write_bytes(b"no records at all")
    repaired = recio.repair(junk, tmp_path / "new.rec")
    assert (repaired.records, repaired.rec.exists(), repaired.idx.exists()) == (0, False, False)
    (region,) = repaired.skipped
    assert (region.begin, region.end) == (0, 17)
