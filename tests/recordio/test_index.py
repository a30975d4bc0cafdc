"""Index files: accepted variations, errors, and time and memory of large ones."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.recordio import MXIndexedRecordIO, rec2idx
from tests.support.measure import slowness
from tests.support.records import RecordFile, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The fixture `file` holds ten records. The second begins at byte 8, the fifth at byte 44; the file
# ends at byte 140.
SIZE = 140


def keys_of(file: RecordFile, index: bytes, key_type: Callable[[Any], Any] = int) -> list[Any]:
    """Return the keys of another index of the same records."""
    file.idx.write_bytes(index)
    with MXIndexedRecordIO(file.idx, file.rec, "r", key_type) as reader:
        return list(reader.keys)


@pytest.mark.parametrize(
    "index",
    [
        b"7\t0\n9\t8\n",
        b"7\t0\r\n9\t8\r\n",
        b"7\t0\n9\t8",
        b"7 0\n9   8\n",
        b"  7\t0  \n\t9\t8\t\n",
        b"7\t0\tmore\t1.5\n9\t8\t\xff\xfe\n",
        b"\n7\t0\n\n \n9\t8\n\n",
        b"007\t000\n9\t0008\n",
    ],
    ids=["plain", "CRLF", "no final newline", "spaces", "white space around", "columns", "blank lines", "zeros"],
)
def test_harmless_variations_are_accepted(file: RecordFile, index: bytes) -> None:
    assert keys_of(file, index) == [7, 9]


@pytest.mark.parametrize("index", [b"", b"\n", b" \r\n\n"])
def test_empty_index_has_no_keys(file: RecordFile, index: bytes) -> None:
    assert keys_of(file, index) == []


def test_keys_are_in_file_order_for_any_order_of_lines(file: RecordFile) -> None:
    assert keys_of(file, b"3\t44\n1\t8\n2\t0\n") == [2, 1, 3]


def test_largest_key_is_read(file: RecordFile) -> None:
    assert keys_of(file, b"18446744073709551615\t0\n") == [2**64 - 1]


# Damaged second lines of three.
REFUSED = {
    "no offset": (b"2", "a key without an offset"),
    "no tab": (b"244", "a key without an offset"),
    "a key of text": (b"cat\t44", 'must be an integer from 0 to 2^64-1, got "cat"'),
    "an offset of text": (b"2\tcat", 'must be an integer from 0 to 2^64-1, got "cat"'),
    "a list": (b"2\t1.0\tcat.jpg", 'must be an integer from 0 to 2^64-1, got "1.0"'),
    "a fraction of a key": (b"2.0\t44", 'must be an integer from 0 to 2^64-1, got "2.0"'),
    "a fraction of an offset": (b"2\t0.0", 'must be an integer from 0 to 2^64-1, got "0.0"'),
    "a negative key": (b"-2\t44", 'must be an integer from 0 to 2^64-1, got "-2"'),
    "a negative offset": (b"2\t-44", 'must be an integer from 0 to 2^64-1, got "-44"'),
    "a plus": (b"2\t+44", 'must be an integer from 0 to 2^64-1, got "+44"'),
    "an exponent": (b"2\t4e1", 'must be an integer from 0 to 2^64-1, got "4e1"'),
    "an underscore": (b"2\t4_4", 'must be an integer from 0 to 2^64-1, got "4_4"'),
    "hexadecimal": (b"2\t0x2c", 'must be an integer from 0 to 2^64-1, got "0x2c"'),
    "a comma": (b"2,44", "a key without an offset"),
    "a byte order mark": ("\ufeff2\t44".encode(), "must be an integer"),
    "zero bytes": (bytes(8), "a key without an offset"),
    "bytes that are not UTF-8": (b"\xff\xfe\t44", "must be an integer"),
    "other digits": ("\u0662\t44".encode(), "must be an integer"),
    "a key of 2^64": (b"18446744073709551616\t44", "from 0 to 2^64-1"),
    "an offset of 2^64": (b"2\t18446744073709551616", "from 0 to 2^64-1"),
    "an offset of 2^64 - 4": (b"2\t18446744073709551612", "past the end of the .rec file (140 bytes)"),
    "an offset of 60 digits": (b"2\t" + b"4" * 60, "from 0 to 2^64-1"),
    "an unaligned offset": (b"2\t45", "45 is not a multiple of 4"),
    "the end of the file": (b"2\t140", "140 is past the end of the .rec file (140 bytes)"),
    "past the end of the file": (b"2\t144", "144 is past the end of the .rec file (140 bytes)"),
    "a long line": (b"2\t" + b"4" * 5000, "line 2: "),
    "a key twice": (b"0\t44", "duplicate key 0"),
    "an offset twice": (b"2\t0", "duplicate offset 0"),
}


@pytest.mark.parametrize(("line", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_damaged_line_is_an_error_with_path_and_line_number(file: RecordFile, line: bytes, reason: str) -> None:
    assert file.rec.stat().st_size == SIZE
    with pytest.raises(RecordError) as caught:
        keys_of(file, b"0\t0\n" + line + b"\n1\t8\n")
    assert str(caught.value).startswith(f"{file.idx}: line 2: ")
    assert reason in str(caught.value)
    assert str(caught.value.path) == str(file.idx)


def test_endless_line_is_an_error_before_it_is_read_completely(file: RecordFile) -> None:
    with file.idx.open("wb") as sparse:
        sparse.truncate(1 << 36)
    with pytest.raises(
        RecordError, match=r"ten\.idx: this is zero bytes, not the index of .*: line 1: longer than 4096 bytes"
    ):
        MXIndexedRecordIO(file.idx, file.rec, "r")


def test_offset_inside_a_record_is_an_error_on_reading(file: RecordFile) -> None:
    file.idx.write_text("0\t0\n1\t52\n")
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        with pytest.raises(RecordError, match=r"ten\.rec: record 1 at byte 52: magic 0x.*, expected 0xced7230a"):
            reader.read_idx(1)
        assert reader.read_idx(0) == b""


def test_index_may_list_a_subset_of_the_records(file: RecordFile, records: list[bytes]) -> None:
    file.idx.write_text(f"3\t{file.offsets[7]}\n8\t{file.offsets[2]}\n")
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert len(reader) == 2
        assert [reader.read_idx(3), reader.read_idx(8)] == [records[7], records[2]]
        assert list(reader) == records


class TestOtherKeys:
    """Keys that are not integers."""

    def test_round_trip(self, tmp_path: Path) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w", key_type=str) as writer:
            for key in ("cat 1", "dög", 7):
                writer.write_idx(key, str(key).encode())
        assert file.idx.read_text(encoding="utf-8") == "cat 1\t0\ndög\t16\n7\t28\n"
        with MXIndexedRecordIO(file.idx, file.rec, "r", key_type=str) as reader:
            assert (list(reader.keys), len(reader)) == (["cat 1", "dög", "7"], 3)
            assert [reader.read_idx(key) for key in ("7", "dög", 7)] == [b"7", "dög".encode(), b"7"]
            with pytest.raises(KeyError):
                reader.read_idx("horse")

    def test_harmless_variations_are_accepted(self, file: RecordFile) -> None:
        assert keys_of(file, b"a\t0\r\n\nb\t8\tmore", str) == ["a", "b"]

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (b"b", "invalid literal"),
            (b"b 44", "invalid literal"),
            (b"b\tcat", "invalid literal"),
            (b"\xff\t44", "can't decode byte 0xff"),
            (b"b\t45", "no record begins at the offset 45"),
            (b"b\t-4", "no record begins at the offset -4"),
            (b"b\t140", ".rec file (140 bytes)"),
            (b"a\t44", "a occurs twice: with 0 and with 44"),
            (b"b\t0", "0 occurs twice: with a and with b"),
        ],
    )
    def test_damaged_line_is_an_error_with_path_and_line_number(
        self, file: RecordFile, line: bytes, reason: str
    ) -> None:
        with pytest.raises(RecordError) as caught:
            keys_of(file, b"a\t0\n" + line + b"\nc\t8\n", str)
        assert str(caught.value).startswith(f"{file.idx}: line 2: ")
        assert reason in str(caught.value)
        assert caught.value.path == str(file.idx)

    def test_key_refused_by_its_type_is_named(self, file: RecordFile) -> None:
        with pytest.raises(RecordError, match=r"ten\.idx: line 1: could not convert string to float: 'cat'"):
            keys_of(file, b"cat\t0\n", float)


def write_large(folder: Path, entries: int) -> RecordFile:
    """Write an index of many entries with permuted keys, and a sparse file that they point into."""
    file = RecordFile(folder / "large.rec", folder / "large.idx")
    with file.rec.open("wb") as sparse:
        sparse.truncate(entries * 10_000)
    with file.idx.open("w") as lines:
        lines.writelines(f"{n * 7919 % entries}\t{n * 10_000}\n" for n in range(entries))
    return file


@pytest.mark.alone
def test_one_million_entries_load_in_less_than_a_second(tmp_path: Path) -> None:
    entries = 1_000_000
    file = write_large(tmp_path, entries)
    start = time.perf_counter()
    reader = MXIndexedRecordIO(file.idx, file.rec, "r")
    seconds = time.perf_counter() - start
    assert (len(reader), reader.idx[7919]) == (entries, 10_000)
    reader.close()
    print(f"{entries / seconds / 1e6:.1f} million entries a second")  # noqa: T201 reports the figure
    assert seconds < slowness()


MEMORY = """
import sys
import psutil
from recio.recordio import MXIndexedRecordIO

