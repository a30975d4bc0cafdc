"""TFRecord: what is written, and what other programs write. TensorFlow's own part is in tests/frameworks."""

from __future__ import annotations

import gzip
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError, _recio
from recio.convert import convert, rows
from recio.convert._example import decode_example, encode_example
from recio.datasets import RecordDataset

from .sets import IMAGES, SETS, labeled, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from recio.convert._example import Value


def masked(data: bytes) -> bytes:
    """Return TFRecord's checksum by its definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def frame(example: bytes) -> bytes:
    """Return an example as it is in a file."""
    length = struct.pack("<Q", len(example))
    return length + masked(length) + example + masked(example)


def make(path: Path, examples: Sequence[dict[str, Value]]) -> Path:
    """Write a TFRecord file."""
    path.write_bytes(b"".join(frame(encode_example(example)) for example in examples))
    return path


def examples(path: Path) -> Iterator[dict[str, Value]]:
    """Read a TFRecord file, whose checksums must be right."""
    content = path.read_bytes()
    while content:
        length = int.from_bytes(content[:8], "little")
        assert content[: 16 + length] == frame(content[12 : 12 + length])
        yield decode_example(content[12 : 12 + length])
        content = content[16 + length :]


def test_checksum_of_bytes() -> None:
    assert _recio.crc32c_of_bytes(b"123456789") == 0xE3069283
    assert _recio.crc32c_of_bytes(b"") == 0


def test_features(tmp_path: Path) -> None:
    file = write(tmp_path, "a", [(n, content[:700]) for n, content in labeled([1, 0])])
    convert(file.rec, tmp_path / "a.tfrecord", classes=["cat", "dog"])
    first, second = examples(tmp_path / "a.tfrecord")
    assert first == {
        "image/encoded": [IMAGES[0][: 700 - 24]],
        "image/format": [b"jpeg"],
        "image/filename": [b"000000000.jpg"],
        "image/class/label": [1],
        "image/class/text": [b"dog"],
        "id": [0],
    }
    assert second["image/class/text"] == [b"cat"]


def test_labels_that_are_no_integers_are_floats(tmp_path: Path) -> None:
    records = [(key, content[:600]) for key, content in SETS["with several labels"]]
    convert(write(tmp_path, "a", records).rec, tmp_path / "a.tfrecord")
    label = next(examples(tmp_path / "a.tfrecord"))["image/class/label"]
    assert isinstance(label, np.ndarray)
    assert np.array_equal(label, np.array([0, 0.1, 0], np.float32))


@pytest.mark.parametrize(
    "features",
    [
        {"image/encoded": [b"i"], "image/class/label": [7], "image/filename": [b"n01_5.JPEG"]},
        {"image": [b"i"], "label": [7], "file_name": [b"a.png"], "id": [b"text"]},
        {"image": [b"i"], "label": np.array([7], "f4")},
        {"image": [b"i"], "label": [b"7"]},
    ],
    ids=["TF-Slim", "TFDS", "float", "text"],
)
def test_features_of_other_programs(tmp_path: Path, features: dict[str, Value]) -> None:
    found = list(rows(make(tmp_path / "a.tfrecord", [features] * 2)))
    assert [(row.key, row.id, row.image, row.labels.tolist()) for row in found] == [
        (0, 0, b"i", [7]),
        (1, 1, b"i", [7]),
    ]


def test_features_by_option_and_errors(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tfrecord", [{"photo": [b"i"], "age": [7]}])
    with pytest.raises(
        RecordError, match="record 0 at byte 0: the example has no feature 'image/encoded' or 'image', but"
    ):
        list(rows(path))
    with pytest.raises(
        RecordError, match=r"no feature 'image/class/label' or 'label', but 'age', 'photo'; --label-column"
    ):
        list(rows(path, image_column="photo"))
    (row,) = rows(path, image_column="photo", label_column="age")
    assert (row.image, row.labels.tolist()) == (b"i", [7])
    with pytest.raises(RecordError, match="no feature 'x'"):
        list(rows(path, image_column="x"))


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"image": [], "label": [1]}, "the image must be one bytes value, got 0 bytes values"),
        ({"image": [b"a", b"b"], "label": [1]}, "the image must be one bytes value, got 2 bytes values"),
        ({"image": [5], "label": [1]}, "the image must be one bytes value, got 1 integers"),
        ({"image": np.ones(3, "f4"), "label": [1]}, "the image must be one bytes value, got 3 floats"),
        ({"image": [b"i"], "label": []}, "the list of labels is empty"),
        ({"image": [b"i"], "label": [b"cat"]}, "the label 'cat' is no number and no known name"),
        ({"image": [b"i"], "label": [b"\xff"]}, "can't decode"),
        ({"image": [b"i"], "label": [(1 << 24) + 1]}, "the label 16777217 would become"),
    ],
)
def test_wrong_features(tmp_path: Path, features: dict[str, Value], message: str) -> None:
    good: dict[str, Value] = {"image": [b"i"], "label": [1]}
    path = make(tmp_path / "a.tfrecord", [good, features])
    with pytest.raises(RecordError, match=message) as raised:
        list(rows(path))
    assert (raised.value.path, raised.value.record) == (str(path), 1)
    assert raised.value.offset == len(frame(encode_example(good)))


def test_names_of_classes_in_the_examples_are_kept(tmp_path: Path) -> None:
    file = write(tmp_path, "a", labeled([1, 0, 1]))
    convert(file.rec, tmp_path / "a.tfrecord", classes=["cat", "dog"])
    (tmp_path / "a.classes.txt").unlink()
    assert convert(tmp_path / "a.tfrecord", tmp_path / "b.rec").classes == 2
    assert RecordDataset(tmp_path / "b.rec").classes == ["cat", "dog"]


@pytest.mark.parametrize("names", [["a", "a"], ["a", "b"]])
def test_names_that_do_not_cover_the_labels_are_not_kept(tmp_path: Path, names: list[str]) -> None:
    """TF-Slim's labels begin with 1; and one name of two labels is no name."""
    first = 0 if names == ["a", "a"] else 1
    features: list[dict[str, Value]] = [
        {"image/encoded": [b"i"], "image/class/label": [n], "image/class/text": [name.encode()]}
        for n, name in enumerate(names, first)
    ]
    assert convert(make(tmp_path / "a.tfrecord", features), tmp_path / "a.rec").classes is None
    assert not (tmp_path / "a.classes.txt").exists()


