"""`to_rgb=False` and `unpack_img`: the pixels of R, G, B with red and blue exchanged, in every format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError
from recio.image import imdecode, imread
from recio.recordio import IRHeader, pack, unpack_img
from tests.support.formats.digests import read_archive
from tests.support.records import DATA, ODD, noise, png

if TYPE_CHECKING:
    from numpy.typing import NDArray

JPEGS = ["cmyk.jpg", "exif-rotate6.jpg", "gray.jpg", "one-pixel.jpg", "plain.jpg", "progressive.jpg", "tiny.jpg"]
FORMATS = ["bmp", "gif", "png", "tiff", "webp"]


def some_images(kind: str) -> list[bytes]:
    """Return images of a format that decode: a few dozen of different encoders."""
    if kind == "jpeg":
        return [(ODD / name).read_bytes() for name in JPEGS]
    images, _ = read_archive(DATA / "formats" / f"{kind}.zip")
    return [image for image in list(images.values())[::5] if decodes(image)]


def decodes(image: bytes) -> bool:
    try:
        imdecode(image)
    except DecodeError:
        return False
    return True


def assert_exchanged(bgr: NDArray[Any], rgb: NDArray[Any]) -> None:
    np.testing.assert_array_equal(bgr, rgb[..., ::-1])
    assert bgr.flags.c_contiguous
    assert bgr.flags.writeable


@pytest.mark.parametrize("kind", ["jpeg", *FORMATS])
class TestEachFormat:
    """Images of each format."""

    def test_bgr_is_rgb_reversed(self, kind: str) -> None:
        images = some_images(kind)
        assert len(images) >= len(JPEGS)
        for image in images:
            assert_exchanged(imdecode(image, to_rgb=False), imdecode(image))

    def test_regions_are_reversed_too(self, kind: str) -> None:
        for image in some_images(kind):
            height, width, _ = imdecode(image).shape
            region = (width // 3, height // 4, (width + 1) // 2, (height + 1) // 2)
            assert_exchanged(imdecode(image, to_rgb=False, region=region), imdecode(image, region=region))

    def test_gray_has_no_order(self, kind: str) -> None:
        for image in some_images(kind):
            gray = imdecode(image, 0)
            assert gray.shape[2] == 1
            np.testing.assert_array_equal(imdecode(image, 0, to_rgb=False), gray)

    def test_unpack_img_returns_bgr_and_gray(self, kind: str) -> None:
        for image in some_images(kind):
            record = pack(IRHeader(0, 1.0, 0, 0), image)
            np.testing.assert_array_equal(unpack_img(record, 1)[1], imdecode(image, to_rgb=False))
            np.testing.assert_array_equal(unpack_img(record, 0)[1], imdecode(image, 0)[..., 0])


@pytest.mark.parametrize("width", [1, 2, 15, 16, 17, 18, 33, 34, 35, 100])
def test_rows_of_all_lengths_are_exchanged(width: int) -> None:
    image = noise(3, width)
    assert_exchanged(imdecode(png(image), to_rgb=False), image)


def test_files_and_given_arrays_have_the_same_order() -> None:
    path = ODD / "plain.jpg"
    expected = imread(path)[..., ::-1]
    np.testing.assert_array_equal(imread(path, to_rgb=False), expected)
    out = np.empty(expected.shape, np.uint8)
    assert imdecode(path.read_bytes(), to_rgb=False, out=out) is out
    np.testing.assert_array_equal(out, expected)


def test_filled_damage_is_exchanged_too() -> None:
    damaged = (ODD / "cut.jpg").read_bytes()
    rgb = imdecode(damaged, on_damage="fill")
    assert_exchanged(imdecode(damaged, to_rgb=False, on_damage="fill"), rgb)
    np.testing.assert_array_equal(
        unpack_img(pack(IRHeader(0, 1.0, 0, 0), damaged), on_damage="fill")[1], rgb[..., ::-1]
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_stays_last(dtype: type[np.unsignedinteger[Any]]) -> None:
    rgba = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 40, 4)).astype(dtype)
    record = pack(IRHeader(0, 1.0, 0, 0), png(rgba))
    np.testing.assert_array_equal(unpack_img(record)[1], rgba[..., [2, 1, 0, 3]])
