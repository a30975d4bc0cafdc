"""Files of other kinds as record files and indexes, missing and swapped ones: messages name the cause."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

import recio
from recio import RecordError
from recio.datasets import RecordDataset
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx
from tests.cli.test_cli import run
from tests.support.records import write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.records import RecordFile


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"))
    return out.getvalue()


def npz() -> bytes:
    out = io.BytesIO()
    np.savez(out, a=np.zeros(3))
    return out.getvalue()


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.zeros(3))
    return out.getvalue()


# The masked CRC32C of the length, as in the description of the format by TensorFlow.
TFRECORD = struct.pack("<Q", 3) + bytes.fromhex("b099490e") + b"abc" + bytes(4)

CONTENTS = {
    "an HTML page": b"\r\n<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n",
    "an XML document": b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>',
    "JSON": b'{"error": "quota exceeded"}',
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "a gzip file": gzip.compress(b"\x0a\x23\xd7\xce" + bytes(100)),
    "a ZIP archive": npz(),
    "a tar archive": tar(),
    "a NumPy array": npy(),
    "a Parquet file": b"PAR1" + bytes(100) + b"PAR1",
    "a TFRecord file": TFRECORD,
    "an index (.idx)": b"0\t0\n1\t1000\n",
    "a list (.lst)": b"0\t1.0\tcat/a.jpg\n",
    "a JPEG image": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00",
    "zero bytes": bytes(4096),
    "text": b"Moved permanently.\n",
}
NO_INDEX = {name: content for name, content in CONTENTS.items() if name not in {"text", "an index (.idx)"}}

READERS: dict[str, Callable[[Path], object]] = {
    "MXRecordIO": lambda rec: MXRecordIO(rec, "r").read(),
    "ImageRecordIter": lambda rec: ImageRecordIter(path_imgrec=rec, data_shape=(3, 8, 8), batch_size=1),
    "ImageRecordIter that skips": lambda rec: ImageRecordIter(
        path_imgrec=rec, data_shape=(3, 8, 8), batch_size=1, on_error="skip"
    ),
    "RecordDataset": RecordDataset,
    "rec2idx": lambda rec: rec2idx(rec, rec.with_suffix(".new")),
    "merge": lambda rec: recio.files.merge([rec], rec.with_name("merged.rec")),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", CONTENTS)
def test_another_kind_of_file_is_named(name: str, reader: str, tmp_path: Path) -> None:
    rec = tmp_path / "a.rec"
    rec.write_bytes(CONTENTS[name])
    with pytest.raises(RecordError, match=r"a\.rec: .*this is " + name.replace("(", r"\(").replace(")", r"\)")):
        READERS[reader](rec)


@pytest.mark.parametrize("name", CONTENTS)
def test_info_and_verify_name_it_and_exit_with_1(name: str, tmp_path: Path) -> None:
    rec = tmp_path / "a.rec"
    rec.write_bytes(CONTENTS[name])
    for command in ("info", "verify"):
        result = run(command, rec)
        assert result.exit_code == 1
        assert f"this is {name}" in result.stdout
    assert f"this is {name}" in json.loads(run("info", "--json", rec).stdout)["no_records"]


@pytest.mark.parametrize("key_type", [int, str])
@pytest.mark.parametrize("name", NO_INDEX)
def test_another_kind_of_file_as_index_is_named(name: str, key_type: type, tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 2)
    file.idx.write_bytes(NO_INDEX[name])
    expected = r"tiny\.idx: .*"
    if key_type is int or name != "a list (.lst)":
        expected += "this is " + name.replace("(", r"\(").replace(")", r"\)") + r".* not the index of .*tiny\.rec"
    with pytest.raises(RecordError, match=expected):
        MXIndexedRecordIO(file.idx, file.rec, "r", key_type)


INDEXED: dict[str, Callable[[RecordFile], object]] = {
    "MXIndexedRecordIO": lambda file: MXIndexedRecordIO(file.idx, file.rec, "r"),
    "keys of text": lambda file: MXIndexedRecordIO(file.idx, file.rec, "r", str),
    "appending": lambda file: MXIndexedRecordIO(file.idx, file.rec, "a"),
    "ImageRecordIter": lambda file: ImageRecordIter(
        path_imgrec=file.rec, path_imgidx=file.idx, data_shape=(3, 8, 8), batch_size=1
    ),
    "RecordDataset": lambda file: RecordDataset(file.rec, file.idx),
}
indexed = pytest.mark.parametrize("open_", INDEXED.values(), ids=INDEXED.keys())


@indexed
def test_missing_index_names_the_command_and_the_record_file(
    open_: Callable[[RecordFile], object], tmp_path: Path
) -> None:
    file = write_tiny(tmp_path, 2)
    file.idx.unlink()
    with pytest.raises(FileNotFoundError, match=r"`recio index` writes it from .*tiny\.rec: '.*tiny\.idx'"):
        open_(file)


@indexed
def test_swapped_paths_are_named(open_: Callable[[RecordFile], object], tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 2)
    rec, idx = file.rec.read_bytes(), file.idx.read_bytes()
    file.rec.write_bytes(idx)
    file.idx.write_bytes(rec)
    with pytest.raises(RecordError, match=r"tiny\.(rec|idx): .*this is .*swapped\?"):
        open_(file)


@indexed
def test_index_of_a_file_that_was_cut_names_both_and_repair(
    open_: Callable[[RecordFile], object], tmp_path: Path
) -> None:
    file = write_tiny(tmp_path, 4)
    with file.rec.open("r+b") as rec:
        rec.truncate(file.offsets[2])
    with pytest.raises(RecordError) as caught:
        open_(file)
    text = str(caught.value)
    parts = ("tiny.idx: line 3: ", "tiny.rec", "cut short", "`recio repair`", "`recio index`")
    assert all(part in text for part in parts), text


def test_empty_file_is_not_sound(tmp_path: Path) -> None:
    rec = tmp_path / "a.rec"
    rec.touch()
    report = recio.files.verify(rec)
    assert (report.ok, report.damaged, [problem.reason for problem in report.problems]) == (
        False,
        1,
        ["the file is empty"],
    )
    assert run("verify", rec).exit_code == run("info", rec).exit_code == 1


@pytest.mark.parametrize("path", ["s3://bucket/train.rec", "https://example.org/train.rec", "hdfs:///train.rec"])
def test_url_where_only_local_files_are_opened_is_explained(path: str) -> None:
    for action in (
        lambda: recio.image.imread(path),
        lambda: recio.datasets.read_bin(path),
        lambda: recio.io.CSVIter(data_csv=path, data_shape=(1,), batch_size=1),
    ):
        with pytest.raises(FileNotFoundError, match="only local files are opened here"):
            action()


def test_addresses_of_other_stores_name_those_that_are_opened() -> None:
    path = "hdfs:///train.rec"
    for action in (
        lambda: ImageRecordIter(path_imgrec=path, data_shape=(3, 8, 8), batch_size=1),
        lambda: MXRecordIO(path, "r"),
        lambda: MXIndexedRecordIO(path.replace(".rec", ".idx"), path, "r"),
        lambda: RecordDataset(path),
        lambda: recio.files.verify(path),
        lambda: recio.files.merge([path], "merged.rec"),
    ):
        with pytest.raises(ValueError, match=r"recio opens URLs that begin with s3://.*got hdfs://"):
            action()
