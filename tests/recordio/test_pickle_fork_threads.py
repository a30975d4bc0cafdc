"""Copies of readers and writers, forked and spawned processes, and concurrent threads."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import pytest

from recio import RecordError
from recio.recordio import IRHeader, MXIndexedRecordIO, MXRecordIO
from tests.support.processes import exit_code, fork
from tests.support.records import RecordFile, write_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

THREADS = 8
READS = 2000


@pytest.fixture
def reader(file: RecordFile) -> Iterator[MXIndexedRecordIO]:
    """Open the ten records."""
    with MXIndexedRecordIO(file.idx, file.rec, "r") as opened:
        yield opened


def pickled(record: MXIndexedRecordIO) -> MXIndexedRecordIO:
    clone: MXIndexedRecordIO = pickle.loads(pickle.dumps(record))  # noqa: S301 written by this test
    return clone


def in_child(function: Callable[[], object]) -> object:
    """Run a function in a forked process and return its result or its exception."""
    result, into = os.pipe()

    def send() -> None:
        try:
            outcome = function()
        except Exception as error:  # noqa: BLE001 sent to the parent
            outcome = error
        os.write(into, pickle.dumps(outcome))

    child = fork(send)
    os.close(into)
    with os.fdopen(result, "rb") as stream:
        outcome = pickle.load(stream)  # noqa: S301 written by this test
    assert exit_code(child) == 0
    return outcome


class TestCopies:
    """`pickle` and `deepcopy`."""

    @pytest.mark.parametrize("duplicate", [pickled, copy.deepcopy], ids=["pickle", "deepcopy"])
    def test_copied_reader_works_and_leaves_the_original_position(
        self,
        reader: MXIndexedRecordIO,
        records: list[bytes],
        duplicate: Callable[[MXIndexedRecordIO], MXIndexedRecordIO],
    ) -> None:
        assert reader.read() == records[0]
        with duplicate(reader) as clone:
            assert (clone.read(), clone.keys, clone.read_idx(7)) == (records[0], reader.keys, records[7])
            assert reader.is_open
            assert reader.read() == records[1]
        assert reader.read_idx(9) == records[9]

    def test_reader_without_index_can_be_copied(self, file: RecordFile, records: list[bytes]) -> None:
        with MXRecordIO(file.rec, "r") as original, copy.deepcopy(original) as clone:
            assert list(clone) == list(original) == records

    def test_copy_keeps_keys_of_other_types(self, tmp_path: Path) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w", key_type=str) as writer:
            writer.write_idx("cat", b"meow")
        with MXIndexedRecordIO(file.idx, file.rec, "r", key_type=str) as reader, pickled(reader) as clone:
            assert clone.read_idx("cat") == b"meow"

    def test_copy_of_a_closed_reader_is_closed(self, reader: MXIndexedRecordIO, records: list[bytes]) -> None:
        reader.close()
        clone = pickled(reader)
        assert not clone.is_open
        clone.open()
        assert clone.read_idx(3) == records[3]
        clone.close()

    @pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy, copy.copy])
    def test_writer_cannot_be_copied_and_continues(
        self, tmp_path: Path, duplicate: Callable[[MXIndexedRecordIO], object]
    ) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
            writer.write_idx(0, b"one")
            with pytest.raises(TypeError, match="cannot pickle a writer"):
                duplicate(writer)
            writer.write_idx(1, b"two")
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert list(reader) == [b"one", b"two"]


class TestForkedReaders:
    """A reader that a forked process inherits."""

    def test_child_continues_at_the_parents_position_without_moving_it(
        self, reader: MXIndexedRecordIO, records: list[bytes]
    ) -> None:
        assert reader.read() == records[0]
        assert in_child(lambda: [reader.read() for _ in range(20)]) == [*records[1:], *[None] * 11]
        assert reader.read() == records[1]

    def test_parent_and_child_read_by_key_concurrently(self, reader: MXIndexedRecordIO, records: list[bytes]) -> None:
        keys = random.Random(3).choices(range(10), k=5000)
        with multiprocessing.get_context("fork").Pool(2) as children:
            read = children.map_async(reader.read_idx, keys, chunksize=100)
            assert [reader.read_idx(key) for key in keys] == [records[key] for key in keys]
            assert read.get() == [records[key] for key in keys]
            children.close()
            children.join()

    def test_child_can_reset_close_and_open(self, reader: MXIndexedRecordIO, records: list[bytes]) -> None:
        def use() -> list[bytes | None]:
            reader.reset()
            first = reader.read()
            reader.close()
            reader.open()
            return [first, reader.read_idx(8), *reader]

        assert in_child(use) == [records[0], records[8], *records]
        assert (reader.is_open, reader.read_idx(8)) == (True, records[8])

    def test_error_reaches_the_parent_with_all_attributes(self, file: RecordFile) -> None:
        file.idx.write_text("0\t0\n1\t52\n")
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            error = in_child(lambda: reader.read_idx(1))
        assert isinstance(error, RecordError)
        assert (str(error.path), error.record, error.id, error.offset) == (str(file.rec), 1, None, 52)
        assert str(error).startswith(f"{file.rec}: record 1 at byte 52: ")


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_reader_can_be_sent_to_another_process(
    reader: MXIndexedRecordIO, records: list[bytes], start: Literal["spawn", "forkserver"]
) -> None:
    with multiprocessing.get_context(start).Pool(1) as children:
        assert children.map(reader.read_idx, range(10)) == records
        children.close()
        children.join()
    assert reader.read_idx(5) == records[5]


INHERITED_WRITER = """
import os, sys
from recio import RecordError
from recio.recordio import MXIndexedRecordIO

