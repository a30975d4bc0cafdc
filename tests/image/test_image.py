"""Single images: decoding to exact pixels, decoding errors, encoding, and the geometry of `mx.image`."""

from __future__ import annotations

import random
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from recio import DecodeError
from recio.image import (
    center_crop,
    color_normalize,
    fixed_crop,
    imdecode,
    imencode,
    imread,
    imresize,
    random_crop,
    resize_short,
    scale_down,
)
from tests.support.records import DATA, ODD, coordinates, noise, png

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

# Height and width of the images that decode; error messages of the others.
PHOTO = (300, 451)
SIZES = {
    "alpha.png": PHOTO,
    "cmyk.jpg": PHOTO,
    "exif-rotate6.jpg": (451, 300),
    "gray.jpg": PHOTO,
    "gray16.png": PHOTO,
    "one-pixel.jpg": (1, 1),
    "palette.png": PHOTO,
    "photo.bmp": (60, 90),
    "photo.webp": PHOTO,
    "plain.jpg": PHOTO,
    "progressive.jpg": PHOTO,
    "s422.jpg": PHOTO,
    "s444.jpg": PHOTO,
    "tiny.jpg": (23, 37),
    "with-restarts.jpg": PHOTO,
}
REASONS = {
    "cut.jpg": "the JPEG ends before all of its image data",
    "empty.jpg": "there are no image bytes",
    "garbage.jpg": "not an image that recio can decode: the payload starts with f5 b1 65 22",
    "not-an-image.txt": "not an image that recio can decode: the payload starts with 68 65 6c 6c 6f 0a (6 bytes)",
}


