"""Record files that were made to do harm, by framing and by the header of an image. Each case says what it tries.

Each is read in order, by key, by `ImageRecordIter` and by `RecordDataset`; counted; and given a new index. All of them
end in an error that names the file, or in records that stand in it; in time, and in memory that the file's own length
bounds. ``test_recordio.py`` and ``test_damaged_records.py`` have the damage that happens by itself;
``test_bombs.py`` the images that unpack to more than they hold.
"""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, Any

import pytest

from recio import DecodeError, RecordError
from recio.datasets import RecordDataset
from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx
from tests.support.framing import FIRST, FULL, LAST, LONGEST, MAGIC, MIDDLE, encode, frame
from tests.support.processes import run_python
from tests.support.records import RecordFile, image_record, noise, open_iter, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = image_record(png(noise(8, 8)), 0)
HEADER = struct.Struct("<IfQQ")


def claims(length: int, flag: int = FULL) -> bytes:
    """Return the header of a fragment of this length, without its payload."""
    return MAGIC + struct.pack("<I", flag << 29 | length)


def hidden(record: bytes) -> bytes:
    """Put a whole record, framed, into the data of another, on the grid: a writer would have cut it."""
    inner = encode(record)
    return MAGIC + struct.pack("<I", len(inner)) + inner


# What it tries, and what stands where the second of two records should; it says what is wrong with
# it.
FRAMES: dict[str, tuple[bytes, str]] = {
    "to have 512 MiB allocated": (claims(LONGEST), "but the file ends after"),
    "to have 512 MiB allocated for a first part": (claims(LONGEST - 3, FIRST), "but the file ends after"),
    "to read a byte behind the file": (claims(5) + b"abcd", "but the file ends after 4"),
    "to read the padding behind the file": (claims(5) + b"abcde", "but the file ends after 5"),
    "to end within a header": (MAGIC + b"\x04", "5 bytes into a header"),
    "to end within a magic": (MAGIC[:3], "3 bytes into a header"),
    "to end between two parts": (frame(FIRST, b"abcd"), "0 bytes into a header"),
    "to never end: first parts": (frame(FIRST, b"abcd") * 50, "a first fragment inside a split record"),
    "to never end: middle parts": (frame(FIRST, b"") + frame(MIDDLE, b"") * 5000, "0 bytes into a header"),
    "to begin in the middle": (
        frame(MIDDLE, b"abcd") + frame(LAST, b""),
        "a middle fragment where a record must begin",
    ),
    "to begin at the end": (frame(LAST, b"abcd"), "a last fragment where a record must begin"),
    "a part that is whole inside": (
        frame(FIRST, b"abcd") + frame(FULL, GOOD),
        "a full fragment inside a split record",
    ),
    "parts that do not fit the grid": (
        frame(FIRST, b"abc") + frame(LAST, b""),
        "a fragment of 3 bytes before the last",
    ),
    "data in the padding": (frame(FULL, b"a")[:-3] + b"xyz", "non-zero padding"),
    "flag 4": (claims(0, 4), "fragment flag 4"),
    "flag 5": (claims(0, 5), "fragment flag 5"),
    "flag 6, the magic's own": (MAGIC + MAGIC, "fragment flag 6"),
    "flag 7": (claims(0, 7), "fragment flag 7"),
    "a record inside a record": (hidden(GOOD), "magic word at byte 0"),
    "a record inside a part": (
        frame(FIRST, b"") + hidden(GOOD)[:4] + struct.pack("<I", LAST << 29 | 8) + MAGIC * 2,
        "magic word at byte",
    ),
    "the magic of another order": (MAGIC[::-1] + bytes(4), "magic 0x0a23d7ce"),
    "nothing but zeros": (bytes(64), "magic 0x00000000"),
    "nothing but ones": (b"\xff" * 64, "magic 0xffffffff"),
    "text": (b"#!/bin/sh\nid\n\n\n\n", "magic 0x"),
}
# What it tries, and the record.
RECORDS: dict[str, tuple[bytes, str]] = {
    "to read 2^32 labels": (HEADER.pack(2**32 - 1, 0, 1, 0), "claims 4294967295 labels"),
    "labels whose bytes are 2^32 and so none": (HEADER.pack(2**30, 0, 1, 0) + GOOD[24:], "claims 1073741824 labels"),
    "labels that end behind the record": (HEADER.pack(2, 0, 1, 0) + b"1234567", "claims 2 labels, but"),
    "labels and no image": (HEADER.pack(1, 0, 1, 0) + b"1234", "no image bytes"),
    "a header that is cut": (GOOD[:23], r"23( bytes are too short|\))"),
    "no header": (b"", r"0( bytes are too short|\))"),
    "labels that eat the image's first bytes": (HEADER.pack(1, 0, 1, 0) + GOOD[24:], "not an image"),
    "a picture of another kind by its name": (HEADER.pack(0, 0, 1, 0) + b"<svg onload='alert(1)'/>", "not an image"),
    "a record file as the image": (HEADER.pack(0, 0, 1, 0) + encode(GOOD), "not an image"),
}