process = psutil.Process()
before = process.memory_info().rss
reader = MXIndexedRecordIO(sys.argv[1], sys.argv[2], "r")
print(process.memory_info().rss - before)
"""


def test_entry_takes_16_bytes_of_memory(tmp_path: Path) -> None:
    entries, slack = 2_000_000, 8 << 20
    file = write_large(tmp_path, entries)
    output = subprocess.check_output([sys.executable, "-c", MEMORY, file.idx, file.rec], text=True)
    print(f"{int(output) / entries:.1f} bytes an entry")  # noqa: T201 reports the figure
    assert int(output) <= 16 * entries + slack


def test_index_is_never_written_before_its_records(tmp_path: Path) -> None:
    """A killed process therefore leaves an index of complete lines for records in the file."""
    file = write_records(tmp_path, [])
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        writer.write_idx(5, b"five")
        assert (file.idx.read_text(), file.rec.read_bytes()) == ("", b"")
        writer.write_idx(6, bytes(1 << 20))
        assert file.idx.read_text() == "5\t0\n6\t12\n"
        assert file.rec.stat().st_size == writer.tell()


@pytest.mark.parametrize("key", ["a\tb", "a\nb", "a\rb"])
def test_key_that_would_corrupt_the_index_is_refused(tmp_path: Path, key: str) -> None:
    with (
        MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "w", str) as writer,
        pytest.raises(ValueError, match="has a tab or a line break"),
    ):
        writer.write_idx(key, b"")


@pytest.mark.parametrize("key", ["x", None, 2.5, -1, 1 << 70])
def test_key_of_another_type_is_not_in_the_index(key: object, tmp_path: Path) -> None:
    file = write_records(tmp_path, [b"one"])
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert key not in reader.idx
        assert np.int64(0) in reader.idx


def test_only_one_of_several_threads_writes_the_same_key(tmp_path: Path) -> None:
    with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "w") as writer:

        def write_all() -> int:
            written = 0
            for key in range(300):
                with contextlib.suppress(ValueError):
                    writer.write_idx(key, bytes(5000))
                    written += 1
            return written

        with ThreadPoolExecutor(4) as pool:
            counts = [pool.submit(write_all) for _ in range(4)]
        assert sum(count.result() for count in counts) == 300
    with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "r") as reader:
        assert sorted(reader.keys) == list(range(300))


def test_rec2idx_does_not_overwrite_the_records(tmp_path: Path) -> None:
    file = write_records(tmp_path, [b"one"])
    with pytest.raises(ValueError, match="would overwrite it"):
        rec2idx(file.rec, file.rec)
    assert file.rec.stat().st_size > 0
