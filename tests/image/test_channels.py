"""Images of any number of channels, such as masks stacked on images, and what is no image."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage

from recio import image as mx_image
from recio.image import (
    CenterCropAug,
    ForceResizeAug,
    HorizontalFlipAug,
    RandomCropAug,
    RandomGrayAug,
    RandomSizedCropAug,
    ResizeAug,
    copyMakeBorder,
    fixed_crop,
    imencode,
    imresize,
    random_crop,
    resize_short,
)
from recio.recordio import IRHeader, pack_img, unpack_img
from tests.support.records import noise

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS = [2, 5, 6, 7, 9]
HEADER = IRHeader(0, 1.0, 2, 0)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("interp", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("channels", CHANNELS)
def test_channels_are_resized_as_by_opencv(channels: int, interp: int, dtype: str) -> None:
    image = noise(20, 30, channels).astype(dtype)
    resized = imresize(image, 11, 13, interp)
    expected = np.dstack([cv2.resize(image[..., n], (11, 13), interpolation=interp) for n in range(channels)])
    assert (resized.shape, resized.dtype) == ((13, 11, channels), image.dtype)
    # Cubic of OpenCV differs from itself by 1.
    np.testing.assert_allclose(resized.astype(float), expected.astype(float), atol=1 if interp == 2 else 1e-3)
    out = np.empty_like(resized)
    assert imresize(image, 11, 13, interp, out=out) is out


@pytest.mark.parametrize("channels", CHANNELS)
def test_functions_take_any_number_of_channels(channels: int) -> None:
    image = noise(20, 30, channels)
    assert resize_short(image, 10).shape == (10, 15, channels)
    assert fixed_crop(image, 1, 2, 9, 8, (5, 4)).shape == (4, 5, channels)
    assert random_crop(image, (12, 9))[0].shape == (9, 12, channels)
    np.testing.assert_array_equal(
        copyMakeBorder(image, 1, 2, 3, 4, type=2)[..., 1],
        cv2.copyMakeBorder(np.ascontiguousarray(image[..., 1]), 1, 2, 3, 4, cv2.BORDER_REFLECT),
    )


@pytest.mark.parametrize(
    "augmenter",
    [
        HorizontalFlipAug(1),
        HorizontalFlipAug(0.5),
        ResizeAug(9),
        ForceResizeAug((7, 8)),
        CenterCropAug((9, 8)),
        RandomCropAug((9, 8)),
        RandomSizedCropAug((9, 8), 0.2, (0.5, 2)),
    ],
    ids=repr,
)
@pytest.mark.parametrize("channels", [1, *CHANNELS])
def test_geometric_augmenters_treat_all_channels_alike(augmenter: Any, channels: int) -> None:  # noqa: ANN401
    image = noise(20, 30, 1).repeat(channels, axis=2)
    for seed in range(4):
        random.seed(seed)
        augmented = augmenter(image)
        assert augmented.shape[2] == channels
        np.testing.assert_array_equal(augmented, augmented[..., :1].repeat(channels, axis=2))
        random.seed(seed)
        np.testing.assert_array_equal(augmented[..., 0], augmenter(image[..., :1])[..., 0])


def test_color_augmenters_refuse_other_channels() -> None:
    with pytest.raises(ValueError, match="channels"):
        RandomGrayAug(1)(noise(8, 8, 5))


FUNCTIONS: dict[str, Callable[[Any], object]] = {
    "pack_img": lambda image: pack_img(HEADER, image),
    "imencode": imencode,
    "imresize": lambda image: imresize(image, 4, 4),
    "resize_short": lambda image: resize_short(image, 4),
    "fixed_crop": lambda image: fixed_crop(image, 0, 0, 4, 4),
    "random_crop": lambda image: random_crop(image, (4, 4)),
    "center_crop": lambda image: mx_image.center_crop(image, (4, 4)),
    "random_size_crop": lambda image: mx_image.random_size_crop(image, (4, 4), 0.1, (1, 1)),
    "color_normalize": lambda image: mx_image.color_normalize(image, 1.0),
    "copyMakeBorder": lambda image: copyMakeBorder(image, 1, 1, 1, 1),
    "imrotate": lambda image: mx_image.imrotate(image, 10),
    "random_rotate": lambda image: mx_image.random_rotate(image, (0, 1)),
    "augmenter": HorizontalFlipAug(1),
    "color augmenter": mx_image.BrightnessJitterAug(0.1),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_image_that_could_not_be_read_is_named(name: str) -> None:
    with pytest.raises(TypeError, match=r"(src|img) is None, not an image; cv2\.imread returns None for a file that"):
        FUNCTIONS[name](cv2.imread("/absent/a.jpg"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_image_of_pillow_is_named(name: str) -> None:
    with pytest.raises(TypeError, match=r"must be a NumPy array, got an image of Pillow: pass np\.asarray"):
        FUNCTIONS[name](PillowImage.new("RGB", (8, 8)))


def test_content_that_is_none_is_named() -> None:
    content: Any = None
    with pytest.raises(TypeError, match="buf is None, not the content of an image file"):
        mx_image.imdecode(content)


@pytest.mark.parametrize("img_fmt", [".jpg", ".png"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "int16", "int8", "float32", "float64"])
def test_other_numbers_are_packed_clipped_to_8_bits(dtype: str, img_fmt: str) -> None:
    """OpenCV 4.8.1 converts what a format does not have to uint8, with clipping."""
    image = np.arange(-60, 132, dtype=dtype).reshape(8, 8, 3) * np.dtype(dtype).type(1)
    if dtype != "int8":
        image *= 3
    clipped = np.clip(image, 0, 255).astype(np.uint8)
    packed = pack_img(HEADER, image, 9, img_fmt)
    assert packed == pack_img(HEADER, clipped, 9, img_fmt)


def test_alpha_is_dropped_by_jpeg_and_kept_by_png() -> None:
    """As OpenCV 4.8.1 does."""
    image = noise(8, 8, 4)
    assert pack_img(HEADER, image) == pack_img(HEADER, np.ascontiguousarray(image[..., :3]))
    np.testing.assert_array_equal(unpack_img(pack_img(HEADER, image, 9, ".png"))[1], image)
