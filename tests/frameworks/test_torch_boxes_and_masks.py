"""Loaders of objects and of masks, with torchvision's detection models and PyTorch's losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torchvision.models.detection import ssdlite320_mobilenet_v3_large

from recio.torch import ImageDetRecordLoader, ImageMaskRecordLoader
from tests.support.boxes import SIZE, assert_on_pixels, label, objects, render, write_objects
from tests.support.records import image_record, noise, png, write_images, write_records

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write seven images with 1, 2, 3, 1, 2, 3 and 1 objects."""
    return write_objects(tmp_path_factory.mktemp("boxes"), 7)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rand_mirror_prob": 1, "rand_crop_prob": 1, "min_crop_scales": 0.7, "shuffle": True},
        {"resize_mode": "fit", "channels_last": True},
    ],
    ids=["plain", "augmented", "fit"],
)
def test_boxes_are_in_pixels_of_the_image(boxed: RecordFile, settings: dict[str, Any]) -> None:
    loader = ImageDetRecordLoader(
        path_imgrec=boxed.rec, data_shape=(3, 90, 100), batch_size=2, drop_pad=True, **settings
    )
    found = [pair for images, targets in loader for pair in zip(images, targets, strict=True)]
    assert len(found) == 7
    for image, target in found:
        assert target.keys() == {"boxes", "labels"}
        assert (target["boxes"].dtype, target["labels"].dtype) == (torch.float32, torch.int64)
        fractions = target["boxes"].numpy() / (100, 90, 100, 90)
        table = np.column_stack([target["labels"].numpy(), fractions])
        assert_on_pixels(image.permute(1, 2, 0).numpy(), table, tolerance=2)


def test_further_numbers_are_attributes(tmp_path: Path) -> None:
    file = write_objects(tmp_path, 3, numbers=7)
    ((_, targets),) = ImageDetRecordLoader(path_imgrec=file.rec, data_shape=(3, 90, 100), batch_size=3)
    assert [target["attributes"].tolist() for target in targets] == [
        [[10, 10]],
        [[10, 10], [11, 11]],
        [[10, 10], [11, 11], [12, 12]],
    ]


def test_an_image_without_objects(tmp_path: Path) -> None:
    tables = [objects(0), objects(1)[:0], objects(2)]
    records = [image_record(png(render(table)), n, label(table)) for n, table in enumerate(tables)]
    file = write_records(tmp_path, records)
    ((_, targets),) = ImageDetRecordLoader(path_imgrec=file.rec, data_shape=(3, *SIZE), batch_size=3)
    assert [tuple(target["boxes"].shape) for target in targets] == [(3, 4), (0, 4), (3, 4)]
    assert [len(target["labels"]) for target in targets] == [3, 0, 3]


def test_classes_that_are_not_whole_are_an_error(tmp_path: Path) -> None:
    table = objects(0)
    table[1, 0] = 1.5
    records = [image_record(png(render(objects(0))), n, label(each)) for n, each in enumerate((objects(0), table))]
    loader = ImageDetRecordLoader(path_imgrec=write_records(tmp_path, records).rec, data_shape=(3, *SIZE), batch_size=2)
    with pytest.raises(ValueError, match=r"the label 1\.5 of the record with id 101 is not representable as"):
        next(iter(loader))


def test_a_detection_model_of_torchvision_learns_from_the_targets(boxed: RecordFile) -> None:
    loader = ImageDetRecordLoader(
        path_imgrec=boxed.rec, data_shape=(3, 64, 64), batch_size=2, scale=1 / 255, first_label=1
    )
    images, targets = next(iter(loader))
    assert sorted(targets[1]["labels"].tolist()) == [1, 2]
    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5)
    losses = model(images, targets)
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_masks_are_int64_with_the_number_that_a_loss_ignores(tmp_path: Path) -> None:
    images = write_images(tmp_path, [png(noise(8, 8, seed=n)) for n in range(5)], "images")
    masks = [np.full((8, 8, 1), n, np.uint8) for n in range(5)]
    for mask in masks:
        mask[0] = 255
    file = write_images(tmp_path, [png(mask) for mask in masks], "masks")
    loader = ImageMaskRecordLoader(
        path_imgrec=images.rec, path_maskrec=file.rec, data_shape=(3, 8, 8), batch_size=2, drop_pad=True, pad=1
    )
    batches = list(loader)
    assert [tuple(numbers.shape) for _, numbers in batches] == [(2, 8, 8), (2, 8, 8), (1, 8, 8)]
    found = torch.cat([numbers for _, numbers in batches])
    assert found.dtype == torch.int64
    assert [set(mask.unique().tolist()) for mask in found] == [{n, 255} for n in range(5)]
    scores = torch.zeros(5, 5, 8, 8)
    loss = torch.nn.functional.cross_entropy(scores, found, ignore_index=255)
    assert loss.item() == pytest.approx(np.log(5))
