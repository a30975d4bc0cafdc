"""Damage in files that `ImageRecordIter` reads: an error that says where, and an iterator that goes on.

There is an index for the files here, so the damage is met when its record is read. Without one the files are scanned
first, and damage of the framing is found by the constructor.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError, RecordError
from tests.support.processes import run_python
from tests.support.records import (
    FIRST_ID,
    ODD,
    RecordFile,
    image_record,
    noise,
    numbers,
    open_iter,
    png,
    write_images,
    write_records,
    write_tiny,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recio.io import ImageRecordIter

RECORDS = 12
BROKEN = 5
"""The number of the broken record: in the second of three batches of four."""


def replaced(record: bytes) -> Callable[[Path], RecordFile]:
    """Put this in place of the broken record."""

    def write(folder: Path) -> RecordFile:
        good = png(noise(8, 8))
        records = [image_record(good, number) for number in range(RECORDS)]
        records[BROKEN] = record
        return write_records(folder, records)

    return write


def overwritten(offset: int, content: bytes) -> Callable[[Path], RecordFile]:
    """Write this at an offset from where the broken record begins."""

    def write(folder: Path) -> RecordFile:
        file = write_tiny(folder, RECORDS)
        overwrite(file.rec, file.offsets[BROKEN] + offset, content)
        return file

    return write


def overwrite(path: Path, offset: int, content: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(content)


# What is broken, how, the exception, what it says, and whether the record's id is known by then.
CASES = {
    "magic": (overwritten(0, b"\0"), RecordError, "magic 0xced72300, expected 0xced7230a", False),
    "length": (overwritten(4, struct.pack("<I", 2**28)), RecordError, "", False),
    "flag of a frame": (overwritten(4, struct.pack("<I", 5 << 29)), RecordError, "", False),
    "middle part first": (overwritten(4, struct.pack("<I", 2 << 29)), RecordError, "", False),
    "not an image": (replaced(image_record(b"not an image", BROKEN)), DecodeError, "", True),
    "garbage": (replaced(image_record((ODD / "garbage.jpg").read_bytes(), BROKEN)), DecodeError, "", True),
    "no image": (replaced(image_record(b"", BROKEN)), DecodeError, "no image bytes", True),
    "image cut": (replaced(image_record(png(noise(8, 8))[:60], BROKEN)), DecodeError, "", True),
    "too short": (replaced(b"x" * 23), RecordError, "23 bytes are too short", False),
    "empty": (replaced(b""), RecordError, "0 bytes are too short", False),
    "too many labels": (replaced(struct.pack("<IfQQ", 1000, 0, 7, 0)), RecordError, "claims 1000 labels", False),
    "2^32-1 labels": (replaced(struct.pack("<IfQQ", 2**32 - 1, 0, 7, 0)), RecordError, "claims 4294967295", False),
}


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[RecordFile, type[Exception], str, bool]:
    write, kind, message, id_known = CASES[request.param]
    return write(tmp_path), kind, message, id_known


def read_on(batches: ImageRecordIter) -> list[int]:
    """Read an epoch to its end, over errors."""
    found = []
    while True:
        try:
            found += numbers([batches.next()])
        except StopIteration:
            return found
        except (RecordError, DecodeError):
            continue


def test_error_has_the_position_of_the_damaged_record(case: tuple[RecordFile, type[Exception], str, bool]) -> None:
    file, kind, message, id_known = case
    batches = open_iter(file, path_imgidx=file.idx)
    batches.next()
    with pytest.raises(kind) as caught:
        batches.next()
    error: Any = caught.value
    offset, id_ = file.offsets[BROKEN], FIRST_ID + BROKEN if id_known else None
    assert (str(error.path), error.record, error.id, error.offset) == (str(file.rec), BROKEN, id_, offset)
    shown = f" (id {id_})" if id_known else ""
    place = f"{file.rec}: record {BROKEN}{shown} at byte {offset}: "
    assert re.match(re.escape(place) + ".*" + re.escape(message), str(error)), str(error)


def test_path_of_an_error_is_a_str(tmp_path: Path) -> None:
    file = write_images(tmp_path, [b"bad"])
    with pytest.raises(DecodeError) as caught:
        open_iter(file).next()
    assert caught.value.path == str(file.rec)


def test_iterator_continues_after_the_damaged_batch(case: tuple[RecordFile, type[Exception], str, bool]) -> None:
    file, kind, *_ = case
    batches = open_iter(file, path_imgidx=file.idx)
    others = [0, 1, 2, 3, 8, 9, 10, 11]
    for _ in range(2):
        assert read_on(batches) == others
        batches.reset()
    batches.next()
    with pytest.raises(kind):
        batches.next()
    batches.reset()
    assert numbers([batches.next()]) == [0, 1, 2, 3]


def test_every_error_of_a_shuffled_epoch_is_raised_and_no_batch_is_skipped(tmp_path: Path) -> None:
    good, bad = png(noise(8, 8)), b"bad"
    file = write_images(tmp_path, [bad if number % 10 == 3 else good for number in range(100)])
    batches = open_iter(file, batch_size=1, shuffle=True, preprocess_threads=4)
    for _ in range(3):
        assert sorted(read_on(batches)) == [number for number in range(100) if number % 10 != 3]
        batches.reset()


def test_first_of_several_damaged_images_in_a_batch_is_named(tmp_path: Path) -> None:
    file = write_images(tmp_path, [png(noise(8, 8)), b"bad", b"bad", b"bad"])
    for _ in range(10):
        with pytest.raises(DecodeError) as caught:
            open_iter(file, preprocess_threads=4).next()
        assert caught.value.record == 1


def test_record_numbers_are_per_file(tmp_path: Path) -> None:
    good = png(noise(8, 8))
    first, second = write_tiny(tmp_path, 3, "first"), write_images(tmp_path, [good, b"bad"], "second")
    with pytest.raises(DecodeError) as caught:
        open_iter(first, path_imgrec=[first.rec, second.rec], batch_size=5).next()
    error = caught.value
    assert (str(error.path), error.record, error.offset) == (str(second.rec), 1, second.offsets[1])


@pytest.mark.parametrize("name", ["magic", "length", "flag of a frame", "middle part first"])
def test_without_an_index_the_constructor_raises_on_damaged_framing(tmp_path: Path, name: str) -> None:
    file = CASES[name][0](tmp_path)
    with pytest.raises(RecordError, match=re.escape(str(file.rec))) as caught:
        open_iter(file)
    # To a scan it looks as if the record before the damaged header did not end where it should.
    assert caught.value.record in (BROKEN - 1, BROKEN)
    assert caught.value.offset in (file.offsets[BROKEN - 1], file.offsets[BROKEN])


@pytest.mark.parametrize("left", [4, 8, 40])
def test_file_truncated_in_its_last_record_yields_all_others(tmp_path: Path, left: int) -> None:
    file = write_tiny(tmp_path, RECORDS)
    cut(file, file.offsets[-1] + left)
    with pytest.raises(RecordError, match=re.escape(str(file.rec))):
        open_iter(file)
    batches = open_iter(file, path_imgidx=file.idx)
    assert numbers([batches.next(), batches.next()]) == list(range(8))
    with pytest.raises(RecordError) as caught:
        batches.next()
    assert (caught.value.record, caught.value.offset) == (RECORDS - 1, file.offsets[-1])


def cut(file: RecordFile, length: int) -> None:
    with file.rec.open("r+b") as stream:
        stream.truncate(length)


def test_index_of_a_longer_file_is_refused(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, RECORDS)
    cut(file, file.offsets[BROKEN] + 10)
    with pytest.raises(RecordError, match=rf"tiny\.idx: line {BROKEN + 2}: the offset {file.offsets[BROKEN + 1]}"):
        open_iter(file, path_imgidx=file.idx)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0\tx\n", 'line 1: the offset must be an integer from 0 to 2^64-1, got "x"'),
        ("zero\t0\n", 'line 1: the key must be an integer from 0 to 2^64-1, got "zero"'),
        ("0\t0\n1\t4\n", "at byte 4: magic 0x"),
        ("0\t2\n", "line 1: the offset 2 is not a multiple of 4"),
        ("0\t0\n1\t0\n", "line 2: duplicate offset 0, first in line 1"),
    ],
)
def test_damaged_index_is_an_error(ten: RecordFile, text: str, message: str) -> None:
    ten.idx.write_text(text)
    with pytest.raises(RecordError, match=re.escape(message)):
        open_iter(ten, path_imgidx=ten.idx).next()


class TestChangedMeanwhile:
    """The file changes after it was opened. What is ready or in the kernel's hands may still be delivered."""

    @pytest.fixture
    def many(self, tmp_path: Path) -> RecordFile:
        return write_images(tmp_path, [png(noise(64, 64))] * 400)

    def test_truncation_is_an_error(self, many: RecordFile) -> None:
        batches = open_iter(many)
        batches.next()
        cut(many, many.offsets[200] + 100)
        with pytest.raises(RecordError, match=r"was truncated|ends") as caught:
            list(batches)
        assert caught.value.record == 200
        batches.reset()
        assert numbers([batches.next()]) == [0, 1, 2, 3]

    def test_overwriting_is_an_error(self, many: RecordFile) -> None:
        batches = open_iter(many)
        batches.next()
        overwrite(many.rec, many.offsets[200], b"\0" * 5000)
        with pytest.raises(RecordError) as caught:
            list(batches)
        # The record before it is followed by something that is not a record.
        assert caught.value.record in (199, 200)

    @pytest.mark.parametrize("fate", ["replaced", "deleted"])
    def test_replaced_file_is_read_to_its_end(self, many: RecordFile, tmp_path: Path, fate: str) -> None:
        batches = open_iter(many)
        batches.next()
        if fate == "deleted":
            many.rec.unlink()
        else:
            write_tiny(tmp_path, 3, "other").rec.replace(many.rec)
        assert numbers(batches) == list(range(4, 400))


