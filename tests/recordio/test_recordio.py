"""Sequential and indexed records: bytes, names and results of MXNet 1.9.1, and an error for all damage.

The output of recio is compared with the second implementation of the format in ``tests/support/framing.py`` and with
the files in ``data/golden``, which MXNet wrote.
"""

from __future__ import annotations

import itertools
import json
import mmap
import os
import random
import struct
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import cv2
import numpy as np
import psutil
import pytest

from recio import DecodeError, RecordError, recordio
from recio.recordio import (
    IRHeader,
    MXIndexedRecordIO,
    MXRecordIO,
    pack,
    pack_img,
    rec2idx,
    unpack,
    unpack_img,
)
from tests.support.framing import FIRST, FULL, LAST, LONGEST, MAGIC, MIDDLE, decode, encode, frame, short
from tests.support.records import DATA, ODD, RecordFile, noise, read_all, write, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

GOLDEN = DATA / "golden"
FRAMES = [bytes.fromhex(payload) for payload in json.loads((GOLDEN / "frames.json").read_text())]
HEADERS = json.loads((GOLDEN / "headers.json").read_text())


def generated_records(count: int) -> list[bytes]:
    """Return records of magic words, pieces of magic words and other bytes."""
    rng = random.Random(1)
    pieces = [MAGIC, MAGIC, MAGIC[:3], MAGIC[1:], b"\0", b"\0\0\0\0", b"abcd", b"e"]
    return [
        b"".join(rng.choices(pieces, k=rng.randint(0, 12))) + rng.randbytes(rng.choice((0, 0, 1, 50, 9000)))
        for _ in range(count)
    ]


class TestFrames:
    """The bytes in the file."""

    def test_written_bytes_equal_mxnets(self, tmp_path: Path) -> None:
        file = write_records(tmp_path, FRAMES)
        assert file.rec.read_bytes() == (GOLDEN / "frames.rec").read_bytes()
        assert file.idx.read_bytes() == (GOLDEN / "frames.idx").read_bytes()

    def test_mxnets_records_are_read_in_order_and_by_key(self) -> None:
        assert read_all(GOLDEN / "frames.rec") == (FRAMES, None)
        with MXIndexedRecordIO(GOLDEN / "frames.idx", GOLDEN / "frames.rec", "r") as reader:
            assert [reader.read_idx(key) for key in range(len(FRAMES))] == FRAMES

    @pytest.mark.parametrize(
        "make", [lambda: list(short()), lambda: generated_records(800)], ids=["short", "generated"]
    )
    def test_all_kinds_of_records_are_framed_by_the_format(
        self, tmp_path: Path, make: Callable[[], list[bytes]]
    ) -> None:
        records = make()
        path = write(tmp_path / "a.rec", records)
        assert path.read_bytes() == b"".join(map(encode, records))
        assert decode(path.read_bytes()) == records
        assert read_all(path) == (records, None)

    def test_record_of_2_to_the_29_bytes_is_refused_before_anything_is_written(self, tmp_path: Path) -> None:
        path = tmp_path / "a.rec"
        with MXRecordIO(path, "w") as writer, mmap.mmap(-1, LONGEST + 1) as long:
            with pytest.raises(
                RecordError, match=rf"a\.rec: a record must have at most {LONGEST} bytes, got {LONGEST + 1}"
            ):
                writer.write(memoryview(long))
            assert (writer.tell(), len(writer)) == (0, 0)
            writer.write(b"short")
        assert read_all(path) == ([b"short"], None)


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """Write a sparse file: two short records after 2^31 bytes and two after 2^32, the longest records between them."""
    path = tmp_path / "huge.rec"
    layout = [LONGEST] * 4 + [5, 6] + [LONGEST] * 4 + [5, 6]
    at = 0
    try:
        with path.open("wb") as file:
            for length in layout:
                file.seek(at)
                file.write(MAGIC + struct.pack("<I", length) + (b"abcdef"[:length] if length < 10 else b""))
                at += 8 + length + -length % 4
            os.truncate(file.fileno(), at)
    except OSError as error:
        pytest.skip(f"no sparse files here: {error}")
    if path.stat().st_blocks > 10_000:
        pytest.skip("no sparse files here")
    return path


