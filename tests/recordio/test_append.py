"""Record files that are written in place: appending, checksums, and files after interrupted writes."""

from __future__ import annotations

import os
import pickle
import re
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recio import RecordError
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.processes import exit_code, fork, python, run_python, start
from tests.support.records import RecordFile, write_records

if TYPE_CHECKING:
    from collections.abc import Callable


def beside(file: RecordFile, *, end: str = ".rsum") -> Path:
    return file.rec.with_suffix(end)


def all_bytes(file: RecordFile) -> dict[str, bytes | None]:
    paths = (file.rec, file.idx, beside(file))
    return {path.suffix: path.read_bytes() if path.exists() else None for path in paths}


def append(file: RecordFile, records: dict[Any, bytes], **settings: Any) -> None:  # noqa: ANN401 they are of many types
    with MXIndexedRecordIO(file.idx, file.rec, "a", **settings) as writer:
        for key, record in records.items():
            writer.write_idx(key, record)


def read_all(file: RecordFile) -> dict[int, bytes]:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        return {key: reader.read_idx(key) for key in reader.keys}


def summed(rsum: Path) -> tuple[int, int]:
    """Return the number of records and the file length in a checksum file."""
    magic, records, length = struct.unpack_from("<8sQQ", rsum.read_bytes())
    assert magic == b"RECIORS1"
    return records, length


@pytest.fixture
def new(tmp_path: Path) -> RecordFile:
    """Return the paths of files that do not exist."""
    return RecordFile(tmp_path / "new.rec", tmp_path / "new.idx")


class TestAppending:
    @pytest.mark.parametrize("checksum", [False, True])
    def test_appending_in_turns_writes_the_same_bytes_as_writing_at_once(
        self, checksum: bool, new: RecordFile, tmp_path: Path, records: list[bytes]
    ) -> None:
        for key, record in enumerate(records):
            append(new, {key: record}, checksum=checksum)
        at_once = RecordFile(tmp_path / "once.rec", tmp_path / "once.idx")
        with MXIndexedRecordIO(at_once.idx, at_once.rec, "w", checksum=checksum) as writer:
            for key, record in enumerate(records):
                writer.write_idx(key, record)
        assert all_bytes(new) == all_bytes(at_once)
        assert beside(new).exists() == checksum

    def test_existing_keys_are_known(self, file: RecordFile) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "a") as writer:
            assert (len(writer), writer.tell()) == (10, file.rec.stat().st_size)
            with pytest.raises(ValueError, match="the key 3 was used before"):
                writer.write_idx(3, b"again")
            writer.write_idx(77, b"new")
            with pytest.raises(ValueError, match="the key 77 was used before"):
                writer.write_idx(77, b"again")
            assert writer.keys == [*range(10), 77]
            assert (writer.idx[9], writer.idx[77]) == (file.offsets[9], file.offsets[9] + 20)
        assert read_all(file)[77] == b"new"

    def test_keys_of_other_types(self, new: RecordFile) -> None:
        append(new, {"a b": b"one"}, key_type=str)
        append(new, {"c": b"two"}, key_type=str)
        with MXIndexedRecordIO(new.idx, new.rec, "r", str) as reader:
            assert [reader.read_idx(key) for key in reader.keys] == [b"one", b"two"]
        with pytest.raises(ValueError, match="the key a b was used before"):
            append(new, {"a b": b"again"}, key_type=str)

    def test_appending_nothing_changes_nothing(self, file: RecordFile) -> None:
        before = all_bytes(file)
        append(file, {})
        assert all_bytes(file) == before

    def test_appending_continues_after_a_reset(self, file: RecordFile) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "a") as writer:
            writer.write_idx(10, b"ten")
            writer.reset()
            assert len(writer) == 11
            writer.write_idx(11, b"eleven")
        assert read_all(file)[11] == b"eleven"

    def test_appending_writer_neither_reads_nor_is_pickled(self, file: RecordFile) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "a") as writer:
            with pytest.raises(ValueError, match="not open for reading"):
                writer.read()
            with pytest.raises(TypeError, match="would write the same file"):
                pickle.dumps(writer)

    def test_file_without_index_is_refused(self, file: RecordFile) -> None:
        with pytest.raises(ValueError, match=r"flag must be .*, got 'a'"):
            MXRecordIO(file.rec, "a")  # type: ignore[arg-type]

    def test_records_without_key_at_the_end_are_refused(self, file: RecordFile) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "a") as writer:
            writer.write(b"nameless")
        assert len(read_all(file)) == 10
        with pytest.raises(RecordError, match="16 bytes after the last record"):
            append(file, {})


def truncate_by(path: Path, size: int) -> None:
    os.truncate(path, path.stat().st_size - size)


def drop_last_line(idx: Path) -> None:
    idx.write_text("".join(idx.read_text().splitlines(keepends=True)[:-1]))


def drop_all_lines(idx: Path) -> None:
    idx.write_text("")


def drop_last_line_and_truncate(file: RecordFile) -> None:
    drop_last_line(file.idx)
    truncate_by(file.rec, 4)