def pixel_difference(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    assert a.shape == b.shape
    difference: NDArray[Any] = np.abs(a.astype(int) - b)
    return difference


def opencv_image(path: Path, flag: int) -> NDArray[Any]:
    image = cv2.imread(str(path), flag)
    assert image is not None
    return image


def test_every_unusual_image_is_in_one_of_the_two_lists() -> None:
    assert {path.name for path in ODD.iterdir()} == SIZES.keys() | REASONS.keys()


class TestDecoding:
    """`imread` and `imdecode`."""

    @pytest.mark.parametrize(("name", "size"), SIZES.items())
    @pytest.mark.parametrize(("flag", "channels"), [(1, 3), (0, 1)])
    def test_images_have_three_channels_or_one(
        self, name: str, size: tuple[int, int], flag: int, channels: int
    ) -> None:
        image = imread(ODD / name, flag)
        assert image.shape == (*size, channels)
        assert image.dtype == np.uint8
        assert image.flags.c_contiguous
        assert image.flags.writeable
        np.testing.assert_array_equal(imdecode((ODD / name).read_bytes(), flag), image)

    @pytest.mark.parametrize(("name", "reason"), REASONS.items())
    @pytest.mark.parametrize("flag", [0, 1])
    def test_non_image_raises_decode_error_with_path(self, name: str, reason: str, flag: int) -> None:
        with pytest.raises(DecodeError, match=re.escape(f"{name}: {reason}")) as caught:
            imread(ODD / name, flag)
        assert caught.value.path == str(ODD / name)
        with pytest.raises(DecodeError, match=f"^{re.escape(reason)}"):
            imdecode((ODD / name).read_bytes(), flag)

    @pytest.mark.parametrize("name", [name for name in SIZES if name != "one-pixel.jpg"])
    def test_truncated_image_raises_decode_error(self, name: str) -> None:
        payload = (ODD / name).read_bytes()
        with pytest.raises(DecodeError):
            imdecode(payload[: len(payload) // 2])

    @pytest.mark.parametrize("name", np.load(DATA / "golden" / "decoded.npz").files)
    def test_jpeg_pixels_match_mxnet(self, name: str) -> None:
        np.testing.assert_array_equal(imread(ODD / name), np.load(DATA / "golden" / "decoded.npz")[name])

    @pytest.mark.parametrize("name", ["alpha.png", "palette.png", "photo.bmp", "photo.webp", "cmyk.jpg"])
    def test_pixels_of_other_formats_match_opencv(self, name: str) -> None:
        difference = pixel_difference(imread(ODD / name, to_rgb=False), opencv_image(ODD / name, cv2.IMREAD_COLOR))
        assert difference.mean() <= (1.0 if name.endswith("webp") else 0.0)

    def test_16_bit_image_keeps_the_high_byte(self) -> None:
        deep = opencv_image(ODD / "gray16.png", cv2.IMREAD_UNCHANGED)
        assert deep.dtype == np.uint16
        np.testing.assert_array_equal(imread(ODD / "gray16.png", 0)[..., 0], deep >> 8)

    def test_gray_of_a_png_matches_libpng(self) -> None:
        image = noise(30, 40)
        np.testing.assert_array_equal(imdecode(png(image), 0)[..., 0], (image @ np.array([9797, 19234, 3737])) >> 15)

    def test_gray_image_has_three_equal_channels(self) -> None:
        image = imread(ODD / "gray.jpg")
        np.testing.assert_array_equal(image, np.repeat(imread(ODD / "gray.jpg", 0), 3, axis=2))

    def test_channels_are_rgb_or_bgr(self) -> None:
        image = noise(5, 6)
        np.testing.assert_array_equal(imdecode(png(image)), image)
        bgr = imdecode(png(image), to_rgb=False)
        np.testing.assert_array_equal(bgr, image[..., ::-1])
        assert bgr.flags.c_contiguous

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_orientation_matches_opencv(self, orientation: int) -> None:
        payload = bytearray((ODD / "exif-rotate6.jpg").read_bytes())
        assert payload[49] == 6
        payload[49] = orientation
        expected = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_COLOR)
        assert expected is not None
        np.testing.assert_array_equal(imdecode(payload, to_rgb=False), expected)
        assert imdecode(payload, 0).shape == (*expected.shape[:2], 1)

    @pytest.mark.parametrize("kind", [bytearray, memoryview, lambda payload: np.frombuffer(payload, np.uint8)])
    def test_buffer_may_be_any_bytes_like_object(self, kind: Callable[[bytes], Any]) -> None:
        payload = png(noise(5, 6))
        np.testing.assert_array_equal(imdecode(kind(payload)), imdecode(payload))

    def test_text_raises_type_error(self) -> None:
        text: Any = "text"
        with pytest.raises(TypeError):
            imdecode(text)

    def test_image_is_written_into_out(self) -> None:
        image = noise(5, 6)
        for out in (np.empty((5, 6, 3), np.uint8), np.empty((5, 12, 3), np.uint8)[:, ::2]):
            assert imdecode(png(image), out=out) is out
            np.testing.assert_array_equal(out, image)

    @pytest.mark.parametrize("out", [np.empty((6, 5, 3), np.uint8), np.empty((5, 6, 3), np.float32)])
    def test_mismatched_out_raises_value_error(self, out: NDArray[Any]) -> None:
        with pytest.raises(ValueError, match=r"out must be uint8 \(5, 6, 3\), as the image, got "):
            imdecode(png(noise(5, 6)), out=out)

    @pytest.mark.parametrize("flag", [-1, 2, 4])
    def test_invalid_flag_raises_value_error(self, flag: int) -> None:
        with pytest.raises(ValueError, match=f"flag must .*, got {flag}"):
            imdecode(png(noise(5, 6)), flag)

    def test_missing_file_raises_file_not_found(self) -> None:
        with pytest.raises(FileNotFoundError):
            imread(ODD / "missing.jpg")

    def test_declared_size_beyond_the_limits_raises_at_once(self) -> None:
        payload = bytearray((ODD / "plain.jpg").read_bytes())
        frame = payload.index(b"\xff\xc0")
        payload[frame + 5 : frame + 9] = b"\xff\xdc" * 2
        start = time.process_time()
        with pytest.raises(DecodeError, match="65500x65500 pixels; the limit is 16384 a side"):
            imdecode(payload)
        assert time.process_time() - start < 1


class TestThreads:
    """Decoding releases the GIL."""

    def test_threads_decode_the_same_pixels_concurrently(self) -> None:
        payloads = [(ODD / name).read_bytes() for name in SIZES] * 8
        sequential = [imdecode(payload).tobytes() for payload in payloads]
        with ThreadPoolExecutor(8) as threads:
            concurrent = list(threads.map(lambda payload: imdecode(payload).tobytes(), payloads))
        assert concurrent == sequential

    def test_other_threads_run_while_an_image_is_decoded(self) -> None:
        """If the GIL were held, the other thread could not count between the two readings."""
        payload = png(noise(4000, 4000))
        steps, done = 0, threading.Event()

        def count() -> None:
            nonlocal steps
            while not done.is_set():
                steps += 1
                time.sleep(0.001)

        counter = threading.Thread(target=count, daemon=True)
        counter.start()
        before = steps
        imdecode(payload)
        counted = steps - before
        done.set()
        counter.join()
        assert counted >= 5


class TestEncoding:
    """`imencode`, in RGB; `pack_img` is tested with the records."""

    @pytest.mark.parametrize("channels", [1, 3])
    def test_png_round_trip_is_lossless(self, channels: int) -> None:
        image = noise(5, 6, channels)
        np.testing.assert_array_equal(imdecode(imencode(image, ".png", 9), int(channels == 3)), image)

    def test_jpeg_is_encoded_from_rgb(self) -> None:
        red = np.zeros((16, 16, 3), np.uint8)
        red[..., 0] = 200
        assert pixel_difference(imdecode(imencode(red)), red).max() <= 2

    def test_floats_are_rounded_and_clamped(self) -> None:
        pixels: Any = np.array([[-3.0, 0.4, 99.6, 300.0]])
        assert imdecode(imencode(pixels, ".png", 1), 0).ravel().tolist() == [0, 0, 100, 255]


class TestGeometry:
    """Resizing and cropping; the pixels of a resize are tested against OpenCV elsewhere."""

    def test_imresize_takes_width_before_height(self) -> None:
        assert imresize(noise(40, 50), 20, 10).shape == (10, 20, 3)

    def test_imresize_writes_into_out(self) -> None:
        image, out = noise(40, 50), np.empty((10, 20, 3), np.uint8)
        assert imresize(image, 20, 10, 2, out) is out
        np.testing.assert_array_equal(out, imresize(image, 20, 10, 2))

    @pytest.mark.parametrize("out", [np.empty((1, 1, 3), np.uint8), np.empty((10, 20, 3), np.float32)])
    def test_mismatched_out_raises_value_error(self, out: NDArray[Any]) -> None:
        with pytest.raises(ValueError, match=r"out must be uint8 \(10, 20, 3\), as the image, got "):
            imresize(noise(40, 50), 20, 10, 1, out)

    @pytest.mark.parametrize("kind", [np.float32, np.float64])
    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_imresize_of_floats_matches_opencv(self, kind: type[np.floating], channels: int) -> None:
        """Includes values outside 0 to 255. Intel's arithmetic differs more with the distance from the corner."""
        image = noise(40, 50, channels).astype(kind) * 2 - 100
        for interp in range(5):
            for w, h in [(20, 10), (33, 21), (77, 91), (60, 20), (50, 40)]:
                resized = imresize(image, w, h, interp)
                assert resized.dtype == kind
                expected = cv2.resize(image, (w, h), interpolation=interp).reshape(h, w, channels)
                np.testing.assert_allclose(resized, expected, rtol=0, atol=3e-3)

    def test_floats_are_cropped_as_floats(self) -> None:
        image = noise(40, 50).astype(np.float32)
        np.testing.assert_array_equal(resize_short(image, 20), imresize(image, 25, 20, 2))
        assert center_crop(image, (60, 60))[0].dtype == np.float32

    def test_imresize_writes_floats_into_out(self) -> None:
        image, out = noise(40, 50).astype(np.float64), np.empty((10, 20, 3))
        assert imresize(image, 20, 10, 2, out) is out
        np.testing.assert_array_equal(out, imresize(image, 20, 10, 2))

    @pytest.mark.parametrize("kind", [np.int32, np.float16, np.bool_])
    def test_imresize_of_other_types_raises_type_error(self, kind: type[Any]) -> None:
        image: Any = noise(4, 5).astype(kind)
        with pytest.raises(TypeError, match=f"uint8, float32 or float64, got {image.dtype}"):
            imresize(image, 2, 2)

    def test_image_without_channel_axis_raises_with_a_hint(self) -> None:
        with pytest.raises(ValueError, match=re.escape("got (4, 5); for gray use src[..., None]")):
            imresize(noise(4, 5)[..., 0], 2, 2)

    @pytest.mark.parametrize(("w", "h"), [(0, 5), (5, 0), (-1, 5)])
    def test_side_below_one_pixel_raises_value_error(self, w: int, h: int) -> None:
        with pytest.raises(ValueError, match=f"must be at least 1, got {w} and {h}"):
            imresize(noise(4, 5), w, h)

    @pytest.mark.parametrize("interp", [-1, 5, 8, 11])
    def test_unknown_interp_raises_value_error(self, interp: int) -> None:
        with pytest.raises(ValueError, match=str(interp)):
            imresize(noise(4, 5), 2, 2, interp)

    @pytest.mark.parametrize(
        ("src_size", "size", "scaled"),
        [
            ((640, 480), (720, 120), (640, 106)),
            ((360, 1000), (480, 500), (360, 375)),
            ((300, 400), (0, 0), (0, 0)),
            ((100, 100), (50, 60), (50, 60)),
            ((3, 7), (11, 13), (3, 3)),
            ((50, 40), (100, 100), (40, 40)),
        ],
    )
    def test_scale_down_keeps_the_ratio_and_fits(
        self, src_size: tuple[int, int], size: tuple[int, int], scaled: tuple[int, int]
    ) -> None:
        assert scale_down(src_size, size) == scaled

    @pytest.mark.parametrize(
        ("shape", "size", "resized"),
        [((40, 50), 20, (20, 25)), ((50, 40), 20, (25, 20)), ((40, 40), 20, (20, 20)), ((300, 451), 64, (64, 96))],
    )
    def test_resize_short_sets_the_shorter_side(
        self, shape: tuple[int, int], size: int, resized: tuple[int, int]
    ) -> None:
        image = noise(*shape)
        result = resize_short(image, size)
        assert result.shape == (*resized, 3)
        np.testing.assert_array_equal(result, imresize(image, resized[1], resized[0], 2))

    def test_fixed_crop_takes_left_top_width_height(self) -> None:
        image = coordinates(40, 50)
        crop = fixed_crop(image, 5, 7, 20, 10)
        assert (crop.shape, crop[0, 0].tolist(), crop[-1, -1].tolist()) == ((10, 20, 3), [5, 7, 0], [24, 16, 0])

    def test_fixed_crop_is_clipped_at_the_border(self) -> None:
        assert fixed_crop(coordinates(40, 50), 45, 30, 20, 20).shape == (10, 5, 3)

    def test_fixed_crop_resizes_only_to_another_size(self) -> None:
        image = noise(40, 50)
        np.testing.assert_array_equal(fixed_crop(image, 5, 7, 20, 10, (20, 10)), image[7:17, 5:25])
        resized = imresize(image[7:17, 5:25], 30, 5, 2)
        np.testing.assert_array_equal(fixed_crop(image, 5, 7, 20, 10, (30, 5)), resized)

    @pytest.mark.parametrize(
        ("size", "region"), [((20, 10), (15, 15, 20, 10)), ((21, 11), (14, 14, 21, 11)), ((100, 50), (0, 7, 50, 25))]
    )
    def test_center_crop_is_centered(self, size: tuple[int, int], region: tuple[int, int, int, int]) -> None:
        image = noise(40, 50)
        crop, crop_region = center_crop(image, size)
        assert (crop_region, crop.shape) == (region, (size[1], size[0], 3))
        np.testing.assert_array_equal(crop, fixed_crop(image, *region, size))

    def test_random_crop_samples_left_then_top_from_python_random(self) -> None:
        image = noise(40, 50)
        random.seed(5)
        crop, (x, y, w, h) = random_crop(image, (20, 10))
        random.seed(5)
        assert (x, y, w, h) == (random.randint(0, 30), random.randint(0, 30), 20, 10)
        np.testing.assert_array_equal(crop, image[y : y + 10, x : x + 20])

    def test_random_crop_reaches_every_position(self) -> None:
        random.seed(0)
        positions = {random_crop(noise(5, 6), (4, 4))[1][:2] for _ in range(200)}
        assert positions == {(x, y) for x in range(3) for y in range(2)}

    def test_random_crop_enlarges_a_crop_that_fits(self) -> None:
        crop, region = random_crop(noise(40, 50), (100, 100))
        assert (crop.shape, region[2:]) == ((100, 100, 3), (40, 40))


class TestColorNormalize:
    """`color_normalize`."""

    @pytest.mark.parametrize(("mean", "std"), [(100, 2), ((10, 20, 30), (1, 2, 4)), ([10, 20, 30], None)])
    def test_it_subtracts_and_divides_in_place(self, mean: Any, std: Any) -> None:  # noqa: ANN401 array-likes
        image = noise(4, 5).astype(np.float32)
        expected = (image - np.float32(mean)) / np.float32(1 if std is None else std)
        assert color_normalize(image, mean, std) is image
        np.testing.assert_allclose(image, expected, rtol=1e-6)
        assert image.dtype == np.float32

    def test_integers_raise_type_error(self) -> None:
        image: Any = noise(4, 5)
        with pytest.raises(TypeError, match="uint8"):
            color_normalize(image, 100)


@pytest.mark.parametrize("sides", [(2**40, 2**40), (2**33, 1), (1, 2**16 + 1)])
def test_size_beyond_the_maximum_raises(sides: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="a side must be at most 65536"):
        imresize(np.zeros((2, 2, 3), np.uint8), *sides)
