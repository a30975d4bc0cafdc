"""Rules of lists: the list rules of im2rec, `ImageRecordIter` and `ImageIter` are one parser's.

im2rec skips and reports an invalid line; the iterators refuse the whole list, with the first invalid line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import pytest

from recio import RecordError
from recio.im2rec import pack
from recio.image import ImageIter
from recio.io import ImageRecordIter
from recio.recordio import IRHeader, MXIndexedRecordIO, pack as pack_record, unpack
from tests.support.records import noise, png, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from recio.io import DataBatch

NAMES = ("a.png", "my cat.png", "a,b.png", '"a.png"', "café 猫.png", "7", "#a.png", "sub/a.png")
IMAGES = {name: png(noise(8, 8, seed=seed)) for seed, name in enumerate(NAMES)}
NAMES_OF_PIXELS = {noise(8, 8, seed=seed).tobytes(): name for seed, name in enumerate(NAMES)}


class Line(NamedTuple):
    """A line as it is read."""

    id: int
    labels: tuple[float, ...] = (0.0,)
    path: str = "a.png"


MAX_ID = 2**64 - 1
INF = float("inf")
NAN = float("nan")

# Lists of valid lines, and the lines.
VALID: dict[str, tuple[str, list[Line]]] = {
    "id 0": ("0\t0\ta.png\n", [Line(0)]),
    "id 2^64-1": ("18446744073709551615\t0\ta.png\n", [Line(MAX_ID)]),
    "id 2^63": ("9223372036854775808\t0\ta.png\n", [Line(2**63)]),
    "id with a plus": ("+1\t0\ta.png\n", [Line(1)]),
    "id with leading zeros": ("0007\t0\ta.png\n", [Line(7)]),
    "spaces around the id": ("  1 \t0\ta.png\n", [Line(1)]),
    "no-break space before the id": ("\u00a01\t0\ta.png\n", [Line(1)]),
    "ids in no order": ("9\t1\ta.png\n3\t2\t7\n", [Line(9, (1,)), Line(3, (2,), "7")]),
    "id after an id that is a prefix": ("1\t0\ta.png\n10\t0\ta.png\n", [Line(1), Line(10)]),
    "integer label": ("1\t5\ta.png\n", [Line(1, (5,))]),
    "label of im2rec": ("1\t5.000000\ta.png\n", [Line(1, (5,))]),
    "negative label": ("1\t-1.5\ta.png\n", [Line(1, (-1.5,))]),
    "label with a plus": ("1\t+1.5\ta.png\n", [Line(1, (1.5,))]),
    "label of digits after the point": ("1\t.5\ta.png\n", [Line(1, (0.5,))]),
    "label of digits before the point": ("1\t5.\ta.png\n", [Line(1, (5,))]),
    "label with an exponent": ("1\t-2.5e-1\ta.png\n", [Line(1, (-0.25,))]),
    "label with a capital exponent": ("1\t1E3\ta.png\n", [Line(1, (1000,))]),
    "label that is rounded to float32": ("1\t0.1\ta.png\n", [Line(1, (float(np.float32(0.1)),))]),
    "largest integer of float32 before gaps": ("1\t16777216.000000\ta.png\n", [Line(1, (2.0**24,))]),
    "integer between gaps of float32": ("1\t-25130988\ta.png\n", [Line(1, (-25_130_988.0,))]),
    "large label": ("1\t1e30\ta.png\n", [Line(1, (float(np.float32(1e30)),))]),
    "label below float32": ("1\t1e-60\ta.png\n", [Line(1, (0,))]),
    "NaN label": ("1\tnan\ta.png\n", [Line(1, (NAN,))]),
    "NaN label in capitals": ("1\tNaN\ta.png\n", [Line(1, (NAN,))]),
    "infinite label": ("1\tinf\ta.png\n", [Line(1, (INF,))]),
    "negative infinite label": ("1\t-Infinity\ta.png\n", [Line(1, (-INF,))]),
    "spaces around the label": ("1\t 5 \ta.png\n", [Line(1, (5,))]),
    "two labels": ("1\t2\t3\ta.png\n", [Line(1, (2, 3))]),
    "five labels": ("1\t2\t-3\t4.5\t1e1\tinf\ta.png\n", [Line(1, (2, -3, 4.5, 10, INF))]),
    "path with a space": ("1\t0\tmy cat.png\n", [Line(1, path="my cat.png")]),
    "path with a comma": ("1\t0\ta,b.png\n", [Line(1, path="a,b.png")]),
    "path in quotes": ('1\t0\t"a.png"\n', [Line(1, path='"a.png"')]),
    "path of other letters": ("1\t0\tcafé 猫.png\n", [Line(1, path="café 猫.png")]),
    "path that begins with a hash": ("1\t0\t#a.png\n", [Line(1, path="#a.png")]),
    "path in a folder": ("1\t0\tsub/a.png\n", [Line(1, path="sub/a.png")]),
    "path that is a number": ("1\t2\t7\n", [Line(1, (2,), "7")]),
    "spaces around the path": ("1\t0\t  my cat.png  \n", [Line(1, path="my cat.png")]),
    "ideographic space after the path": ("1\t0\ta.png\u3000\n", [Line(1)]),
    "CRLF": ("1\t0\ta.png\r\n2\t0\t7\r\n", [Line(1), Line(2, path="7")]),
    "CRLF and LF": ("1\t0\ta.png\r\n2\t0\t7\n", [Line(1), Line(2, path="7")]),
    "tab after the path": ("1\t0\ta.png\t\n2\t0\t7", [Line(1), Line(2, path="7")]),
    "tabs and spaces after the path": ("1\t0\ta.png \t\t \r\n", [Line(1)]),
    "tab after a path that is a number": ("1\t0\t7\t\r\n", [Line(1, path="7")]),
    "tab before the id": (" \t1\t0\ta.png\n", [Line(1)]),
    "two CR before LF": ("1\t0\ta.png\r\r\n", [Line(1)]),
    "CR at the end of the list": ("1\t0\ta.png\r", [Line(1)]),
    "no newline at the end": ("1\t0\ta.png\n2\t0\t7", [Line(1), Line(2, path="7")]),
    "empty lines": ("\n\n1\t0\ta.png\n\n2\t0\t7\n\n", [Line(1), Line(2, path="7")]),
    "lines of spaces, tabs and CR": (" \n\t\t\n1\t0\ta.png\n\r\n \t \r\n", [Line(1)]),
    "byte order mark": ("\ufeff1\t0\ta.png\n", [Line(1)]),
    "byte order mark before an empty line": ("\ufeff\n1\t0\ta.png\n", [Line(1)]),
    "two byte order marks": ("\ufeff\ufeff1\t0\ta.png\n", [Line(1)]),
}

ID = "the index must be an integer from 0 to 2^64-1, got "
LABEL = "the label must be a number, got "
FLOAT32 = "the label {} is not representable as float32, which has integers up to 2^24: it would become {}"
FIELDS = "a line must be index, label and path separated by tabs, got "

# Lists with an invalid line, its number, and the reason that begins so.
INVALID: dict[str, tuple[str, int, str]] = {
    "id with underscores": ("1_000\t0\ta.png\n", 1, f'{ID}"1_000"'),
    "id of Arabic-Indic digits": ("\u0661\u0662\t0\ta.png\n", 1, f'{ID}"\u0661\u0662"'),
    "id of full-width digits": ("\uff11\t0\ta.png\n", 1, ID),
    "negative id": ("-1\t0\ta.png\n", 1, f'{ID}"-1"'),
    "id of minus zero": ("-0\t0\ta.png\n", 1, f'{ID}"-0"'),
    "id 2^64": ("18446744073709551616\t0\ta.png\n", 1, ID),
    "id of 5,000 digits": ("9" * 5000 + "\t0\ta.png\n", 1, ID),
    "id with a fraction": ("1.0\t0\ta.png\n", 1, f'{ID}"1.0"'),
    "id with an exponent": ("1e3\t0\ta.png\n", 1, f'{ID}"1e3"'),
    "hexadecimal id": ("0x10\t0\ta.png\n", 1, f'{ID}"0x10"'),
    "NaN id": ("nan\t0\ta.png\n", 1, f'{ID}"nan"'),
    "empty id": ("\t0\ta.png\n", 1, f"{FIELDS}2 fields"),
    "id of spaces": ("  \t0\ta.png\n", 1, f"{FIELDS}2 fields"),
    "id with a space in it": ("1 0\t0\ta.png\n", 1, f'{ID}"1 0"'),
    "id with two signs": ("++1\t0\ta.png\n", 1, f'{ID}"++1"'),
    "id in quotes": ('"1"\t0\ta.png\n', 1, ID),
    "id with a NUL": ("1\0\t0\ta.png\n", 1, ID),
    "comment": ("#1\t0\ta.png\n", 1, f'{ID}"#1"'),
    "header": ("index\tlabel\tpath\n1\t0\ta.png\n", 1, f'{ID}"index"'),
    "byte order mark in the second line": ("1\t0\ta.png\n\ufeff2\t0\ta.png\n", 2, ID),
    "byte order mark after a space": (" \ufeff1\t0\ta.png\n", 1, ID),
    "label with underscores": ("1\t1_000\ta.png\n", 1, f'{LABEL}"1_000"'),
    "label of Arabic-Indic digits": ("1\t\u0661\u0662\ta.png\n", 1, f'{LABEL}"\u0661\u0662"'),
    "hexadecimal label": ("1\t0x10\ta.png\n", 1, f'{LABEL}"0x10"'),
    "empty label": ("1\t\ta.png\n", 1, f'{LABEL}""'),
    "empty second label": ("1\t0\t\ta.png\n", 1, f'{LABEL}""'),
    "label of text": ("1\tcat\ta.png\n", 1, f'{LABEL}"cat"'),
    "second label of text": ("1\t0\tcat\ta.png\n", 1, f'{LABEL}"cat"'),
    "label that is true": ("1\tTrue\ta.png\n", 1, f'{LABEL}"True"'),
    "label with a decimal comma": ("1\t1,5\ta.png\n", 1, f'{LABEL}"1,5"'),
    "label with a suffix": ("1\t1.5f\ta.png\n", 1, f'{LABEL}"1.5f"'),
    "label that is a point": ("1\t.\ta.png\n", 1, f'{LABEL}"."'),
    "label that is an exponent": ("1\te5\ta.png\n", 1, f'{LABEL}"e5"'),
    "label with a space after the sign": ("1\t- 1\ta.png\n", 1, f'{LABEL}"- 1"'),
    "NaN label with a payload": ("1\tnan(1)\ta.png\n", 1, f'{LABEL}"nan(1)"'),
    "label with a NUL": ("1\t0\0\ta.png\n", 1, LABEL),
    "labels separated by a space": ("1\t2 3\ta.png\n", 1, f'{LABEL}"2 3"'),
    "integer label between those of float32": ("1\t25130987\ta.png\n", 1, FLOAT32.format("25130987", "25130988")),
    "label of im2rec between those of float32": ("1\t16777217.000000\ta.png\n", 1, FLOAT32.format(16777217, 16777216)),
    "integer label between those of float64": ("1\t9007199254740993\ta.png\n", 1, "the label"),
    "time with a fraction": ("1\t1700000000.5\ta.png\n", 1, FLOAT32.format("1700000000.5", "1700000000")),
    "second label that float32 changes": ("1\t0\t16777217\ta.png\n", 1, FLOAT32.format(16777217, 16777216)),
    "label above float32": ("1\t1e39\ta.png\n", 1, "the label 1"),
    "label above float64": ("1\t-1e400\ta.png\n", 1, 'the label "-1e400" is not representable as float64'),
    "label of 400 digits": ("1\t" + "9" * 400 + "\ta.png\n", 1, 'the label "9999999999'),
    "path with a NUL": ("1\t0\ta.png\0\n", 1, "the path contains a NUL character"),
    "tab in the path": ("1\t0\tmy\tcat.png\n", 1, f'{LABEL}"my"'),
    "no path": ("1\t0\t\n", 1, f"{FIELDS}2 fields"),
    "path of spaces": ("1\t0\t   \n", 1, f"{FIELDS}2 fields"),
    "two fields": ("1\ta.png\n", 1, f"{FIELDS}2 fields"),
    "space between label and path": ("1\t0 a.png\n", 1, f"{FIELDS}2 fields"),
    "one field": ("1\n", 1, f"{FIELDS}1 field"),
    "spaces for tabs": ("1 0 a.png\n", 1, f"{FIELDS}1 field"),
    "commas for tabs": ("1,0,a.png\n", 1, f"{FIELDS}1 field"),
    "vertical tabs for tabs": ("1\v0\va.png\n", 1, f"{FIELDS}1 field"),
    "line of NULs": ("\0\0\0\n", 1, f"{FIELDS}1 field"),
    "lone CR between lines": ("1\t0\ta.png\r2\t0\ta.png\n", 1, LABEL),
    "line separator between lines": ("1\t0\ta.png\u20282\t0\ta.png\n", 1, LABEL),
    "invalid last line without a newline": ("1\t0\ta.png\n2", 2, f"{FIELDS}1 field"),
    "invalid line after empty ones": ("\n \r\n1\t0\ta.png\n\nx\t0\ta.png\n", 5, f'{ID}"x"'),
    "invalid line before a valid one": ("x\t0\ta.png\n1\t0\ta.png\n", 1, f'{ID}"x"'),
    "duplicate id": ("1\t0\ta.png\n1\t0\ta.png\n", 2, "duplicate index 1"),
    "duplicate id with another label and path": ("1\t0\ta.png\n2\t0\t7\n1\t5\t7\n", 3, "duplicate index 1"),
    "duplicate id with leading zeros": ("1\t0\ta.png\n001\t0\ta.png\n", 2, "duplicate index 1"),
    "duplicate id with a plus": ("1\t0\ta.png\n+1\t0\ta.png\n", 2, "duplicate index 1"),
    "duplicate id 2^64-1": (f"{MAX_ID}\t0\ta.png\n" * 2, 2, f"duplicate index {MAX_ID}"),
}

# Lists that are not UTF-8, which im2rec refuses as a whole too.
NOT_UTF_8 = {
    "path in Latin-1": "1\t0\tcafé.png\n".encode("latin-1"),
    "bytes that are never UTF-8": b"1\t0\ta.png\n2\t0\t\xff\xfe\n",
    "surrogate": b"1\t0\t\xed\xa0\x80.png\n",
    "overlong slash": b"1\t0\tsub\xc0\xafa.png\n",
    "incomplete letter at the end": b"1\t0\ta.png\n2\t0\t\xe7\x8c",
    "UTF-16 with a byte order mark": "1\t0\ta.png\n".encode("utf-16"),
}


Read: TypeAlias = "Callable[[Path, list[Line]], list[Line]]"
"""Function that returns the lines of a list, given the expected ones."""


def write_list(folder: Path, content: bytes) -> Path:
    """Write a list, and the images that it may contain."""
    for name, image in IMAGES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(image)
    lst = folder / "a.lst"
    lst.write_bytes(content)
    return lst


def read_packed(lst: Path, _: list[Line]) -> list[Line]:
    """Pack a list by im2rec and read the records."""
    packed = pack(lst, lst.parent, pass_through=True, pack_label=True, num_thread=2)
    if packed.skipped:
        (skipped,) = packed.skipped
        raise RecordError(f"{lst}: line {skipped.line}: {skipped.reason}")
    names = {image: name for name, image in IMAGES.items()}
    lines = []
    with MXIndexedRecordIO(packed.idx, packed.rec, "r") as reader:
        for key in reader.keys:
            header, image = unpack(reader.read_idx(key))
            assert header.id == key
            lines.append(Line(key, as_labels(header.label), names[image]))
    return lines


def read_relabeled(lst: Path, expected: list[Line]) -> list[Line]:
    """Replace the labels of records by those of a list; the records have the images, as the paths are not used."""
    records = [pack_record(IRHeader(0, -7.0, line.id, 0), IMAGES[line.path]) for line in expected]
    file = write_records(lst.parent, records)
    batches = ImageRecordIter(
        path_imgrec=file.rec,
        path_imglist=lst,
        data_shape=(3, 8, 8),
        batch_size=len(expected),
        label_width=len(expected[0].labels),
        preprocess_threads=2,
    )
    return lines_of(batches.next())


def read_images(lst: Path, expected: list[Line]) -> list[Line]:
    """Read the images of a list."""
    batches = ImageIter(
        len(expected),
        (3, 8, 8),
        path_imglist=lst,
        path_root=lst.parent,
        label_width=len(expected[0].labels),
        preprocess_threads=2,
    )
    return lines_of(batches.next())


def lines_of(batch: DataBatch) -> list[Line]:
    """Return the ids, labels and paths of the images in a batch, which has no padding."""
    assert batch.index is not None
    assert batch.label is not None
    assert not batch.pad
    paths = [NAMES_OF_PIXELS[image.transpose(1, 2, 0).astype(np.uint8).tobytes()] for image in batch.data[0]]
    labels = [as_labels(values) for values in batch.label[0]]
    return [Line(int(index), *rest) for index, rest in zip(batch.index, zip(labels, paths, strict=True), strict=True)]


def as_labels(values: object) -> tuple[float, ...]:
    """Return one label or several as a tuple."""
    return tuple(np.ravel(np.asarray(values, np.float32)).tolist())


READERS: dict[str, Read] = {"im2rec": read_packed, "ImageRecordIter": read_relabeled, "ImageIter": read_images}
every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())


def messages(lst: Path) -> set[str]:
    """Return the messages with which the readers refuse a list."""
    found = set()
    for read in READERS.values():
        with pytest.raises(RecordError) as caught:
            read(lst, [Line(1)])
        found.add(str(caught.value))
    return found


@every_reader
@pytest.mark.parametrize(("content", "lines"), VALID.values(), ids=VALID.keys())
def test_valid_lines_are_read(read: Read, content: str, lines: list[Line], tmp_path: Path) -> None:
    found = read(write_list(tmp_path, content.encode()), lines)
    assert [(line.id, line.path) for line in found] == [(line.id, line.path) for line in lines]
    np.testing.assert_array_equal([line.labels for line in found], [line.labels for line in lines])


@pytest.mark.parametrize(("content", "number", "reason"), INVALID.values(), ids=INVALID.keys())
def test_invalid_line_is_refused_with_the_same_message(content: str, number: int, reason: str, tmp_path: Path) -> None:
    lst = write_list(tmp_path, content.encode())
    (message,) = messages(lst)
    assert message.startswith(f"{lst}: line {number}: {reason}")


@pytest.mark.parametrize("content", NOT_UTF_8.values(), ids=NOT_UTF_8.keys())
def test_list_that_is_not_utf_8_is_refused_with_the_same_message(content: bytes, tmp_path: Path) -> None:
    lst = write_list(tmp_path, content)
    (message,) = messages(lst)
    assert message.startswith(f"{lst}: ")
    assert message.endswith("the list is not UTF-8")


@pytest.mark.parametrize("content", ["", "\n", " \t\r\n\n", "\ufeff", "\ufeff\n"])
def test_list_without_lines_has_no_images(content: str, tmp_path: Path) -> None:
    lst = write_list(tmp_path, content.encode())
    packed = pack(lst, tmp_path)
    assert (packed.records, packed.skipped) == (0, [])
    assert list(ImageIter(1, (3, 8, 8), path_imglist=lst, path_root=tmp_path)) == []
    with pytest.raises(RecordError, match="path_imglist has no line for id 1"):
        read_relabeled(lst, [Line(1)])


def test_im2rec_skips_all_invalid_lines_and_the_iterators_name_the_first(tmp_path: Path) -> None:
    lst = write_list(tmp_path, b"1\t0\ta.png\n1_0\t0\t7\n2\tcat\t7\n2\t3\t7\n1\t0\t7\n")
    packed = pack(lst, tmp_path, pass_through=True)
    assert [skipped.line for skipped in packed.skipped] == [2, 3, 5]
    assert [line.split("\t")[0] for line in packed.idx.read_text().splitlines()] == ["1", "2"]
    for read in (read_relabeled, read_images):
        with pytest.raises(RecordError, match=r"a\.lst: line 2: "):
            read(lst, [Line(1)])
