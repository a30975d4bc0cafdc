"""Row R19: the longest record, files of more than 2^31, 2^32 and 2^40 bytes, an index of twenty million entries.

``test_recordio.py`` refuses a record of 2^29 bytes and reads one of 2^29 - 1; ``test_index.py`` has the
memory and the time of indexes of a million entries. The files here are sparse: they take no room.
"""

from __future__ import annotations

import mmap
import resource
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import psutil
import pytest

from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx
from tests.support.framing import LONGEST, MAGIC, encode, frame
from tests.support.records import RecordFile, image_record, noise, numbers, open_iter, png, read_all
from tests.support.sparse import write_sparse

if TYPE_CHECKING:
    from pathlib import Path

PAST = (1 << 31, 1 << 32, 1 << 40)
STRIDE = 8 + LONGEST + 1
"""What the longest record takes in a file."""


@pytest.mark.skipif(psutil.virtual_memory().available < 3 << 30, reason="takes 1.5 GiB")
def test_record_of_2_to_the_29_minus_1_bytes_is_written() -> None:
    with mmap.mmap(-1, LONGEST) as long, MXRecordIO("/dev/null", "w") as writer:
        writer.write(memoryview(long))
        assert (writer.tell(), len(writer)) == (STRIDE, 1)


def test_records_around_each_power_of_two_are_read_by_key_and_in_batches(tmp_path: Path) -> None:
    """Each pair of records stands on both sides of a border: the first ends just there."""
    images = [image_record(png(noise(8, 8, seed=n)), n) for n in range(2 * len(PAST))]
    file = RecordFile(tmp_path / "vast.rec", tmp_path / "vast.idx")
    pieces: dict[int, bytes] = {}
    for n, border in enumerate(PAST):
        before, behind = encode(images[2 * n]), encode(images[2 * n + 1])
        # What stands behind a record must be the head of another.
        pieces |= {border - len(before): before, border: behind + frame(0, b"")}
    write_sparse(file.rec, PAST[-1] + 4096, pieces)
    file.idx.write_text("".join(f"{n}\t{offset}\n" for n, offset in enumerate(sorted(pieces))))
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert [reader.read_idx(key) for key in range(len(images))] == images
        assert max(reader.idx.values()) == 1 << 40
    batches = open_iter(file, path_imgidx=file.idx, batch_size=3)
    assert numbers(batches) == list(range(len(images)))


def test_file_larger_than_2_to_the_40_is_counted_indexed_and_read(tmp_path: Path) -> None:
    """Two thousand records of the longest kind fill it, and a short one is at its end."""
    long = (1 << 40) // STRIDE + 1
    headers = {n * STRIDE: frame(0, b"")[:4] + struct.pack("<I", LONGEST) for n in range(long)}
    file = RecordFile(tmp_path / "vast.rec", tmp_path / "vast.idx")
    last = long * STRIDE
    write_sparse(file.rec, last + 16, {**headers, last: frame(0, b"at last")})
    assert rec2idx(file.rec, file.idx) == "ordinals"
    assert file.offsets == [n * STRIDE for n in range(long + 1)]
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        reader.seek(long)
        assert (reader.tell(), reader.read(), reader.read()) == (last, b"at last", None)
    with MXRecordIO(file.rec, "r") as plain:
        assert len(plain) == long + 1
    assert last > 1 << 40


ENTRIES = 20_000_000
LOAD = """
import sys, time
import psutil
from recio.recordio import MXIndexedRecordIO

process = psutil.Process()
before, start = process.memory_info().rss, time.perf_counter()
reader = MXIndexedRecordIO(sys.argv[1], sys.argv[2], "r")
print(len(reader), time.perf_counter() - start, process.memory_info().rss - before)
"""


def write_digits(path: Path, entries: int) -> None:
    """Write the index of records of a thousand bytes, all numbers of equal width: by NumPy, in a second or two."""
    with path.open("wb") as file:
        for first in range(0, entries, 1_000_000):
            numbers_ = np.arange(first, min(first + 1_000_000, entries))
            lines = np.full((len(numbers_), 21), ord("0"), np.uint8)
            for place in range(8):
                lines[:, 7 - place] += (numbers_ // 10**place % 10).astype(np.uint8)
            lines[:, 8], lines[:, 20] = ord("\t"), ord("\n")
            lines[:, 9:17] = lines[:, :8]
            file.write(lines.tobytes())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_million_index_entries_take_16_bytes_each_and_2_seconds(tmp_path: Path) -> None:
    """Takes 440 MB on the disk."""
    file = RecordFile(tmp_path / "large.rec", tmp_path / "large.idx")
    write_sparse(file.rec, ENTRIES * 1000, {})
    write_digits(file.idx, ENTRIES)
    shown = subprocess.check_output([sys.executable, "-c", LOAD, file.idx, file.rec], text=True)
    count, seconds, memory = map(float, shown.split())
    print(f"R19: {count:.0f} entries in {seconds:.2f} s, {memory / count:.1f} bytes an entry")  # noqa: T201 the figure
    assert count == ENTRIES
    assert memory <= 16 * ENTRIES + (8 << 20)
    assert seconds <= 2


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(psutil.virtual_memory().available < 6 << 30, reason="takes 3 GiB")
def test_round_trip_of_the_longest_record(tmp_path: Path) -> None:
    """Takes 512 MiB on the disk."""
    record = MAGIC[1:] + bytes(range(256)) * (1 << 21)
    record = record[:LONGEST]
    with MXRecordIO(tmp_path / "a.rec", "w") as writer:
        writer.write(record)
        writer.write(b"next")
    found, error = read_all(tmp_path / "a.rec")
    assert error is None
    assert found == [record, b"next"]
    print(f"R19: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB at most")  # noqa: T201 the figure
