"""Row R4: a file is cut at every length. What is complete is returned; where there is an index no cut goes unseen."""

from __future__ import annotations

import itertools
import os
import random
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.recordio import MXIndexedRecordIO
from tests.support.framing import MAGIC
from tests.support.records import RecordFile, read_all, write_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS, SIZE = 40, 50_000


@pytest.fixture
def records() -> list[bytes]:
    """Return records of 1 byte to 2.4 KB, some of several fragments: about 50 KB in all."""
    draw = random.Random(4)
    plain = [draw.randbytes(draw.randint(1, 2400)) for _ in range(RECORDS)]
    return [
        record + MAGIC + record[:50] if n % 8 == 0 and len(record) % 4 == 0 else record
        for n, record in enumerate(plain)
    ]


def cuts(file: RecordFile) -> Iterator[int]:
    """Cut a file shorter and shorter, by a byte each time."""
    for length in range(file.rec.stat().st_size - 1, -1, -1):
        os.truncate(file.rec, length)
        yield length


def is_seen(file: RecordFile) -> bool:
    """Return whether opening the file with its index and reading the last record raises an error."""
    try:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            reader.read_idx(RECORDS - 1)
    except RecordError as error:
        return error.path in (str(file.idx), str(file.rec))
    return False


def test_complete_records_are_returned_and_every_truncation_is_detected(tmp_path: Path, records: list[bytes]) -> None:
    file = write_records(tmp_path, records)
    ends = [*file.offsets[1:], file.rec.stat().st_size]
    assert abs(ends[-1] - SIZE) < 5_000
    between = tried = 0
    for length in cuts(file):
        complete = sum(end <= length for end in ends)
        found, error = read_all(file.rec)
        assert found == records[:complete]
        assert (error is None) == (length in (0, *ends)), f"cut at {length}"
        assert error is None or (error.path, error.record) == (str(file.rec), complete)
        assert is_seen(file), f"cut at {length}: not seen with the index"
        between, tried = between + (error is None), tried + 1
    print(  # noqa: T201 the figure is the point
        f"R4: {tried} cuts, all complete records returned; seen by framing {tried - between}, with the index {tried}"
    )
    assert between == RECORDS, "a cut between two records is the one thing that framing cannot tell"


def test_truncation_is_detected_by_any_index_with_the_last_record(tmp_path: Path, records: list[bytes]) -> None:
    file = write_records(tmp_path, records)
    lines = file.idx.read_text().splitlines(keepends=True)
    os.truncate(file.rec, file.offsets[-1])
    for listed in (lines, lines[::-1], lines[-1:], [*lines[20:], *lines[:20]]):
        file.idx.write_text("".join(listed))
        assert is_seen(file)
    file.idx.write_text("".join(itertools.islice(lines, RECORDS - 1)))
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        assert [reader.read_idx(key) for key in reader.keys] == records[:-1]
