"""From a record file to each format and back: each byte of the record file and of its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from recio.convert import convert, rows
from recio.datasets import FaceRecordDataset, RecordDataset
from recio.files import merge, split
from recio.recordio import unpack
from tests.support.faces import write_face_set
from tests.support.records import RecordFile, read_all

from .sets import IMAGES, SETS, SUFFIX, labeled, record, same, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=SUFFIX)
def kind(request: pytest.FixtureRequest) -> str:
    """Return each of the other formats."""
    return str(request.param)


def there_and_back(file: RecordFile, kind: str, folder: Path) -> Path:
    """Convert to a format and back; return the new record file."""
    other, back = folder / f"other{SUFFIX[kind]}", folder / "back.rec"
    report = convert(file.rec, other)
    assert (report.format, report.path) == (kind, other)
    assert convert(other, back).records == report.records
    return back


@pytest.mark.parametrize("name", SETS)
def test_each_byte_comes_back(tmp_path: Path, kind: str, name: str) -> None:
    file = write(tmp_path, "some", SETS[name])
    assert same(file, there_and_back(file, kind, tmp_path))


@pytest.mark.parametrize("name", SETS)
def test_rows_of_all_formats_are_equal(tmp_path: Path, kind: str, name: str) -> None:
    file = write(tmp_path, "some", SETS[name])
    convert(file.rec, tmp_path / f"other{SUFFIX[kind]}")
    pairs = zip(rows(file.rec), rows(tmp_path / f"other{SUFFIX[kind]}"), strict=True)
    for row, other in pairs:
        assert (row.key, row.id, row.image) == (other.key, other.id, other.image)
        assert np.array_equal(row.labels, other.labels, equal_nan=True)
        assert np.array_equal(np.signbit(row.labels), np.signbit(other.labels))


@pytest.mark.parametrize("name", SETS)
def test_what_is_known_from_the_headers_is_what_the_rows_have(tmp_path: Path, name: str) -> None:
    """The columns of the output follow from a survey of the headers, which does not read the images."""
    from recio._storage import LOCAL  # noqa: PLC0415
    from recio.convert._records import RecordSource  # noqa: PLC0415
    from recio.convert._source import ReadOptions  # noqa: PLC0415
    from recio.convert._survey import Survey  # noqa: PLC0415

    file = write(tmp_path, "some", SETS[name])
    for renumber in (False, True):
        source = RecordSource([str(file.rec)], ReadOptions(renumber=renumber), LOCAL)
        assert source.survey() == Survey.of(source.rows())


def test_merged_files(tmp_path: Path, kind: str) -> None:
    """Their keys are new, and their ids are not."""
    for name in ("a", "b"):
        write(tmp_path, name, SETS["of im2rec"])
    merge([tmp_path / "a.rec", tmp_path / "b.rec"], tmp_path / "ab.rec")
    file = RecordFile(tmp_path / "ab.rec", tmp_path / "ab.idx")
    assert same(file, there_and_back(file, kind, tmp_path))


@pytest.mark.parametrize("is_first", [False, True])
def test_face_set(tmp_path: Path, kind: str, *, is_first: bool) -> None:
    """Header record and identity records come back to their places, of which there are several in use."""
    write_face_set(tmp_path)
    records, _ = read_all(tmp_path / "train.rec")
    keys = [*range(1, len(records)), 0]
    pairs = [*zip(keys, records, strict=True)]
    file = write(tmp_path, "faces", pairs[-1:] + pairs[:-1] if is_first else pairs)
    back = there_and_back(file, kind, tmp_path)
    assert same(file, back)
    assert len(FaceRecordDataset(path_imgrec=back)) == 6


def test_shards_of_a_face_set_are_images_only(tmp_path: Path) -> None:
    write_face_set(tmp_path)
    shards = [report.rec for report in split(tmp_path / "train.rec", 2, tmp_path / "part")]
    with pytest.warns(UserWarning, match="5 records without an image were left out, as keys are new"):
        report = convert(shards, tmp_path / "faces.tar")
    assert (report.records, report.without_image, report.renumbered) == (6, 5, True)
    convert(tmp_path / "faces.tar", tmp_path / "back.rec")
    assert len(RecordDataset(tmp_path / "back.rec")) == 6


def test_images_that_were_removed_from_a_face_set(tmp_path: Path) -> None:
    """Identity records refer to images by key: with others they would be wrong."""
    import pyarrow.parquet as pq  # noqa: PLC0415

    write_face_set(tmp_path)
    convert(tmp_path / "train.rec", tmp_path / "faces.parquet")
    table = pq.read_table(tmp_path / "faces.parquet")
    pq.write_table(table.take([0, 1, 5]), tmp_path / "some.parquet")
    with pytest.raises(ValueError, match="there are 3 images, not all that the records without an image refer to"):
        convert(tmp_path / "some.parquet", tmp_path / "some.rec")
    assert not (tmp_path / "some.rec").exists()
    assert convert(tmp_path / "some.parquet", tmp_path / "some.rec", renumber=True).records == 3
    assert len(RecordDataset(tmp_path / "some.rec")) == 3


def test_labels_that_were_changed_are_not_those_of_the_old_header(tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    write(tmp_path, "some", [(n, record(n, 1, IMAGES[n], id2=n)) for n in range(3)])
    convert(tmp_path / "some.rec", tmp_path / "some.parquet")
    table = pq.read_table(tmp_path / "some.parquet")
    changed = table.set_column(1, table.schema.field("label"), pa.array([1, 7, 1]))
    pq.write_table(changed, tmp_path / "changed.parquet")
    convert(tmp_path / "changed.parquet", tmp_path / "changed.rec")
    headers = [unpack(content)[0] for content in read_all(tmp_path / "changed.rec")[0]]
    assert [(header.label, header.id2) for header in headers] == [(1, 0), (7, 0), (1, 2)]


@pytest.mark.parametrize("name", ["of im2rec", "with several labels", "with new keys"])
def test_from_each_format_to_each(tmp_path: Path, kind: str, name: str) -> None:
    file = write(tmp_path, "some", SETS[name])
    convert(file.rec, tmp_path / f"one{SUFFIX[kind]}")
    for other, suffix in SUFFIX.items():
        convert(tmp_path / f"one{SUFFIX[kind]}", tmp_path / f"to_{other}{suffix}")
        convert(tmp_path / f"to_{other}{suffix}", tmp_path / f"{other}.rec")
        assert same(file, tmp_path / f"{other}.rec")


def test_outputs_are_the_same_in_each_run(tmp_path: Path) -> None:
    file = write(tmp_path, "some", SETS["with unusual headers"])
    for suffix in (".tar", ".tfrecord", ".parquet"):
        convert(file.rec, tmp_path / f"a{suffix}")
        convert(file.rec, tmp_path / f"b{suffix}")
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_file_without_an_index(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path, "some", labeled([1, 2, 3]))
    index = file.idx.read_bytes()
    file.idx.unlink()
    back = there_and_back(file, kind, tmp_path)
    assert back.with_suffix(".idx").read_bytes() == index


def test_checksums_are_written(tmp_path: Path) -> None:
    file = write(tmp_path, "some", labeled([1, 2, 3]))
    convert(file.rec, tmp_path / "some.tar")
    convert(tmp_path / "some.tar", tmp_path / "back.rec", checksum=True)
    assert (tmp_path / "back.rsum").exists()
    convert(tmp_path / "some.tar", tmp_path / "back.rec")
    assert not (tmp_path / "back.rsum").exists()
