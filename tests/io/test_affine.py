"""Rotation, shear, scale and aspect ratio of `ImageRecordIter`: one affine map onto a canvas.

The sampled matrix and canvas are read from the plan. The pixels are checked twice: against OpenCV's ``warpAffine``
with that matrix, and, without randomness, against those of MXNet 1.9.1.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.records import DATA, RecordFile, assert_uniform, noise, open_iter, png, write_images
from tests.support.replay import assert_replayed, sampled_steps, steps_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

SETTINGS: dict[str, dict[str, Any]] = json.loads((DATA / "golden" / "single.json").read_text())
SIZES = [(60, 90), (90, 60), (71, 71), (65, 130)]
"""(height, width) of images with a canvas larger than the output, so that they are resampled only once."""
WIDTH, HEIGHT = 90, 60
METHODS = (0, 1, 2, 3, 4, 9, 10)

PIXELS: list[dict[str, Any]] = [
    {"rotate": 30},
    {"rotate": -45.5, "fill_value": 0},
    {"max_rotate_angle": 180, "rand_mirror": True},
    {"max_shear_ratio": 0.4, "fill_value": 77},
    {"min_random_scale": 0.6, "max_random_scale": 2.0, "rand_crop": True},
    {"max_aspect_ratio": 0.3, "pad": 5},
    {"rotate": 10, "min_img_size": 80, "max_img_size": 100},
    {"max_rotate_angle": 20.0, "max_shear_ratio": 0.2, "max_random_scale": 1.5, "max_aspect_ratio": 0.2},
]


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    """Write a file of one image."""
    return write_images(tmp_path, [png(noise(HEIGHT, WIDTH))])


def matrices(file: RecordFile, count: int = 1000, **settings: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Sample matrices, shape (count, 2, 3)."""
    sampled = np.array([step["matrix"] for step in sampled_steps(open_iter(file, **settings), "warp", count)])
    assert sampled.shape == (count, 2, 3)
    return sampled


