"""The formats of `recio.convert`, and the libraries whose formats they are: these read what recio writes, and write.

Hugging Face `datasets` (Parquet, WebDataset, folders), TensorFlow (TFRecord), torchvision (ImageFolder).
"""

from __future__ import annotations

import importlib.util
import io
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest
from PIL import Image

from recio.convert import convert, rows
from recio.datasets import RecordDataset
from recio.image import imdecode
from tests.convert.sets import IMAGES, SETS, labeled, same, write
from tests.support.processes import run_python

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile

Library: TypeAlias = Any
"""Module, class or object of a library without types."""
CLASSES = ["cat", "dog", "mouse"]


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    """Write six photographs of three classes."""
    (tmp_path / "pets.classes.txt").write_text("".join(f"{name}\n" for name in CLASSES))
    return write(tmp_path, "pets", labeled([2, 0, 1, 1, 0, 2]))


@pytest.fixture
def hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    """Return the module `datasets`, whose cache is in the folder of the test."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    return datasets


def load(datasets: Library, kind: str, files: Path, folder: Path) -> Library:
    """Load a data set of files, or of a folder."""
    where = {"data_dir": str(files)} if files.is_dir() else {"data_files": str(files)}
    return datasets.load_dataset(kind, **where, split="train", cache_dir=str(folder / "cache"))


def pixels(image: Library) -> list[Any]:
    """Return the shape of an image of Pillow's."""
    return [*np.asarray(image).shape]


class TestHuggingFace:
    def test_reads_parquet(self, hugging_face: Library, file: RecordFile, tmp_path: Path) -> None:
        convert(file.rec, tmp_path / "pets.parquet")
        data = load(hugging_face, "parquet", tmp_path / "pets.parquet", tmp_path)
        assert data.features["label"].names == CLASSES
        assert isinstance(data.features["image"], hugging_face.Image)
        assert data["label"][:] == [2, 0, 1, 1, 0, 2]
        assert pixels(data[1]["image"]) == [*imdecode(IMAGES[1]).shape]
        raw = data.cast_column("image", hugging_face.Image(decode=False))
        assert [row["image"]["bytes"] for row in raw] == IMAGES

    @pytest.mark.parametrize("name", ["with several labels", "with labels of float32", "with unusual headers"])
    def test_parquet_of_all_labels_comes_back_through_it(
        self, hugging_face: Library, tmp_path: Path, name: str
    ) -> None:
        """Read, and written again, by `datasets`: the same record file, byte for byte."""
        file = write(tmp_path, "some", SETS[name])
        convert(file.rec, tmp_path / "some.parquet")
        data = load(hugging_face, "parquet", tmp_path / "some.parquet", tmp_path)
        data.to_parquet(str(tmp_path / "again.parquet"))
        convert(tmp_path / "again.parquet", tmp_path / "back.rec")
        assert same(file, tmp_path / "back.rec")

    def test_writes_what_is_read(self, hugging_face: Library, tmp_path: Path) -> None:
        features = hugging_face.Features(
            {"image": hugging_face.Image(), "label": hugging_face.ClassLabel(names=CLASSES)}
        )
        images = [Image.open(io.BytesIO(image)) for image in IMAGES[:3]]
        data = hugging_face.Dataset.from_dict({"image": images, "label": [1, 0, 2]}, features)
        data.to_parquet(str(tmp_path / "a.parquet"))
        assert convert(tmp_path / "a.parquet", tmp_path / "a.rec").classes == 3
        found = RecordDataset(tmp_path / "a.rec")
        assert (found.labels().tolist(), found.classes) == ([1, 0, 2], CLASSES)
        assert [sample[0].shape for sample in found] == [imdecode(image).shape for image in IMAGES[:3]]

    def test_writes_lists_and_paths(self, hugging_face: Library, tmp_path: Path) -> None:
        (tmp_path / "x.jpg").write_bytes(IMAGES[0])
        sequence = hugging_face.Sequence(hugging_face.Value("float64"))
        features = hugging_face.Features({"image": hugging_face.Image(), "label": sequence})
        data = hugging_face.Dataset.from_dict({"image": [str(tmp_path / "x.jpg")], "label": [[0.5, 2]]}, features)
        data.to_parquet(str(tmp_path / "a.parquet"))
        (row,) = rows(tmp_path / "a.parquet", root=tmp_path)
        assert (row.image, row.labels.tolist()) == (IMAGES[0], [0.5, 2])

    def test_reads_tar(self, hugging_face: Library, file: RecordFile, tmp_path: Path) -> None:
        convert(file.rec, tmp_path / "pets", dst_format="tar", shards=2)
        (tmp_path / "pets" / "pets.classes.txt").unlink()
        data = load(hugging_face, "webdataset", tmp_path / "pets", tmp_path)
        assert data["cls"][:] == [2, 0, 1, 1, 0, 2]
        assert pixels(data[0]["jpg"]) == [*imdecode(IMAGES[0]).shape]

    def test_reads_folder(self, hugging_face: Library, file: RecordFile, tmp_path: Path) -> None:
        convert(file.rec, tmp_path / "folder")
        data = load(hugging_face, "imagefolder", tmp_path / "folder", tmp_path)
        assert data.features["label"].names == CLASSES
        assert sorted(data["label"][:]) == [0, 0, 1, 1, 2, 2]


