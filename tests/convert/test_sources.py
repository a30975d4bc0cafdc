"""Record files as sources: several, by all kinds of paths, damaged ones; and what the arguments must be."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pytest

from recio import RecordError
from recio.convert import convert, rows
from recio.convert._records import RecordSource
from recio.files import ShardWriter, merge, split, write_manifest
from recio.recordio import rec2idx
from tests.support.records import RecordFile, write_records

from .sets import IMAGES, SETS, labeled, record, same, write

if TYPE_CHECKING:
    from recio.convert._survey import Survey
    from tests.support.servers.buckets import Bucket


def keys(src: object, **options: Any) -> list[int]:  # noqa: ANN401 those of rows
    """Return the keys of all rows."""
    return [row.key for row in rows(src, **options)]  # type: ignore[arg-type]


def test_shards_keep_their_keys(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    shards = [report.rec for report in split(file.rec, 3, tmp_path / "part")]
    for src in (shards, tmp_path / "part.recset.json", tmp_path / "part_*.rec", str(tmp_path / r"part_\d\.rec")):
        report = convert(src, tmp_path / "b.tar", src_format="rec")
        assert not report.renumbered
        convert(tmp_path / "b.tar", tmp_path / "b.rec")
        assert same(file, tmp_path / "b.rec")


def test_files_with_the_same_keys_are_numbered_as_by_merge(tmp_path: Path) -> None:
    files = [write(tmp_path, name, [(n, record(50 + n, n, IMAGES[n])) for n in range(3)]).rec for name in "ab"]
    assert convert(files, tmp_path / "c.tfrecord").renumbered
    assert [(row.key, row.id) for row in rows(files)] == [(n, 50 + n % 3) for n in range(6)]
    convert(tmp_path / "c.tfrecord", tmp_path / "c.rec")
    merge(files, tmp_path / "merged.rec")
    assert same(RecordFile(tmp_path / "merged.rec", tmp_path / "merged.idx"), tmp_path / "c.rec")


def test_renumber(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["in another order"])
    assert keys(file.rec) == [7, 6, 5, 4, 3, 2]
    assert keys(file.rec, renumber=True) == [0, 1, 2, 3, 4, 5]
    convert(file.rec, tmp_path / "b.tar", renumber=True)
    assert [(row.key, row.id) for row in rows(tmp_path / "b.tar")] == [(n, 7 - n) for n in range(6)]


def test_folder_of_record_files_and_its_names_of_classes(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with ShardWriter(tmp_path / "set" / "a", shard_size=1) as writer:
        for _, content in SETS["of im2rec"]:
            writer.write(content)
    write_manifest(tmp_path / "set" / "a.recset.json", writer.shards, ["x", "y", "z"])
    report = convert(tmp_path / "set", tmp_path / "b.tar")
    assert (report.records, report.classes, report.renumbered) == (6, 3, False)


def test_url(tmp_path: Path, s3: Bucket) -> None:
    file = write(tmp_path, "a", SETS["with unusual headers"])
    url = s3.put_file("folder/a.rec", file.rec)
    s3.put_file("folder/a.idx", file.idx)
    convert(url, tmp_path / "b.parquet")
    convert(tmp_path / "b.parquet", tmp_path / "b.rec")
    assert same(file, tmp_path / "b.rec")
    assert len(list(rows(s3.url("folder/")))) == len(SETS["with unusual headers"])


def test_record_file_to_a_url_and_other_formats_not(tmp_path: Path, s3: Bucket) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    convert(file.rec, tmp_path / "a.tar")
    convert(tmp_path / "a.tar", s3.url("b.rec"), classes=["x", "y", "z"])
    convert(s3.url("b.rec"), tmp_path / "b.tar")
    assert (tmp_path / "b.tar").read_bytes() == (tmp_path / "a.tar").read_bytes()
    assert (tmp_path / "b.classes.txt").read_text() == "x\ny\nz\n"
    with pytest.raises(ValueError, match=r"b\.tar: dst must be a local path, unless it is one record file"):
        convert(file.rec, s3.url("b.tar"))
    forms: list[dict[str, Any]] = [{}, {"src_format": "tar"}]
    for options in forms:
        with pytest.raises(ValueError, match=r"b\.tar: URLs of record files are read; download tar files first"):
            rows(s3.url("b.tar"), **options)


@pytest.mark.parametrize("kind", ["b.tar", "b.parquet", "folder"])
def test_damaged_record(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path, "a", labeled([0, 1, 2]))
    with file.rec.open("r+b") as opened:
        opened.seek(file.offsets[1])
        opened.write(bytes(4))
    with pytest.raises(RecordError, match=rf"a\.rec: record 1 at byte {file.offsets[1]}") as raised:
        convert(file.rec, tmp_path / kind)
    assert (raised.value.record, raised.value.offset) == (1, file.offsets[1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.idx", "a.rec"]


def test_flipped_bit_of_an_image_with_checksums(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", labeled([0, 1, 2])).rec, tmp_path / "a.tar")
    convert(tmp_path / "a.tar", tmp_path / "b.rec", checksum=True)
    content = bytearray((tmp_path / "b.rec").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "b.rec").write_bytes(content)
    with pytest.raises(RecordError, match=r"b\.rec: record 1 .*checksum"):
        convert(tmp_path / "b.rec", tmp_path / "c.tar")


def test_index_that_lists_only_some_records(tmp_path: Path) -> None:
    """As `merge`: of the others, only the user knows whether they were removed."""
    file = write(tmp_path, "a", labeled([0, 1, 2]))
    lines = file.idx.read_text().splitlines(keepends=True)
    for kept in (lines[1:], lines[:1] + lines[2:], lines[:2]):
        file.idx.write_text("".join(kept))
        with pytest.raises(RecordError, match="the index does not list the record here; `recio index` lists all"):
            convert(file.rec, tmp_path / "b.tar")
    rec2idx(file.rec, file.idx)
    assert convert(file.rec, tmp_path / "b.tar").records == 3


def test_records_that_are_no_image_records(tmp_path: Path) -> None:
    file = write_records(tmp_path, [record(0, 1, IMAGES[0]), b"short"])
    with pytest.raises(RecordError, match=r"record 1 at byte \d+: 5 bytes are too short for an image record's header"):
        convert(file.rec, tmp_path / "b.tar")
    file = write_records(tmp_path, [record(0, 1, b"", flag=9)])
    with pytest.raises(RecordError, match=r"record 0 at byte 0: the header claims 9 labels, but 0 bytes follow it"):
        list(rows(file.rec))


@pytest.mark.parametrize("records", [[], [(0, record(0, 1, b""))]])
@pytest.mark.parametrize("kind", ["b.tar", "b.parquet", "folder"])
def test_no_images(tmp_path: Path, records: list[tuple[int, bytes]], kind: str) -> None:
    file = write(tmp_path, "a", records)
    with pytest.raises(ValueError, match="there are no images in src"):
        convert(file.rec, tmp_path / kind)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.idx", "a.rec"]


def test_label_without_a_name(tmp_path: Path) -> None:
    file = write(tmp_path, "a", labeled([0, 5]))
    (tmp_path / "a.classes.txt").write_text("cat\ndog\n")
    with pytest.raises(ValueError, match="the label 5 has no name: there are 2 names of classes, of the labels 0 to 1"):
        convert(file.rec, tmp_path / "a.parquet")
    file = write(tmp_path, "a", labeled([-1, 1]))
    with pytest.raises(ValueError, match="the label -1 has no name"):
        convert(file.rec, tmp_path / "a.tfrecord")
    assert convert(file.rec, tmp_path / "a.parquet").classes == 2, "in datasets, -1 is the label of no class"


def test_filesystem(tmp_path: Path) -> None:
    """It is that of all paths; a local one is a URL then."""
    file = write(tmp_path, "a", SETS["of im2rec"])
    memory = fsspec.filesystem("memory")
    for path in (file.rec, file.idx):
        memory.pipe_file(f"/some/{path.name}", path.read_bytes())
    convert("/some/a.rec", f"file://{tmp_path}/b.tar", filesystem=memory)
    assert len(list(rows(tmp_path / "b.tar"))) == 6
    with pytest.raises(ValueError, match=r"b\.tar: dst must be a local path"):
        convert("/some/a.rec", "/some/b.tar", filesystem=memory)


class Changing(RecordSource):
    """Record file that changes after its headers were read."""

    def survey(self) -> Survey:
        """Return the summary, and then change the first label to 0.5."""
        before = super().survey()
        with Path(str(self.files[0])).open("r+b") as file:
            file.seek(8 + 4)
            file.write(struct.pack("<f", 0.5))
        return before


def test_source_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The columns follow from the headers that were read first; a label of 0.5 is not made an integer."""
    monkeypatch.setattr("recio.convert._formats.RecordSource", Changing)
    file = write(tmp_path, "a", labeled([0, 1]))
    with pytest.raises(ValueError, match="the labels of the image with the key 0 changed while src was read"):
        convert(file.rec, tmp_path / "a.tar")
    assert not (tmp_path / "a.tar").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dst": "b.xyz"}, r"b\.xyz: the format is not known by this name: --to \(dst_format=\) states it"),
        ({"dst": "b.tar.gz"}, r"b\.tar\.gz: compressed files are not written; images are compressed already"),
        (
            {"dst": "b.tar", "dst_format": "zip"},
            "dst_format must be one of 'rec', 'folder', 'tar', 'tfrecord', 'parquet'",
        ),
        ({"dst": "b.tar", "src_format": "zip"}, "src_format must be one of 'rec'"),
        ({"dst": "b.rec"}, "src and dst are both record files: recio.files.merge, split and shuffle copy them"),
        ({"dst": "b.rek", "dst_format": "rec", "src_format": "tar"}, r"b\.rek: the name of a record file must end in"),
        ({"dst": "b", "dst_format": "tar", "shards": 0}, "shards must be at least 1, got 0"),
        ({"dst": "b", "dst_format": "tar", "shard_size": 0}, "shard_size must be at least 1, got 0"),
        (
            {"dst": "b", "dst_format": "tar", "shards": 2, "shard_size": 2},
            "shards=2 and shard_size=2 exclude each other",
        ),
        ({"dst": "b", "dst_format": "tar", "shards": 7}, "shards must be from 1 to the number of images, 6, got 7"),
        ({"dst": "b", "shards": 2}, "shards are written into a folder, whose name has no suffix: --to"),
        ({"dst": "b.tar", "shards": 2}, "shards are written into a folder, whose name has no suffix: --to"),
        ({"dst": "b.tar", "root": "s3://a/b"}, "root must be a local path, got s3://a/b"),
    ],
)
def test_arguments(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    dst = tmp_path / options.pop("dst")
    with pytest.raises(ValueError, match=message):
        convert(file.rec, dst, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.idx", "a.rec"]


def test_sources_whose_format_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "a.bin").touch()
    with pytest.raises(ValueError, match=r"a\.bin: the format is not known by this name: --from"):
        rows(tmp_path / "a.bin")
    with pytest.raises(ValueError, match=r"a-\*: the format is not known by this name: --from"):
        rows(tmp_path / "a-*")
    (tmp_path / "a.tar").touch()
    (tmp_path / "a.parquet").touch()
    with pytest.raises(ValueError, match=r"the folder has files of the formats parquet, tar: --from chooses one"):
        rows(tmp_path)
    with pytest.raises(ValueError, match="src names no file"):
        rows([])
    with pytest.raises(FileNotFoundError, match=r"no\.rec"):
        rows(tmp_path / "no.rec")
    with pytest.raises(FileNotFoundError, match=r"No such file or directory: '.*photo'"):
        rows(tmp_path / "photo")


def test_rows_are_read_one_after_another(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    with file.rec.open("r+b") as opened:
        opened.truncate(file.offsets[-1] + 100)
    found = rows(file.rec)
    # One is held until it is known whether records without an image follow it.
    assert [next(found).key for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(RecordError, match="record 5"):
        list(found)


def test_progress_and_its_exceptions(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    reports: list[tuple[int, int | None]] = []
    convert(file.rec, tmp_path / "a.tar", progress=lambda done, total: reports.append((done, total)))
    assert [reports[0], reports[-1]] == [(1, 6), (6, 6)]
    reports.clear()
    convert(tmp_path / "a.tar", tmp_path / "b.rec", progress=lambda done, total: reports.append((done, total)))
    assert [reports[0], reports[-1]] == [(1, None), (6, 6)]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("c.tar", "c", "c.parquet"):
        with pytest.raises(KeyboardInterrupt):
            convert(file.rec, tmp_path / name, progress=stop)
    assert not [path for path in tmp_path.iterdir() if path.name.strip(".").startswith("c")]


def test_labels_are_float32_and_read_only(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["with several labels"])
    convert(file.rec, tmp_path / "a.parquet")
    for src in (file.rec, tmp_path / "a.parquet"):
        row = next(rows(src))
        assert row.labels.dtype == np.float32
        assert row.labels.shape == (3,)
        assert not row.labels.flags.writeable
