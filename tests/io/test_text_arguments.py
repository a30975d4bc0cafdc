"""Arguments as text, as MXNet's parameter parser takes them, and synonyms of keywords.

MXNet turns every keyword of its native iterators into text and parses it (``_make_io_iterator`` of
python/mxnet/io/io.py, ``dmlc::Parameter``): integers and floats with blanks around them, true, false, 1 and 0 in any
case, tuples in parentheses or brackets.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import ImageDetIter, ImageIter
from recio.io import CSVIter, ImageDetRecordIter, ImageRecordIter, LibSVMIter, MNISTIter, NDArrayIter
from tests.support.boxes import write_objects

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile


def contents(batches: Any) -> list[Any]:  # noqa: ANN401 an iterator
    return [[batch.data[0].tolist(), batch.label[0].tolist(), batch.pad] for batch in batches]


PARSED: dict[str, Any] = {
    "data_shape": (3, 6, 5),
    "batch_size": 4,
    "shuffle": True,
    "seed": 3,
    "rand_mirror": True,
    "resize": 9,
    "round_batch": False,
    "scale": 0.5,
    "mean_r": 12.5,
    "max_rotate_angle": 10,
    "num_parts": 2,
    "part_index": 1,
    "preprocess_threads": 2,
    "prefetch_buffer": 1,
    "seed_aug": None,
}
TEXT: dict[str, Any] = {
    "data_shape": "(3, 6, 5)",
    "batch_size": " 4 ",
    "shuffle": "True",
    "seed": "3",
    "rand_mirror": "1",
    "resize": "9",
    "round_batch": "false",
    "scale": "0.5",
    "mean_r": "1.25e1",
    "max_rotate_angle": "10",
    "num_parts": "2",
    "part_index": "1",
    "preprocess_threads": "2",
    "prefetch_buffer": "1",
    "seed_aug": "None",
}


def test_image_record_iter_takes_text(ten: RecordFile) -> None:
    assert contents(ImageRecordIter(path_imgrec=ten.rec, **TEXT)) == contents(
        ImageRecordIter(path_imgrec=ten.rec, **PARSED)
    )


@pytest.mark.parametrize("shape", ["(3,6,5)", "[3,6,5]", "(3L, 6L, 5L,)", " (3,6,5) "])
def test_shapes_may_be_text(ten: RecordFile, shape: str) -> None:
    text: Any = shape
    batches = ImageRecordIter(path_imgrec=ten.rec, data_shape=text, batch_size=1)
    assert batches.provide_data[0].shape == (1, 3, 6, 5)


def test_detection_record_iter_takes_text(tmp_path: Path) -> None:
    file = write_objects(tmp_path, 2)
    settings: dict[str, Any] = {"path_imgrec": file.rec, "rand_crop_prob": 1, "num_crop_sampler": 2}
    numbers: dict[str, Any] = {
        "data_shape": (3, 8, 8),
        "batch_size": 2,
        "min_crop_scales": (0.3, 0.5),
        "max_crop_trials": (9, 8),
    }
    text: dict[str, Any] = {
        "data_shape": "(3,8,8)",
        "batch_size": "2",
        "min_crop_scales": "(0.3, 0.5)",
        "max_crop_trials": "[9,8]",
    }
    assert contents(ImageDetRecordIter(**settings, **text)) == contents(ImageDetRecordIter(**settings, **numbers))


def test_negative_seeds_are_taken_as_in_mxnet(ten: RecordFile) -> None:
    settings: dict[str, Any] = {"path_imgrec": ten.rec, "data_shape": (3, 6, 5), "batch_size": 4, "shuffle": True}
    expected = contents(ImageRecordIter(**settings, seed=2**64 - 1))
    text: Any = "-1"
    assert (
        contents(ImageRecordIter(**settings, seed=-1)) == contents(ImageRecordIter(**settings, seed=text)) == expected
    )
    assert contents(ImageRecordIter(**settings, seed_aug=-1)) == contents(ImageRecordIter(**settings))


def test_csv_iter_takes_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n3,4\n5,6\n")
    text: dict[str, Any] = {"data_shape": "(2,)", "batch_size": "2", "round_batch": "0"}
    batches = CSVIter(data_csv=tmp_path / "a.csv", **text)
    assert contents(batches) == [[[[1, 2], [3, 4]], [0, 0], 0], [[[5, 6], [0, 0]], [0, 0], 1]]
    assert batches.provide_data[0].shape == (2, 2)
    assert CSVIter(data_csv=tmp_path / "a.csv", **{**text, "data_shape": "2", "batch_size": 1}).provide_data[
        0
    ].shape == (1, 2)


def test_libsvm_iter_takes_text(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    (tmp_path / "a.t").write_text("1 0:0.5\n2 2:1.5\n")
    text: dict[str, Any] = {"data_shape": "(3,)", "batch_size": "1", "num_parts": "2", "part_index": "1"}
    batches = LibSVMIter(data_libsvm=tmp_path / "a.t", **text)
    assert [batch.label[0].tolist() for batch in batches] == [[2]]  # type: ignore[index]


@pytest.fixture
def digits(tmp_path: Path) -> dict[str, Any]:
    """Write five images of 2x3 pixels and their labels."""
    pixels = np.arange(30, dtype=np.uint8).tobytes()
    (tmp_path / "images").write_bytes(struct.pack(">IIII", 2051, 5, 2, 3) + pixels)
    (tmp_path / "labels").write_bytes(struct.pack(">II", 2049, 5) + bytes(range(5)))
    return {"image": tmp_path / "images", "label": tmp_path / "labels"}


def test_mnist_iter_takes_text(digits: dict[str, Any]) -> None:
    text: dict[str, Any] = {"batch_size": "2", "shuffle": "1", "flat": "True", "seed": "10", "silent": "0"}
    parsed: dict[str, Any] = {"batch_size": 2, "shuffle": True, "flat": True, "seed": 10, "silent": False}
    assert contents(MNISTIter(**digits, **text)) == contents(MNISTIter(**digits, **parsed))


@pytest.mark.parametrize("name", ["input_shape", "data_shape"])
def test_mnist_iter_ignores_the_shape_of_public_scripts(
    digits: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """MXNet ignores keywords that it does not know; 24 of 24 public scripts pass one of these two."""
    settings: dict[str, Any] = {**digits, "batch_size": 2, name: (6,)}
    assert MNISTIter(**settings, flat=True).provide_data[0].shape == (2, 6)
    assert not caplog.records
    assert MNISTIter(**settings).provide_data[0].shape == (2, 1, 2, 3)
    assert f"{name}=(6,) has no effect: the images have shape (1, 2, 3)" in caplog.text


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data_shape": "(3,64"}, "data_shape must be (channels, height, width), got '(3,64'"),
        ({"data_shape": "(3,a,64)"}, "data_shape must be (channels, height, width), three integers, got '(3,a,64)'"),
        ({"data_shape": "3"}, "data_shape must be (channels, height, width), got '3'"),
        ({"batch_size": "8.0"}, "batch_size must be an integer, got '8.0'"),
        ({"shuffle": "yes"}, "shuffle must be True or False, got 'yes'"),
        ({"scale": "1/256"}, "scale must be a number, got '1/256'"),
        ({"seed": "1.5"}, "seed must be an integer from 0 to 2^64-1, got '1.5'"),
    ],
)
def test_text_that_is_none_is_shown(ten: RecordFile, settings: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(message) + "$"):
        ImageRecordIter(**{"path_imgrec": ten.rec, "data_shape": (3, 6, 5), "batch_size": 4, **settings})


MAKERS: dict[str, Any] = {
    "ImageRecordIter": lambda **kwargs: ImageRecordIter(
        path_imgrec="a.rec", data_shape=(3, 8, 8), batch_size=1, **kwargs
    ),
    "ImageDetRecordIter": lambda **kwargs: ImageDetRecordIter(
        path_imgrec="a.rec", data_shape=(3, 8, 8), batch_size=1, **kwargs
    ),
    "ImageIter": lambda **kwargs: ImageIter(1, (3, 8, 8), path_imgrec="a.rec", **kwargs),
    "ImageDetIter": lambda **kwargs: ImageDetIter(1, (3, 8, 8), path_imgrec="a.rec", **kwargs),
    "CSVIter": lambda **kwargs: CSVIter(data_csv="a.csv", data_shape=(2,), batch_size=1, **kwargs),
    "LibSVMIter": lambda **kwargs: LibSVMIter(data_libsvm="a.t", data_shape=(2,), batch_size=1, **kwargs),
    "MNISTIter": MNISTIter,
    "NDArrayIter": lambda **kwargs: NDArrayIter(np.zeros(3), **kwargs),
}


@pytest.mark.parametrize(
    ("iterator", "name", "keyword"),
    [
        ("ImageRecordIter", "drop_last", "round_batch"),
        ("ImageRecordIter", "last_batch_handle", "round_batch"),
        ("ImageRecordIter", "std", "std_r"),
        ("ImageRecordIter", "rand_resize", "random_resized_crop"),
        ("ImageDetRecordIter", "num_workers", "preprocess_threads"),
        ("ImageDetRecordIter", "rand_mirror", "rand_mirror_prob"),
        ("ImageDetRecordIter", "mean", "mean_r"),
        ("ImageIter", "drop_last", "last_batch_handle"),
        ("ImageIter", "num_workers", "preprocess_threads"),
        ("ImageIter", "transform", "aug_list"),
        ("ImageIter", "mean_rgb", "mean"),
        ("ImageDetIter", "transforms", "aug_list"),
        ("ImageDetIter", "horizontal_flip", "rand_mirror"),
        ("CSVIter", "drop_last", "round_batch"),
        ("CSVIter", "path", "data_csv"),
        ("LibSVMIter", "world_size", "num_parts"),
        ("MNISTIter", "rank", "num_parts"),
        ("NDArrayIter", "drop_last", "last_batch_handle"),
        ("NDArrayIter", "random_shuffle", "shuffle"),
    ],
)
def test_synonym_is_refused_with_the_keyword(iterator: str, name: str, keyword: str) -> None:
    message = f"{iterator} got an unexpected keyword argument '{name}'; did you mean '{keyword}'"
    with pytest.raises(TypeError, match=re.escape(message)):
        MAKERS[iterator](**{name: True})


@pytest.mark.parametrize("iterator", [ImageIter, ImageDetIter])
def test_number_as_data_shape_is_refused_by_name(iterator: Any) -> None:  # noqa: ANN401 a class
    with pytest.raises(TypeError, match=r"data_shape must be \(.*, height, width\), got 224"):
        iterator(2, 224, path_imgrec="a.rec")