TOO_MUCH = """
import resource
from recio.io import ImageRecordIter
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
try:
    ImageRecordIter(**settings).next()
except (MemoryError, ValueError) as error:
    print("refused:", error)
"""


@pytest.mark.parametrize(
    ("name", "value"), [("preprocess_threads", 2**30), ("batch_size", 2**30), ("label_width", 2**60)]
)
def test_running_out_of_memory_is_an_exception(ten: RecordFile, name: str, value: int) -> None:
    settings = {"path_imgrec": str(ten.rec), "data_shape": (3, 8, 8), "batch_size": 4, name: value}
    done = run_python(TOO_MUCH, **settings)
    assert (done.returncode, done.stdout[:8]) == (0, "refused:"), done.stderr


def test_damaged_batch_shows_no_earlier_images(tmp_path: Path) -> None:
    """A batch is delivered whole or not at all, whatever its memory held."""
    images = [png(np.full((8, 8, 3), number, np.uint8)) for number in range(8)]
    images[6] = b"bad"
    batches = open_iter(write_images(tmp_path, images))
    for _ in range(5):
        assert [int(n) for n in batches.next().data[0][:, 0, 0, 0]] == [0, 1, 2, 3]
        with pytest.raises(DecodeError):
            batches.next()
        batches.reset()
