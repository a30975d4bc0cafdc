"""Records of streams and buffers, and frames for them."""

from __future__ import annotations

import gzip
import io
import mmap
import os
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from recio import RecordError
from recio.recordio import MXRecordIO, frame, records
from tests.support.framing import MAGIC

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [b"first", b"", MAGIC * 2 + b"tail", bytes(3_000_000), b"last"]
DATA = b"".join(map(frame, RECORDS))


class Pieces(io.RawIOBase):
    """Stream without seek that returns few bytes at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size

    def read(self, size: int = -1) -> bytes:
        piece, self._data = self._data[: min(size, self._size)], self._data[min(size, self._size) :]
        return piece


def test_frames_are_what_a_writer_writes(tmp_path: Path) -> None:
    with MXRecordIO(tmp_path / "a.rec", "w") as writer:
        for record in RECORDS:
            writer.write(record)
    assert (tmp_path / "a.rec").read_bytes() == DATA


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)])
def test_buffers(kind: type) -> None:
    assert list(records(kind(DATA))) == RECORDS


def test_file_objects(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    path.write_bytes(DATA)
    with path.open("rb") as file:
        assert list(records(file)) == RECORDS
        assert list(records(file)) == []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert list(records(mapped)) == RECORDS
    with gzip.open(io.BytesIO(gzip.compress(DATA, 1))) as unpacked:
        assert list(records(unpacked)) == RECORDS
    for size in (1000, 70_000):
        assert list(records(Pieces(DATA, size))) == RECORDS


def write_rest(sender: int) -> None:
    os.write(sender, frame(b"two")[8:])
    os.close(sender)


def test_record_of_a_pipe_comes_before_the_pipe_ends() -> None:
    receiver, sender = os.pipe()
    with os.fdopen(receiver, "rb") as source:
        found = records(source)
        os.write(sender, frame(b"one") + frame(b"two")[:8])
        assert next(found) == b"one"
        rest = threading.Thread(target=write_rest, args=(sender,))
        rest.start()
        assert list(found) == [b"two"]
        rest.join()


@pytest.mark.parametrize(
    ("data", "found", "message"),
    [
        (DATA[:-1], 4, r"^record 4 at byte \d+: a fragment of 4 bytes, but the file ends after 3"),
        (DATA[:12] + DATA[16:], 0, r"^record 0 at byte 0: "),
        (frame(b"one") + b"trash...", 0, r"^record 0 at byte 0: followed by"),
        (b"<!DOCTYPE html>", 0, r"this is an HTML page, not a record file"),
    ],
)
def test_damage_is_an_error_with_number_and_offset(data: bytes, found: int, message: str) -> None:
    for source in (data, io.BytesIO(data)):
        read: list[bytes] = []
        with pytest.raises(RecordError, match=message) as caught:
            read.extend(record for record in records(source))
        assert caught.value.record == found
        assert len(read) in (0, found)


def test_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.rec"
    path.write_bytes(DATA[:-1])
    with path.open("rb") as file, pytest.raises(RecordError, match=r"a\.rec: record 4 at byte"):
        list(records(file))


def test_what_is_no_source_is_an_error(tmp_path: Path) -> None:
    for source, message in ((tmp_path / "a.rec", "the path"), ("a.rec", "the path"), (7, "got int")):
        with pytest.raises(TypeError, match=message):
            records(source)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="binary mode"):
        list(records(io.StringIO("text")))  # type: ignore[arg-type]


def test_too_long_a_record_has_no_frame() -> None:
    with pytest.raises(RecordError, match="at most 536870911 bytes"):
        frame(bytes(1 << 29))
