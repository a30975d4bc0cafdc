"""Small records, of which many are read at a time, among large and split ones."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.records import RecordFile, write_records

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = bytes.fromhex("0a23d7ce")


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    mixed = [bytes([number % 251]) * (number * 37 % 300) for number in range(5000)]
    for number in range(100, 5000, 700):
        mixed[number] = bytes([number % 251]) * 200_000
        mixed[number + 50] = b"abcd" + MAGIC * 3 + b"efg"
    return mixed


@pytest.fixture(scope="module")
def file(records: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_records(tmp_path_factory.mktemp("small"), records)


def test_all_ways_to_read_return_the_same_records(file: RecordFile, records: list[bytes]) -> None:
    offsets = file.offsets
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert list(reader) == records
        assert [reader.read() for _ in records] == records
        assert reader.read() is None
        assert [reader.read_idx(number) for number in range(len(records))] == records
        for number in range(0, len(records), 7):
            reader.seek(number)
            assert reader.tell() == offsets[number]
            assert reader.read() == records[number]
            assert reader.read_idx((number * 31) % 5000) == records[(number * 31) % 5000]


def test_records_before_and_after_interleaved_iterations(file: RecordFile, records: list[bytes]) -> None:
    with MXRecordIO(file.rec, "r") as reader:
        assert list(zip(reader, reader, strict=True)) == list(zip(records, records, strict=True))


def test_threads_share_the_records(file: RecordFile, records: list[bytes]) -> None:
    found: list[bytes] = []
    with MXRecordIO(file.rec, "r") as reader:

        def read() -> None:
            while (record := reader.read()) is not None:
                found.append(record)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == sorted(records)


def test_forked_process_continues_by_itself(file: RecordFile, records: list[bytes]) -> None:
    with MXRecordIO(file.rec, "r") as reader:
        for _ in range(1000):
            reader.read()
        if (child := os.fork()) == 0:
            rest = [reader.read() for _ in records[1000:]]
            os._exit(0 if rest == records[1000:] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert [reader.read() for _ in records[1000:]] == records[1000:]


def test_damage_is_reported_with_record_and_offset_after_the_records_before_it(tmp_path: Path) -> None:
    file = write_records(tmp_path, [b"x" * 200] * 2000)
    content = bytearray(file.rec.read_bytes())
    content[file.offsets[1500]] ^= 1
    file.rec.write_bytes(content)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert [reader.read() for _ in range(1499)] == [b"x" * 200] * 1499
        for read in (reader.read, lambda: reader.read_idx(1499), lambda: list(reader)):
            with pytest.raises(RecordError, match=r"some\.rec: record 1499 at byte \d+: followed by") as caught:
                read()
            assert caught.value.offset == file.offsets[1499]
        assert reader.read_idx(1501) == b"x" * 200
        assert reader.read() == b"x" * 200


def test_checksum_of_each_small_record_is_verified(tmp_path: Path) -> None:
    rec, idx = tmp_path / "a.rec", tmp_path / "a.idx"
    with MXIndexedRecordIO(idx, rec, "w", checksum=True) as writer:
        for number in range(1000):
            writer.write_idx(number, b"y" * 200)
    content = bytearray(rec.read_bytes())
    content[208 * 700 + 100] ^= 1
    rec.write_bytes(content)
    with MXIndexedRecordIO(idx, rec, "r") as reader:
        assert [reader.read() for _ in range(700)] == [b"y" * 200] * 700
        for read in (reader.read, lambda: reader.read_idx(700)):
            with pytest.raises(RecordError, match="do not match their checksum"):
                read()