def degrees(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angles of matrices that only rotate."""
    angles: NDArray[np.float64] = np.degrees(np.arctan2(rotations[:, 0, 1], rotations[:, 0, 0]))
    return angles


def canvas(
    angle: float = 0, shear: float = 0, scale: float = 1, aspect: float = 1, sides: tuple[float, float] = (0, 1e10)
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Return MXNet 1.9.1's matrix and canvas for these parameters, in 32-bit floats except for the rotation."""
    f = np.float32
    radians = angle / 180 * math.pi
    a, b = f(math.cos(radians)), f(math.sin(radians))
    hs = f(2) * f(scale) / (f(1) + f(aspect))
    ws = f(aspect) * hs
    linear = np.array([[hs * a - f(shear) * b * ws, hs * b + f(shear) * a * ws], [-b * ws, a * ws]], f)
    size = [max(f(sides[0]), min(f(sides[1]), f(scale) * f(side))) for side in (WIDTH, HEIGHT)]
    shift = [(side - (row[0] * f(WIDTH) + row[1] * f(HEIGHT))) / f(2) for row, side in zip(linear, size, strict=True)]
    return np.column_stack([linear, np.array(shift, f)]), (int(size[0]), int(size[1]))


class TestPixels:
    @pytest.mark.parametrize("name", [name for name in SETTINGS if not name.startswith("mean_img")])
    def test_fixed_transforms_equal_mxnets(self, name: str, tmp_path: Path) -> None:
        with np.load(DATA / "golden" / "single.npz") as arrays:
            image, expected = arrays["image"], arrays[name]
        batches = open_iter(write_images(tmp_path, [png(image)]), **{**SETTINGS[name], "batch_size": 1})
        np.testing.assert_array_equal(batches.next().data[0][0], expected)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("settings", PIXELS, ids=str)
    def test_pixels_equal_opencvs_for_the_sampled_matrix(
        self, settings: dict[str, Any], method: int, tmp_path: Path
    ) -> None:
        pixels = [noise(*size, seed=seed) for seed, size in enumerate(SIZES)]
        file = write_images(tmp_path, map(png, pixels))
        shape = {"data_shape": (3, 24, 28), "layout": "NHWC"}
        batches = open_iter(file, inter_method=method, **shape, **settings)
        assert len(sampled_steps(batches, "warp", 1)) == 1
        assert_replayed(batches, pixels)

    def test_rotation_is_counterclockwise(self, tmp_path: Path) -> None:
        spot = np.zeros((40, 40, 3), np.uint8)
        spot[4:12, 28:36] = 255
        batches = open_iter(write_images(tmp_path, [png(spot)]), data_shape=(3, 40, 40), rotate=90, fill_value=0)
        rows, columns = np.nonzero(batches.next().data[0][0, 0])
        assert rows.mean() < 12
        assert columns.mean() < 12

    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_canvas_has_the_fill_value_and_is_transparent(self, channels: int, tmp_path: Path) -> None:
        file = write_images(tmp_path, [png(noise(40, 40, channels))])
        settings = {"data_shape": (channels, 40, 40), "layout": "NHWC", "fill_value": 77, "rotate": 45}
        image = open_iter(file, **settings).next().data[0][0]
        assert image[0, 0].tolist() == [77, 77, 77, 0][:channels]
        assert len(np.unique(image)) > 20


class TestCanvas:
    @pytest.mark.parametrize(
        ("settings", "parameters"),
        [
            ({"rotate": 30}, {"angle": 30}),
            ({"rotate": 12.25}, {"angle": 12.25}),
            ({"rotate": -200}, {"angle": -200}),
            ({"rotate_list": [33]}, {"angle": 33}),
            ({"min_random_scale": 0.73, "max_random_scale": 0.73}, {"scale": 0.73}),
            ({"min_random_scale": 2.9, "max_random_scale": 2.9, "rotate": 7}, {"scale": 2.9, "angle": 7}),
            ({"min_aspect_ratio": 1.4, "max_aspect_ratio": 1.4}, {"aspect": 1.4}),
            ({"min_img_size": 77.5}, {"sides": (77.5, 1e10)}),
            ({"max_img_size": 70.9}, {"sides": (0, 70.9)}),
            ({"min_img_size": 64, "max_img_size": 64, "rotate": 5}, {"sides": (64, 64), "angle": 5}),
        ],
        ids=str,
    )
    def test_size_equals_mxnets_formula(
        self, file: RecordFile, settings: dict[str, Any], parameters: dict[str, Any]
    ) -> None:
        (warp,) = steps_of(open_iter(file, **settings).plan(0), "warp")
        matrix, size = canvas(**parameters)
        assert warp["size"] == size
        np.testing.assert_array_equal(np.float32(warp["matrix"]), matrix)

    def test_size_of_all_transforms_together_equals_mxnets_formula(self, file: RecordFile) -> None:
        """Only the shear is random, and it follows from one coefficient."""
        settings = {"rotate": 25, "min_random_scale": 1.25, "max_random_scale": 1.25}
        settings |= {"min_aspect_ratio": 1.1, "max_aspect_ratio": 1.1, "max_shear_ratio": 0.5}
        across = 2 * 1.25 / 2.1
        a, b = math.cos(math.radians(25)), math.sin(math.radians(25))
        for warp in sampled_steps(open_iter(file, **settings), "warp", 50):
            shear = (warp["matrix"][0][1] - across * b) / (a * 1.1 * across)
            matrix, size = canvas(25, shear, 1.25, 1.1)
            assert abs(shear) <= 0.5
            assert warp["size"] == size
            np.testing.assert_allclose(warp["matrix"], matrix, rtol=1e-5, atol=1e-5)

    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"rotate": 0},
            {"rotate": -1},
            {"rotate_list": []},
            {"max_aspect_ratio": 0},
            {"min_aspect_ratio": 1, "max_aspect_ratio": 1},
            {"random_resized_crop": True, "min_aspect_ratio": 0.5, "max_aspect_ratio": 0.8},
        ],
        ids=str,
    )
    def test_no_canvas_without_a_transform(self, file: RecordFile, settings: dict[str, Any]) -> None:
        assert sampled_steps(open_iter(file, **settings), "warp", 10) == []

    def test_canvas_comes_after_resize_and_before_border(self, file: RecordFile) -> None:
        batches = open_iter(file, resize=40, rotate=5, pad=3, brightness=0.1, rand_crop=True)
        operations = [step["operation"] for step in batches.plan(0)["steps"]]
        assert operations == ["decode", "resize", "warp", "border", "levels"]


