"""Row R21: a file changes while it is read: it is cut, replaced, deleted, made unreadable, a hundred times each.

What comes is a record as it was written, or an error; never a crash (files are not mapped into memory) and never other
bytes. ``test_damaged_records.py`` has what `ImageRecordIter` says of each change.
"""

from __future__ import annotations

import contextlib
import os
import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recio import DecodeError, RecordError
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.records import RecordFile, in_batch, noise, open_iter, png, write_images, write_records, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.io import DataBatch, ImageRecordIter

TRIALS, RECORDS, SIDE = 100, 200, 16


def cut(path: Path, draw: random.Random) -> None:
    os.truncate(path, draw.randrange(path.stat().st_size))


def cut_and_fill_with_zeros(path: Path, draw: random.Random) -> None:
    size = path.stat().st_size
    cut(path, draw)
    os.truncate(path, size)


def replace(path: Path, draw: random.Random) -> None:
    write_records(path.parent, [draw.randbytes(50)] * RECORDS, "other").rec.replace(path)


def delete(path: Path, _: random.Random) -> None:
    path.unlink()


def make_unreadable(path: Path, _: random.Random) -> None:
    path.chmod(0)


CHANGES = [cut, cut_and_fill_with_zeros, replace, delete, make_unreadable]
KEEP_ALL = {replace, delete, make_unreadable}
"""Who has the file open has it still: nothing is lost by these."""


changes = pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)


@pytest.fixture(scope="module")
def written() -> list[bytes]:
    draw = random.Random(6)
    return [draw.randbytes(draw.randint(1, 600)) for _ in range(RECORDS)]


def in_order(file: RecordFile) -> Iterator[bytes | None]:
    with MXRecordIO(file.rec, "r") as reader:
        for _ in range(RECORDS):
            yield reader.read()


def by_key(file: RecordFile) -> Iterator[bytes | None]:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        for key in range(RECORDS):
            yield reader.read_idx(key)


@changes
@pytest.mark.parametrize("read", [in_order, by_key])
def test_readers_return_written_records_or_raise(
    tmp_path: Path,
    written: list[bytes],
    read: Callable[[RecordFile], Iterator[bytes | None]],
    change: Callable[[Path, random.Random], None],
) -> None:
    draw, errors = random.Random(7), 0
    for trial in range(TRIALS):
        file = write_records(tmp_path, written, f"trial {trial}")
        found = []
        when = draw.randrange(RECORDS)
        with contextlib.suppress(RecordError):
            for record in read(file):
                found.append(record)
                if len(found) == when + 1:
                    change(file.rec, draw)
        assert found == written[: len(found)]
        errors += len(found) < RECORDS
    print(f"R21 {read.__name__}, {change.__name__}: {TRIALS} times, {errors} errors")  # noqa: T201 the figure is the point
    assert (errors == 0) == (change in KEEP_ALL)


@changes
def test_batches_hold_written_images_or_raise(tmp_path: Path, change: Callable[[Path, random.Random], None]) -> None:
    images = [noise(SIDE, SIDE, seed=number) for number in range(RECORDS)]
    coded = [png(image) for image in images]
    draw, errors = random.Random(8), 0
    for trial in range(TRIALS):
        file = write_images(tmp_path, coded, f"trial {trial}")
        batches = open_iter(file, data_shape=(3, SIDE, SIDE), batch_size=20)
        for _ in range(draw.randrange(4)):
            assert_are_the_images(batches.next(), images)
        change(file.rec, draw)
        errors += read_on(batches, images)
        batches.close()
    print(f"R21 batches, {change.__name__}: {TRIALS} times, {errors} batches lost")  # noqa: T201 the figure is the point
    assert change not in KEEP_ALL or errors == 0


def read_on(batches: ImageRecordIter, images: list[NDArray[np.uint8]]) -> int:
    """Read to the end of the epoch; count the batches that were errors."""
    errors = 0
    while True:
        try:
            assert_are_the_images(batches.next(), images)
        except (RecordError, DecodeError):
            errors += 1
        except StopIteration:
            return errors


def assert_are_the_images(batch: DataBatch, images: list[NDArray[np.uint8]]) -> None:
    expected = np.stack([images[number] for number in in_batch(batch)]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(batch.data[0], expected)


def test_change_of_a_loaded_index_has_no_effect(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 10)
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        before = [reader.read_idx(key) for key in range(10)]
        file.idx.write_text("0\t4\n")
        assert [reader.read_idx(key) for key in range(10)] == before
        with pytest.raises(RecordError, match="magic"):
            MXIndexedRecordIO(file.idx, file.rec, "r").read_idx(0)
