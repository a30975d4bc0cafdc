"""Errors of `ImageRecordIter` for invalid arguments.

They are raised before a file is opened: the file of these tests does not exist.
"""

from __future__ import annotations

import inspect
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from recio.io import ImageRecordIter
from tests.support.records import RecordFile, open_iter, threads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def absent(tmp_path: Path) -> RecordFile:
    return RecordFile(tmp_path / "absent.rec", tmp_path / "absent.idx")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must .*, got 0"),
        ({"batch_size": -1}, "batch_size must .*, got -1"),
        ({"batch_size": 2**62}, "batch_size=4611686018427387904"),
        ({"prefetch_buffer": 0}, "prefetch_buffer must .*, got 0"),
        ({"prefetch_buffer": -1}, "prefetch_buffer must .*, got -1"),
        ({"read_ahead": -1}, "read_ahead must .*, got -1"),
        ({"read_ahead_bytes": -1}, "read_ahead_bytes must .*, got -1"),
        ({"preprocess_threads": 0}, "preprocess_threads must .*, got 0"),
        ({"preprocess_threads": -1}, "preprocess_threads must .*, got -1"),
        ({"data_shape": (8, 8)}, r"data_shape must .*, got \(8, 8\)"),
        ({"data_shape": (3, 8, 8, 8)}, r"data_shape must .*, got \(3, 8, 8, 8\)"),
        ({"data_shape": (2, 8, 8)}, r"data_shape must .*, got \(2, 8, 8\)"),
        ({"data_shape": (3, 0, 8)}, r"data_shape must .*, got \(3, 0, 8\)"),
        ({"data_shape": (3, 8, -8)}, r"data_shape must .*, got \(3, 8, -8\)"),
        ({"num_parts": 0}, "num_parts must .*, got 0"),
        ({"part_index": 1}, "part_index must .*, got 1"),
        ({"part_index": 3, "num_parts": 2}, "part_index must .*, got 3"),
        ({"part_index": -1, "num_parts": 2}, "part_index must .*, got -1"),
        ({"label_width": 0}, "label_width must .*, got 0"),
        ({"label_width": -2}, "label_width must .*, got -2"),
        ({"inter_method": 7}, "inter_method must .*, got 7"),
        ({"inter_method": -1}, "inter_method must .*, got -1"),
        ({"dtype": "float64"}, "dtype must .*, got 'float64'"),
        ({"layout": "HWC"}, "layout must .*, got .HWC"),
        ({"std_g": 0}, "std_g"),
        ({"seed": -(2**31) - 1}, "seed must .*, got -2147483649"),
        ({"seed": 2**64}, "seed must .*, got 18446744073709551616"),
        ({"resize": 0}, "resize must .*, got 0"),
        ({"resize": -2}, "resize must .*, got -2"),
        ({"pad": -1}, "pad must .*, got -1"),
        ({"fill_value": 256}, "fill_value must .*, got 256"),
        ({"fill_value": -1}, "fill_value must .*, got -1"),
        (
            {"random_resized_crop": True, "max_random_area": 1.5},
            "max_random_area must .*, got 0.08, 1.5",
        ),
        ({"random_resized_crop": True, "min_random_area": 0}, "max_random_area must .*, got 0, 1"),
        (
            {"random_resized_crop": True, "min_random_area": 0.9, "max_random_area": 0.5},
            "max_random_area must .*, got 0.9, 0.5",
        ),
        (
            {"random_resized_crop": True, "min_random_area": math.nan},
            "max_random_area must .*, got NaN, 1",
        ),
        (
            {"random_resized_crop": True, "min_aspect_ratio": -1},
            "max_aspect_ratio must .*, got -1",
        ),
        (
            {"random_resized_crop": True, "max_aspect_ratio": 2},
            "max_aspect_ratio must .*, got -1, 3",
        ),
        ({"random_resized_crop": True, "rand_crop": True}, "rand_crop and random_resized_crop"),
        ({"min_random_area": 0.5}, "min_random_area.*random_resized_crop"),
        ({"max_rotate_angle": -1}, "max_rotate_angle must .*, got -1"),
        ({"rotate_list": [math.inf]}, r"rotate_list must .*, got \[inf\]"),
        ({"max_shear_ratio": -1}, "max_shear_ratio must .*, got -1"),
        ({"min_random_scale": 2}, "min_random_scale, max_random_scale must .*, got 2, 1"),
        ({"random_resized_crop": True, "max_random_scale": 2}, "min_random_scale, max_random_scale and random_res"),
        ({"random_resized_crop": True, "max_crop_size": 9}, "min_crop_size, max_crop_size and random_resized_crop"),
        ({"min_crop_size": 9, "max_crop_size": 8}, "min_crop_size, max_crop_size must .*, got 9, 8"),
        ({"brightness": -0.1}, "brightness must .*, got -0.1"),
        ({"random_h": -1}, "random_h must .*, got -1"),
        ({"pca_noise": math.nan}, "pca_noise must .*, got NaN"),
        ({"aug_seq": "nope"}, "aug_seq must .*, got 'nope'; use aug_list"),
        ({"ctx": "tpu"}, "ctx must .*, got 'tpu'"),
        ({"seed_aug": -(2**31) - 1}, "seed_aug must .*, got -2147483649"),
        ({"data_shape": (1, 8, 8), "saturation": 0.1}, "three channels"),
        ({"aug_list": [], "rand_mirror": True, "resize": 9}, "aug_list replaces resize, rand_mirror;"),
        ({"path_imgrec": ""}, "path_imgrec"),
        ({"path_imgrec": []}, "path_imgrec"),
        ({"path_imgrec": None}, "path_imgrec"),
    ],
    ids=str,
)
def test_invalid_value_is_named(absent: RecordFile, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_iter(absent, **settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_size", "4x"), ("batch_size", 2.5), ("shuffle", "yes"), ("scale", "1_0"), ("layout", None)],
)
def test_value_of_the_wrong_type_is_a_type_error_that_names_it(absent: RecordFile, name: str, value: object) -> None:
    with pytest.raises(TypeError, match=name):
        open_iter(absent, **{name: value})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("rand_resize", "random_resized_crop"),
        ("batchsize", "batch_size"),
        ("drop_last", "round_batch"),
        ("num_workers", "preprocess_threads"),
        ("transform", "aug_list"),
        ("mean", "mean_r"),
        ("std", "std_r"),
        ("image_size", "data_shape"),
        ("rank", "num_parts"),
        ("random_shuffle", "shuffle"),
        ("preproces_threads", "preprocess_threads"),
    ],
)
def test_unknown_keyword_is_refused_with_a_suggestion(absent: RecordFile, name: str, nearest: str) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'; did you mean '{nearest}'"):
        open_iter(absent, **{name: 1})


