"""Keys of an index as a sequence, the attributes of MXNet's readers, and writers of one file in one process."""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.processes import exit_code, fork
from tests.support.records import read_all, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def reader(tmp_path: Path) -> MXIndexedRecordIO:
    file = write_records(tmp_path, [b"%d" % number for number in range(10)])
    return MXIndexedRecordIO(file.idx, file.rec, "r")


class TestKeys:
    def test_behave_like_a_list(self, reader: MXIndexedRecordIO) -> None:
        keys = reader.keys
        assert keys == list(range(10)) == keys
        assert (keys[3], keys[-1], keys[2:4], len(keys), type(keys[3])) == (3, 9, [2, 3], 10, int)
        assert (7 in keys, 10 in keys, "7" in keys, keys.index(7), keys.count(7)) == (True, False, False, 7, 1)
        assert (keys + [10], [10] + keys, keys.copy()) == ([*range(11)], [10, *range(10)], [*range(10)])  # noqa: RUF005
        assert list(reversed(keys)) == sorted(keys, reverse=True)
        assert repr(keys) == repr(list(range(10)))
        assert np.array_equal(np.asarray(keys), np.arange(10))
        with pytest.raises(IndexError):
            keys[10]

    def test_can_be_shuffled_as_scripts_for_mxnet_do(self, reader: MXIndexedRecordIO) -> None:
        random.Random(0).shuffle(reader.keys)
        assert reader.keys != list(range(10))
        assert sorted(reader.keys) == list(range(10))
        assert [reader.read_idx(key) for key in reader.keys] == [b"%d" % key for key in reader.keys]
        reader.keys.sort(reverse=True)
        assert reader.keys[0] == 9

    def test_of_a_writer_grow(self, tmp_path: Path) -> None:
        with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "w") as writer:
            keys = writer.keys
            writer.write_idx(5, b"")
            writer.write_idx(2, b"")
            assert keys == writer.keys == [5, 2]
        with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "a") as writer:
            writer.write_idx(9, b"")
            assert writer.keys == [5, 2, 9]

    def test_a_key_of_a_million_is_found_at_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.idx").write_text("".join(f"{key}\t{8 * key}\n" for key in range(1_000_000)))
        with (tmp_path / "a.rec").open("wb") as rec:
            rec.truncate(8_000_000)
        with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "r") as reader:
            assert reader.keys[1] == 1
            start = time.process_time()
            assert sum(reader.keys[number] for number in range(1000)) == 499_500
            assert time.process_time() - start < 0.1


def test_reader_has_the_attributes_of_mxnet(reader: MXIndexedRecordIO) -> None:
    assert reader.handle is not None
    assert reader.fidx.read() == ""
    reader.fidx.seek(0)
    assert reader.fidx.readline() == "0\t0\n"
    reader.close()
    assert reader.handle is None
    with pytest.raises(ValueError, match="is closed"):
        _ = reader.fidx


def test_writer_has_no_index_file_object(tmp_path: Path) -> None:
    with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "w") as writer:
        assert writer.handle is not None
        with pytest.raises(AttributeError, match="a writer has no fidx"):
            _ = writer.fidx


OPEN: dict[str, Callable[[Path], MXRecordIO]] = {
    "sequential": lambda folder: MXRecordIO(folder / "t.rec", "w"),
    "indexed": lambda folder: MXIndexedRecordIO(folder / "t.idx", folder / "t.rec", "w"),
    "through a link": lambda folder: MXRecordIO(folder / "link" / "t.rec", "w"),
}


class TestOlderWriter:
    """A cell of a notebook that runs twice opens a file while the older writer is still bound."""

    @pytest.mark.parametrize("kind", OPEN)
    def test_is_closed_and_the_file_begins_anew(self, kind: str, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path)
        older = MXRecordIO(tmp_path / "t.rec", "w")
        older.write(b"old")
        newer = OPEN[kind](tmp_path)
        newer.write(b"new")
        with pytest.raises(ValueError, match=r"t\.rec is closed: a newer writer of it was opened"):
            older.write(b"lost")
        newer.close()
        assert read_all(tmp_path / "t.rec") == ([b"new"], None)
        older.close()
        assert read_all(tmp_path / "t.rec") == ([b"new"], None)

    def test_is_closed_before_appending(self, tmp_path: Path) -> None:
        older = MXIndexedRecordIO(tmp_path / "t.idx", tmp_path / "t.rec", "w")
        older.write_idx(0, b"old")
        with MXIndexedRecordIO(tmp_path / "t.idx", tmp_path / "t.rec", "a") as newer:
            newer.write_idx(1, b"new")
        assert read_all(tmp_path / "t.rec") == ([b"old", b"new"], None)
        with pytest.raises(ValueError, match="a newer writer of it was opened"):
            older.write_idx(2, b"lost")

    def test_of_another_process_is_not_closed(self, tmp_path: Path) -> None:
        writer = MXRecordIO(tmp_path / "t.rec", "w")
        writer.write(b"one")

        def refused() -> None:
            with pytest.raises(OSError, match="another writer has it open"):
                MXRecordIO(tmp_path / "t.rec", "w")

        assert exit_code(fork(refused)) == 0
        writer.write(b"two")
        writer.close()
        assert read_all(tmp_path / "t.rec") == ([b"one", b"two"], None)

    def test_may_write_another_file(self, tmp_path: Path) -> None:
        with MXRecordIO(tmp_path / "a.rec", "w") as first, MXRecordIO(tmp_path / "b.rec", "w") as second:
            first.write(b"a")
            second.write(b"b")
        assert os.path.getsize(tmp_path / "a.rec") == os.path.getsize(tmp_path / "b.rec") == 12  # noqa: PTH202