class TestRefusals:
    """Files that are not complete. The last of the ten records is ``012345678``, 20 bytes in the file."""

    @pytest.mark.parametrize(
        ("spoil", "wrong", "command"),
        [
            (
                lambda file: truncate_by(file.rec, 4),
                r"ten\.rec: at byte 120: a fragment of 9 bytes, but the file ends",
                "repair",
            ),
            (lambda file: truncate_by(file.rec, 20), r"ten\.idx: line 10: the offset 120 is past the end", "index"),
            (lambda file: truncate_by(file.idx, 1), r"ten\.idx: ends within a line", "index"),
            (lambda file: drop_last_line(file.idx), r"ten\.rec: at byte 120: 20 bytes after the last record", "index"),
            (lambda file: drop_all_lines(file.idx), r"ten\.rec: at byte 0: 140 bytes after the last record", "index"),
            (
                drop_last_line_and_truncate,
                r"ten\.rec: at byte 120: 16 bytes after the last record",
                "repair",
            ),
            (lambda file: file.rec.write_bytes(bytes(140)), r"ten\.rec: at byte 120: magic 0x00000000", "repair"),
        ],
    )
    def test_truncated_file_is_refused_with_a_hint(
        self, spoil: Callable[[RecordFile], object], wrong: str, command: str, file: RecordFile
    ) -> None:
        spoil(file)
        before = all_bytes(file)
        with pytest.raises(RecordError, match=wrong) as error:
            append(file, {10: b"ten"})
        assert f"`recio {command}`" in str(error.value)
        assert Path(error.value.path or "").stem == "ten"
        assert all_bytes(file) == before

    def test_checksums_of_another_file_are_refused(self, new: RecordFile) -> None:
        append(new, {1: b"one", 2: b"two"}, checksum=True)
        drop_last_line(new.idx)
        truncate_by(new.rec, 12)
        with pytest.raises(RecordError, match=r"12 bytes, but new\.rsum was written for a file of 24.*`recio verify`"):
            append(new, {3: b"three"})

    def test_wrong_checksum_of_the_last_record_is_refused(self, new: RecordFile) -> None:
        append(new, {1: b"one", 2: b"two"}, checksum=True)
        new.rec.write_bytes(new.rec.read_bytes().replace(b"two", b"too"))
        with pytest.raises(RecordError, match=r"do not match their checksum in new\.rsum"):
            append(new, {3: b"three"})

    def test_missing_index_or_record_file_is_refused(self, file: RecordFile) -> None:
        file.idx.rename(file.idx.with_name("away"))
        with pytest.raises(FileNotFoundError, match=r"`recio index` writes it.*ten\.idx"):
            append(file, {})
        file.rec.unlink()
        file.idx.with_name("away").rename(file.idx)
        with pytest.raises(FileNotFoundError, match=r"ten\.rec"):
            append(file, {})

    def test_writer_of_another_process_is_refused_until_the_first_has_closed(self, file: RecordFile) -> None:
        before = all_bytes(file)

        def refused() -> None:
            for flag in ("a", "w"):
                with pytest.raises(OSError, match=r"ten\.rec: another writer has it open"):
                    MXIndexedRecordIO(file.idx, file.rec, flag)

        with MXIndexedRecordIO(file.idx, file.rec, "a"):
            assert exit_code(fork(refused)) == 0
        assert all_bytes(file) == before
        append(file, {10: b"ten"})

    def test_closed_writer_releases_the_file_even_if_a_fork_still_has_it(self, file: RecordFile) -> None:
        ready, done = os.pipe(), os.pipe()
        writer = MXIndexedRecordIO(file.idx, file.rec, "a")
        child = fork(lambda: os.write(ready[1], b"x") and os.read(done[0], 1))
        os.read(ready[0], 1)
        writer.close()
        append(file, {10: b"ten"})
        os.write(done[1], b"x")
        assert exit_code(child) == 0
        assert read_all(file)[10] == b"ten"


class TestChecksums:
    def test_checksums_cover_all_records(self, new: RecordFile, records: list[bytes]) -> None:
        append(new, dict(enumerate(records)), checksum=True)
        assert summed(beside(new)) == (10, new.rec.stat().st_size)
        append(new, {10: b"ten"})
        assert summed(beside(new)) == (11, new.rec.stat().st_size)
        assert read_all(new)[10] == b"ten"

    def test_checksums_are_added_to_a_file_without_any(self, file: RecordFile) -> None:
        append(file, {10: b"ten"}, checksum=True)
        assert summed(beside(file)) == (11, file.rec.stat().st_size)
        assert len(read_all(file)) == 11

    def test_checksums_are_removed_while_the_file_changes(self, new: RecordFile) -> None:
        append(new, {1: b"one"}, checksum=True)
        with MXIndexedRecordIO(new.idx, new.rec, "a") as writer:
            assert beside(new).exists()
            writer.write_idx(2, b"two")
            assert not beside(new).exists()
        assert summed(beside(new)) == (2, 24)

    @pytest.mark.parametrize("indexed", [False, True])
    def test_checksums_are_removed_when_the_file_is_rewritten(self, indexed: bool, new: RecordFile) -> None:
        append(new, {1: b"one"}, checksum=True)
        writer = MXIndexedRecordIO(new.idx, new.rec, "w") if indexed else MXRecordIO(new.rec, "w")
        assert not beside(new).exists()
        writer.close()
        assert not beside(new).exists()

    def test_checksum_argument_is_refused_by_readers(self, file: RecordFile) -> None:
        with pytest.raises(ValueError, match="checksum=True is to write"):
            MXIndexedRecordIO(file.idx, file.rec, "r", checksum=True)


