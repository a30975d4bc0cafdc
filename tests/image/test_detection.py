"""The detection augmenters and `ImageDetIter`: boxes stay on their objects, and rules match MXNet's.

Numbers without another origin are from ``mx.image`` of MXNet 1.9.1, for the same images and labels.
"""

from __future__ import annotations

import json
import logging
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.image import (
    CastAug,
    ColorJitterAug,
    ColorNormalizeAug,
    CreateDetAugmenter,
    CreateMultiRandCropAugmenter,
    DetAugmenter,
    DetBorrowAug,
    DetHorizontalFlipAug,
    DetRandomCropAug,
    DetRandomPadAug,
    DetRandomSelectAug,
    ForceResizeAug,
    HorizontalFlipAug,
    HueJitterAug,
    ImageDetIter,
    ImageIter,
    LightingAug,
    RandomGrayAug,
    ResizeAug,
)
from tests.support.boxes import SIZE, assert_on_pixels, label, objects, render, write_objects
from tests.support.records import FIRST_ID, image_record, images, png, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.support.records import RecordFile

SHAPE = (3, 96, 128)
GEOMETRY = {"rand_crop": 0.8, "rand_pad": 0.6, "rand_mirror": True, "inter_method": 1, "resize": 150}


@pytest.fixture
def records(tmp_path: Path) -> RecordFile:
    """Write ten records with 1, 2, 3, 1, … objects."""
    return write_objects(tmp_path, 10)


def open_det(file: RecordFile, **settings: Any) -> ImageDetIter:  # noqa: ANN401 they are of many types
    defaults: dict[str, Any] = {"path_imgrec": file.rec, "seed": 1, "preprocess_threads": 2}
    return ImageDetIter(settings.pop("batch_size", 4), settings.pop("data_shape", SHAPE), **{**defaults, **settings})


