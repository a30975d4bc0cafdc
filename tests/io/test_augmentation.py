"""Pixels and random parameters of the augmentation of `ImageRecordIter`.

The pixels are checked against a model in NumPy and OpenCV on PNG images: they are lossless, so the comparison is exact.
Random parameters are read from images whose pixels encode their position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.support.records import (
    ODD,
    RecordFile,
    assert_uniform,
    coordinates,
    epochs,
    images,
    in_batch,
    noise,
    numbers,
    open_iter,
    png,
    write_images,
    write_tiny,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def opencv_method(number: int, before: tuple[int, int], after: tuple[int, int]) -> int:
    """Return OpenCV's number of a method; for 9 the one that the sizes, (width, height), select."""
    if number != 9:
        return [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4][number]
    if before[0] < after[0] and before[1] < after[1]:
        return cv2.INTER_CUBIC
    if before[0] > after[0] and before[1] > after[1]:
        return cv2.INTER_AREA
    return cv2.INTER_LINEAR


@dataclass(frozen=True)
class Model:
    """Model of MXNet 1.9.1's augmentation of an image (height, width, channels), with OpenCV and without randomness."""

    data_shape: tuple[int, int, int]
    resize: int = -1
    pad: int = 0
    fill_value: int = 255
    inter_method: int = 1
    mirror: bool = False

    @property
    def tolerance(self) -> int:
        """Largest allowed difference: bicubic resampling differs by 1 between versions of OpenCV."""
        return int(self.inter_method in (2, 9))

    def pixels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the pixel values in NHWC order."""
        if self.resize > 0:
            h, w = image.shape[:2]
            short = (self.resize, self.resize * h // w) if h > w else (self.resize * w // h, self.resize)
            image = self.to(image, short, opencv_method(self.inter_method, (w, h), short))
        image = self.crop(self.cover(self.border(image)))
        return image[:, ::-1] if self.mirror else image

    def border(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        value, pad = [self.fill_value] * 3 + [0], self.pad
        bordered = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=value)
        return np.atleast_3d(bordered).astype(np.uint8)

    def cover(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        _, height, width = self.data_shape
        h, w = image.shape[:2]
        method = opencv_method(self.inter_method, (w, h), (width, height))
        if h < height:
            image = self.to(image, (int(np.float32(height) / np.float32(h) * np.float32(w)), height), method)
        h, w = image.shape[:2]
        if w < width:
            image = self.to(image, (width, int(np.float32(width) / np.float32(w) * np.float32(h))), method)
        return image

    def crop(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        _, height, width = self.data_shape
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        return image[top : top + height, left : left + width]

    @staticmethod
    def to(image: NDArray[np.uint8], size: tuple[int, int], method: int) -> NDArray[np.uint8]:
        resized = cv2.resize(image, size, interpolation=method)
        return resized.reshape(*resized.shape[:2], image.shape[2]).astype(np.uint8)


def difference(image: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """Return the largest difference of two images."""
    return int(np.abs(image.astype(int) - other).max())


SIZES = [(40, 60), (60, 40), (24, 24), (50, 51), (13, 90), (5, 7), (1, 1)]
"""(height, width) of images, some larger than the output and some smaller."""

GEOMETRY: list[dict[str, Any]] = [
    {},
    {"resize": 32},
    {"resize": 100},
    {"mirror": True},
    {"pad": 7},
    {"pad": 30, "fill_value": 0},
    {"resize": 20, "pad": 5, "fill_value": 77, "mirror": True},
    *({"inter_method": method} for method in (0, 2, 3, 4, 9)),
    *({"resize": 31, "inter_method": method} for method in (0, 2, 3, 4, 9)),
]


def write_noise(folder: Path, channels: int) -> tuple[RecordFile, list[NDArray[np.uint8]]]:
    pixels = [noise(*size, channels, seed) for seed, size in enumerate(SIZES)]
    return write_images(folder, map(png, pixels)), pixels


class TestPixels:
    @pytest.mark.parametrize("channels", [1, 3, 4])
    @pytest.mark.parametrize("settings", GEOMETRY, ids=str)
    def test_geometry_equals_the_model(self, tmp_path: Path, settings: dict[str, Any], channels: int) -> None:
        file, pixels = write_noise(tmp_path, channels)
        shape = (channels, 24, 28)
        batch = open_iter(file, data_shape=shape, batch_size=len(SIZES), layout="NHWC", **settings).next()
        model = Model(shape, **settings)
        for size, image, pixel in zip(SIZES, batch.data[0], pixels, strict=True):
            assert difference(image, model.pixels(pixel)) <= model.tolerance, size

    @pytest.mark.parametrize("channels", [1, 3, 4])
    @pytest.mark.parametrize("mirror", [False, True])
    @pytest.mark.parametrize("dtype", ["float32", "float16", "uint8", "int8"])
    def test_nhwc_is_nchw_transposed(self, tmp_path: Path, dtype: str, mirror: bool, channels: int) -> None:
        file, _ = write_noise(tmp_path, channels)
        settings = {"data_shape": (channels, 24, 28), "dtype": dtype, "mirror": mirror}
        nchw, nhwc = (open_iter(file, layout=layout, **settings).next().data[0] for layout in ("NCHW", "NHWC"))
        assert nhwc.shape == (4, 24, 28, channels)
        np.testing.assert_array_equal(nhwc.transpose(0, 3, 1, 2), nchw)

    def test_alpha_is_dropped_and_gray_repeated_for_three_channels(self, tmp_path: Path) -> None:
        rgba, gray = noise(8, 8, 4), noise(8, 8, 1)
        batch = open_iter(write_images(tmp_path, [png(rgba), png(gray)]), layout="NHWC").next()
        np.testing.assert_array_equal(batch.data[0][0], rgba[..., :3])
        np.testing.assert_array_equal(batch.data[0][1], gray.repeat(3, axis=2))

    def test_inter_method_10_uses_all_five_methods(self, tmp_path: Path) -> None:
        pixels = noise(40, 60)
        file = write_images(tmp_path, [png(pixels)] * 200)
        batch = open_iter(
            file, data_shape=(3, 24, 28), batch_size=200, resize=30, inter_method=10, layout="NHWC"
        ).next()
        models = [Model((3, 24, 28), resize=30, inter_method=method).pixels(pixels) for method in range(5)]
        differences = np.array([[difference(image, model) for model in models] for image in batch.data[0]])
        assert differences.min(axis=1).max() <= 1
        assert_uniform(np.bincount(differences.argmin(axis=1), minlength=5))


MEAN = {"mean_r": 123.68, "mean_g": 116.28, "mean_b": 103.53, "mean_a": 3.5}
STD = {"std_r": 58.395, "std_g": 57.12, "std_b": 57.375, "std_a": 0.7}


class TestValues:
    """Each image has all 256 values in every channel, so that the arithmetic of each is tested."""

    @pytest.fixture(params=[1, 3, 4])
    def ramp(self, request: pytest.FixtureRequest, tmp_path: Path) -> tuple[RecordFile, NDArray[np.uint8]]:
        pixels = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), request.param, axis=2)
        return write_images(tmp_path, [png(pixels)]), pixels

    def read(self, ramp: tuple[RecordFile, NDArray[np.uint8]], **settings: Any) -> NDArray[Any]:  # noqa: ANN401
        file, pixels = ramp
        shape = (pixels.shape[2], 16, 16)
        batch = open_iter(file, data_shape=shape, batch_size=1, layout="NHWC", **settings).next()
        return batch.data[0].squeeze(0)

    @pytest.mark.parametrize("scale", [1.0, 1 / 255, -3.7])
    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    def test_normalized_floats_are_bit_exact(
        self, ramp: tuple[RecordFile, NDArray[np.uint8]], dtype: type[np.floating], scale: float
    ) -> None:
        """MXNet multiplies by a rounded quotient, all in 32 bits; adding 0 makes -0 of an exact mean to 0."""
        mean, std = (np.array(list(values.values()), np.float32)[: ramp[1].shape[2]] for values in (MEAN, STD))
        expected = (ramp[1].astype(np.float32) - mean) * (np.float32(scale) / std) + np.float32(0)
        pixels = self.read(ramp, dtype=dtype, scale=scale, **MEAN, **STD)
        assert pixels.dtype == dtype
        assert pixels.tobytes() == expected.astype(dtype).tobytes()

    def test_without_settings_floats_are_the_pixel_values(self, ramp: tuple[RecordFile, NDArray[np.uint8]]) -> None:
        np.testing.assert_array_equal(self.read(ramp, dtype="float32"), ramp[1].astype(np.float32))

    def test_uint8_ignores_mean_std_and_scale(self, ramp: tuple[RecordFile, NDArray[np.uint8]]) -> None:
        pixels = self.read(ramp, dtype="uint8", scale=2, **MEAN, **STD)
        assert pixels.dtype == np.uint8
        np.testing.assert_array_equal(pixels, ramp[1])

    def test_int8_subtracts_the_rounded_mean_and_clamps(self, ramp: tuple[RecordFile, NDArray[np.uint8]]) -> None:
        mean = {"mean_r": 128, "mean_g": 127.4, "mean_b": 100.5, "mean_a": 0}
        rounded = np.array([128, 127, 101, 0])[: ramp[1].shape[2]]
        pixels = self.read(ramp, dtype="int8", scale=2, **mean, **STD)
        assert pixels.dtype == np.int8
        np.testing.assert_array_equal(pixels, np.clip(ramp[1].astype(int) - rounded, -128, 127))

    @pytest.mark.parametrize("dtype", [None, "float32", np.float32, np.dtype("float32")])
    def test_dtype_accepts_all_of_numpys_spellings(self, ten: RecordFile, dtype: Any) -> None:  # noqa: ANN401
        assert open_iter(ten, dtype=dtype).next().data[0].dtype == np.float32


@dataclass(frozen=True)
class Regions:
    """Regions of a `coordinates` image that were cropped, one per sample, in pixels."""

    left: NDArray[np.int64]
    top: NDArray[np.int64]
    width: NDArray[np.int64]
    height: NDArray[np.int64]

    @classmethod
    def of(cls, samples: NDArray[np.uint8]) -> Regions:
        """Read the regions from the corners of NHWC images, which are no smaller than the region."""
        first, last = samples[:, 0, 0].astype(int), samples[:, -1, -1].astype(int)
        left, top = first[:, 0], first[:, 1]
        return cls(left, top, last[:, 0] - left + 1, last[:, 1] - top + 1)


def sample_regions(folder: Path, size: tuple[int, int], count: int = 2000, **settings: Any) -> Regions:  # noqa: ANN401
    """Crop an image of this height and width `count` times."""
    per_epoch = 100
    file = write_images(folder, [png(coordinates(*size))] * per_epoch)
    batches = open_iter(file, batch_size=per_epoch, layout="NHWC", inter_method=0, **settings)
    samples = [images(epoch) for epoch in epochs(batches, count // per_epoch)]
    return Regions.of(np.concatenate(samples))


class TestSampling:
    HEIGHT, WIDTH = 200, 240

    def sample_resized(self, folder: Path, **settings: Any) -> Regions:  # noqa: ANN401 settings are of many types
        size = (self.HEIGHT, self.WIDTH)
        return sample_regions(folder, size, data_shape=(3, 256, 256), random_resized_crop=True, **settings)

    def area(self, regions: Regions) -> NDArray[np.float64]:
        fraction: NDArray[np.float64] = regions.width * regions.height / (self.HEIGHT * self.WIDTH)
        return fraction

    def test_areas_of_resized_crops_are_uniform(self, tmp_path: Path) -> None:
        area = self.area(self.sample_resized(tmp_path, min_random_area=0.1, max_random_area=0.4))
        assert (area.min(), area.max()) == pytest.approx((0.1, 0.4), abs=0.003)
        assert_uniform(np.histogram(area, 10, (0.1, 0.4))[0])

    def test_aspect_ratios_of_resized_crops_are_uniform_in_both_directions(self, tmp_path: Path) -> None:
        """As in MXNet, the ratio is that of width to height or of height to width, with equal probability."""
        settings = {"min_random_area": 0.2, "max_random_area": 0.3, "min_aspect_ratio": 0.5, "max_aspect_ratio": 0.8}
        regions = self.sample_resized(tmp_path, **settings)
        ratio = np.minimum(regions.width, regions.height) / np.maximum(regions.width, regions.height)
        assert (ratio.min(), ratio.max()) == pytest.approx((0.5, 0.8), abs=0.02)
        assert_uniform(np.histogram(ratio, 6, (0.5, 0.8))[0])
        assert_uniform(np.bincount((regions.width > regions.height).astype(int)))

    def test_max_aspect_ratio_alone_is_the_distance_from_1(self, tmp_path: Path) -> None:
        regions = self.sample_resized(tmp_path, max_random_area=0.3, max_aspect_ratio=0.25, count=400)
        ratio = regions.width / regions.height
        assert 1 / 1.37 < ratio.min() < 0.8
        assert 1.25 < ratio.max() < 1.37

    def test_positions_of_resized_crops_are_uniform(self, tmp_path: Path) -> None:
        regions = self.sample_resized(tmp_path, min_random_area=0.2, max_random_area=0.3)
        for offset, size, side in (
            (regions.left, regions.width, self.WIDTH),
            (regions.top, regions.height, self.HEIGHT),
        ):
            assert_uniform(np.histogram((offset + 0.5) / (side - size + 1), 10, (0, 1))[0])

    def test_default_areas_are_from_8_percent_to_all(self, tmp_path: Path) -> None:
        area = self.area(self.sample_resized(tmp_path))
        assert 0.077 < area.min() < 0.1
        assert 0.9 < area.max() <= 1

    def test_region_that_never_fits_falls_back_to_the_center(self, tmp_path: Path) -> None:
        size = (20, 100)
        settings = {"random_resized_crop": True, "min_random_area": 1, "min_aspect_ratio": 1, "max_aspect_ratio": 1}
        regions = sample_regions(tmp_path, size, 100, data_shape=(3, 20, 50), **settings)
        assert {*regions.left} == {25}

    def test_positions_of_random_crops_are_uniform(self, tmp_path: Path) -> None:
        regions = sample_regions(tmp_path, (17, 20), 4000, data_shape=(3, 10, 10), rand_crop=True)
        counts, _, _ = np.histogram2d(regions.left, regions.top, (np.arange(12), np.arange(9)))
        assert_uniform(counts.astype(int))

    def test_half_of_the_images_are_mirrored(self, tmp_path: Path) -> None:
        file = write_images(tmp_path, [png(coordinates(8, 8))] * 500)
        batches = open_iter(file, batch_size=500, rand_mirror=True, layout="NHWC")
        first, second = (epoch[0].data[0][:, 0, 0, 0] == 7 for epoch in epochs(batches, 2))
        assert_uniform(np.bincount(2 * first + second))

    def test_mirror_overrides_rand_mirror(self, tmp_path: Path) -> None:
        file = write_images(tmp_path, [png(coordinates(8, 8))] * 50)
        batch = open_iter(file, batch_size=50, rand_mirror=True, mirror=True, layout="NHWC").next()
        assert (batch.data[0][:, 0, 0, 0] == 7).all()

    def test_each_epoch_has_another_permutation(self, ten: RecordFile) -> None:
        orders = [numbers(epoch) for epoch in epochs(open_iter(ten, shuffle=True), 20)]
        assert all(sorted(order) == list(range(10)) for order in orders)
        assert len({tuple(order) for order in orders}) == 20

    def test_every_record_is_uniform_over_positions(self, ten: RecordFile) -> None:
        batches = open_iter(ten, shuffle=True, batch_size=10)
        counts = np.zeros((10, 10), int)
        for epoch in epochs(batches, 600):
            counts[range(10), in_batch(epoch[0])] += 1
        assert_uniform(counts, constraints=19)

    def test_order_spans_all_files(self, tmp_path: Path) -> None:
        file = write_tiny(tmp_path, 1000)
        order = np.array(numbers(open_iter(file, shuffle=True)))
        assert np.abs(order - np.arange(1000)).mean() == pytest.approx(1000 / 3, rel=0.1)


DECODABLE = [
    "gray.jpg",
    "progressive.jpg",
    "s422.jpg",
    "cmyk.jpg",
    "palette.png",
    "gray16.png",
    "photo.bmp",
    "photo.webp",
]


@pytest.mark.parametrize("channels", [1, 3])
def test_unusual_images_are_read(tmp_path: Path, channels: int) -> None:
    file = write_images(tmp_path, [(ODD / name).read_bytes() for name in DECODABLE])
    formats = ["jpeg", "png", "bmp", "webp"]
    batch = open_iter(file, batch_size=len(DECODABLE), data_shape=(channels, 64, 64), formats=formats).next()
    assert (batch.data[0].std(axis=(1, 2, 3)) > 5).all()