class TestHugeFiles:
    """Offsets past 2^31 and 2^32."""

    OFFSETS = (4 * (LONGEST + 9), 8 * (LONGEST + 9) + 32)

    def test_records_past_2_to_the_32_are_counted_indexed_and_read(self, huge: Path) -> None:
        index = huge.with_suffix(".idx")
        assert rec2idx(huge, index) == "ordinals"
        with MXIndexedRecordIO(index, huge, "r") as reader:
            assert len(reader) == 12
            assert (reader.idx[4], reader.idx[10]) == self.OFFSETS
            assert [reader.read_idx(key) for key in (4, 5, 10, 11)] == [b"abcde", b"abcdef"] * 2
            reader.seek(10)
            assert (reader.tell(), reader.read()) == (self.OFFSETS[1], b"abcde")

    @pytest.mark.skipif(psutil.virtual_memory().available < 4 << 30, reason="takes 1.5 GiB")
    def test_longest_possible_record_is_read(self, huge: Path) -> None:
        with MXRecordIO(huge, "r") as reader:
            record = reader.read()
            assert record is not None
            assert len(record) == LONGEST


BEFORE, AFTER = [b"first", b"two"], b"after"
THIRD_AT = 28


class Damage(NamedTuple):
    """Replacement of the third of four records, at byte 28."""

    frames: bytes
    reason: str
    """Text of the error."""
    at: int = THIRD_AT
    """Offset of the fragment that the error names."""


# A header that cannot begin a record is detected when the previous record is read.
HEADS = {
    "magic": Damage(bytes(4) + frame(FULL, b"abcd")[4:], "magic 0x00000000, expected 0xced7230a"),
    "flag": Damage(frame(5, b"abcd"), "fragment flag 5, expected 0 to 3"),
    "middle fragment first": Damage(frame(MIDDLE, b"abcd"), "a middle fragment where a record must begin"),
    "last fragment first": Damage(frame(LAST, b"abcd"), "a last fragment where a record must begin"),
}
BODIES = {
    "full in split": Damage(frame(FIRST, b"abcd") + frame(FULL, b""), "a full fragment inside a split record", 40),
    "first in split": Damage(frame(FIRST, b"abcd") + frame(FIRST, b""), "a first fragment inside a split record", 40),
    "not ended": Damage(frame(FIRST, b"abcd"), "a full fragment inside a split record", 40),
    "fragment length": Damage(frame(FIRST, b"abcde") + frame(LAST, b""), "a fragment of 5 bytes before the last"),
    "padding": Damage(frame(FULL, b"abcde")[:-1] + b"\1", "non-zero padding after 5 bytes of data"),
    "padding of a last fragment": Damage(frame(FIRST, b"") + frame(LAST, b"abcde")[:-1] + b"\1", "padding", 36),
    "length too small": Damage(frame(FULL, b"abcd") + b"efgh", "followed by [65, 66, 67, 68, 0a, 23, d7, ce]"),
    "followed by a fragment": Damage(frame(FULL, b"abcd") + frame(MIDDLE, b""), "followed by [0a, 23, d7, ce"),
    "length too large": Damage(MAGIC + struct.pack("<I", 2**28), "a fragment of 268435456 bytes, but the file ends"),
}


def write_damaged(folder: Path, damage: Damage) -> RecordFile:
    file = RecordFile(folder / "damaged.rec", folder / "damaged.idx")
    file.rec.write_bytes(b"".join(map(encode, BEFORE)) + damage.frames + encode(AFTER))
    file.idx.write_text(f"0\t0\n1\t16\n2\t{THIRD_AT}\n3\t{THIRD_AT + len(damage.frames)}\n")
    return file


def assert_names(error: RecordError | None, path: Path, damage: Damage, record: int = 2) -> None:
    assert error is not None
    assert (str(error.path), error.record, error.offset) == (str(path), record, damage.at)
    assert str(error).startswith(f"{path}: record {record} at byte {damage.at}: ")
    assert damage.reason in str(error)


