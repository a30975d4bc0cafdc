"""Data sets of Ray from record files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio
import recio.ray
from recio.image import imdecode
from recio.recordio import unpack
from tests.support.faces import write_face_set
from tests.support.records import FIRST_ID, image_record, noise, png, read_all, write, write_records

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile
    from tests.support.servers.moto import Moto

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("two_cores")]


def by_key(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in the order of their keys; Ray's is that in which its tasks end."""
    return sorted(rows, key=lambda row: (row["path"], row["key"]))


def test_rows_are_the_records(many: RecordFile) -> None:
    dataset = recio.ray.read_records(many.rec, override_num_blocks=4)
    rows = by_key(dataset.take_all())
    expected = [unpack(record) for record in read_all(many.rec)[0]]
    assert [row["image"] for row in rows] == [payload for _, payload in expected]
    assert [(row["id"], row["label"]) for row in rows] == [(header.id, header.label) for header, _ in expected]
    assert [row["key"] for row in rows] == list(range(300))
    assert {row["path"] for row in rows} == {str(many.rec)}


def test_a_file_is_read_by_several_tasks(many: RecordFile) -> None:
    dataset = recio.ray.read_records(many.rec, override_num_blocks=4).materialize()
    assert dataset.num_blocks() == 4


def test_rows_are_counted_by_the_index(many: RecordFile, tmp_path: Path) -> None:
    copy = tmp_path / "a.rec"
    content = bytearray(many.rec.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    copy.write_bytes(content)
    copy.with_suffix(".idx").write_bytes(many.idx.read_bytes())
    assert recio.ray.read_records(copy).count() == 300


def test_images_are_decoded(many: RecordFile) -> None:
    dataset = recio.ray.read_records(many.rec, decode="rgb", override_num_blocks=3)
    assert dataset.count() == 300
    rows = by_key(dataset.take_all())
    for row, record in zip(rows, read_all(many.rec)[0], strict=True):
        np.testing.assert_array_equal(row["image"], imdecode(unpack(record)[1]))


def test_images_of_one_size_and_of_several_are_batches(tmp_path: Path) -> None:
    records = [image_record(png(noise(8, 8 + number // 4)), number) for number in range(8)]
    dataset = recio.ray.read_records(write_records(tmp_path, records).rec, decode="rgb", override_num_blocks=2)
    images = [image for batch in dataset.iter_batches(batch_size=8) for image in batch["image"]]
    assert sorted(image.shape for image in images) == [(8, 8, 3)] * 4 + [(8, 9, 3)] * 4


def test_several_labels_are_a_list(tmp_path: Path) -> None:
    records = [image_record(b"x", number, [number, 0.5]) for number in range(3)]
    rows = by_key(recio.ray.read_records(write_records(tmp_path, records).rec).take_all())
    assert [list(row["label"]) for row in rows] == [[0, 0.5], [1, 0.5], [2, 0.5]]


def test_a_number_can_be_a_list(tmp_path: Path) -> None:
    records = [image_record(b"x", 0, 3.0), image_record(b"x", 1, [1, 2])]
    rows = by_key(recio.ray.read_records(write_records(tmp_path, records).rec, labels="list").take_all())
    assert [list(row["label"]) for row in rows] == [[3], [1, 2]]


def test_a_list_is_no_number(tmp_path: Path) -> None:
    records = [image_record(b"x", 0, 3.0), image_record(b"x", 1, [1, 2])]
    file = write_records(tmp_path, records)
    with pytest.raises(recio.RecordError, match=r"record 1 \(id 101\) at byte \d+: .*labels='list'"):
        recio.ray.read_records(file.rec).take_all()


def test_a_file_without_an_index_is_read(tmp_path: Path) -> None:
    rec = write(tmp_path / "a.rec", [image_record(b"x", number) for number in range(5)])
    dataset = recio.ray.read_records(rec)
    assert dataset.count() == 5
    assert [row["id"] for row in by_key(dataset.take_all())] == [FIRST_ID + number for number in range(5)]


def test_folders_and_lists_of_files_are_read(tmp_path: Path) -> None:
    files = [write_records(tmp_path, [image_record(b"x", number)], name) for number, name in enumerate("ab")]
    for paths in (tmp_path, [file.rec for file in files], f"{files[0].rec};{files[1].rec}", tmp_path / ".*rec"):
        assert [row["label"] for row in by_key(recio.ray.read_records(paths).take_all())] == [0, 1]


def test_manifests_are_read(many: RecordFile, tmp_path: Path) -> None:
    shards = [report.shard() for report in recio.files.split(many.rec, 3, tmp_path / "a")]
    recio.files.write_manifest(tmp_path / "a.recset.json", shards)
    dataset = recio.ray.read_records(tmp_path / "a.recset.json")
    assert dataset.count() == 300
    assert [row["label"] for row in by_key(dataset.take_all())] == list(range(300))


def test_rows_of_a_face_data_set_are_its_images(tmp_path: Path) -> None:
    write_face_set(tmp_path)
    dataset = recio.ray.read_records(tmp_path / "train.rec", labels="list")
    expected = len(recio.datasets.FaceRecordDataset(tmp_path / "train.rec"))
    assert dataset.count() == len(dataset.take_all()) == expected


def test_a_manifest_of_a_face_data_set_counts_its_images(tmp_path: Path) -> None:
    write_face_set(tmp_path)
    shards = [report.shard() for report in recio.files.split(tmp_path / "train.rec", 2)]
    recio.files.write_manifest(tmp_path / "train.recset.json", shards)
    dataset = recio.ray.read_records(tmp_path / "train.recset.json", labels="list")
    assert dataset.count() == len(dataset.take_all()) == 6


def test_a_damaged_record_is_named(many: RecordFile, tmp_path: Path) -> None:
    content = bytearray(many.rec.read_bytes())
    offset = int(many.idx.read_text().splitlines()[200].split("\t")[1])
    content[offset + 8 : offset + 12] = b"\xff\xff\xff\x7f"
    (tmp_path / "a.rec").write_bytes(content)
    (tmp_path / "a.idx").write_bytes(many.idx.read_bytes())
    with pytest.raises(recio.RecordError, match=rf"a\.rec: record 200 at byte {offset}: the header claims") as caught:
        recio.ray.read_records(tmp_path / "a.rec").take_all()
    error = caught.value.cause  # type: ignore[attr-defined] # what Ray adds
    assert (error.path, error.record, error.offset) == (str(tmp_path / "a.rec"), 200, offset)


def test_an_image_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(png(noise(8, 8)), 0), image_record(b"no image", 1)])
    with pytest.raises(recio.DecodeError, match=r"some\.rec: record 1 \(id 101\) at byte \d+: "):
        recio.ray.read_records(file.rec, decode="rgb").take_all()


def test_objects_are_read_with_the_options(many: RecordFile, moto: Moto, options: dict[str, str]) -> None:
    moto.create_bucket("sets")
    moto.put_file("sets", "a.rec", many.rec)
    moto.put_file("sets", "a.idx", many.idx)
    dataset = recio.ray.read_records("s3://sets/a.rec", storage_options=options, override_num_blocks=2)
    rows = by_key(dataset.take_all())
    assert [row["image"] for row in rows] == [unpack(record)[1] for record in read_all(many.rec)[0]]
    assert rows[0]["path"] == "s3://sets/a.rec"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"decode": "bgr"}, r"decode must be one of None, 'rgb', got 'bgr'"),
        ({"labels": 2}, r"labels must be one of 'auto', 'number', 'list', got 2"),
    ],
)
def test_wrong_arguments_are_named(many: RecordFile, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recio.ray.read_records(many.rec, **settings)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        recio.ray.read_records(tmp_path / "none.rec")
