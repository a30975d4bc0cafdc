"""``antialias=True`` against Pillow: the same pixels, resized horizontally first, then vertically.

Pillow 13 begins vertically where an image loses more than twice as many rows as columns. It rounds between the passes,
so a single call of Pillow may differ by 1 there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest
from PIL import Image

from recio.image import CreateAugmenter, imdecode
from recio.io import ImageDetRecordIter, ImageMaskRecordIter
from tests.support.boxes import label, objects
from tests.support.records import PHOTOS, image_record, images, noise, open_iter, png, write_images, write_records
from tests.support.replay import assert_replayed, steps_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.io import ImageRecordIter
    from tests.support.records import RecordFile

    Pixels = NDArray[np.uint8]
    Size = tuple[int, int]

LINEAR, ANTIALIAS = 1, 11
"""Numbers of the methods in plans."""

SIZES = [(375, 500), (300, 340), (224, 224), (90, 40), (33, 150), (41, 26), (13, 90), (150, 3), (7, 5), (1, 1), (2, 64)]
"""(height, width) of images: sizes of photographs, and sizes smaller than the output in one or both dimensions."""


def pillow_resize(image: Pixels, size: Size) -> Pixels:
    """Resize with Pillow: horizontally, then vertically, each channel separately; alpha has no special role."""
    return np.dstack([_resize_channel(image[..., channel], size) for channel in range(image.shape[2])])


def _resize_channel(channel: Pixels, size: Size) -> Pixels:
    horizontal = Image.fromarray(channel).resize((size[0], channel.shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(horizontal.resize(size, Image.Resampling.BILINEAR))


def pillow_resize_in_one_call(image: Pixels, size: Size) -> Pixels:
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BILINEAR))


def replay(plan: dict[str, Any], image: Pixels, resize: Callable[[Pixels, Size], Pixels] = pillow_resize) -> Pixels:
    """Carry out a plan that resizes, crops and flips."""
    for step in plan["steps"]:
        if step["operation"] == "resize":
            assert step["interp"] == ANTIALIAS
            image = resize(image, step["size"])
        else:
            assert step["operation"] == "decode"
        x, y, width, height = step["window"]
        image = image[y : y + height, x : x + width]
    return image[:, ::-1] if plan["mirror"] else image


def assert_pillow_pixels(batches: ImageRecordIter | ImageDetRecordIter, sources: Sequence[Pixels]) -> None:
    """Check the first batch, uint8 and NHWC, of all sources; at least one must be resized."""
    plans = [batches.plan(number) for number in range(len(sources))]
    assert any(steps_of(plan, "resize") for plan in plans)
    for number, (image, plan, source) in enumerate(zip(batches.next().data[0], plans, sources, strict=True)):
        np.testing.assert_array_equal(image, replay(plan, source), str(number))


def write_noise(folder: Path, channels: int = 3, sizes: Sequence[Size] = SIZES) -> tuple[RecordFile, list[Pixels]]:
    sources = [noise(*size, channels, seed) for seed, size in enumerate(sizes)]
    return write_images(folder, map(png, sources)), sources


GEOMETRY: list[dict[str, Any]] = [
    {"resize": 40, "rand_crop": True},
    {"resize": 256, "rand_crop": True, "rand_mirror": True, "data_shape": (3, 224, 224)},
    {"resize": 31},
    {"random_resized_crop": True, "rand_mirror": True},
    {"random_resized_crop": True, "data_shape": (3, 224, 224)},
    {"random_resized_crop": True, "min_aspect_ratio": 0.3, "max_aspect_ratio": 3.0, "data_shape": (3, 9, 70)},
    {"min_crop_size": 2, "max_crop_size": 80},
    {"data_shape": (3, 60, 45)},
    {"data_shape": (3, 1, 1), "random_resized_crop": True},
]


@pytest.mark.parametrize("settings", GEOMETRY, ids=str)
def test_pixels_equal_pillows(tmp_path: Path, settings: dict[str, Any]) -> None:
    file, sources = write_noise(tmp_path)
    for seed in range(4):
        shape = {"data_shape": (3, 24, 20), "layout": "NHWC", "batch_size": len(sources), "seed": seed}
        assert_pillow_pixels(open_iter(file, **{**shape, **settings}, antialias=True), sources)


def test_photographs_are_decoded_as_far_as_pillow_needs(tmp_path: Path) -> None:
    files = [photo.read_bytes() for photo in PHOTOS[:12]]
    sources = [imdecode(file) for file in files]
    settings = {"data_shape": (3, 64, 56), "layout": "NHWC", "batch_size": len(files), "antialias": True}
    for geometry in ({"random_resized_crop": True}, {"resize": 80, "rand_crop": True}):
        assert_pillow_pixels(open_iter(write_images(tmp_path, files), **settings, **geometry), sources)


@pytest.mark.parametrize("channels", [1, 4])
def test_channels_are_independent(tmp_path: Path, channels: int) -> None:
    file, sources = write_noise(tmp_path, channels)
    for shape in ((channels, 20, 30), (channels, 100, 90)):
        settings = {"data_shape": shape, "layout": "NHWC", "batch_size": len(sources)}
        assert_pillow_pixels(open_iter(file, random_resized_crop=True, antialias=True, **settings), sources)


def test_pixels_equal_pillows_for_all_kinds_of_sizes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    sizes = [(int(h), int(w)) for h, w in random.integers(1, 150, (60, 2))]
    file, sources = write_noise(tmp_path, sizes=sizes)
    settings = {"layout": "NHWC", "batch_size": len(sources), "antialias": True}
    for height, width in random.integers(1, 150, (12, 2)):
        shape = (3, int(height), int(width))
        assert_pillow_pixels(open_iter(file, random_resized_crop=True, data_shape=shape, **settings), sources)


def test_one_call_of_pillow_differs_by_at_most_1(tmp_path: Path) -> None:
    file, sources = write_noise(tmp_path)
    settings = {"layout": "NHWC", "data_shape": (3, 33, 40), "batch_size": len(sources), "random_resized_crop": True}
    batches = open_iter(file, antialias=True, **settings)
    expected = [
        replay(batches.plan(number), source, pillow_resize_in_one_call) for number, source in enumerate(sources)
    ]
    off = np.abs(batches.next().data[0].astype(int) - expected)
    assert off.max() <= 1
    # Only tall images differ.
    assert (off > 0).mean() < 0.1


def test_without_antialias_four_pixels_are_interpolated(tmp_path: Path) -> None:
    file, sources = write_noise(tmp_path)
    settings = {"layout": "NHWC", "data_shape": (3, 24, 20), "batch_size": len(sources), "resize": 31}
    batches = open_iter(file, **settings)
    assert {step["interp"] for step in steps_of(batches.plan(0), "resize")} == {LINEAR}
    assert_replayed(batches, sources)
    plain, smooth = (images(open_iter(file, antialias=on, **settings))[0] for on in (False, True))
    # In noise, the mean of many pixels varies less than the mean of four.
    assert smooth.std() < plain.std() / 2


def test_masks_are_not_antialiased(tmp_path: Path) -> None:
    sizes = [(90, 130), (30, 20), (64, 64)]
    file, sources = write_noise(tmp_path, sizes=sizes)
    mask_images = [png(noise(*size, 1, seed) // 40) for seed, size in enumerate(sizes)]
    masks = write_images(tmp_path, mask_images, "masks")
    settings: dict[str, Any] = {
        "path_imgrec": file.rec,
        "path_maskrec": masks.rec,
        "data_shape": (3, 24, 20),
        "batch_size": len(sizes),
        "random_resized_crop": True,
        "dtype": "uint8",
        "layout": "NHWC",
    }
    batches, plain = ImageMaskRecordIter(antialias=True, **settings), ImageMaskRecordIter(**settings)
    plans = [batches.plan(number) for number in range(len(sizes))]
    batch, expected = batches.next(), plain.next()
    assert batch.label is not None
    assert expected.label is not None
    np.testing.assert_array_equal(batch.label[0], expected.label[0])
    for image, plan, source in zip(batch.data[0], plans, sources, strict=True):
        np.testing.assert_array_equal(image, replay(plan, source))


@pytest.mark.parametrize("mode", ["force", "shrink", "fit"])
def test_images_with_objects_equal_pillows(tmp_path: Path, mode: Literal["force", "shrink", "fit"]) -> None:
    sizes = [(90, 130), (30, 20), (64, 64)]
    sources = [noise(*size, seed=seed) for seed, size in enumerate(sizes)]
    records = (image_record(png(source), i, label(objects(i))) for i, source in enumerate(sources))
    batches = ImageDetRecordIter(
        path_imgrec=write_records(tmp_path, records).rec,
        data_shape=(3, 48, 40),
        batch_size=len(sizes),
        resize_mode=mode,
        rand_crop_prob=0.5,
        min_crop_scales=0.3,
        dtype="uint8",
        layout="NHWC",
        antialias=True,
        verbose=False,
    )
    plans = [batches.plan(number) for number in range(len(sizes))]
    for image, plan, source in zip(batches.next().data[0], plans, sources, strict=True):
        # An image smaller than the output is at its top left.
        steps = [step for step in plan["steps"] if step["operation"] != "border"]
        expected = replay({**plan, "steps": steps}, source)
        height, width = expected.shape[:2]
        np.testing.assert_array_equal(image[:height, :width], expected)


def test_rotation_stays_bilinear(tmp_path: Path) -> None:
    file, _ = write_noise(tmp_path)
    plan = open_iter(file, rotate=9, resize=40, antialias=True, data_shape=(3, 16, 16)).plan(0)
    assert [step["interp"] for step in steps_of(plan, "warp")] == [LINEAR]
    assert [step["interp"] for step in steps_of(plan, "resize")] == [ANTIALIAS]


@pytest.mark.parametrize("method", [0, 2, 3, 4, 9, 10])
def test_other_methods_raise(tmp_path: Path, method: int) -> None:
    file, _ = write_noise(tmp_path)
    message = f"antialias=True needs inter_method=1 .*, got {method}$"
    with pytest.raises(ValueError, match=message):
        open_iter(file, inter_method=method, antialias=True)
    with pytest.raises(ValueError, match=message):
        ImageDetRecordIter(
            path_imgrec=file.rec, data_shape=(3, 8, 8), batch_size=1, inter_method=method, antialias=True
        )


def test_augmenter_lists_have_their_own_methods(tmp_path: Path) -> None:
    file, _ = write_noise(tmp_path)
    with pytest.raises(ValueError, match="aug_list replaces antialias"):
        open_iter(file, aug_list=CreateAugmenter((3, 8, 8)), antialias=True)


def test_antialias_must_be_a_bool(tmp_path: Path) -> None:
    file, _ = write_noise(tmp_path)
    with pytest.raises(TypeError, match="antialias must be True or False, got 'yes'"):
        open_iter(file, antialias="yes")
    with pytest.raises(ValueError, match=r"inter_method must .*, got 11"):
        open_iter(file, inter_method=ANTIALIAS)
