"""Sets of shards from data sets of Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import ray.data
from ray.data.datasource import Datasink

import recio
import recio.ray
from recio.image import imdecode
from recio.recordio import unpack
from tests.ray.clusters import keys_of, names, records_of
from tests.support.records import read_all

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile
    from tests.support.servers.moto import Moto

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("two_cores")]


def rows(*values: dict[str, Any]) -> ray.data.Dataset:
    """Return a data set of a few rows, completed by what they lack."""
    defaults = {"label": 1.0, "image": b"image"}
    return ray.data.from_items([{"id": number, **defaults, **value} for number, value in enumerate(values)])


def test_records_are_written_unchanged(many: RecordFile, tmp_path: Path) -> None:
    dataset = recio.ray.read_records(many.rec, override_num_blocks=4)
    manifest = recio.ray.write_records(dataset, tmp_path / "out", shard_size=1 << 20, checksum=True)
    assert records_of(manifest) == read_all(many.rec)[0]
    assert manifest == recio.files.read_manifest(tmp_path / "out.recset.json")
    assert keys_of(manifest) == list(range(300))
    assert all(recio.files.verify(shard.rec).ok for shard in manifest.shards)
    assert max(shard.bytes for shard in manifest.shards) <= 1 << 20
    expected = [
        f"out_{number:05}{suffix}" for number in range(len(manifest.shards)) for suffix in (".idx", ".rec", ".rsum")
    ]
    assert names(tmp_path) == ["out.recset.json", *expected]


@pytest.mark.skipif(not hasattr(Datasink, "min_bytes_per_write"), reason="Ray is older than 2.60")
def test_small_blocks_become_one_shard(many: RecordFile, tmp_path: Path) -> None:
    dataset = recio.ray.read_records(many.rec, override_num_blocks=8)
    assert len(recio.ray.write_records(dataset, tmp_path / "out").shards) == 1


def test_arrays_are_encoded(many: RecordFile, tmp_path: Path) -> None:
    dataset = recio.ray.read_records(many.rec, decode="rgb", override_num_blocks=2).limit(20)
    manifest = recio.ray.write_records(dataset, tmp_path / "out", encoding=".png", quality=1, shard_size=1 << 24)
    written = {header.id: imdecode(payload) for header, payload in map(unpack, records_of(manifest))}
    read = {header.id: imdecode(payload) for header, payload in map(unpack, read_all(many.rec)[0])}
    assert len(written) == 20
    for id_, image in written.items():
        np.testing.assert_array_equal(image, read[id_])


def test_several_labels_are_written(tmp_path: Path) -> None:
    manifest = recio.ray.write_records(rows({"label": [1.0, 2.5]}, {"label": [3.0, 4.5]}), tmp_path / "out")
    assert sorted(unpack(record)[0].label.tolist() for record in records_of(manifest)) == [[1, 2.5], [3, 4.5]]


def test_columns_have_other_names(tmp_path: Path) -> None:
    dataset = ray.data.from_items([{"jpg": b"a", "cls": np.int64(3), "number": 2**63 + 1}])
    manifest = recio.ray.write_records(dataset, tmp_path / "out", image="jpg", label="cls", id="number")
    header, payload = unpack(records_of(manifest)[0])
    assert (header.label, header.id, payload) == (3, 2**63 + 1, b"a")


def test_ids_are_unique_where_there_are_none(tmp_path: Path) -> None:
    dataset = ray.data.from_items([{"image": b"a"}] * 40, override_num_blocks=4)
    manifest = recio.ray.write_records(dataset, tmp_path / "out", label=None, id=None)
    headers = [unpack(record)[0] for record in records_of(manifest)]
    assert len({header.id for header in headers}) == 40
    assert {header.label for header in headers} == {0}


def test_classes_are_in_the_manifest(tmp_path: Path) -> None:
    recio.ray.write_records(rows({}), tmp_path / "out", classes=["cat", "dog"])
    assert recio.files.read_manifest(tmp_path / "out.recset.json").classes == ["cat", "dog"]


def test_an_older_set_is_replaced(many: RecordFile, tmp_path: Path) -> None:
    dataset = recio.ray.read_records(many.rec, override_num_blocks=2)
    recio.ray.write_records(dataset, tmp_path / "out", shard_size=1 << 20, checksum=True)
    again = recio.ray.read_records(tmp_path / "out.recset.json").limit(10)
    recio.ray.write_records(again, tmp_path / "out")
    assert names(tmp_path) == ["out.recset.json", "out_00000.idx", "out_00000.rec"]
    assert recio.ray.read_records(tmp_path / "out.recset.json").count() == 10


@pytest.mark.parametrize(
    ("row", "settings", "kind", "message"),
    [
        (
            {},
            {"image": "img"},
            ValueError,
            r"image='img' is no column of the data set: pass one of 'id', ",
        ),
        ({}, {"id": "n"}, ValueError, r"id='n' is no column .*, or id=None"),
        ({"label": 25130987.0}, {}, ValueError, r"the row with the id 0: the label 25130987.0 is stored as 25130988"),
        ({"label": "cat"}, {}, ValueError, r"the row with the id 0: could not convert string to float"),
        ({"id": -1}, {}, ValueError, r"the row with the id -1: "),
        ({"image": None}, {}, ValueError, r"the column 'image' has a row without a value"),
        ({"image": "a.jpg"}, {}, TypeError, r"the row with the id 0: images must be bytes or arrays of uint8, got str"),
        (
            {"image": np.zeros((4, 4, 3))},
            {},
            TypeError,
            r"the row with the id 0: .*, got an array of float64",
        ),
    ],
)
def test_a_row_that_cannot_be_written_is_named(
    row: dict[str, Any], settings: dict[str, Any], kind: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=message):
        recio.ray.write_records(rows(row), tmp_path / "out", **settings)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shard_size": 0}, r"shard_size must be at least 1, got 0"),
        ({"quality": 101}, r"quality must be from 1 to 100, got 101"),
        ({"encoding": ".gif"}, r"encoding must be one of '.jpg', '.png', got '.gif'"),
    ],
)
def test_wrong_arguments_are_named(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        recio.ray.write_records(rows({}), tmp_path / "out", **settings)


def test_no_rows_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the data set has no rows"):
        recio.ray.write_records(rows({}).limit(0), tmp_path / "out")
    assert names(tmp_path) == []


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        recio.ray.write_records(rows({}), tmp_path / "missing" / "out")


def test_a_set_in_a_store(many: RecordFile, moto: Moto, options: dict[str, Any]) -> None:
    moto.create_bucket("written")
    dataset = recio.ray.read_records(many.rec, override_num_blocks=4)
    for _ in range(2):
        manifest = recio.ray.write_records(dataset, "s3://written/out", shard_size=1 << 20, storage_options=options)
    assert records_of(manifest, options) == read_all(many.rec)[0]
    assert keys_of(manifest, options) == list(range(300))
    shards = [str(shard.rec).removeprefix("s3://written/").removesuffix(".rec") for shard in manifest.shards]
    assert moto.keys("written") == sorted(
        ["out.recset.json", *(f"{name}{end}" for name in shards for end in (".idx", ".rec"))]
    )
    read = recio.ray.read_records("s3://written/out.recset.json", storage_options=options)
    assert read.count() == 300
    assert sorted(row["key"] for row in read.take_all()) == list(range(300))


def test_a_write_to_a_store_that_fails_leaves_nothing(many: RecordFile, moto: Moto, options: dict[str, Any]) -> None:
    moto.create_bucket("failed")
    dataset = recio.ray.read_records(many.rec, override_num_blocks=4).map(lambda row: {**row, "id": 99 - row["id"]})
    with pytest.raises(ValueError, match="the row with the id -"):
        recio.ray.write_records(dataset, "s3://failed/out", shard_size=1 << 18, storage_options=options)
    assert moto.keys("failed") == []