class TestSampling:
    def test_int_range_samples_integer_angles_uniformly(self, file: RecordFile) -> None:
        for max_angle in (3, np.int64(3)):
            angles = degrees(matrices(file, max_rotate_angle=max_angle))
            np.testing.assert_allclose(angles, angles.round(), atol=1e-4)
            assert_uniform(np.bincount(angles.round().astype(int) + 3, minlength=7))

    def test_float_range_samples_any_angle(self, file: RecordFile) -> None:
        angles = degrees(matrices(file, max_rotate_angle=3.0))
        assert np.abs(angles).max() <= 3
        assert (np.abs(angles - angles.round()) > 1e-3).mean() > 0.98
        assert_uniform(np.histogram(angles, 12, (-3, 3))[0])

    @pytest.mark.parametrize("rotate_list", [[-20, 7.5, 90], (-20, 7.5, 90), "-20,7.5,90", " -20, 7.5, 90,"])
    def test_angles_of_a_list_are_uniform_and_take_precedence(
        self, file: RecordFile, rotate_list: str | Sequence[float]
    ) -> None:
        angles = degrees(matrices(file, rotate_list=rotate_list, rotate=45, max_rotate_angle=180)).round(3)
        values, counts = np.unique(angles, return_counts=True)
        assert values.tolist() == [-20, 7.5, 90]
        assert_uniform(counts)

    def test_fixed_angle_takes_precedence_over_a_range(self, file: RecordFile) -> None:
        assert {*degrees(matrices(file, 50, rotate=45, max_rotate_angle=180)).round(3)} == {45}

    def test_shears_are_uniform(self, file: RecordFile) -> None:
        sampled = matrices(file, max_shear_ratio=0.3)
        np.testing.assert_array_equal(sampled[:, :, 0], [[1, 0]] * len(sampled))
        assert_uniform(np.histogram(sampled[:, 0, 1], 12, (-0.3, 0.3))[0])

    def test_scales_are_uniform_and_scale_the_canvas(self, file: RecordFile) -> None:
        warps = sampled_steps(open_iter(file, min_random_scale=0.5, max_random_scale=2), "warp")
        scales = np.array([warp["matrix"][0][0] for warp in warps], np.float32)
        assert_uniform(np.histogram(scales, 12, (0.5, 2))[0])
        sizes = [(int(scale * np.float32(WIDTH)), int(scale * np.float32(HEIGHT))) for scale in scales]
        assert [warp["size"] for warp in warps] == sizes

    @pytest.mark.parametrize(
        ("settings", "low", "high"),
        [
            ({"min_aspect_ratio": 0.8, "max_aspect_ratio": 1.6}, 0.8, 1.6),
            ({"max_aspect_ratio": 0.25}, 0.75, 1.25),
            ({"min_aspect_ratio": 0.5}, 0.5, 4 / 3),
        ],
    )
    def test_aspect_ratios_are_uniform(
        self, file: RecordFile, settings: dict[str, Any], low: float, high: float
    ) -> None:
        sampled = matrices(file, **settings)
        np.testing.assert_allclose(sampled[:, 0, 0] + sampled[:, 1, 1], 2, rtol=1e-6)
        ratios = sampled[:, 1, 1] / sampled[:, 0, 0]
        assert_uniform(np.histogram(ratios, 12, (low, high))[0])

    def test_parameters_are_independent(self, file: RecordFile) -> None:
        warps = sampled_steps(open_iter(file, max_rotate_angle=45.0, max_random_scale=2), "warp")
        sampled = np.array([warp["matrix"] for warp in warps])
        scales = np.hypot(sampled[:, 0, 0], sampled[:, 0, 1])
        assert abs(np.corrcoef(scales, degrees(sampled))[0, 1]) < 0.1

    def test_method_10_samples_one_of_five(self, file: RecordFile) -> None:
        methods = [warp["interp"] for warp in sampled_steps(open_iter(file, rotate=9, inter_method=10), "warp")]
        assert_uniform(np.bincount(methods, minlength=5))

    @pytest.mark.parametrize(("scale", "method"), [(0.5, 3), (1, 1), (2, 2)])
    def test_method_9_depends_on_the_sizes(self, file: RecordFile, scale: float, method: int) -> None:
        scales = {"min_random_scale": scale, "max_random_scale": scale}
        (warp,) = steps_of(open_iter(file, rotate=9, inter_method=9, **scales).plan(0), "warp")
        assert warp["interp"] == method


class TestErrors:
    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"rotate_list": "a,b"}, ValueError, "rotate_list must .*, got 'a,b'"),
            ({"rotate_list": 90}, TypeError, "rotate_list must .*, got 90"),
            ({"max_rotate_angle": 2**64}, ValueError, "max_rotate_angle must .*, got 1844"),
            (
                {"max_random_scale": 0.5},
                ValueError,
                "min_random_scale, max_random_scale must be ordered and from 0.001 to 1000, got 1, 0.5",
            ),
        ],
        ids=str,
    )
    def test_invalid_value_is_named(
        self, file: RecordFile, settings: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=message):
            open_iter(file, **settings)

    def test_angles_may_be_numpy_scalars(self, file: RecordFile) -> None:
        assert {*degrees(matrices(file, 50, rotate_list=np.array([15, 30]))).round()} == {15, 30}

    def test_border_around_an_unbounded_canvas_is_refused(self, file: RecordFile) -> None:
        """It is larger than any number of pixels that there is."""
        with pytest.raises(ValueError, match=r"min_img_size|pixels"):
            open_iter(file, min_img_size=1e30, max_img_size=1e30, pad=5).plan(0)