READ_EXAMPLES = """
import json
import tensorflow as tf
found = []
for example in tf.data.TFRecordDataset(settings["path"]):
    feature = tf.train.Example.FromString(example.numpy()).features.feature
    found.append({name: [*(value.float_list.value or value.int64_list.value)] or
                  [item.decode("latin-1") for item in value.bytes_list.value] for name, value in feature.items()})
print(json.dumps(found))
"""
PARSE_EXAMPLES = """
import tensorflow as tf
one = tf.io.FixedLenFeature
features = {"image/encoded": one([], tf.string), "image/class/label": one([], tf.int64), "id": one([], tf.int64)}
for example in tf.data.TFRecordDataset(settings["path"]):
    row = tf.io.parse_single_example(example, features)
    print(int(row["id"]), int(row["image/class/label"]), *tf.io.decode_image(row["image/encoded"]).shape)
"""
WRITE_EXAMPLES = """
import tensorflow as tf
from tests.convert.sets import IMAGES
train = tf.train
with tf.io.TFRecordWriter(settings["path"]) as writer:
    for label, image in enumerate(IMAGES):
        feature = {
            settings["image"]: train.Feature(bytes_list=train.BytesList(value=[image])),
            settings["label"]: train.Feature(int64_list=train.Int64List(value=[label])),
            "weights": train.Feature(float_list=train.FloatList(value=[0.5] * 300)),
            "empty": train.Feature(),
            "negative": train.Feature(int64_list=train.Int64List(value=[-1, 1 << 62])),
        }
        writer.write(train.Example(features=train.Features(feature=feature)).SerializeToString())
"""


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="TensorFlow is not installed")
class TestTensorFlow:
    """In processes of its own: in one, PyTorch crashes after TensorFlow has been imported."""

    @staticmethod
    def run(script: str, **settings: object) -> str:
        done = run_python(script, **settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_parses_examples(self, file: RecordFile, tmp_path: Path) -> None:
        convert(file.rec, tmp_path / "pets.tfrecord")
        lines = self.run(PARSE_EXAMPLES, path=str(tmp_path / "pets.tfrecord")).splitlines()
        shapes = [" ".join(map(str, imdecode(image).shape)) for image in IMAGES]
        assert lines == [f"{n} {label} {shapes[n]}" for n, label in enumerate([2, 0, 1, 1, 0, 2])]

    def test_reads_all_features(self, file: RecordFile, tmp_path: Path) -> None:
        convert(file.rec, tmp_path / "pets.tfrecord")
        found = json.loads(self.run(READ_EXAMPLES, path=str(tmp_path / "pets.tfrecord")))
        assert [row["image/encoded"][0].encode("latin-1") for row in found] == IMAGES
        assert [row["image/class/text"] for row in found][:3] == [["mouse"], ["cat"], ["dog"]]
        assert {row["image/format"][0] for row in found} == {"jpeg"}
        assert [row["image/filename"] for row in found][:2] == [["000000000.jpg"], ["000000001.jpg"]]

    @pytest.mark.parametrize("name", ["with several labels", "with labels of float32", "with large ids"])
    def test_reads_all_labels(self, tmp_path: Path, name: str) -> None:
        file = write(tmp_path, "some", SETS[name])
        convert(file.rec, tmp_path / "some.tfrecord")
        found = json.loads(self.run(READ_EXAMPLES, path=str(tmp_path / "some.tfrecord")))
        for example, row in zip(found, rows(file.rec), strict=True):
            assert np.array_equal(np.float32(example["image/class/label"]), row.labels)
            assert example["id"][0] % (1 << 64) == row.id

    @pytest.mark.parametrize(("image", "label"), [("image/encoded", "image/class/label"), ("image", "label")])
    def test_writes_what_is_read(self, tmp_path: Path, image: str, label: str) -> None:
        self.run(WRITE_EXAMPLES, path=str(tmp_path / "a.tfrecord"), image=image, label=label)
        assert convert(tmp_path / "a.tfrecord", tmp_path / "a.rec").records == len(IMAGES)
        found = list(rows(tmp_path / "a.rec"))
        assert [(row.image, row.labels.tolist()) for row in found] == [(image, [n]) for n, image in enumerate(IMAGES)]


class TestTorchvision:
    @pytest.fixture
    def image_folder(self) -> Library:
        return pytest.importorskip("torchvision.datasets").ImageFolder

    @pytest.mark.parametrize("classes", [CLASSES, ["mouse", "dog", "cat"], None])
    def test_labels_are_equal(self, image_folder: Library, tmp_path: Path, classes: list[str] | None) -> None:
        """Also where the names of the classes do not sort as the labels do."""
        labels = [2, 0, 1, 1, 0, 2]
        file = write(tmp_path, "a", labeled(labels))
        convert(file.rec, tmp_path / "folder", classes=classes)
        data = image_folder(tmp_path / "folder")
        assert len(data) == len(labels)
        by_number = {int(path.rpartition("/")[2][:9]): label for path, label in data.samples}
        assert [by_number[n] for n in range(6)] == labels
        assert data.classes == (CLASSES if classes == CLASSES else ["0", "1", "2"])

    def test_reads_the_same_labels_from_a_tree(self, image_folder: Library, tmp_path: Path) -> None:
        for number, name in enumerate(["b/1.jpg", "a/2.jpg", "a/1.JPG", "c/x.webp", "c/y.png"]):
            (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "tree" / name).write_bytes(IMAGES[number])
        data = image_folder(tmp_path / "tree")
        found = list(rows(tmp_path / "tree"))
        assert [row.labels.tolist() for row in found] == [[label] for _, label in data.samples]
        assert convert(tmp_path / "tree", tmp_path / "a.rec").classes == 3
        assert RecordDataset(tmp_path / "a.rec").classes == data.classes


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves the files open
def test_webdataset_reads_shards(file: RecordFile, tmp_path: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    convert(file.rec, tmp_path / "pets", dst_format="tar", shards=2)
    urls = str(tmp_path / "pets" / "pets_{00000..00001}.tar")
    data = webdataset.WebDataset(urls, shardshuffle=False).decode("pil").to_tuple("jpg", "cls")
    assert [label for _, label in data] == [2, 0, 1, 1, 0, 2]
