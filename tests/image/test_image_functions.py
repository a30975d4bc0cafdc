"""Other functions of `mx.image`: crops of random size, borders, rotation.

MXNet's numbers are the output of MXNet 1.9.1.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from recio.image import center_crop, copyMakeBorder, fixed_crop, imrotate, random_rotate, random_size_crop
from tests.support.records import noise

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

BORDERS = [cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT, cv2.BORDER_WRAP, cv2.BORDER_REFLECT_101]


def pattern(height: int, width: int) -> NDArray[np.uint8]:
    """Return an image that is easy to reproduce elsewhere."""
    return (np.arange(height * width * 3) * 37 % 251).astype(np.uint8).reshape(height, width, 3)


class TestRandomSizeCrop:
    def test_regions_and_pixels_match_mxnet_for_the_same_seed(self) -> None:
        image = pattern(40, 50)
        random.seed(11)
        settings: list[Any] = [
            ((8, 6), 0.1, (0.5, 2.0)),
            ((8, 6), (0.3, 0.6), (0.75, 1.3)),
            ((8, 6), (1.0, 1.0), (3.0, 3.0)),
            ((100, 90), 0.5, (0.75, 1.3)),
        ]
        crops = [random_size_crop(image, *arguments) for arguments in settings]
        assert [region for _, region in crops] == [(14, 7, 33, 31), (5, 8, 31, 30), (21, 17, 8, 6), (3, 4, 37, 36)]
        assert [crop.shape for crop, _ in crops] == [(6, 8, 3)] * 3 + [(90, 100, 3)]
        sums = [int(crop.astype(int).sum()) for crop, _ in crops]
        np.testing.assert_allclose(sums, [18282, 17873, 18740, 3374181], rtol=1e-4)

    def test_crop_has_the_pixels_of_its_region(self) -> None:
        image = noise(40, 50)
        crop, region = random_size_crop(image, (9, 7), 0.2, (0.5, 2.0), 1)
        np.testing.assert_array_equal(crop, fixed_crop(image, *region, (9, 7), 1))

    def test_center_crop_is_used_if_nothing_fits(self) -> None:
        image = noise(40, 40)
        crop, region = random_size_crop(image, (60, 30), (0.9, 1.0), (3.0, 4.0))
        center, center_region = center_crop(image, (60, 30))
        assert region == center_region
        np.testing.assert_array_equal(crop, center)

    def test_region_has_at_least_one_pixel_per_side(self) -> None:
        for _ in range(50):
            assert min(random_size_crop(noise(1, 40), (4, 4), (0.001, 0.4), (0.01, 100.0))[1][2:]) == 1

    def test_min_area_is_a_deprecated_name_of_area(self) -> None:
        with pytest.warns(DeprecationWarning, match="min_area is deprecated") as warned:
            _, (_, _, w, h) = random_size_crop(noise(40, 40), (8, 8), 0.01, (1, 1), min_area=1.0)
        assert (w, h) == (40, 40)
        assert warned[0].filename == __file__

    def test_unknown_keywords_raise(self) -> None:
        wrong: Any = {"max_area": 1}
        with pytest.raises(TypeError, match="max_area"):
            random_size_crop(noise(4, 4), (2, 2), 0.5, (1, 1), **wrong)


class TestCopyMakeBorder:
    @pytest.mark.parametrize("type_", BORDERS)
    @pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 2), (5, 7)])
    @pytest.mark.parametrize("sides", [(0, 0, 0, 0), (1, 2, 3, 1), (7, 0, 0, 9), (12, 13, 5, 17)])
    def test_border_matches_opencv(self, type_: int, shape: tuple[int, int], sides: tuple[int, int, int, int]) -> None:
        image = noise(*shape)
        np.testing.assert_array_equal(copyMakeBorder(image, *sides, type_), cv2.copyMakeBorder(image, *sides, type_))

    @pytest.mark.parametrize("type_", BORDERS)
    def test_one_channel_stays_one_channel(self, type_: int) -> None:
        bordered = copyMakeBorder(noise(4, 5, 1), 1, 2, 3, 4, type_)
        assert bordered.shape == (7, 12, 1)

    @pytest.mark.parametrize(
        ("settings", "corner"),
        [
            ({}, [0, 0, 0]),
            ({"value": 7}, [7, 7, 7]),
            ({"value": 300}, [255, 255, 255]),
            ({"value": 2.6}, [3, 3, 3]),
            ({"value": 9, "values": (1, 2, 3)}, [1, 2, 3]),
            ({"values": (5, 6)}, [5, 6, 0]),
        ],
    )
    def test_constant_values_match_mxnet(self, settings: dict[str, Any], corner: list[int]) -> None:
        bordered = copyMakeBorder(noise(2, 2), 1, 0, 0, 2, **settings)
        assert bordered.dtype == np.uint8
        assert bordered[0].tolist() == [corner] * 4
        np.testing.assert_array_equal(bordered[1:, :2], noise(2, 2))

    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
    def test_dtype_is_kept(self, dtype: type) -> None:
        bordered = copyMakeBorder(noise(2, 2).astype(dtype), 1, 1, 1, 1, value=-7.5)
        assert bordered.dtype == dtype
        assert bordered[0, 0].tolist() == [-8 if dtype is np.int32 else -7.5] * 3

    @pytest.mark.parametrize(
        ("shape", "sides", "type_", "message"),
        [
            ((2, 2), (1, 1, 1, 1), 0, "src must have shape (height, width, channels), got (2, 2)"),
            ((0, 2, 3), (1, 1, 1, 1), 1, "got (0, 2, 3)"),
            ((2, 2, 3), (1, 1, 1, 1), 5, "type must be 0 (constant), 1"),
            ((2, 2, 3), (1, 1, -1, 1), 0, "must be at least 0, got 1, 1, -1 and 1"),
        ],
    )
    def test_invalid_arguments_raise(
        self, shape: tuple[int, ...], sides: tuple[int, int, int, int], type_: int, message: str
    ) -> None:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 the text is checked below
            copyMakeBorder(np.zeros(shape, np.uint8), *sides, type_)
        assert message in str(caught.value)


RAMP = np.arange(12, dtype=np.float32).reshape(1, 3, 4)


class TestRotation:
    """`imrotate` and `random_rotate`."""

    @pytest.mark.parametrize(
        ("settings", "rotated"),
        [
            (
                {},
                "0.23669 1.22027 3.23714 3.96176 2.03834 4.34611 6.65389 8.96166 4.27109 7.76286 8.562 5.78336",
            ),
            (
                {"zoom_in": True},
                "0.70512 2.22525 3.87871 5.53218 3.0198 4.67327 6.32673 7.9802 5.46782 7.12129 8.77475 9.84562",
            ),
            (
                {"zoom_out": True},
                "0 0.59441 2.44127 0.25544 0.60502 3.8895 7.1105 5.25445 0.35302 7.75721 4.35306 0",
            ),
        ],
    )
    def test_20_degrees_match_mxnet(self, settings: dict[str, bool], rotated: str) -> None:
        expected = np.array(rotated.split(), np.float64)
        np.testing.assert_allclose(imrotate(RAMP, 20, **settings).ravel(), expected, atol=1e-4)

    def test_random_angles_match_mxnet_for_the_same_seed(self) -> None:
        first = [0.1916317, 1.1428499, 2.8339186, 3.6712976, 2.5869451, 4.5289817, 6.4710183, 8.4130545, 5.1502476]
        second = [0.2634828, 1.3244443, 3.7175820, 4.3476014, 1.4679704, 4.1559901, 6.8440094, 9.5320301, 3.4712994]
        np.random.seed(3)  # noqa: NPY002 the generator that MXNet uses
        np.testing.assert_allclose(random_rotate(RAMP, (-30, 50)).ravel()[:9], first, atol=1e-4)
        np.random.seed(3)  # noqa: NPY002
        batch = random_rotate(np.stack([RAMP, RAMP]), (-30, 50))
        np.testing.assert_allclose(batch.reshape(2, -1)[:, :9], [first, second], atol=1e-4)

    def test_right_angles_rotate_counterclockwise(self) -> None:
        image = noise(6, 6, 3).astype(np.float32).transpose(2, 0, 1)
        for turns in range(-4, 5):
            np.testing.assert_allclose(imrotate(image, 90 * turns), np.rot90(image, turns, (1, 2)), atol=1e-3)

    def test_zoom_in_shows_the_outside_only_at_the_outermost_pixels(self) -> None:
        for angle in range(-90, 180, 7):
            rotated = imrotate(np.ones((1, 30, 47), np.float32), angle, zoom_in=True)
            np.testing.assert_allclose(rotated[:, 1:-1, 1:-1], 1, atol=1e-5)
            assert rotated.min() >= 0.5

    @pytest.mark.parametrize("angle", [10, -33, 45, 70, 160])
    def test_zoom_out_shows_the_entire_image(self, angle: float) -> None:
        white = np.ones((1, 31, 47), np.float32)
        sin, cos = abs(np.sin(np.deg2rad(angle))), abs(np.cos(np.deg2rad(angle)))
        shrunk = max((47 * cos + 31 * sin) / 47, (47 * sin + 31 * cos) / 31)
        assert imrotate(white, angle, zoom_out=True).sum() == pytest.approx(31 * 47 / shrunk**2, rel=0.02)
        assert imrotate(white, angle).sum() < 0.97 * 31 * 47

    def test_batch_accepts_one_angle_or_one_per_image(self) -> None:
        batch = noise(7, 9, 6).astype(np.float32).reshape(3, 2, 7, 9)
        single = [imrotate(image, angle) for image, angle in zip(batch, (10, 20, 30), strict=True)]
        np.testing.assert_array_equal(imrotate(batch, [10, 20, 30]), single)
        np.testing.assert_array_equal(imrotate(batch, np.float64(20))[1], single[1])

    def test_single_row_does_not_divide_by_zero(self) -> None:
        line = np.arange(1, 6, dtype=np.float32).reshape(1, 1, 5)
        np.testing.assert_allclose(imrotate(line, 180), line[..., ::-1], atol=1e-5)

    @pytest.mark.parametrize(
        ("src", "angle", "zooms", "error", "message"),
        [
            (RAMP, 10, (True, True), ValueError, "zoom_in and zoom_out exclude each other"),
            (RAMP.astype(np.uint8), 10, (False, False), TypeError, "src must be float32, got uint8"),
            (RAMP, [10], (False, False), TypeError, "rotation_degrees must be a number for a single image, got [10]"),
            (RAMP[0], 10, (False, False), ValueError, "a batch of such, got (3, 4)"),
            (RAMP[np.newaxis], [1, 2], (False, False), ValueError, "one for each of 1 images, got shape (2,)"),
        ],
    )
    def test_invalid_arguments_raise(
        self, src: NDArray[Any], angle: ArrayLike, zooms: tuple[bool, bool], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error) as caught:
            imrotate(src, angle, *zooms)
        assert message in str(caught.value)