def parametrize_damage(damages: dict[str, Damage]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("damage", damages.values(), ids=damages.keys())


class TestDamage:
    """Damaged records are never returned, and errors name the position."""

    @parametrize_damage(BODIES)
    def test_sequential_reading_stops_at_the_damaged_record(self, tmp_path: Path, damage: Damage) -> None:
        path = write_damaged(tmp_path, damage).rec
        actual, error = read_all(path)
        assert actual == BEFORE
        assert_names(error, path, damage)

    @parametrize_damage(HEADS)
    def test_record_is_not_returned_if_no_record_can_begin_after_it(self, tmp_path: Path, damage: Damage) -> None:
        path = write_damaged(tmp_path, damage).rec
        actual, error = read_all(path)
        assert actual == BEFORE[:1]
        assert_names(error, path, Damage(b"", "neither the header of a record nor the end of the file", 16), record=1)

    @parametrize_damage(HEADS | BODIES)
    def test_reading_by_key_reports_the_position_and_reads_sound_records(self, tmp_path: Path, damage: Damage) -> None:
        file = write_damaged(tmp_path, damage)
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            with pytest.raises(RecordError) as caught:
                reader.read_idx(2)
            assert reader.read_idx(3) == AFTER
        assert_names(caught.value, file.rec, damage)

    @parametrize_damage(BODIES)
    def test_len_and_iteration_report_damage(self, tmp_path: Path, damage: Damage) -> None:
        path = write_damaged(tmp_path, damage).rec
        with MXRecordIO(path, "r") as reader:
            for read in (reader.__len__, lambda: list(reader)):
                with pytest.raises(RecordError) as caught:
                    read()
                assert_names(caught.value, path, damage)

    @parametrize_damage(BODIES)
    def test_reader_keeps_its_position_before_the_damage(self, tmp_path: Path, damage: Damage) -> None:
        with MXRecordIO(write_damaged(tmp_path, damage).rec, "r") as reader:
            assert [reader.read(), reader.read()] == BEFORE
            for _ in range(3):
                with pytest.raises(RecordError):
                    reader.read()
                assert reader.tell() == THIRD_AT

    def test_length_that_includes_the_next_record_is_an_error(self, tmp_path: Path) -> None:
        """An aligned magic is always a header, so it cannot be data."""
        file = write_damaged(tmp_path, Damage(MAGIC + struct.pack("<I", 16), ""))
        actual, error = read_all(file.rec)
        assert actual == BEFORE
        assert error is not None
        assert error.record == 2

    def test_path_of_an_error_is_a_str(self, tmp_path: Path) -> None:
        _, error = read_all(write_damaged(tmp_path, BODIES["padding"]).rec)
        assert error is not None
        assert error.path == str(tmp_path / "damaged.rec")

    def test_other_file_is_an_error_at_its_first_byte(self) -> None:
        actual, error = read_all(ODD / "not-an-image.txt")
        assert actual == []
        assert error is not None
        assert (error.record, error.offset) == (0, 0)

    def test_truncated_file_returns_all_complete_records_then_an_error(self, tmp_path: Path) -> None:
        """Except a truncation between two records, which the file alone cannot show."""
        records = [record[:300] for record in generated_records(60)]
        path = write(tmp_path / "a.rec", records)
        ends = [0, *itertools.accumulate(len(encode(record)) for record in records)]
        assert ends[-1] == path.stat().st_size
        assert ends[-1] > 5000
        for length in range(ends[-1], -1, -1):
            os.truncate(path, length)
            actual, error = read_all(path)
            complete = sum(end <= length for end in ends[1:])
            assert actual == records[:complete]
            assert (error is None) == (length in ends)
            assert error is None or error.record == complete

    def test_flipped_header_bit_rarely_returns_wrong_data(self, tmp_path: Path) -> None:
        """In fewer than 1 % of the cases, a record ends with extra zero bytes."""
        rng = random.Random(2)
        records = [record[:40] + rng.randbytes(rng.randint(0, 80)) for record in generated_records(60)]
        sound = write(tmp_path / "a.rec", records).read_bytes()
        headers = [at for at in range(0, len(sound), 4) if sound[at : at + 4] == MAGIC]
        flips = [(at, bit) for at in headers for bit in range(64)]
        wrong = [flip for flip in flips if is_wrong_after(flip, sound, records, tmp_path / "a.rec")]
        print(f"{len(wrong)} of {len(flips)} flips gave wrong data first")  # noqa: T201 reports the figure
        assert len(wrong) <= len(flips) / 100


def is_wrong_after(flip: tuple[int, int], sound: bytes, records: list[bytes], path: Path) -> bool:
    """Return whether reading a file with this bit flipped returns a wrong record before an error."""
    at, bit = flip
    damaged = bytearray(sound)
    damaged[at + bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    read, error = read_all(path)
    assert error is not None or len(read) == len(records), f"records are missing without an error: {flip}"
    first_wrong = next((pair for pair in zip(read, records, strict=False) if pair[0] != pair[1]), None)
    if first_wrong is None:
        assert error is not None
        return False
    actual, expected = first_wrong
    assert actual[: len(expected)] == expected, f"extra bytes that are not zero: {flip}"
    assert actual[len(expected) :] in (b"\0", b"\0\0", b"\0\0\0"), f"extra bytes that are not zero: {flip}"
    return True


class TestReader:
    """`MXRecordIO` and `MXIndexedRecordIO`, reading."""

    def test_short_names_are_aliases(self) -> None:
        assert recordio.RecordIO is MXRecordIO
        assert recordio.IndexedRecordIO is MXIndexedRecordIO

    def test_read_returns_records_in_order_then_none(self, file: RecordFile, records: list[bytes]) -> None:
        reader = MXRecordIO(str(file.rec), "r")
        assert [reader.read() for _ in range(12)] == [*records, None, None]
        reader.close()

    def test_empty_file_has_no_records(self, tmp_path: Path) -> None:
        with MXRecordIO(write(tmp_path / "a.rec", []), "r") as reader:
            assert (len(reader), list(reader), reader.read()) == (0, [], None)

    def test_attributes_equal_mxnets(self, file: RecordFile) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert (reader.uri, reader.idx_path) == (str(file.rec), str(file.idx))
            assert (reader.flag, reader.writable, reader.is_open, reader.key_type) == ("r", False, True, int)
            assert reader.keys == list(range(10))
            assert dict(reader.idx) == dict(enumerate(file.offsets))

    def test_len_and_iteration_keep_the_position(self, file: RecordFile, records: list[bytes]) -> None:
        with MXRecordIO(file.rec, "r") as reader:
            reader.read()
            assert (len(reader), list(reader)) == (10, records)
            assert reader.read() == records[1]

    def test_concurrent_iterations_are_independent(self, file: RecordFile, records: list[bytes]) -> None:
        with MXRecordIO(file.rec, "r") as reader:
            assert list(zip(reader, reader, strict=True)) == list(zip(records, records, strict=True))

    def test_reset_returns_to_the_first_record(self, file: RecordFile, records: list[bytes]) -> None:
        with MXRecordIO(file.rec, "r") as reader:
            for _ in range(3):
                assert reader.read() == records[0]
                reader.reset()

    def test_read_continues_after_the_record_of_read_idx(self, file: RecordFile, records: list[bytes]) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            for key in random.Random(0).choices(range(9), k=50):
                assert reader.read_idx(key) == records[key]
                assert reader.read() == records[key + 1]

    def test_read_idx_works_after_the_end(self, file: RecordFile, records: list[bytes]) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert [reader.read_idx(9), reader.read()] == [records[9], None]
            assert [reader.read_idx(key) for key in range(10)] == records

    def test_seek_moves_and_tell_returns_the_offset(self, file: RecordFile, records: list[bytes]) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            reader.seek(4)
            assert (reader.tell(), reader.read(), reader.tell()) == (file.offsets[4], records[4], file.offsets[5])

    @pytest.mark.parametrize("key", [10, -1, 2**64])
    def test_unknown_key_is_a_key_error(self, file: RecordFile, key: int) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            for use in (reader.read_idx, reader.seek, reader.idx.__getitem__):
                with pytest.raises(KeyError, match=f"no record has the key {key}"):
                    use(key)
            assert key not in reader.idx
            assert reader.read() == b""

    def test_key_type_converts_keys(self, file: RecordFile, records: list[bytes]) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert [reader.read_idx(key) for key in ("7", 7.9, np.int64(7))] == [records[7]] * 3

    @pytest.mark.parametrize("flag", ["a", "rw", "rb", "", None])
    def test_unknown_flag_is_refused(self, file: RecordFile, flag: object) -> None:
        with pytest.raises(ValueError, match="flag must be "):
            MXRecordIO(file.rec, cast("Any", flag))

    def test_missing_file_is_a_file_not_found_error(self, file: RecordFile, tmp_path: Path) -> None:
        missing = tmp_path / "missing"
        makers: list[Callable[[], object]] = [
            lambda: MXRecordIO(missing, "r"),
            lambda: MXIndexedRecordIO(file.idx, missing, "r"),
            lambda: MXIndexedRecordIO(missing, file.rec, "r"),
        ]
        for make in makers:
            with pytest.raises(FileNotFoundError) as caught:
                make()
            assert caught.value.filename == str(missing)

    def test_folder_is_an_is_a_directory_error(self, tmp_path: Path) -> None:
        with pytest.raises(IsADirectoryError):
            MXRecordIO(tmp_path, "r")


class TestWriter:
    """`MXRecordIO` and `MXIndexedRecordIO`, writing."""

    def test_payload_may_be_any_bytes_like_object(self, tmp_path: Path) -> None:
        array = np.arange(6, dtype=np.uint16)
        payloads: list[Any] = [b"ab", bytearray(b"ab"), memoryview(b"xaby")[1:3], array, array[::2]]
        with MXRecordIO(tmp_path / "a.rec", "w") as writer:
            for payload in payloads:
                writer.write(payload)
        assert read_all(tmp_path / "a.rec")[0] == [b"ab"] * 3 + [array.tobytes(), array[::2].tobytes()]

    @pytest.mark.parametrize("payload", ["text", None, 5, [1, 2]])
    def test_other_payload_is_a_type_error_and_writes_nothing(self, tmp_path: Path, payload: bytes) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
            with pytest.raises(TypeError):
                writer.write(payload)
            with pytest.raises(TypeError):
                writer.write_idx(0, payload)
            assert len(writer) == 0
        assert (file.rec.read_bytes(), file.idx.read_bytes()) == (b"", b"")

    def test_tell_and_len_count_written_records(self, tmp_path: Path) -> None:
        with MXRecordIO(tmp_path / "a.rec", "w") as writer:
            assert (writer.tell(), len(writer)) == (0, 0)
            writer.write(b"abcde")
            assert (writer.tell(), len(writer)) == (16, 1)

    def test_reset_truncates_both_files(self, tmp_path: Path) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
            writer.write_idx(3, b"before")
            writer.reset()
            assert (writer.tell(), len(writer), list(writer.keys)) == (0, 0, [])
            writer.write_idx(3, b"after")
        assert (read_all(file.rec), file.idx.read_text()) == (([b"after"], None), "3\t0\n")

    def test_opening_for_writing_truncates_the_file(self, file: RecordFile) -> None:
        MXIndexedRecordIO(file.idx, file.rec, "w").close()
        assert (file.rec.read_bytes(), file.idx.read_bytes()) == (b"", b"")

    def test_records_are_written_when_the_last_reference_is_dropped(self, tmp_path: Path) -> None:
        writer = MXRecordIO(tmp_path / "a.rec", "w")
        writer.write(b"kept")
        del writer
        assert read_all(tmp_path / "a.rec") == ([b"kept"], None)

    def test_records_are_written_after_an_error_in_the_with_block(self, tmp_path: Path) -> None:
        def write_and_fail() -> None:
            with MXRecordIO(tmp_path / "a.rec", "w") as writer:
                writer.write(b"kept")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            write_and_fail()
        assert read_all(tmp_path / "a.rec") == ([b"kept"], None)

    def test_write_idx_keeps_insertion_order(self, tmp_path: Path) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
            for key in (9, 2, 2**64 - 1, 0):
                writer.write_idx(key, b"%d" % key)
            assert writer.keys == [9, 2, 2**64 - 1, 0]
            assert writer.idx[2] == 12
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert reader.keys == [9, 2, 2**64 - 1, 0]
            assert reader.read_idx(2**64 - 1) == b"%d" % (2**64 - 1)

    @pytest.mark.parametrize(("key", "message"), [(1, "used before"), (-1, "not from 0"), (2**64, "not from 0")])
    def test_invalid_key_writes_nothing(self, tmp_path: Path, key: int, message: str) -> None:
        file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
            writer.write_idx(1, b"one")
            with pytest.raises(ValueError, match=message):
                writer.write_idx(key, b"two")
        assert (read_all(file.rec), file.idx.read_text()) == (([b"one"], None), "1\t0\n")

    def test_missing_folder_is_a_file_not_found_error(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            MXRecordIO(tmp_path / "missing" / "a.rec", "w")


class TestClosing:
    """Closed files, and operations that the mode does not allow."""

    def test_close_is_idempotent_and_open_reopens(self, file: RecordFile, records: list[bytes]) -> None:
        reader = MXIndexedRecordIO(file.idx, file.rec, "r")
        reader.close()
        reader.close()
        assert (reader.is_open, "closed" in repr(reader)) == (False, True)
        reader.open()
        assert (reader.is_open, reader.read()) == (True, records[0])
        reader.close()

    @pytest.mark.parametrize("flag", ["r", "w"])
    def test_using_a_closed_file_is_a_value_error(self, file: RecordFile, flag: Literal["r", "w"]) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, flag) as record:
            pass
        uses: list[Callable[[], object]] = [
            record.read,
            record.tell,
            lambda: list(record),
            lambda: record.read_idx(0),
            lambda: record.seek(0),
            lambda: record.write(b""),
            lambda: record.write_idx(77, b""),
        ]
        for use in uses:
            with pytest.raises(ValueError, match=r"ten\.rec is closed"):
                use()

    def test_reader_cannot_write_and_writer_cannot_read(self, file: RecordFile) -> None:
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            with pytest.raises(ValueError, match="not open for writing"):
                reader.write(b"")
            with pytest.raises(ValueError, match="not open for writing"):
                reader.write_idx(77, b"")
        with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
            reads: list[Callable[[], object]] = [
                writer.read,
                lambda: writer.read_idx(0),
                lambda: writer.seek(0),
                lambda: list(writer),
            ]
            for read_one in reads:
                with pytest.raises(ValueError, match="not open for reading"):
                    read_one()


class TestPack:
    """`pack`, `unpack` and `IRHeader`."""

    @pytest.mark.parametrize("case", HEADERS)
    def test_header_bytes_equal_mxnets(self, case: dict[str, Any]) -> None:
        payload, packed = bytes.fromhex(case["payload"]), bytes.fromhex(case["packed"])
        assert pack(IRHeader(*case["header"]), payload) == packed
        header, rest = unpack(packed)
        _, label, *ids = case["header"]
        assert (np.asarray(header.label).tolist(), [header.id, header.id2], rest) == (label, ids, payload)

    def test_repr_of_ir_header_equals_mxnets(self) -> None:
        header, _ = unpack(pack(IRHeader(0, 14.0, 20129312, 0), b""))
        assert repr(header) == "HEADER(flag=0, label=14.0, id=20129312, id2=0)"
        assert header._fields == ("flag", "label", "id", "id2")

    @pytest.mark.parametrize("label", [4, 4.0, np.float32(4), np.int64(4)])
    def test_number_is_one_label_for_any_flag(self, label: float) -> None:
        header, payload = unpack(pack((9, label, 1, 2), b"xyz"))
        assert (header, payload) == ((0, 4.0, 1, 2), b"xyz")

    @pytest.mark.parametrize(
        ("label", "labels"),
        [
            ([1, 2.5], [1, 2.5]),
            ((7,), [7]),
            (np.array(3.0), [3]),
            (np.arange(4).reshape(2, 2), [0, 1, 2, 3]),
        ],
    )
    def test_several_labels_are_a_read_only_array(self, label: ArrayLike, labels: list[float]) -> None:
        header, payload = unpack(pack((0, label, 1, 2), b"xyz"))
        assert (header.flag, header.label.tolist(), payload) == (len(labels), labels, b"xyz")
        assert header.label.dtype == np.float32
        with pytest.raises(ValueError, match="read-only"):
            header.label[0] = 0

    def test_no_labels_become_label_zero(self) -> None:
        assert unpack(pack((3, [], 1, 2), b"xyz")) == ((0, 0.0, 1, 2), b"xyz")

    @pytest.mark.parametrize("ids", [(-1, 0), (0, -1), (2**64, 0), (0, 2**64), (1.5, 0)])
    def test_id_out_of_range_is_a_struct_error(self, ids: tuple[Any, Any]) -> None:
        with pytest.raises(struct.error):
            pack((0, 1.0, *ids), b"")

    def test_str_is_a_type_error(self) -> None:
        text: Any = "text"
        with pytest.raises(TypeError):
            pack((0, 1.0, 0, 0), text)
        with pytest.raises(TypeError):
            unpack(text)

    def test_record_shorter_than_its_header_is_an_error(self) -> None:
        with pytest.raises(struct.error):
            unpack(bytes(23))
        with pytest.raises(ValueError, match="claims 2 labels, but 7 bytes follow"):
            unpack(pack((0, [1, 2], 0, 0), b"")[:-1])

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda s: np.frombuffer(s, np.uint8)])
    def test_record_may_be_any_bytes_like_object(self, kind: Callable[[bytes], Any]) -> None:
        assert unpack(kind(pack((0, 1.0, 2, 3), kind(b"xyz")))) == ((0, 1.0, 2, 3), b"xyz")

    @pytest.mark.parametrize("name", ["images", "multilabel"])
    def test_repacked_image_records_equal_mxnets(self, name: str, tmp_path: Path) -> None:
        sound = MXIndexedRecordIO(GOLDEN / f"{name}.idx", GOLDEN / f"{name}.rec", "r")
        assert len(sound) == 26
        file = write_records(tmp_path, (pack(*unpack(record)) for record in sound))
        assert file.rec.read_bytes() == (GOLDEN / f"{name}.rec").read_bytes()
        assert file.idx.read_bytes() == (GOLDEN / f"{name}.idx").read_bytes()
        sound.close()