def present(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the objects of a table, without padding rows."""
    return table[table[:, 0] >= 0]


def tables(batches: ImageDetIter) -> list[NDArray[np.float32]]:
    """Return the objects of all images of an epoch."""
    result = []
    for batch in batches:
        assert batch.label is not None
        count = len(batch.label[0]) - (batch.pad or 0)
        result += [present(table) for table in batch.label[0][:count]]
    return result


def area(table: NDArray[np.float32]) -> NDArray[np.float32]:
    product: NDArray[np.float32] = (table[:, 3] - table[:, 1]) * (table[:, 4] - table[:, 2])
    return product


# Single augmenters


@pytest.mark.parametrize(
    "make",
    [
        lambda: DetHorizontalFlipAug(0.5),
        lambda: DetRandomCropAug(0.5, (0.5, 2.0), (0.1, 1.0), 0.1),
        lambda: DetRandomPadAug((0.5, 2.0), (1.0, 4.0)),
        lambda: CreateMultiRandCropAugmenter([0.1, 0.5, 0.9], skip_prob=0.2),
        lambda: DetRandomSelectAug([DetHorizontalFlipAug(1.0), DetRandomPadAug()], 0.3),
        lambda: DetBorrowAug(ResizeAug(70, 1)),
        lambda: DetBorrowAug(HorizontalFlipAug(0.5)),
    ],
)
def test_boxes_stay_on_their_objects(make: Callable[[], DetAugmenter]) -> None:
    random.seed(1)
    augmenter, changed = make(), 0
    for seed in range(100):
        table = objects(seed)
        before = render(table)
        image, moved = augmenter(before, table)
        assert_on_pixels(image, moved)
        changed += image.shape != before.shape or not np.array_equal(image, before)
    assert changed > 30


def test_flip_matches_mxnet() -> None:
    table = np.array([[1, 0.25, 0.5, 0.375, 0.75, 9]], np.float32)
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    flipped, moved = DetHorizontalFlipAug(1.0)(image, table)
    assert moved.tolist() == [[1, 0.625, 0.5, 0.75, 0.75, 9]]
    assert np.array_equal(flipped, image[:, ::-1])
    assert table[0, 1] == 0.25, "the input label was changed"


def test_crop_covers_enough_of_every_object_it_touches() -> None:
    random.seed(2)
    min_covered, eject = 0.6, 0.8
    augmenter = DetRandomCropAug(min_covered, (0.5, 2.0), (0.05, 0.9), eject)
    dropped = 0
    for seed in range(300):
        table = objects(seed)
        before = render(table)
        image, moved = augmenter(before, table)
        if image.shape == before.shape:
            continue
        assert len(moved) >= 1
        for row in table:
            color = before[int((row[2] + row[4]) / 2 * SIZE[0]), int((row[1] + row[3]) / 2 * SIZE[1])]
            fraction = (image == color).all(axis=-1).sum() / (before == color).all(axis=-1).sum()
            assert fraction == 0 or fraction > min_covered - 1e-6
            is_kept = row[0] in moved[:, 0]
            assert is_kept == (fraction > eject) or abs(fraction - eject) < 1e-3
            dropped += min_covered < fraction < eject
        ratio = image.shape[1] / image.shape[0]
        assert 0.48 < ratio < 2.1
        assert 0.05 <= image.shape[0] * image.shape[1] / before[..., 0].size <= 0.9
    assert dropped > 20


def test_image_without_objects_is_not_cropped() -> None:
    image = np.zeros((50, 60, 3), np.uint8)
    for table in (np.zeros((0, 5)), [[0, 0.5, 0.5, 0.5, 0.9]]):
        assert DetRandomCropAug()(image, table)[0].shape == image.shape


def test_padding_has_its_value_and_size() -> None:
    random.seed(3)
    table = objects(0)
    for _ in range(50):
        image, moved = DetRandomPadAug((0.75, 1.33), (1.0, 3.0), pad_val=(9, 8.4, 7))(render(table), table)
        height, width = image.shape[:2]
        if (height, width) == SIZE:
            continue
        assert height >= SIZE[0] + 2
        assert width >= SIZE[1] + 2
        assert height * width <= 3.05 * SIZE[0] * SIZE[1]
        corners = image[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert sum((corner == (9, 8, 7)).all() for corner in corners) >= 1
        assert np.allclose(area(moved) * height * width, area(table) * SIZE[0] * SIZE[1], rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: DetRandomCropAug(area_range=(0.5, 0.1)), "area_range must be ordered .*, got 0.5, 0.1"),
        (lambda: DetRandomCropAug(aspect_ratio_range=(0, 1)), "aspect_ratio_range must be ordered .*, got 0, 1"),
        (lambda: DetRandomPadAug(area_range=(1.0, 0.5)), "area_range must be ordered .*, got 1, 0.5"),
        (lambda: DetRandomPadAug(pad_val=(300, 0, 0)), "DetRandomPadAug"),
        (lambda: DetHorizontalFlipAug(1.5), "must be a probability from 0 to 1, got 1.5"),
        (lambda: DetRandomSelectAug([DetHorizontalFlipAug(1)], -1), "skip_prob=-1"),
        (lambda: DetRandomSelectAug([HorizontalFlipAug(1)]), "of class DetAugmenter"),  # type: ignore[list-item]
        (lambda: CreateMultiRandCropAugmenter([0.1, 0.2], [(1, 1)] * 3), "min_object_covered of 2, others of 3"),
    ],
)
def test_invalid_values_raise(make: Callable[[], object], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


def test_only_image_augmenters_can_be_borrowed() -> None:
    with pytest.raises(TypeError, match="augmenter must map an image to an image"):
        DetBorrowAug(DetHorizontalFlipAug(1.0))
    with pytest.raises(TypeError, match=r"augmenter 0 is for images without boxes; .*: HorizontalFlipAug"):
        ImageDetIter(4, SHAPE, "no.rec", aug_list=[HorizontalFlipAug(0.5)])


def test_dumps_match_mxnet() -> None:
    assert json.loads(DetRandomCropAug(0.2).dumps()) == [  # type: ignore[arg-type]
        "detrandomcropaug",
        {
            "min_object_covered": 0.2,
            "aspect_ratio_range": [0.75, 1.33],
            "area_range": [0.05, 1.0],
            "min_eject_coverage": 0.3,
            "max_attempts": 50,
        },
    ]
    assert json.loads(DetRandomPadAug().dumps()) == [  # type: ignore[arg-type]
        "detrandompadaug",
        {
            "aspect_ratio_range": [0.75, 1.33],
            "area_range": [1.0, 3.0],
            "max_attempts": 50,
            "pad_val": [128, 128, 128],
        },
    ]
    assert DetRandomSelectAug(DetHorizontalFlipAug(0.5), 0.1).dumps() == [
        "detrandomselectaug",
        ['["dethorizontalflipaug", {"p": 0.5}]'],
    ]
    assert DetBorrowAug(ForceResizeAug((3, 4), 1)).dumps() == [
        "detborrowaug",
        '["forceresizeaug", {"size": [3, 4], "interp": 1}]',
    ]


def test_augmenter_list_matches_mxnet() -> None:
    listed = CreateDetAugmenter(
        SHAPE, resize=100, rand_crop=0.5, rand_pad=0.5, rand_gray=0.1, rand_mirror=True, mean=True, std=True,
        brightness=0.1, contrast=0.1, saturation=0.1, pca_noise=0.1, hue=0.1,
        min_object_covered=[0.3, 0.5, 0.9], area_range=(0.3, 3.0),
    )  # fmt: skip
    first = [DetBorrowAug, DetRandomSelectAug, DetHorizontalFlipAug, DetRandomSelectAug]
    assert [type(augmenter) for augmenter in listed] == first + [DetBorrowAug] * 7
    borrowed = [type(augmenter.augmenter) for augmenter in listed if isinstance(augmenter, DetBorrowAug)]
    assert borrowed == [
        ResizeAug, ForceResizeAug, CastAug, ColorJitterAug, HueJitterAug, LightingAug, RandomGrayAug, ColorNormalizeAug
    ]  # fmt: skip
    crops, pads = listed[1], listed[3]
    assert isinstance(crops, DetRandomSelectAug)
    assert isinstance(pads, DetRandomSelectAug)
    assert (len(crops.aug_list), crops.skip_prob, pads.skip_prob) == (3, 0.5, 0.5)
    assert "area_range=(1.0, 3.0)" in repr(pads.aug_list[0])
    assert "pad_val=(127, 127, 127)" in repr(pads.aug_list[0])


def test_padding_uses_the_widest_range_of_several_crops() -> None:
    ranges: list[Any] = [(0.5, 1.0), (0.8, 2.0)]
    listed = CreateDetAugmenter(
        SHAPE, rand_crop=1, rand_pad=1, aspect_ratio_range=ranges, area_range=[(0.1, 1), (0.2, 2)]
    )
    assert "aspect_ratio_range=(0.5, 2.0), area_range=(1.0, 2)" in repr(listed[1])


# ImageDetIter


def test_boxes_stay_on_their_objects_in_batches(records: RecordFile) -> None:
    batches = open_det(records, **GEOMETRY, pad_val=(40, 40, 40))
    for _ in range(10):
        for batch in batches:
            assert batch.label is not None
            for image, table in zip(batch.data[0], batch.label[0], strict=True):
                assert len(present(table)) >= 1
                assert_on_pixels(image.transpose(1, 2, 0), present(table), 2.0)
        batches.reset()


def test_plans_contain_the_boxes(records: RecordFile) -> None:
    batches = open_det(records, **GEOMETRY)
    for record, table in enumerate(tables(batches)):
        plan = batches.plan(record, 0)
        assert np.array_equal(plan["boxes"], table)
    assert any(len(batches.plan(record, 1)["steps"]) > 2 for record in range(10))


def test_batches_do_not_depend_on_the_number_of_threads(records: RecordFile) -> None:
    single, multi = (open_det(records, **GEOMETRY, shuffle=True, preprocess_threads=n) for n in (1, 4))
    for left, right in zip(single, multi, strict=True):
        assert np.array_equal(left.data[0], right.data[0])
        assert left.label is not None
        assert right.label is not None
        assert np.array_equal(left.label[0], right.label[0])


def test_labels_are_padded_tables(tmp_path: Path) -> None:
    file = write_objects(tmp_path, 5, numbers=7)
    batches = open_det(file)
    assert batches.label_shape == (3, 7)
    [description] = batches.provide_label
    assert (description.name, description.shape) == ("label", (4, 3, 7))
    batch = batches.next()
    assert batch.label is not None
    assert batch.label[0].shape == (4, 3, 7)
    for seed, table in enumerate(batch.label[0]):
        expected = np.full((3, 7), -1, np.float32)
        expected[: 1 + seed % 3] = objects(seed, 1 + seed % 3, 7)
        assert np.array_equal(table, expected)


def test_normalized_pixels_match_mxnet(tmp_path: Path) -> None:
    image = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    file = write_records(tmp_path, [image_record(png(image), 0, [2, 5, 1, 0, 0, 1, 1])])
    batch = open_det(file, batch_size=1, data_shape=(3, 4, 6), mean=True, std=True).next()
    mean, std = np.array([[123.68, 116.28, 103.53], [58.395, 57.12, 57.375]], np.float32)
    expected = (image.astype(np.float32) - mean) / std
    assert np.array_equal(batch.data[0][0].transpose(1, 2, 0), expected)


def test_images_without_objects_are_skipped_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good, image = label(objects(0, 1)), png(render(objects(0, 1)))
    bad: list[Any] = [3.0, [1, 2, 3], [2, 5, 0, 0.5, 0.1, 0.5, 0.9], [2, 5, -1, 0.1, 0.1, 0.9, 0.9], [2, 5]]
    labels = [good, *bad, good]
    file = write_records(tmp_path, [image_record(image, i, record_label) for i, record_label in enumerate(labels)])
    with caplog.at_level(logging.DEBUG, "recio"), pytest.warns(UserWarning, match="record 3"):
        batches = open_det(file, batch_size=1)
    assert [int(n) - FIRST_ID for batch in batches for n in (batch.index if batch.index is not None else ())] == [0, 6]
    assert len(caplog.messages) == 5
    assert f"{file.rec}: record 1 (id 101)" in caplog.messages[0]


def test_shards_divide_the_images_with_objects(tmp_path: Path) -> None:
    good, image = label(objects(0, 1)), png(render(objects(0, 1)))
    labels: list[Any] = [1.0, good, 1.0, good, good, 1.0, good]
    file = write_records(tmp_path, [image_record(image, i, record_label) for i, record_label in enumerate(labels)])
    shards = [open_det(file, batch_size=1, num_parts=2, part_index=index) for index in range(2)]
    numbers = [[int(batch.index[0]) - FIRST_ID for batch in shard if batch.index is not None] for shard in shards]
    assert numbers == [[1, 3], [4, 6]]


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ([1.0, 2.0], "record 1 .* are no detection label"),
        ([label(objects(0, 1)), label(objects(0, 1, 6))], "record 1 .*objects of 6 numbers.* have 5"),
    ],
)
def test_invalid_labels_raise(tmp_path: Path, labels: list[Any], text: str) -> None:
    image = png(render(objects(0, 1)))
    file = write_records(tmp_path, [image_record(image, i, record_label) for i, record_label in enumerate(labels)])
    with pytest.raises(RecordError, match=text):
        open_det(file)


def test_image_files_and_lists_are_sources(tmp_path: Path) -> None:
    named, lines = [], []
    for seed in range(4):
        table = objects(seed, 1 + seed % 3)
        (tmp_path / f"{seed}.png").write_bytes(png(render(table)))
        named.append([label(table), f"{seed}.png"])
        lines.append("\t".join([str(seed), *map(repr, label(table)), f"{seed}.png"]) + "\n")
    (tmp_path / "some.lst").write_text("".join(lines))
    for source in ({"imglist": named}, {"path_imglist": tmp_path / "some.lst"}):
        batches = ImageDetIter(4, SHAPE, path_root=tmp_path, **source)
        assert [table[:, 0].tolist() for table in tables(batches)] == [[0], [0, 1], [0, 1, 2], [0]]


def test_list_replaces_record_labels(records: RecordFile, tmp_path: Path) -> None:
    fields = "\t".join(map(repr, label(objects(5, 4))))
    (tmp_path / "new.lst").write_text("".join(f"{FIRST_ID + i}\t{fields}\tno.png\n" for i in range(10)))
    batches = open_det(records, path_imglist=tmp_path / "new.lst")
    assert batches.label_shape == (4, 5)
    assert all(np.allclose(table, objects(5, 4)) for table in tables(batches))


def test_custom_functions_change_image_and_label(records: RecordFile) -> None:
    def tilt(src: NDArray[Any], table: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[np.float32]]:
        return src.transpose(1, 0, 2), table[:, [0, 2, 1, 4, 3]]

    class Tilt(DetAugmenter):
        def __call__(self, src: NDArray[Any], label: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
            return tilt(src, label)

    resize = DetBorrowAug(ForceResizeAug((128, 96), 1))
    for augmenter in (tilt, Tilt()):
        batches = open_det(records, aug_list=[DetRandomCropAug(), augmenter, DetHorizontalFlipAug(0.5), resize])
        for batch in batches:
            assert batch.label is not None
            for image, table in zip(batch.data[0], batch.label[0], strict=True):
                assert_on_pixels(image.transpose(1, 2, 0), present(table), 2.0)


def test_function_may_drop_objects_but_not_exceed_the_label_shape(records: RecordFile) -> None:
    resize = DetBorrowAug(ForceResizeAug((128, 96), 1))
    empty = open_det(records, aug_list=[lambda src, table: (src, table[:0]), resize])
    assert all(len(table) == 0 for table in tables(empty))
    crowded = open_det(records, aug_list=[lambda src, table: (src, np.concatenate([table] * 4)), resize])
    with pytest.raises(ValueError, match=r"4 objects of 5 numbers; there is room for 3 of 5"):
        crowded.next()


@pytest.mark.parametrize(("handle", "counts"), [("pad", [3, 3]), ("discard", [2, 2]), ("roll_over", [2, 3])])
def test_last_batch_handle_matches_image_iter(records: RecordFile, handle: Any, counts: list[int]) -> None:  # noqa: ANN401
    batches = open_det(records, last_batch_handle=handle)
    lengths = []
    for _ in counts:
        lengths.append(len(list(batches)))
        batches.reset()
    assert lengths == counts
    batches.hard_reset()
    assert len(list(batches)) == counts[0]


def test_reshape_enlarges_the_label(records: RecordFile) -> None:
    batches = open_det(records)
    batches.reshape(label_shape=(5, 5))
    batch = batches.next()
    assert batch.label is not None
    assert batch.label[0].shape == batches.provide_label[0].shape == (4, 5, 5)
    assert (batch.label[0][:, 3:] == -1).all()
    for shape, text in (
        ((2, 5), "must be at least 5 objects"),
        ((6, 6), "of 5 numbers"),
        ((5,), "objects, numbers of each"),
    ):
        with pytest.raises(ValueError, match=text):
            batches.reshape(label_shape=shape)  # type: ignore[arg-type]


def test_reshape_changes_the_image_size(records: RecordFile) -> None:
    batches = open_det(records, **GEOMETRY)
    before = images(batches)
    batches.reshape((3, 40, 60))
    assert batches.provide_data[0].shape == (4, 3, 40, 60)
    batch = batches.next()
    assert batch.data[0].shape == (4, 3, 40, 60)
    assert batch.label is not None
    for image, table in zip(batch.data[0], batch.label[0], strict=True):
        assert_on_pixels(image.transpose(1, 2, 0), present(table), 2.0)
    with pytest.raises(ValueError, match="data_shape"):
        batches.reshape((2, 40, 60))
    batches.reshape(SHAPE)
    assert not np.array_equal(images(batches), before), "random parameters are sampled anew"


def test_label_shapes_are_synchronized(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train, val = (open_det(write_objects(tmp_path, n, name=f"of{n}")) for n in (2, 4))
    assert (train.label_shape, val.label_shape) == ((2, 5), (3, 5))
    with caplog.at_level(logging.INFO, "recio"):
        assert train.sync_label_shape(val, verbose=True) is val
    assert train.label_shape == val.label_shape == (3, 5)
    assert caplog.messages == ["label_shape is now (3, 5)"]
    wide = open_det(write_objects(tmp_path, 1, 6, "wide"))
    with pytest.raises(ValueError, match="of 6 numbers"):
        train.sync_label_shape(wide)


def test_draw_next_draws_boxes(records: RecordFile) -> None:
    batches = open_det(records, mean=True, std=True)
    frames = list(batches.draw_next(color=(200, 100, 50), thickness=3, mean=True, std=True))
    assert len(frames) == 10
    for seed, frame in enumerate(frames):
        assert frame.shape == (96, 128, 3)
        table = objects(seed, 1 + seed % 3)
        for row in table:
            left, top, right, bottom = (row[1:5] * (128, 96, 128, 96)).astype(int)
            for y, x in ((top, left), (bottom - 1, right), (top, (left + right) // 2), ((top + bottom) // 2, right)):
                assert frame[y, x].tolist() == [50, 100, 200], "B, G, R"
        assert (frame == (50, 100, 200)).all(axis=-1).mean() < 0.2


def test_window_options_raise(records: RecordFile) -> None:
    with pytest.raises(ValueError, match="waitKey and id2labels"):
        open_det(records).draw_next(id2labels={0: "cat"})


def test_hooks_process_single_samples(records: RecordFile) -> None:
    batches = open_det(records, **GEOMETRY)
    assert isinstance(batches, ImageIter)
    sample_label, encoded = batches.next_sample()
    image = batches.imdecode(encoded)
    batches.check_valid_image([image])
    assert np.asarray(sample_label).tolist() == np.array(label(objects(0, 1), [7.0]), np.float32).tolist()
    image, table = batches.augmentation_transform(image, objects(0, 1))
    assert batches.postprocess_data(image).shape == SHAPE
    assert_on_pixels(image, table, 2.0)


def test_unknown_keywords_raise(records: RecordFile) -> None:
    with pytest.raises(TypeError, match="rand_mirrored"):
        open_det(records, rand_mirrored=True)
    with pytest.raises(ValueError, match="aug_list replaces rand_mirror"):
        open_det(records, aug_list=[], rand_mirror=True)
