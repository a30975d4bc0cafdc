"""`ImageDetRecordIter`: its labels, its augmentation, and boxes that stay on their objects.

Hashes and means without another origin are from ``mx.io.ImageDetRecordIter`` and ``mx.image`` of MXNet 1.9.1, for the
same images, labels and settings; means are over at least 20,000 images.
"""

from __future__ import annotations

import hashlib
import random
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.image import CreateMultiRandCropAugmenter, DetRandomCropAug, DetRandomPadAug, ImageDetIter
from recio.io import ImageDetRecordIter
from tests.support.boxes import assert_on_pixels, label, objects, render, write_objects
from tests.support.records import image_record, noise, png, write_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.image import DetAugmenter
    from tests.support.records import RecordFile

COLORS = {
    "random_hue_prob": 0.5,
    "max_random_hue": 10,
    "random_illumination_prob": 0.5,
    "max_random_illumination": 20,
    "random_saturation_prob": 0.5,
    "max_random_saturation": 20,
    "random_contrast_prob": 0.5,
    "max_random_contrast": 0.2,
}
GEOMETRY = {
    "resize": 150,
    "rand_mirror_prob": 0.5,
    "rand_pad_prob": 0.5,
    "max_pad_scale": 2.0,
    "fill_value": 0,
    "rand_crop_prob": 0.9,
    "num_crop_sampler": 2,
    "min_crop_scales": 0.4,
    "min_crop_aspect_ratios": 0.5,
    "max_crop_aspect_ratios": 2,
    "min_crop_object_coverages": (0.5, 0.9),
}


def open_det(file: RecordFile, **settings: Any) -> ImageDetRecordIter:  # noqa: ANN401 they are of many types
    defaults = {"data_shape": (3, 96, 128), "batch_size": 4, "preprocess_threads": 2, "verbose": False}
    return ImageDetRecordIter(**{"path_imgrec": file.rec, **defaults, **settings})


def rows(batches: ImageDetRecordIter) -> NDArray[np.float32]:
    """Return the labels of all images of an epoch."""
    labels = []
    for batch in batches:
        assert batch.label is not None
        labels.append(batch.label[0][: len(batch.label[0]) - (batch.pad or 0)])
    return np.concatenate(labels)