rec, idx, how = sys.argv[1:]
writer = MXIndexedRecordIO(idx, rec, "w")
writer.write_idx(0, b"before the fork")
if os.fork() == 0:
    if how == "write":
        try:
            writer.write_idx(1, b"of the child")
        except RuntimeError as error:
            assert "open a new one" in str(error), error
            sys.exit(0)
        sys.exit(1)
    if how == "close":
        writer.close()
    if how == "del":
        del writer
    sys.exit(0)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 0
writer.write_idx(1, b"after the fork")
writer.close()
"""


@pytest.mark.parametrize("how", ["write", "close", "del", "exit"])
def test_inherited_writer_writes_nothing_in_a_child(tmp_path: Path, how: str) -> None:
    """Neither new records nor, at exit, those buffered before the fork."""
    file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
    subprocess.run([sys.executable, "-W", "error", "-c", INHERITED_WRITER, file.rec, file.idx, how], check=True)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert reader.keys == [0, 1]
        assert list(reader) == [b"before the fork", b"after the fork"]


class TestThreads:
    """One reader or writer in several threads."""

    def test_eight_threads_read_by_random_keys(self, tmp_path: Path) -> None:
        rng = random.Random(4)
        records = [rng.randbytes(rng.choice((0, 1, 100, 5000, 70_000))) for _ in range(100)]
        file = write_records(tmp_path, records)

        def read(seed: int) -> int:
            keys = random.Random(seed).choices(range(len(records)), k=READS)
            return sum(shared.read_idx(key) == records[key] for key in keys)

        with MXIndexedRecordIO(file.idx, file.rec, "r") as shared, ThreadPoolExecutor(THREADS) as threads:
            assert list(threads.map(read, range(THREADS))) == [READS] * THREADS

    def test_each_record_is_read_by_exactly_one_thread(self, tmp_path: Path) -> None:
        records = [b"%d" % n for n in range(THREADS * 500)]
        file = write_records(tmp_path, records)
        with MXRecordIO(file.rec, "r") as reader, ThreadPoolExecutor(THREADS) as threads:
            results = list(threads.map(lambda _: list(iter(reader.read, None)), range(THREADS)))
        assert sorted(record for result in results for record in result if record is not None) == sorted(records)
        assert all(result == sorted(result, key=lambda record: int(record or 0)) for result in results)

    def test_threads_write_complete_records_under_their_keys(self, tmp_path: Path) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")

        def write(thread: int) -> None:
            for key in range(thread, THREADS * 200, THREADS):
                writer.write_idx(key, b"%d" % key * (key % 50))

        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer, ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(write, range(THREADS)))
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert sorted(reader.keys) == list(range(THREADS * 200))
            assert all(reader.read_idx(key) == b"%d" % key * (key % 50) for key in reader.keys)


def test_writer_in_a_forked_child_does_not_truncate_the_parents_file(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    with MXRecordIO(path, "w") as writer:
        writer.write(b"one")

        def reset() -> None:
            with pytest.raises(RuntimeError):
                writer.reset()

        assert exit_code(fork(reset)) == 0
    with MXRecordIO(path, "r") as reader:
        assert reader.read() == b"one"


def test_header_can_be_pickled() -> None:
    header = IRHeader(0, 4.0, 7, 0)
    assert pickle.loads(pickle.dumps(header)) == header  # noqa: S301 written by this test
