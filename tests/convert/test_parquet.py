"""Parquet: what is written, and what other programs write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recio import RecordError
from recio.convert import convert, rows
from recio.datasets import RecordDataset
from tests.support.processes import run_python

from .sets import IMAGES, SETS, labeled, write

if TYPE_CHECKING:
    from pathlib import Path


def table(columns: dict[str, Any], features: dict[str, Any] | None = None) -> pa.Table:
    """Return a table, with the features of `datasets` if there are any."""
    made = pa.table(columns)
    if features is None:
        return made
    return made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def images(number: int = 3, path: str | None = None) -> list[dict[str, Any]]:
    """Return cells of the feature `Image`."""
    return [{"bytes": IMAGES[n], "path": path and path.format(n)} for n in range(number)]


def save(folder: Path, columns: dict[str, Any], features: dict[str, Any] | None = None, name: str = "a") -> Path:
    """Write a Parquet file."""
    path = folder / f"{name}.parquet"
    pq.write_table(table(columns, features), path)
    return path


def label_column(folder: Path, values: Any) -> list[list[float]]:  # noqa: ANN401 whatever makes a column
    """Return the labels that a column of labels becomes."""
    path = save(folder, {"image": images(len(values)), "label": values})
    return [row.labels.tolist() for row in rows(path)]


def test_columns_and_features(tmp_path: Path) -> None:
    file = write(tmp_path, "a", labeled([0, 1, 1]))
    convert(file.rec, tmp_path / "a.parquet", classes=["cat", "dog"])
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert json.loads(schema.metadata[b"huggingface"])["info"]["features"] == {
        "image": {"_type": "Image"},
        "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
        "id": {"dtype": "uint64", "_type": "Value"},
    }
    assert [str(kind) for kind in schema.types] == ["struct<bytes: binary, path: string>", "int64", "uint64"]
    cells = pq.read_table(tmp_path / "a.parquet").to_pylist()
    assert [(cell["label"], cell["id"], cell["image"]["path"]) for cell in cells] == [
        (0, 0, "000000000.jpg"),
        (1, 1, "000000001.jpg"),
        (1, 2, "000000002.jpg"),
    ]
    assert [cell["image"]["bytes"] for cell in cells] == IMAGES[:3]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("of im2rec", "int64"),
        ("with labels of float32", "float"),
        ("with several labels", "list<element: float>"),
        ("with more and more labels", "list<element: float>"),
    ],
)
def test_type_of_the_labels(tmp_path: Path, name: str, kind: str) -> None:
    convert(write(tmp_path, "a", SETS[name]).rec, tmp_path / "a.parquet")
    schema = pq.read_schema(tmp_path / "a.parquet")
    assert str(schema.field("label").type) == kind
    assert "recio" not in schema.names


def test_column_of_what_is_not_usual(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", SETS["with unusual headers"]).rec, tmp_path / "a.parquet")
    cells = pq.read_table(tmp_path / "a.parquet").column("recio").to_pylist()
    assert [cell is None for cell in cells] == [False, False, False, True, False, False]


def test_row_groups_are_small_and_images_are_not_compressed(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", labeled([1] * 250)).rec, tmp_path / "a.parquet")
    metadata = pq.read_metadata(tmp_path / "a.parquet")
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [100, 100, 50]
    column = metadata.row_group(0).column(0)
    assert (column.path_in_schema, column.compression) == ("image.bytes", "UNCOMPRESSED")
    assert column.total_compressed_size < 100 * max(map(len, IMAGES))


@pytest.mark.parametrize("path", [None, "n0{}_a.jpg"])
def test_names_that_are_no_numbers_are_numbered(tmp_path: Path, path: str | None) -> None:
    found = list(rows(save(tmp_path, {"image": images(3, path), "label": [2, 0, 1]})))
    assert [(row.key, row.id, row.labels.tolist()) for row in found] == [(0, 0, [2]), (1, 1, [0]), (2, 2, [1])]
    assert [row.image for row in found] == IMAGES[:3]


def test_names_that_are_numbers_are_keys(tmp_path: Path) -> None:
    path = save(tmp_path, {"image": images(3, "dir/7{}.jpg"), "label": [1, 1, 1]})
    assert [(row.key, row.id) for row in rows(path)] == [(70, 70), (71, 71), (72, 72)]
    assert [row.key for row in rows(path, renumber=True)] == [0, 1, 2]


def test_same_numbers_are_an_error_with_the_option_that_numbers_all(tmp_path: Path) -> None:
    path = save(tmp_path, {"image": images(3, "7.jpg"), "label": [1, 1, 1]})
    with pytest.raises(ValueError, match=r"a\.rec: two images have the key 7: --renumber \(renumber=True\) numbers"):
        convert(path, tmp_path / "a.rec")
    assert not (tmp_path / "a.rec").exists()
    assert convert(path, tmp_path / "a.rec", renumber=True).records == 3


def test_number_and_then_a_name(tmp_path: Path) -> None:
    cells = [*images(1, "7.jpg"), *images(1, "x.jpg")]
    with pytest.raises(RecordError, match=r"a.parquet: record 1: the name 'x.jpg' is no number, and those before it"):
        list(rows(save(tmp_path, {"image": cells, "label": [1, 1]})))


def test_plain_column_of_bytes(tmp_path: Path) -> None:
    for kind in (pa.binary(), pa.large_binary()):
        path = save(tmp_path, {"content": pa.array(IMAGES[:2], kind), "label": [1, 2]})
        assert [row.image for row in rows(path)] == IMAGES[:2]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2], [[1], [2]]),
        (pa.array([1, 2], pa.uint8()), [[1], [2]]),
        ([0.5, 1e9 + 0.5], [[0.5], [1e9]]),
        ([True, False], [[1], [0]]),
        ([[1, 2], [3]], [[1, 2], [3]]),
        (pa.array([[1.5, 2], [3, 4]], pa.list_(pa.float64(), 2)), [[1.5, 2], [3, 4]]),
        (["5", " 6 "], [[5], [6]]),
        (pa.array(["1.5", "2"]).dictionary_encode(), [[1.5], [2]]),
    ],
)
def test_labels(tmp_path: Path, values: Any, expected: list[list[float]]) -> None:  # noqa: ANN401
    assert label_column(tmp_path, values) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, None], "record 1: it has no label"),
        ([[1], []], "record 1: the list of labels is empty"),
        ([[1.0], [None]], "record 1: it has no label"),
        (["1", "cat"], r"record 1: the label 'cat' is no number and no known name of a class; --classes FILE"),
        ([1, 16777217], "record 1: the label 16777217 would become 1.67772e.07: labels are float32; ids are exact"),
        ([1.0, 1e300], r"record 1: the label 1e\+300 would become inf: labels are float32"),
        ([{"a": 1}, {"a": 2}], "record 0: a label must be a number, got {'a': 1}"),
        ([b"1", b"2"], "record 0: a label must be a number, got b'1'"),
    ],
)
def test_labels_that_are_none(tmp_path: Path, values: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(RecordError, match=message) as raised:
        label_column(tmp_path, values)
    assert raised.value.path == str(tmp_path / "a.parquet")


def test_names_of_classes_become_numbers(tmp_path: Path) -> None:
    path = save(tmp_path, {"image": images(2), "label": ["dog", "cat"]})
    report = convert(path, tmp_path / "a.rec", classes=["cat", "dog"])
    assert report.classes == 2
    data = RecordDataset(tmp_path / "a.rec")
    assert (data.labels().tolist(), data.classes) == ([1, 0], ["cat", "dog"])


def test_names_of_the_feature_are_kept(tmp_path: Path) -> None:
    features = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    convert(save(tmp_path, {"image": images(2), "label": [1, 0]}, features), tmp_path / "a.rec")
    assert (tmp_path / "a.classes.txt").read_text() == "cat\ndog\n"
    assert RecordDataset(tmp_path / "a.rec").classes == ["cat", "dog"]


def test_columns_are_found_by_their_features_and_by_option(tmp_path: Path) -> None:
    features = {"photo": {"_type": "Image"}, "kind": {"names": ["a", "b"], "_type": "ClassLabel"}}
    columns = {"thumb": images(2), "photo": images(2), "kind": [1, 0], "size": [8, 9]}
    assert [row.labels.tolist() for row in rows(save(tmp_path, columns, features))] == [[1], [0]]
    path = save(tmp_path, columns)
    with pytest.raises(ValueError, match="which of the columns 'thumb', 'photo', 'kind', 'size' has the images"):
        rows(path)
    with pytest.raises(ValueError, match=r"has the labels. --label-column names it"):
        rows(path, image_column="thumb")
    found = rows(path, image_column="thumb", label_column="size")
    assert [row.labels.tolist() for row in found] == [[8], [9]]
    with pytest.raises(ValueError, match="it has no column 'x', but 'thumb', 'photo', 'kind', 'size'"):
        rows(path, image_column="x", label_column="size")


def test_images_that_are_only_named(tmp_path: Path) -> None:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "sub" / "a.jpg").write_bytes(IMAGES[0])
    (tmp_path / "outside.jpg").write_bytes(IMAGES[1])
    (tmp_path / "root" / "link.jpg").symlink_to(tmp_path / "outside.jpg")
    path = save(tmp_path, {"image": [{"bytes": None, "path": "sub/a.jpg"}], "label": [1]})
    with pytest.raises(RecordError, match=r"record 0: the image is only named, 'sub/a.jpg': --root DIR"):
        list(rows(path))
    assert [row.image for row in rows(path, root=tmp_path / "root")] == IMAGES[:1]
    for outside in ("../outside.jpg", str(tmp_path / "outside.jpg"), "link.jpg", "sub/../../outside.jpg"):
        path = save(tmp_path, {"image": [{"bytes": None, "path": outside}], "label": [1]})
        with pytest.raises(RecordError, match=r"leave|outside"):
            list(rows(path, root=tmp_path / "root"))


def test_row_without_image(tmp_path: Path) -> None:
    path = save(tmp_path, {"image": [*images(1), {"bytes": None, "path": None}], "label": [1, 1]})
    with pytest.raises(RecordError, match="record 1: it has no image"):
        list(rows(path))
    path = save(tmp_path, {"image": pa.array([*images(1), None]), "label": [1, 1]})
    with pytest.raises(RecordError, match="record 1: it has no image"):
        list(rows(path))


@pytest.mark.parametrize("cells", [["a.jpg"], [[IMAGES[0]]], [5], [{"bytes": "text", "path": "x"}]])
def test_cells_that_are_no_images(tmp_path: Path, cells: list[Any]) -> None:
    path = save(tmp_path, {"image": cells, "label": [1]})
    with pytest.raises(RecordError, match="record 0: an image must be bytes, or bytes and a path, got"):
        list(rows(path, image_column="image"))


def test_several_files_have_the_same_names(tmp_path: Path) -> None:
    for name, names in (("a", ["x", "y"]), ("b", ["y", "x"])):
        save(tmp_path, {"image": images(1), "label": [1]}, {"label": {"names": names, "_type": "ClassLabel"}}, name)
    with pytest.raises(ValueError, match=r"b.parquet: its names of classes differ from those of .*a.parquet"):
        rows(tmp_path / "*.parquet")


@pytest.mark.parametrize("metadata", [b"{", b"[]", b'{"info": 3}', b'{"info": {"features": [1]}}', b"\xff"])
def test_metadata_that_is_none_is_ignored(tmp_path: Path, metadata: bytes) -> None:
    made = table({"image": images(1), "label": [1]}).replace_schema_metadata({"huggingface": metadata})
    pq.write_table(made, tmp_path / "a.parquet")
    assert len(list(rows(tmp_path / "a.parquet"))) == 1


def test_column_of_what_is_not_usual_may_be_hostile(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"header": 3}', '{"header": "zz"}', '{"before": "AAAA"}', "[" * 100_000, "null"):
        path = save(tmp_path, {"image": images(1), "label": [1], "recio": [text]})
        with pytest.raises(ValueError, match="the field recio must be what recio has written"):
            convert(path, tmp_path / "a.rec")


@pytest.mark.parametrize("length", [0, 3, 4, 100, -1, -5, -50, -2000])
def test_truncated_file(tmp_path: Path, length: int) -> None:
    file = write(tmp_path, "a", labeled([0, 1, 1]))
    convert(file.rec, tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[:length])
    with pytest.raises(RecordError, match=r"a.parquet: this is no sound Parquet file"):
        convert(tmp_path / "a.parquet", tmp_path / "b.rec")
    assert not (tmp_path / "b.rec").exists()


def test_flipped_bits_are_errors_or_harmless(tmp_path: Path) -> None:
    """Pages have checksums; in the metadata, a bit may be one that nobody reads."""
    file = write(tmp_path, "a", labeled([0, 1, 1], [b"\xff\xd8\xffabc"]))
    convert(file.rec, tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for at in np.random.default_rng(0).integers(0, len(content) * 8, 200).tolist():
        damaged = bytearray(content)
        damaged[at // 8] ^= 1 << at % 8
        (tmp_path / "b.parquet").write_bytes(damaged)
        try:
            found = list(rows(tmp_path / "b.parquet"))
        except (RecordError, ValueError):
            continue
        assert [row.image for row in found] == [b"\xff\xd8\xffabc"] * 3, at


def test_without_pyarrow(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None; from recio.convert import rows\n"
        "try:\n    rows('a.parquet', src_format='parquet')\nexcept ModuleNotFoundError as error:\n    print(error)"
    )
    (tmp_path / "a.parquet").touch()
    done = run_python(script.replace("a.parquet", str(tmp_path / "a.parquet")))
    assert done.stdout == "Parquet files need pyarrow, which is missing: pip install 'recio[parquet]'\n", done.stderr
