"""`decode_scale` and `on_damage` of the record iterators: optional differences from MXNet's decoding."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from recio import DecodeError
from recio.image import imdecode
from recio.io import ImageDetRecordIter, ImageMaskRecordIter, ImageRecordIter
from tests.support.records import DATA, write_images

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PHOTO = next((DATA / "photos" / "cat").glob("*.jpg")).read_bytes()
PLAIN = (DATA / "odd-images" / "plain.jpg").read_bytes()


def large(width: int, height: int, *, progressive: bool = False) -> bytes:
    """Return a photograph of that size."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(PHOTO)).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    image.save(out, "JPEG", quality=90, progressive=progressive)
    return out.getvalue()


def at_scale(jpeg: bytes, divisor: int) -> NDArray[np.uint8]:
    """Return libjpeg's image at 1/2, 1/4 or 1/8 of the size."""
    image = Image.open(io.BytesIO(jpeg))
    size = (image.width // divisor, image.height // divisor)
    image.draft("RGB", size)
    assert image.width in (size[0], size[0] + 1)
    return np.asarray(image)


def read_image(path: Path, jpeg: bytes, **settings: Any) -> NDArray[np.uint8]:  # noqa: ANN401 they are of many types
    file = write_images(path, [jpeg])
    batches = ImageRecordIter(path_imgrec=file.rec, batch_size=1, dtype="uint8", layout="NHWC", **settings)
    image: NDArray[np.uint8] = batches.next().data[0][0]
    return image


class TestDecodeScale:
    @pytest.mark.parametrize(("side", "divisor"), [(602, 1), (601, 2), (301, 2), (300, 4), (151, 4), (150, 8), (20, 8)])
    @pytest.mark.parametrize("progressive", [False, True])
    def test_scaled_image_of_libjpeg_is_resized(
        self, tmp_path: Path, side: int, divisor: int, *, progressive: bool
    ) -> None:
        jpeg = large(1608, 1203, progressive=progressive)
        crop = read_image(tmp_path, jpeg, data_shape=(3, side, side), resize=side, decode_scale="auto")
        small = imdecode(jpeg) if divisor == 1 else at_scale(jpeg, divisor)
        resized = cv2.resize(small, (side * 1608 // 1203, side), interpolation=cv2.INTER_LINEAR)
        left = (resized.shape[1] - side) // 2
        np.testing.assert_array_equal(crop, resized[:, left : left + side])

    def test_decode_scale_is_off_by_default_and_needs_a_reduction_by_half(self, tmp_path: Path) -> None:
        jpeg = large(400, 300)
        settings = {"data_shape": (3, 160, 160), "resize": 160}
        expected = read_image(tmp_path, jpeg, **settings)
        np.testing.assert_array_equal(read_image(tmp_path, jpeg, **settings, decode_scale="auto"), expected)
        settings = {"data_shape": (3, 100, 100), "resize": 100}
        expected = read_image(tmp_path, jpeg, **settings)
        assert (read_image(tmp_path, jpeg, **settings, decode_scale="auto") != expected).any()

    def test_crop_positions_do_not_change(self, tmp_path: Path) -> None:
        settings: dict[str, Any] = {
            "data_shape": (3, 64, 64),
            "random_resized_crop": True,
            "min_random_area": 0.3,
            "rand_mirror": True,
            "seed": 5,
        }
        jpeg = large(1608, 1203)
        full = read_image(tmp_path, jpeg, **settings, antialias=True)
        scaled = read_image(tmp_path, jpeg, **settings, antialias=True, decode_scale="auto")
        assert np.abs(full.astype(int) - scaled).mean() < 2

    def test_other_formats_and_rotated_jpegs_do_not_change(self, tmp_path: Path) -> None:
        png = cv2.imencode(".png", imdecode(large(400, 300)))[1].tobytes()
        rotated = io.BytesIO()
        tags = Image.Exif()
        tags[0x112] = 6
        Image.open(io.BytesIO(large(400, 300))).save(rotated, "JPEG", exif=tags)
        settings = {"data_shape": (3, 50, 50), "resize": 50}
        for image in (png, rotated.getvalue()):
            expected = read_image(tmp_path, image, **settings)
            np.testing.assert_array_equal(read_image(tmp_path, image, **settings, decode_scale="auto"), expected)

    def test_unknown_value_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match='decode_scale must be "auto" or None, got "half"'):
            read_image(tmp_path, PLAIN, data_shape=(3, 8, 8), decode_scale="half")


class TestOnDamage:
    TRUNCATED = PLAIN[: len(PLAIN) // 2]

    def test_damage_is_an_error_with_its_position_unless_filled(self, tmp_path: Path) -> None:
        height, width, _ = imdecode(PLAIN).shape
        shape = (3, height, width)
        with pytest.raises(DecodeError, match=r"rec: record 0 \(id 100\) at byte 0: the JPEG ends .* at byte \d+"):
            read_image(tmp_path, self.TRUNCATED, data_shape=shape)
        image = read_image(tmp_path, self.TRUNCATED, data_shape=shape, on_damage="fill")
        np.testing.assert_array_equal(image, imdecode(self.TRUNCATED, on_damage="fill"))
        assert (image[-1] == 128).all()

    def test_truncation_below_the_crop_is_detected(self, tmp_path: Path) -> None:
        with pytest.raises(DecodeError, match="the JPEG ends before all of its image data"):
            read_image(tmp_path, self.TRUNCATED, data_shape=(3, 16, 16))

    def test_damaged_header_is_always_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(DecodeError):
            read_image(tmp_path, PLAIN[:100], data_shape=(3, 16, 16), on_damage="fill")

    def test_unknown_value_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match='on_damage must be "error" or "fill", got "ignore"'):
            read_image(tmp_path, PLAIN, data_shape=(3, 8, 8), on_damage="ignore")


@pytest.mark.parametrize("iterator", [ImageRecordIter, ImageDetRecordIter, ImageMaskRecordIter])
def test_all_record_iterators_have_both_options(iterator: type) -> None:
    import inspect  # noqa: PLC0415 used only here

    assert {"decode_scale", "on_damage"} <= inspect.signature(iterator).parameters.keys()
