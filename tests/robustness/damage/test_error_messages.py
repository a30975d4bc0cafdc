"""Row R24: errors help. For each kind of damage: which file, which record, at which byte, what is wrong, and why.

The table has every kind of error that recio-core knows of, read from its source: a new one without a row here is a
failure.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from recio import DecodeError, RecordError
from recio.datasets import read_bin
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.commands import run_im2rec
from tests.support.framing import FIRST, FULL, MAGIC, MIDDLE, encode, frame
from tests.support.records import RecordFile, image_record, noise, open_iter, png

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = Path(__file__).parents[3] / "rust" / "recio-core" / "src"
GOOD = image_record(png(noise(8, 8)), 0)
START = len(encode(GOOD))
"""Where the second record begins, which is the damaged one."""


class Row(NamedTuple):
    """What stands in the place of the second record, and what its error says."""

    frames: bytes
    at: int
    """The byte that the error names, from where the record begins."""
    text: str
    """A regular expression: what is wrong, and in parentheses what may be the cause."""


FRAMES = {
    "Magic": Row(bytes(8), 0, r"magic 0x00000000, expected 0xced7230a(; .*lists a record there.*)?$"),
    "Flag": Row(MAGIC + struct.pack("<I", 5 << 29), 0, r"fragment flag 5, expected 0 to 3$"),
    "MissingFirst": Row(frame(MIDDLE, b"abcd"), 0, r"a middle fragment where a record must begin$"),
    "MissingLast": Row(
        frame(FIRST, b"") + frame(FULL, b""), 8, r"a full fragment inside a split record that has not ended$"
    ),
    "Unaligned": Row(
        frame(FIRST, b"abc"),
        0,
        r"a fragment of 3 bytes before the last; its length must be a multiple of 4$",
    ),
    "Truncated": Row(
        MAGIC + struct.pack("<I", 99) + b"abcd",
        0,
        r"a fragment of 99 bytes, but the file ends after 4 \(truncated, or a damaged length\)$",
    ),
    "TruncatedHeader": Row(MAGIC, 0, r"the file ends 4 bytes into a header \(truncated\)$"),
    "Padding": Row(frame(FULL, b"a")[:-1] + b"x", 0, r"non-zero padding after 1 bytes of data \(a damaged length\?\)$"),
    "MagicInside": Row(
        MAGIC + struct.pack("<I", 8) + b"abcd" + MAGIC,
        0,
        r"magic word at byte 4 of a fragment's data \(a damaged length\?\)$",
    ),
    "InvalidNext": Row(
        frame(FULL, b"") + b"text",
        0,
        r"followed by \[74, 65, 78, 74\], neither the header of a record nor the end of the file "
        r"\(a damaged length\?\)$",
    ),
}
NO_FRAME = {
    "TooLong": "test_record_of_2_to_the_29_bytes_is_refused_before_anything_is_written",
}
"""Needs half a gigabyte; the test that has it."""
IMAGES = {
    "a header that is cut": Row(encode(b"short"), 0, r"5 bytes are too short for an image record's header of 24$"),
    "labels that are cut": Row(
        encode(struct.pack("<IfQQ", 9, 0, 7, 0)), 0, r"the header claims 9 labels, but only 0 bytes follow it$"
    ),
    "no image": Row(
        encode(struct.pack("<IfQQ", 0, 0, 7, 0)),
        0,
        r"no image bytes in this record \(flag 0, labels \[0.0\]\); `recio index --images-only` writes an "
        r"index of the records with an image$",
    ),
    "no image's bytes": Row(
        encode(image_record(b"text", 1)), 0, r"not an image that recio can decode: the payload starts with 74 65 78 74 "
    ),
    "an image that is cut": Row(encode(GOOD[:60]), 0, r"."),
}


def write(folder: Path, row: Row) -> RecordFile:
    file = RecordFile(folder / "some.rec", folder / "some.idx")
    file.rec.write_bytes(encode(GOOD) + row.frames)
    file.idx.write_text(f"0\t0\n1\t{START}\n")
    return file


def by_key(file: RecordFile) -> None:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        reader.read_idx(1)


def in_batches(file: RecordFile) -> None:
    open_iter(file, path_imgidx=file.idx, batch_size=2).next()


def refusal(read: Callable[[RecordFile], None], file: RecordFile) -> Any:  # noqa: ANN401 a RecordError or a DecodeError
    with pytest.raises((RecordError, DecodeError)) as caught:
        read(file)
    return caught.value


@pytest.mark.parametrize("read", [by_key, in_batches])
@pytest.mark.parametrize("row", FRAMES.values(), ids=FRAMES.keys())
def test_error_of_a_damaged_frame_is_complete(row: Row, read: Callable[[RecordFile], None], tmp_path: Path) -> None:
    file = write(tmp_path, row)
    assert_says_all(refusal(read, file), file, row)


@pytest.mark.parametrize("row", IMAGES.values(), ids=IMAGES.keys())
def test_error_of_an_invalid_image_record_is_complete(row: Row, tmp_path: Path) -> None:
    file = write(tmp_path, row)
    assert_says_all(refusal(in_batches, file), file, row)


def assert_says_all(error: Any, file: RecordFile, row: Row) -> None:  # noqa: ANN401 a RecordError or a DecodeError
    assert (error.path, error.record, error.offset) == (str(file.rec), 1, START + row.at)
    who = "" if error.id is None else rf" \(id {error.id}\)"
    place = f"{re.escape(str(file.rec))}: record 1{who} at byte {START + row.at}: "
    assert re.match(place + row.text, str(error)), str(error)


def test_sequential_reader_reports_the_same_damage(tmp_path: Path) -> None:
    for name, row in FRAMES.items():
        file = write(tmp_path, row)
        with MXRecordIO(file.rec, "r") as reader, pytest.raises(RecordError) as caught:
            list(reader)
        error = caught.value
        number = error.record
        assert number in (0, 1), name
        assert error.offset == (START + row.at if number else 0)
        assert str(error).startswith(f"{file.rec}: record {number} at byte {error.offset}: "), name


def test_every_kind_of_damage_is_tested() -> None:
    source = (SOURCE / "format" / "frame" / "fragment.rs").read_text()
    (body,) = re.findall(r"pub enum FrameError \{(.*?)\n\}", source, re.DOTALL)
    kinds = set(re.findall(r"^    ([A-Z]\w+)", body, re.MULTILINE))
    print(f"R24: {len(kinds)} kinds of damaged frames, {len(IMAGES)} of damaged records")  # noqa: T201 the figure is the point
    assert kinds == set(FRAMES) | set(NO_FRAME)
    tests = (Path(__file__).parents[2] / "recordio" / "test_recordio.py").read_text()
    assert all(f"def {test}(" in tests for test in NO_FRAME.values())


@pytest.mark.parametrize(
    ("index", "text"),
    [
        (
            "0\t0\n1\tx\n",
            r'line 2: the offset must be an integer from 0 to 2\^64-1, got "x"; `recio index` rebuilds',
        ),
        ("0\t0\n1\t2\n", r"line 2: the offset 2 is not a multiple of 4; `recio index` rebuilds it from .*some\.rec$"),
        (
            "0\t0\n1\t4000\n",
            r"line 2: the offset 4000 is past the end of the \.rec file \(\d+ bytes\); was .*some\.rec cut short, .*",
        ),
        ("0\t0\n0\t8\n", r"line 2: duplicate key 0, first in line 1; `recio index` rebuilds it"),
        ("0\t0\n1\n", r"line 2: a key without an offset; `recio index` rebuilds it"),
    ],
)
def test_error_of_an_index_names_file_and_line(index: str, text: str, tmp_path: Path) -> None:
    file = write(tmp_path, Row(encode(GOOD), 0, ""))
    file.idx.write_text(index)
    for read in (by_key, in_batches):
        error = refusal(read, file)
        assert error.path == str(file.idx)
        assert re.match(re.escape(str(file.idx)) + ": " + text, str(error)), str(error)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("1 0 a.png", r"line 2: a line must be index, label and path separated by tabs, got 1 field$"),
        ("1\tcat\ta.png", r'line 2: the label must be a number, got "cat"$'),
        ("0\t0\ta.png", r"line 2: duplicate index 0$"),
    ],
)
def test_error_of_a_list_names_file_and_line(line: str, text: str, tmp_path: Path) -> None:
    file = write(tmp_path, Row(encode(GOOD), 0, ""))
    lst = tmp_path / "a.lst"
    lst.write_text(f"0\t0\ta.png\n{line}\n")
    with pytest.raises(RecordError) as caught:
        open_iter(file, path_imglist=lst)
    assert caught.value.path == str(lst)
    assert re.match(re.escape(str(lst)) + ": " + text, str(caught.value)), str(caught.value)


def test_error_of_a_bin_file_names_file_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "lfw.bin"
    path.write_bytes(b"\x80\x02cos\nsystem\n.")
    with pytest.raises(
        RecordError, match=r"byte 2: the pickle opcode GLOBAL 'os system' is refused; images must be bytes"
    ) as caught:
        read_bin(path)
    assert caught.value.path == str(path)
    assert str(caught.value).startswith(f"{path}: not a file of images and booleans: ")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["{}/some", "{}"], 1, "line 2: none.png: no such file"),
        (["{}/other", "{}"], 1, r"other\.lst; --list makes one"),
        (["{}/some", "{}/none"], 2, r"ROOT: .*/none: no such folder"),
        (["--quality", "0", "{}/some", "{}"], 2, "quality must be from 1 to 100, got 0"),
        (["--list", "{}/new", "{}/empty"], 1, r"/empty: no files that end in \.jpeg, \.jpg, \.png"),
    ],
)
def test_command_reports_the_error_and_fails(
    arguments: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "good.png").write_bytes(png(noise(8, 8)))
    (tmp_path / "some.lst").write_text("0\t0\tgood.png\n1\t0\tnone.png\n")
    assert run_im2rec(*(argument.format(tmp_path) for argument in arguments)) == code
    assert re.search(said, capsys.readouterr().err)