def write(folder: Path, second: bytes) -> RecordFile:
    """Write a good record and, behind it, the attack, and an index of both."""
    file = RecordFile(folder / "hostile.rec", folder / "hostile.idx")
    file.rec.write_bytes(encode(GOOD) + second)
    file.idx.write_text(f"0\t0\n1\t{len(encode(GOOD))}\n")
    return file


def in_order(file: RecordFile) -> object:
    with MXRecordIO(file.rec, "r") as reader:
        return list(reader)


def by_key(file: RecordFile) -> object:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        return [reader.read_idx(0), reader.read_idx(1)]


def counted(file: RecordFile) -> object:
    with MXRecordIO(file.rec, "r") as reader:
        return len(reader)


def indexed(file: RecordFile) -> object:
    return rec2idx(file.rec, file.rec.with_name("new.idx"))


def in_batches(file: RecordFile) -> object:
    return list(open_iter(file, batch_size=2))


def in_batches_by_index(file: RecordFile) -> object:
    return list(open_iter(file, path_imgidx=file.idx, batch_size=2))


def by_data_set(file: RecordFile) -> object:
    return list(RecordDataset(file.rec, path_imgidx=file.idx))


BY_INDEX = in_batches_by_index
"""It knows from the index where the record before ends."""
HOPS = (counted, indexed)
"""They hop from header to header, and see nothing of what lies between."""
AS_IMAGES = (in_batches, in_batches_by_index, by_data_set)


@pytest.mark.parametrize(("second", "said"), FRAMES.values(), ids=FRAMES.keys())
@pytest.mark.parametrize("read", [in_order, by_key, *HOPS, *AS_IMAGES])
def test_frame_is_refused_by_every_reader(
    second: bytes, said: str, read: Callable[[RecordFile], object], tmp_path: Path
) -> None:
    file = write(tmp_path, second)
    if read in HOPS and second == FRAMES["a record inside a record"][0]:
        assert read(file) in (2, "ids")
        return
    with pytest.raises(RecordError) as caught:
        read(file)
    error = caught.value
    assert error.path == str(file.rec)
    # The record before may be the one that is refused: no other can begin where it ends.
    assert error.record in ((1,) if read is BY_INDEX else (0, 1))
    assert said in str(error) or "neither the header of a record nor the end of the file" in str(error)
    assert not file.rec.with_name("new.idx").exists()


@pytest.mark.parametrize(("record", "said"), RECORDS.values(), ids=RECORDS.keys())
@pytest.mark.parametrize("read", AS_IMAGES)
def test_record_is_refused_by_every_image_reader(
    record: bytes, said: str, read: Callable[[RecordFile], object], tmp_path: Path
) -> None:
    file = write(tmp_path, encode(record))
    with pytest.raises((RecordError, DecodeError)) as caught:
        read(file)
    error: Any = caught.value
    assert (error.path, error.record, error.offset) == (str(file.rec), 1, file.offsets[1])
    assert re.search(f"{said}|not an image", str(error)), str(error)


PEAK = """
from pathlib import Path
from recio import RecordError
from recio.recordio import MXRecordIO

def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])

with MXRecordIO(settings["rec"], "r") as reader:
    before = peak()
    try:
        while reader.read() is not None:
            pass
    except RecordError as error:
        print(peak() - before, error)
"""


@pytest.mark.parametrize(
    ("second", "length"),
    [
        (claims(LONGEST), 0),
        (claims(LONGEST - 3, FIRST), 0),
        (frame(FIRST, b"") + frame(MIDDLE, b"") * 500_000, 4_000_008),
        (claims(LONGEST), 200 << 20),
    ],
    ids=[
        "a length",
        "a first part's length",
        "half a million parts",
        "a length, and a file of holes that is not so long",
    ],
)
def test_claimed_length_allocates_no_more_than_the_file_size(second: bytes, length: int, tmp_path: Path) -> None:
    """A record that the file has no room for is refused before any of it is read."""
    file = write(tmp_path, second)
    if length > file.rec.stat().st_size:
        os.truncate(file.rec, length)
    done = run_python(PEAK, rec=str(file.rec))
    taken, _, error = done.stdout.partition(" ")
    assert error.startswith(f"{file.rec}: record "), done.stderr
    assert int(taken) << 10 <= (16 << 20) + 4 * len(second)


def test_every_reader_has_attacks() -> None:
    print(f"attacks on records: {len(FRAMES)} frames, {len(RECORDS)} headers")  # noqa: T201 the figure is the point
    assert len(FRAMES) + len(RECORDS) >= 30