HEADER = IRHeader(0, 1.0, 2, 0)


def image_in(record: bytes, iscolor: int = -1) -> NDArray[Any]:
    header, image = unpack_img(record, iscolor)
    assert header == HEADER
    return image


def cv2_decoded(payload: bytes, flag: int) -> NDArray[Any]:
    image = cv2.imdecode(np.frombuffer(payload, np.uint8), flag)
    assert image is not None
    return image


def smooth(height: int = 48, width: int = 64, channels: int = 3) -> NDArray[np.uint8]:
    """Return a smooth image, which JPEG preserves well, with different channels."""
    rows, columns = np.mgrid[:height, :width]
    planes = [2 * rows + columns, 255 - 3 * rows, 100 + columns, 50 + rows]
    image: NDArray[np.uint8] = np.clip(np.stack(planes[:channels], axis=-1), 0, 255).astype(np.uint8)
    return image


class TestPackImg:
    """`pack_img` and `unpack_img`: images in BGR order."""

    @pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4)])
    def test_png_is_lossless_and_read_by_opencv(self, shape: tuple[int, ...]) -> None:
        image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        record = pack_img(HEADER, image, 9, ".png")
        expected = image.reshape(shape[:2] if shape[2:] == (1,) else shape)
        np.testing.assert_array_equal(image_in(record), expected)
        np.testing.assert_array_equal(cv2_decoded(unpack(record)[1], cv2.IMREAD_UNCHANGED), expected)

    @pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3), (7, 5, 4)])
    def test_16_bit_png_is_lossless(self, shape: tuple[int, ...]) -> None:
        image: Any = np.random.default_rng(0).integers(0, 65536, shape, np.uint16)
        stored = image_in(pack_img(HEADER, image, 1, ".png"))
        assert stored.dtype == np.uint16
        np.testing.assert_array_equal(stored, image)
        np.testing.assert_array_equal(cv2_decoded(unpack(pack_img(HEADER, image, 1, ".png"))[1], -1), image)

    @pytest.mark.parametrize("img_fmt", [".jpg", ".jpeg", ".JPG"])
    def test_jpeg_is_opencvs(self, img_fmt: str) -> None:
        """MXNet's `pack_img` encodes with OpenCV."""
        record = pack_img(HEADER, smooth(), 98, img_fmt)
        assert unpack(record)[1] == cv2.imencode(".jpg", smooth(), [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()
        image = image_in(record)
        assert np.abs(image.astype(int) - smooth()).max() <= 6

    def test_gray_jpeg_has_two_axes(self) -> None:
        gray = smooth(channels=1)
        for image in (gray, gray[..., 0]):
            stored = image_in(pack_img(HEADER, image, 98))
            assert stored.shape == (48, 64)
            assert np.abs(stored.astype(int) - gray[..., 0]).max() <= 3

    @pytest.mark.parametrize("name", ["plain.jpg", "gray.jpg", "alpha.png", "palette.png", "gray16.png", "photo.bmp"])
    @pytest.mark.parametrize("iscolor", [-1, 0, 1])
    def test_unpack_img_returns_opencvs_array(self, name: str, iscolor: int) -> None:
        payload = (ODD / name).read_bytes()
        image, reference = image_in(pack(HEADER, payload), iscolor), cv2_decoded(payload, iscolor)
        assert (image.shape, image.dtype) == (reference.shape, reference.dtype)
        # libpng converts a PNG with a gamma chunk to gray in linear light. MXNet and OpenCV 4.8 use
        # this conversion; later versions of OpenCV do not.
        in_linear_light = iscolor == 0 and name in ("alpha.png", "palette.png")
        tolerance = 4.0 if in_linear_light else 1.0 if name.endswith(".jpg") else 0.0
        assert np.abs(image.astype(int) - reference).mean() <= tolerance

    def test_orientation_is_applied_only_if_channels_are_requested(self) -> None:
        record = pack(HEADER, (ODD / "exif-rotate6.jpg").read_bytes())
        assert [image_in(record, iscolor).shape for iscolor in (-1, 0, 1)] == [(300, 451, 3), (451, 300), (451, 300, 3)]

    def test_higher_quality_takes_more_bytes(self) -> None:
        sizes = [len(pack_img(HEADER, noise(40, 40), quality)) for quality in (1, 30, 60, 95, 100)]
        assert sizes == sorted(set(sizes))
        assert pack_img(HEADER, smooth()) == pack_img(HEADER, smooth(), 95, ".jpg")

    @pytest.mark.parametrize(("beyond", "limit"), [(0, 1), (-5, 1), (101, 100)])
    def test_quality_out_of_range_is_clamped(self, beyond: int, limit: int) -> None:
        assert pack_img(HEADER, smooth(), beyond) == pack_img(HEADER, smooth(), limit)

    def test_higher_png_compression_takes_fewer_bytes(self) -> None:
        sizes = [len(pack_img(HEADER, smooth(100, 100), level, ".png")) for level in (0, 1, 3, 9)]
        assert sizes == sorted(set(sizes), reverse=True)

    def test_default_png_compression_is_level_3(self) -> None:
        records = {quality: pack_img(HEADER, smooth(), quality, ".png") for quality in (-1, 0, 3, 10, 100)}
        assert pack_img(HEADER, smooth(), img_fmt=".png") == records[3] == records[10] == records[100]
        assert records[-1] == records[0] != records[3]

    @pytest.mark.parametrize("img_fmt", [".bmp", ".webp", "jpg", "", ".tiff"])
    def test_unknown_format_is_a_value_error(self, img_fmt: str) -> None:
        with pytest.raises(ValueError, match=r"img_fmt must be .*, got"):
            pack_img(HEADER, smooth(), 95, img_fmt)

    @pytest.mark.parametrize(
        ("image", "img_fmt"),
        [
            (np.zeros((4, 5, 2), np.uint8), ".png"),
            (np.zeros((4, 5), np.uint16), ".jpg"),
            (np.zeros((4, 5), np.uint32), ".png"),
            (np.zeros((0, 5, 3), np.uint8), ".png"),
            (np.zeros(5, np.uint8), ".png"),
        ],
        ids=["two channels", "16 bits in JPEG", "uint32", "no rows", "one axis"],
    )
    def test_array_unsupported_by_the_format_is_a_value_error(self, image: NDArray[Any], img_fmt: str) -> None:
        with pytest.raises(ValueError, match=r"image|height|must be uint8"):
            pack_img(HEADER, image, 9, img_fmt)

    @pytest.mark.parametrize("payload", [b"", b"garbage", b"\xff\xd8\xff\xe0"])
    def test_payload_without_an_image_is_a_decode_error(self, payload: bytes) -> None:
        for iscolor in (-1, 0, 1):
            with pytest.raises(DecodeError):
                unpack_img(pack(HEADER, payload), iscolor)

    def test_invalid_iscolor_is_a_value_error(self) -> None:
        with pytest.raises(ValueError, match=r"iscolor must be .*, got 2"):
            unpack_img(pack_img(HEADER, smooth()), 2)


class TestRec2Idx:
    """Rebuilding an index."""

    @pytest.mark.parametrize("name", ["frames", "images", "multilabel"])
    def test_offsets_equal_mxnets(self, name: str, tmp_path: Path) -> None:
        rebuilt = RecordFile(GOLDEN / f"{name}.rec", tmp_path / "a.idx")
        rec2idx(rebuilt.rec, rebuilt.idx)
        assert rebuilt.offsets == RecordFile(rebuilt.rec, GOLDEN / f"{name}.idx").offsets

    def test_unique_ids_become_the_keys(self, tmp_path: Path) -> None:
        ids = [5, 2**64 - 1, 0]
        file = write_records(tmp_path, [pack((0, 1.0, id_, 0), b"image") for id_ in ids])
        assert rec2idx(file.rec, file.idx) == "ids"
        with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
            assert reader.keys == ids
            assert unpack(reader.read_idx(5))[0].id == 5

    @pytest.mark.parametrize("second", [pack((0, 1.0, 7, 0), b""), b"too short"], ids=["the same id", "no id"])
    def test_other_records_get_ordinal_keys(self, tmp_path: Path, second: bytes) -> None:
        file = write_records(tmp_path, [pack((0, 1.0, 7, 0), b""), second])
        before = file.idx.read_bytes()
        assert rec2idx(str(file.rec), str(file.idx)) == "ordinals"
        assert file.idx.read_bytes() == before

    @parametrize_damage(BODIES)
    def test_damaged_file_writes_no_index(self, tmp_path: Path, damage: Damage) -> None:
        file = write_damaged(tmp_path, damage)
        before = file.idx.read_bytes()
        for index in (file.idx, tmp_path / "new.idx"):
            with pytest.raises(RecordError) as caught:
                rec2idx(file.rec, index)
            assert_names(caught.value, file.rec, damage)
        assert file.idx.read_bytes() == before
        assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.idx", "damaged.rec"]


def test_change_of_the_working_directory_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.rec", [b"one", b"two"])
    with MXRecordIO("a.rec", "r") as reader:
        (tmp_path / "below").mkdir()
        monkeypatch.chdir(tmp_path / "below")
        assert list(reader) == [b"one", b"two"]
        assert bool(reader)


@pytest.mark.parametrize("kind", [RecordError, DecodeError])
def test_error_created_by_the_user_has_the_attributes(kind: type[RecordError | DecodeError]) -> None:
    error = kind("made here")
    assert (error.path, error.record, error.id, error.offset) == (None, None, None, None)