def test_truncated_file_at_every_place(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tfrecord", [{"image": [b"image"], "label": [1]}] * 2)
    content = path.read_bytes()
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        if length != len(content) // 2:
            with pytest.raises(RecordError, match=r"a\.tfrecord: record \d at byte \d+: the file ends"):
                list(rows(path))


def test_flipped_bits_are_errors(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tfrecord", [{"image": [b"image"], "label": [1]}] * 2)
    content = path.read_bytes()
    for at in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[at // 8] ^= 1 << at % 8
        path.write_bytes(damaged)
        with pytest.raises(RecordError, match=r"record \d at byte \d+: (the checksum|the file is compressed)"):
            list(rows(path))


@pytest.mark.parametrize(
    "example",
    [
        b"\x0a",
        b"\x0a\x05",
        b"\x0b",
        b"\x0d",
        b"\x08\x01",
        b"\xff" * 12,
        b"\x0a\x02\x0a\xff",
        b"\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
        bytes.fromhex("0a0a0a080a0169120312010a"),
        bytes.fromhex("0a0b0a090a016912041202 0a05".replace(" ", "")),
        bytes.fromhex("0a080a060a01ff120100"),
    ],
)
def test_examples_that_are_none(tmp_path: Path, example: bytes) -> None:
    (tmp_path / "a.tfrecord").write_bytes(frame(example))
    with pytest.raises(RecordError, match=r"record 0 at byte 0: (this is no Example|the example has no feature)"):
        list(rows(tmp_path / "a.tfrecord"))


def test_random_bytes_are_errors_and_no_crash() -> None:
    rng = np.random.default_rng(0)
    good = encode_example({"image": [b"abc" * 9], "label": [1, -5], "f": np.ones(3, np.float32)})
    for _ in range(3000):
        damaged = bytearray(good)
        for at in rng.integers(0, len(good), 3).tolist():
            damaged[at] = int(rng.integers(0, 256))
        try:
            decode_example(bytes(damaged))
        except ValueError:
            continue


@pytest.mark.parametrize(
    "value", [[b""], [b"a", b"b"], [0, 1, -1, (1 << 63) - 1, -(1 << 63)], np.array([0.5, -0.0, np.inf], "<f4")]
)
def test_values_come_back(value: Any) -> None:  # noqa: ANN401
    found = decode_example(encode_example({"a": value, "b": [b"x"]}))
    assert np.array_equal(np.array(found["a"]), np.array(value))
    assert found["b"] == [b"x"]


def test_numbers_that_are_not_packed() -> None:
    """Old programs write each number with a tag of its own."""
    floats = b"\x0d" + struct.pack("<f", 0.5) + b"\x0d" + struct.pack("<f", 2)
    integers = b"\x08\x05\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

    def entry(name: bytes, kind: int, values: bytes) -> bytes:
        feature = bytes([kind << 3 | 2, len(values)]) + values
        pair = b"\x0a" + bytes([len(name)]) + name + b"\x12" + bytes([len(feature)]) + feature
        return b"\x0a" + bytes([len(pair)]) + pair

    features = entry(b"f", 2, floats) + entry(b"i", 3, integers)
    found = decode_example(b"\x0a" + bytes([len(features)]) + features)
    assert np.array_equal(found["f"], [0.5, 2])
    assert found["i"] == [5, -1]


def test_compressed_file(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tfrecord", [{"image": [b"i"], "label": [1]}])
    path.write_bytes(gzip.compress(path.read_bytes()))
    with pytest.raises(RecordError, match="record 0 at byte 0: the file is compressed; decompress it first"):
        list(rows(path))


def test_names_of_files_as_tensorflow_has_them(tmp_path: Path) -> None:
    for n in range(2):
        make(tmp_path / f"train.tfrecord-0000{n}-of-00002", [{"image": [b"i"], "label": [n]}])
    assert [row.labels.tolist() for row in rows(tmp_path / "train.tfrecord-*")] == [[0], [1]]
    assert [row.labels.tolist() for row in rows(tmp_path)] == [[0], [1]]