def table(row: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the objects in a row."""
    count, header, width = (int(n) for n in row[3:6])
    return row[4 + header : 4 + count].reshape(-1, width)


def shown(batches: ImageDetRecordIter) -> Iterator[tuple[NDArray[Any], NDArray[np.float32]]]:
    """Return the region of each image whose size its label holds, and its objects."""
    for batch in batches:
        assert batch.label is not None
        for image, row in zip(batch.data[0], batch.label[0], strict=True):
            _, height, width = (int(n) for n in row[:3])
            assert not image[:, height:].any()
            assert not image[:, :, width:].any()
            yield image[:, :height, :width].transpose(1, 2, 0), table(row)


@pytest.fixture
def records(tmp_path: Path) -> RecordFile:
    """Write ten records with 1, 2, 3, 1, … objects; the headers of their labels have 3 numbers."""
    return write_objects(tmp_path, 10)


# Labels


@pytest.mark.filterwarnings("ignore:.*the box .* is skipped")
def test_label_has_image_size_length_values_and_padding(tmp_path: Path) -> None:
    labels = [
        [2, 5, 1, 0.1, 0.2, 0.5, 0.6, 2, 0.5, 0.5, 0.4, 0.9],
        [4, 6, 640, 480, 0, 0.25, 0.25, 0.75, 0.75, 9],
    ]
    file = write_records(
        tmp_path, [image_record(png(noise(6, 6)), i, record_label) for i, record_label in enumerate(labels)]
    )
    expected = np.array([
        [3, 8, 12, 7, 2, 5, 1, 0.1, 0.2, 0.5, 0.6, -1, -1, -1, -1, -1],
        [3, 8, 12, 10, 4, 6, 640, 480, 0, 0.25, 0.25, 0.75, 0.75, 9, -1, -1],
    ], np.float32)  # fmt: skip
    batches = open_det(file, batch_size=2, data_shape=(3, 8, 12))
    assert np.array_equal(rows(batches), expected)
    [description] = batches.provide_label
    assert (description.name, description.shape) == ("softmax_label", (2, 16))
    wider = rows(open_det(file, batch_size=2, data_shape=(3, 8, 12), label_pad_width=14, label_pad_value=7))
    assert wider.shape == (2, 18)
    assert np.array_equal(wider[:, 16:], [[7, 7]] * 2)


def test_label_longer_than_the_padding_is_refused_at_once(records: RecordFile) -> None:
    with pytest.raises(ValueError, match=r"label_pad_width must be at least 18, .*, got 17"):
        open_det(records, label_pad_width=17)


def test_label_width_must_equal_that_of_every_record(tmp_path: Path) -> None:
    records = write_objects(tmp_path, 2)
    batches = open_det(records, batch_size=1, label_width=8)
    assert batches.next().pad == 0
    with pytest.raises(RecordError, match=r"record 1 \(id 101\).*: 13 labels, but label_width=8"):
        batches.next()


def test_invalid_label_is_an_error_and_the_iterator_continues(tmp_path: Path) -> None:
    labels: list[Any] = [3.0, [2, 5, 0, 0.1, 0.1, 0.9], label(objects(0))]
    file = write_records(
        tmp_path, [image_record(png(noise(6, 6)), i, record_label) for i, record_label in enumerate(labels)]
    )
    batches = open_det(file, batch_size=1)
    for number, text in enumerate([r"1 labels that begin with \[3\.0\]", r"6 labels that begin with \[2\.0, 5\.0"]):
        with pytest.raises(RecordError, match=rf"record {number} \(id {100 + number}\) at byte \d+: {text}"):
            batches.next()
    assert batches.next().index == [102]


def test_image_may_have_no_objects(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(png(noise(20, 20)), 0, [2, 5])])
    batches = open_det(file, batch_size=1, **GEOMETRY, **COLORS)
    for _ in range(20):
        assert rows(batches)[0, 3:].tolist() == [2, 2, 5]
        batches.reset()


def test_labels_of_a_list_replace_those_of_the_records(records: RecordFile, tmp_path: Path) -> None:
    fields = "\t".join(map(repr, label(objects(5, 4))))
    (tmp_path / "new.lst").write_text("".join(f"{100 + i}\t{fields}\tno.png\n" for i in range(10)))
    labels = rows(open_det(records, path_imglist=tmp_path / "new.lst"))
    assert all(np.allclose(table(row), objects(5, 4)) for row in labels)


PIXELS = [2, 5, 1, 10, 20, 60, 80]
SIZES = [2, 5, 1, 0.5, 0.5, 0.25, 0.125]
NO_FRACTIONS = r"the box \[10\.0, 20\.0, 60\.0, 80\.0\] has sides that are no fractions .*: divide pixels by them"
NOT_SIDES = r"the box \[0\.5, 0\.5, 0\.25, 0\.125\] is skipped.*convert x, y, width, height"
every_suspect = pytest.mark.parametrize(("suspect", "text"), [(PIXELS, NO_FRACTIONS), (SIZES, NOT_SIDES)])


@every_suspect
@pytest.mark.parametrize("kind", [ImageDetRecordIter, ImageDetIter])
def test_boxes_that_are_no_fractions_or_no_sides_are_warned_of(
    kind: Any,  # noqa: ANN401 the iterators have different keywords
    suspect: list[float],
    text: str,
    tmp_path: Path,
) -> None:
    good = label(objects(5, 4))
    labels = [good, [*good, *suspect[2:]], suspect, good, suspect]
    file = write_records(tmp_path, [image_record(png(noise(20, 20)), i, each) for i, each in enumerate(labels)])
    with pytest.warns(UserWarning, match="the box") as caught:
        kind(path_imgrec=file.rec, data_shape=(3, 96, 128), batch_size=1)
    (message,) = [str(warning.message) for warning in caught]
    assert re.search(rf"some\.rec: record 1 \(id 101\) at byte \d+: {text}", message), message


@every_suspect
def test_boxes_of_a_list_are_warned_of(suspect: list[float], text: str, records: RecordFile, tmp_path: Path) -> None:
    fields = "\t".join(map(str, suspect))
    (tmp_path / "new.lst").write_text("".join(f"{100 + i}\t{fields}\tno.png\n" for i in range(10)))
    with pytest.warns(UserWarning, match=rf"record 0 \(id 100\) .*{text}"):
        open_det(records, path_imglist=tmp_path / "new.lst")


def test_boxes_a_little_outside_and_padding_are_not_warned_of(tmp_path: Path) -> None:
    suspect = [2, 5, 1, -0.02, 0, 1.1, 0.9, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0]
    file = write_records(tmp_path, [image_record(png(noise(20, 20)), 0, suspect)])
    assert len(table(rows(open_det(file, batch_size=1))[0])) == 1


def test_record_with_one_label_names_pack_label(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(png(noise(20, 20)), 0, 3.0)])
    with pytest.raises(RecordError, match="im2rec packs more than the first label of a line with --pack-label"):
        open_det(file, batch_size=1).next()


def test_equal_ids_are_refused_with_a_list(tmp_path: Path) -> None:
    fields = "\t".join(map(repr, label(objects(5, 4))))
    (tmp_path / "new.lst").write_text(f"0\t{fields}\tno.png\n")
    file = write_records(tmp_path, [image_record(png(noise(20, 20)), 0, label(objects(5, 4)))] * 2, "same")
    with pytest.raises(RecordError, match="record 0 has the same id"):
        open_det(file, path_imglist=tmp_path / "new.lst")


# Images


def coarse(height: int, width: int) -> NDArray[np.uint8]:
    pattern: NDArray[np.uint8] = (np.arange(height * width * 3) * 89 % 251).astype(np.uint8).reshape(height, width, 3)
    return pattern


NORMALIZED = {
    "mean_r": 10, "mean_g": 20, "mean_b": 30, "std_r": 3, "std_g": 7, "std_b": 11, "scale": 0.7, "inter_method": 9
}  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "settings", "sizes", "sha"),
    [
        ("force", {}, [(8, 12), (8, 12)], "a28bcec3e4da2a04"),
        ("force", {"resize": 9}, [(8, 12), (8, 12)], "e415e8264dd752c2"),
        ("force", NORMALIZED, [(8, 12), (8, 12)], "61a208843850caa1"),
        ("shrink", {}, [(6, 5), (4, 12)], "8a642998a0733400"),
        ("shrink", {"resize": 9}, [(8, 7), (4, 12)], "2b10cfad0a51d471"),
        ("shrink", NORMALIZED, [(6, 5), (4, 12)], "5cb9b5097e248376"),
        ("fit", {}, [(8, 6), (4, 12)], "e3a75517619cc775"),
        ("fit", {"resize": 9}, [(8, 7), (4, 12)], "2b10cfad0a51d471"),
        ("fit", NORMALIZED, [(8, 6), (4, 12)], "83f544fb977dae2a"),
    ],
)
def test_images_equal_mxnets_bit_for_bit(
    tmp_path: Path, mode: str, settings: dict[str, Any], sizes: list[tuple[int, int]], sha: str
) -> None:
    record_label = [2, 5, 1, 0.1, 0.2, 0.5, 0.6]
    pixels = [coarse(6, 5), coarse(11, 30)]
    file = write_records(tmp_path, [image_record(png(image), i, record_label) for i, image in enumerate(pixels)])
    batch = open_det(file, batch_size=2, data_shape=(3, 8, 12), resize_mode=mode, **settings).next()
    assert batch.label is not None
    assert [tuple(row[1:3]) for row in batch.label[0]] == sizes
    assert hashlib.sha256(batch.data[0].tobytes()).hexdigest()[:16] == sha


def test_negative_means_are_subtracted(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(png(coarse(8, 12)), 0, [2, 5])])
    batch = open_det(file, batch_size=1, data_shape=(3, 8, 12), mean_r=-10, mean_g=-20, mean_b=-30).next()
    assert np.array_equal(batch.data[0][0].transpose(1, 2, 0), coarse(8, 12) + np.array([10, 20, 30], np.float32))


def test_mean_image_is_not_mirrored(tmp_path: Path) -> None:
    image = coarse(8, 12)
    file = write_records(tmp_path, [image_record(png(image), 0, [2, 5])])
    mean = coarse(8, 12).reshape(3, 8, 12).astype(np.float32)
    np.save(tmp_path / "mean.npy", mean)
    batches = open_det(file, batch_size=1, data_shape=(3, 8, 12), mean_img=tmp_path / "mean.npy", rand_mirror_prob=1.0)
    assert np.array_equal(batches.next().data[0][0], image[:, ::-1].transpose(2, 0, 1) - mean)


@pytest.mark.parametrize("mode", ["force", "shrink", "fit"])
@pytest.mark.parametrize("settings", [GEOMETRY, {**GEOMETRY, **COLORS}, {**GEOMETRY, "crop_emit_mode": "overlap"}])
def test_boxes_stay_on_their_objects(records: RecordFile, mode: str, settings: dict[str, Any]) -> None:
    batches = open_det(records, resize_mode=mode, inter_method=1, **settings)
    counts = set()
    for _ in range(8):
        for image, boxes in shown(batches):
            counts.add(len(boxes))
            assert_on_pixels(image, boxes, 2.0)
        batches.reset()
    assert {1, 2, 3} <= counts


def test_batches_do_not_depend_on_the_number_of_threads(records: RecordFile) -> None:
    settings = {**GEOMETRY, **COLORS, "shuffle": True}
    single, multi = (open_det(records, preprocess_threads=n, **settings) for n in (1, 4))
    for left, right in zip(single, multi, strict=True):
        assert np.array_equal(left.data[0], right.data[0])
        assert left.label is not None
        assert right.label is not None
        assert np.array_equal(left.label[0], right.label[0])


def test_every_color_step_has_its_own_probability(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(png(render(objects(0))), i, [2, 5]) for i in range(400)])
    batches = open_det(file, **{**COLORS, "random_hue_prob": 0.0, "random_saturation_prob": 0.0, "max_random_hue": 9})
    changes = []
    for record in range(400):
        steps = batches.plan(record)["steps"]
        hls = [step["hls"] for step in steps if "hls" in step]
        assert all(hue == 0 == saturation and 0 < abs(lightness) < 20 for hue, lightness, saturation in hls)
        gains = [step["gain"] for step in steps if "gain" in step]
        assert all(0.8 <= gain <= 1.2 for gain in gains)
        changes.append((len(hls), len(gains)))
    lightened, contrasted = np.mean(changes, axis=0)
    assert 0.4 < lightened < 0.55
    assert 0.43 < contrasted < 0.57


# Distributions: averages of MXNet

TABLE = np.array([[0, 0.1, 0.1, 0.4, 0.5], [1, 0.5, 0.6, 0.9, 0.9], [2, 0.05, 0.7, 0.3, 0.95]], np.float32)
LIMITS = {
    "min_crop_overlaps": 0.05, "max_crop_overlaps": 0.9, "min_crop_sample_coverages": 0.05,
    "max_crop_sample_coverages": 0.95, "min_crop_object_coverages": 0.3, "max_crop_object_coverages": 0.99,
    "min_crop_scales": 0.2, "max_crop_scales": 0.9, "min_crop_aspect_ratios": 0.5, "max_crop_aspect_ratios": 1,
}  # fmt: skip


def assert_means(samples: list[list[float]], expected: list[float]) -> None:
    """Check that means are the expected ones, within five standard errors."""
    means, error = np.mean(samples, axis=0), np.std(samples, axis=0) / np.sqrt(len(samples))
    assert (np.abs(means - expected) <= 5 * error + 1e-4).all(), f"{means} ± {error} are not {expected}"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"rand_mirror_prob": 0.3}, [3.0, 0.2912, 0.7833, 0.3167, 0.3167]),
        ({"rand_pad_prob": 0.7, "max_pad_scale": 3}, [3.0, 0.3066, 0.6928, 0.2162, 0.2162]),
        ({"rand_crop_prob": 0.9, **LIMITS}, [1.8931, 0.1625, 0.8204, 0.5232, 0.4277]),
        (
            {"rand_crop_prob": 1, "crop_emit_mode": "overlap", "emit_overlap_thresh": 0.5, **LIMITS},
            [1.77, 0.1626, 0.8168, 0.5325, 0.4355],
        ),
    ],
)
def test_mean_position_of_objects_equals_mxnets(
    tmp_path: Path, settings: dict[str, Any], expected: list[float]
) -> None:
    """Number of objects, mean left and bottom, mean width and height."""
    file = write_records(tmp_path, [image_record(png(np.zeros((100, 100, 3), np.uint8)), 0, label(TABLE))])
    batches = open_det(file, batch_size=1, data_shape=(3, 8, 8), **settings)
    samples = []
    for epoch in range(2000):
        boxes = batches.plan(0, epoch)["boxes"]
        _, left, top, right, bottom = boxes.mean(axis=0)
        samples.append([len(boxes), left, bottom, right - left, bottom - top])
    assert_means(samples, expected)


@pytest.mark.parametrize(
    ("augmenter", "expected"),
    [
        (DetRandomCropAug(0.3, (0.5, 2.0), (0.1, 0.9), 0.4), [0.5838, 0.7122, 1.9473, 0.1381, 0.8442]),
        (DetRandomCropAug(0.1, (0.75, 1.33), (0.05, 3.0), 0.3), [0.4893, 0.7035, 1.7486, 0.1423, 0.84]),
        (DetRandomPadAug((0.75, 1.33), (1.0, 3.0)), [1.2258, 1.8007, 3.0, 0.2656, 0.6624]),
        (DetRandomPadAug((0.3, 0.9), (1.0, 4.0)), [1.1595, 2.7841, 3.0, 0.2533, 0.6057]),
        (CreateMultiRandCropAugmenter([0.1, 0.5, 0.9], skip_prob=0.25), [0.6252, 0.7882, 1.9399, 0.145, 0.8469]),
    ],
)
def test_mean_parameters_of_augmenters_equal_mxnets(augmenter: DetAugmenter, expected: list[float]) -> None:
    """Width and height of the result, relative to the image's, number of objects, mean left and bottom."""
    random.seed(1)
    image, samples = np.zeros((100, 150, 3), np.uint8), []
    for _ in range(2000):
        result, boxes = augmenter(image, TABLE)
        _, left, _, _, bottom = boxes.mean(axis=0)
        samples.append([result.shape[1] / 150, result.shape[0] / 100, len(boxes), left, bottom])
    assert_means(samples, expected)


# Crops: bugs of MXNet that are fixed


def test_each_crop_constraint_is_applied(records: RecordFile) -> None:
    batches = open_det(records, rand_crop_prob=1, min_crop_scales=0.3, max_crop_trials=200, min_crop_object_coverages=1)
    has_full_object: list[bool] = []
    for record in range(10):
        plan = batches.plan(record)
        left, top, width, height = plan["steps"][0]["window"]
        boxes = objects(record, 1 + record % 3)[:, 1:5] * (200, 120, 200, 120)
        inside = (boxes >= (left, top, 0, 0)) & (boxes <= (200, 120, left + width, top + height))
        has_full_object.append(bool(inside.all(axis=1).any()))
    assert all(has_full_object)


def test_crops_have_all_aspect_ratios(records: RecordFile) -> None:
    batches = open_det(
        records, rand_crop_prob=1, min_crop_scales=0.3, max_crop_scales=0.5, min_crop_aspect_ratios=0.5,
        max_crop_aspect_ratios=2.5,
    )  # fmt: skip
    windows = [batches.plan(record, epoch)["steps"][0]["window"] for record in range(10) for epoch in range(50)]
    ratios = np.array([width / height for _, _, width, height in windows])
    assert ratios.min() < 0.7
    assert ratios.max() > 2.3


# Keywords


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"rand_crop_prob": 1, "min_crop_scales": (0.1, 0.2)},
            r"min_crop_scales must .*num_crop_sampler=1, got \(0.1, 0.2\)",
        ),
        (
            {"rand_crop_prob": 1, "min_crop_scales": 0.9, "max_crop_scales": 0.1},
            "min_crop_scales, max_crop_scales must be ordered .*, got 0.9, 0.1",
        ),
        ({"rand_crop_prob": 1, "max_crop_overlaps": 1.5}, "max_crop_overlaps must be ordered .*, got 0, 1.5"),
        ({"rand_crop_prob": 1, "min_crop_aspect_ratios": 0}, "min_crop_aspect_ratios"),
        ({"rand_crop_prob": 1, "num_crop_sampler": -1}, "num_crop_sampler must be at least 0, got -1"),
        ({"rand_crop_prob": 1, "crop_emit_mode": "middle"}, "crop_emit_mode must .*, got 'middle'"),
        ({"rand_pad_prob": 1, "max_pad_scale": 0.5}, "max_pad_scale must be from 1 to 8, got 0.5"),
        ({"rand_pad_prob": 1, "fill_value": 256}, "fill_value must be from 0 to 255, got 256"),
        ({"rand_mirror_prob": 1.1}, "must be a probability from 0 to 1, got 1.1"),
        ({"random_hue_prob": 2}, "random_hue_prob must be a probability from 0 to 1, got 2"),
        ({"random_hue_prob": 1, "max_random_hue": -1}, "max_random_hue"),
        ({"random_hue_prob": 1, "max_random_hue": 1, "data_shape": (1, 8, 8)}, "three channels"),
        ({"resize_mode": "stretch"}, "resize_mode must .*, got 'stretch'"),
        ({"std_g": -1}, "std_g must be at least 0, got -1"),
        ({"aug_seq": "det_aug_mine"}, "aug_seq must .*, got 'det_aug_mine'"),
        ({"label_pad_width": -2}, "label_pad_width must .*, got -2"),
    ],
)
def test_invalid_argument_is_refused(records: RecordFile, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        open_det(records, **settings)


def test_unknown_keywords_raise(records: RecordFile) -> None:
    with pytest.raises(TypeError, match="'rand_mirror'; did you mean 'rand_mirror_prob'"):
        open_det(records, rand_mirror=True)


def test_gray_images_pass_through_geometry_steps(records: RecordFile) -> None:
    batch = open_det(records, data_shape=(1, 96, 128), **GEOMETRY).next()
    assert batch.data[0].shape == (4, 1, 96, 128)
    assert batch.label is not None
    assert (batch.label[0][:, 0] == 1).all()