def test_dissimilar_keyword_is_refused_without_a_suggestion(absent: RecordFile) -> None:
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'qqq'$"):
        open_iter(absent, qqq=1)


def test_arguments_are_keyword_only(absent: RecordFile) -> None:
    make: Any = ImageRecordIter
    with pytest.raises(TypeError, match="positional"):
        make(absent.rec, (3, 8, 8), 4)


@pytest.mark.parametrize("name", ["data_shape", "batch_size"])
def test_missing_arguments_are_named(name: str) -> None:
    arguments = {"path_imgrec": "absent.rec", "data_shape": (3, 8, 8), "batch_size": 4}
    del arguments[name]
    make: Any = ImageRecordIter
    with pytest.raises(TypeError, match=name):
        make(**arguments)


def test_failed_constructor_leaves_no_threads(absent: RecordFile) -> None:
    with pytest.raises(FileNotFoundError):
        open_iter(absent)
    assert threads() == []


def test_docstring_names_every_parameter() -> None:
    text = inspect.getdoc(ImageRecordIter) or ""
    names = inspect.signature(ImageRecordIter).parameters.keys() - {"unknown"}
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("shuffle", "yes"), ("rand_mirror", 2), ("resize", "6.4"), ("batch_size", 4.0), ("layout", None), ("scale", "x")],
)
def test_value_of_the_wrong_type_is_named(ten: RecordFile, name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"{name} must be .*, got {re.escape(repr(value))}"):
        open_iter(ten, **{name: value})


def test_flags_may_be_ints_and_mxnets_defaults_do_nothing(ten: RecordFile) -> None:
    plain = open_iter(ten, min_random_area=1, max_random_area=1, max_aspect_ratio=0, shuffle=0, round_batch=1)
    assert len(list(plain)) == 3