FILL = """
import signal, sys
from recio.recordio import MXIndexedRecordIO

writer = MXIndexedRecordIO(settings["idx"], settings["rec"], "a")
key = len(writer)
while True:
    writer.write_idx(key, key.to_bytes(8, "little") * 5_000)
    key += 1
    if key % 100 == 0:
        print(key, flush=True)
"""


class TestInterruptedWriting:
    @pytest.mark.parametrize("after", [1, 2, 3, 5, 8])
    def test_killed_writer_leaves_an_index_of_complete_records(self, after: int, file: RecordFile) -> None:
        command = python(FILL, {"idx": str(file.idx), "rec": str(file.rec)})
        with start(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            for _ in range(after):
                process.stdout.readline()
            process.kill()
        records = read_all(file)
        assert len(records) > 20
        assert all(record == key.to_bytes(8, "little") * 5_000 for key, record in records.items() if key >= 10)

    @pytest.mark.parametrize("flag", ["w", "a"])
    def test_full_disk_leaves_complete_records_that_can_be_appended_to(self, flag: str, file: RecordFile) -> None:
        """A limit on the file size simulates the full disk."""
        script = """
import resource
from recio.recordio import MXIndexedRecordIO

resource.setrlimit(resource.RLIMIT_FSIZE, (2_500_000, 2_500_000))
writer = MXIndexedRecordIO(settings["idx"], settings["rec"], settings["flag"])
try:
    for key in range(100, 200):
        writer.write_idx(key, key.to_bytes(4, "little") * 10_000)
except OSError as error:
    print(error.filename, error.strerror)
try:
    writer.close()
except OSError as error:
    print(error)
"""
        done = run_python(script, idx=str(file.idx), rec=str(file.rec), flag=flag)
        assert done.stderr == ""
        assert f"{file.rec} File too large" in done.stdout
        assert "File too large" in done.stdout
        records = read_all(file)
        assert len(records) == {"w": 54, "a": 64}[flag]
        assert file.rec.stat().st_size <= 2_500_000
        append(file, {200: b"goes on"})
        assert read_all(file) == {**records, 200: b"goes on"}

    def test_full_disk_of_the_index_leaves_complete_lines(self, new: RecordFile) -> None:
        script = """
import resource
from recio.recordio import MXIndexedRecordIO

writer = MXIndexedRecordIO(settings["idx"], settings["rec"], "w", str)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 22, 1 << 22))
try:
    for key in range(100):
        writer.write_idx(f"{key:0100000}", b"x")
    writer.close()
except OSError as error:
    print(error.filename, error.strerror)
"""
        done = run_python(script, idx=str(new.idx), rec=str(new.rec))
        assert (done.stdout, done.stderr) == (f"{new.idx} File too large\n", "")
        assert new.idx.read_bytes() == b""

    @pytest.mark.parametrize("kind", ["MXRecordIO", "MXIndexedRecordIO"])
    def test_error_of_close_names_the_path(self, kind: str, tmp_path: Path) -> None:
        idx = tmp_path / "full.idx"
        writer = MXRecordIO("/dev/full", "w") if kind == "MXRecordIO" else MXIndexedRecordIO(idx, "/dev/full", "w")
        writer.write(b"unwritten")
        with pytest.raises(OSError, match=re.escape("No space left on device: '/dev/full'")):
            writer.close()
        assert not idx.exists() or idx.read_bytes() == b""

    def test_forked_process_writes_nothing(self, file: RecordFile) -> None:
        writer = MXIndexedRecordIO(file.idx, file.rec, "a")
        writer.write_idx(10, b"ten")
        assert exit_code(fork(writer.__del__)) == 0
        writer.write_idx(11, b"eleven")
        writer.close()
        assert len(read_all(file)) == 12


def test_close_syncs_to_disk(tmp_path: Path) -> None:
    """Before closing, the data is in the write buffer of 1 MiB and the files are empty."""
    file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
    writer = MXIndexedRecordIO(file.idx, file.rec, "w")
    writer.write_idx(1, b"one")
    assert (file.rec.read_bytes(), file.idx.read_bytes()) == (b"", b"")
    writer.close()
    assert (len(file.rec.read_bytes()), file.idx.read_text()) == (12, "1\t0\n")


def test_empty_file_can_be_appended_to(tmp_path: Path) -> None:
    file = write_records(tmp_path, [], "empty")
    append(file, {5: b"five"})
    assert read_all(file) == {5: b"five"}
