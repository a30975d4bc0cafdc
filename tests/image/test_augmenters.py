"""The augmenters of `mx.image` on single images, and how lists of them become steps of the pipeline.

MXNet's numbers are the output of MXNet 1.9.1 for `IMAGE` or `PIXELS`, after ``random.seed(7)`` and
``numpy.random.seed(7)`` where it samples parameters. Formulas are written out in NumPy here and checked against MXNet's
numbers; recio's output is then compared with the formula, for the parameter that recio must have sampled.
"""

from __future__ import annotations

import json
import pickle
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio._loader.to_steps import to_steps
from recio._recio import Step, augment
from recio.image import (
    Augmenter,
    BrightnessJitterAug,
    CastAug,
    CenterCropAug,
    ColorJitterAug,
    ColorNormalizeAug,
    ContrastJitterAug,
    CreateAugmenter,
    ForceResizeAug,
    HorizontalFlipAug,
    HueJitterAug,
    LightingAug,
    RandomCropAug,
    RandomGrayAug,
    RandomOrderAug,
    RandomSizedCropAug,
    ResizeAug,
    SaturationJitterAug,
    SequentialAug,
    imresize,
    random_size_crop,
    resize_short,
)
from tests.support.records import assert_uniform, coordinates, noise

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, DTypeLike, NDArray

    Image = NDArray[Any]

IMAGE = (np.arange(60) * 37 % 256).astype(np.uint8).reshape(4, 5, 3)
PIXELS = IMAGE[:2, :2].astype(np.float32)

EIGENVALUES = np.array([55.46, 4.794, 1.148])
EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])

EVERY_AUGMENTER = [
    SequentialAug([ResizeAug(4), HorizontalFlipAug(0.5)]),
    RandomOrderAug([HueJitterAug(0.1), CastAug()]),
    ResizeAug(3),
    ForceResizeAug((6, 5), 9),
    RandomCropAug((3, 2)),
    RandomSizedCropAug((3, 2), 0.08, (0.75, 4 / 3)),
    CenterCropAug((3, 2)),
    HorizontalFlipAug(0.5),
    CastAug(),
    BrightnessJitterAug(0.4),
    ContrastJitterAug(0.4),
    SaturationJitterAug(0.4),
    HueJitterAug(0.5),
    ColorJitterAug(0.1, 0.2, 0.3),
    LightingAug(0.5, EIGENVALUES, EIGENVECTORS),
    ColorNormalizeAug([100, 110, 120], np.array([2.0, 4.0, 8.0])),
    RandomGrayAug(0.5),
]
every_augmenter = pytest.mark.parametrize("augmenter", EVERY_AUGMENTER, ids=lambda augmenter: type(augmenter).__name__)


def numbers(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), np.float64)


def gray(image: Image) -> Image:
    values: Image = image @ [[0.299], [0.587], [0.114]]
    return values


def brightness(image: Image, alpha: float) -> Image:
    return image * alpha


def contrast(image: Image, alpha: float) -> Image:
    result: Image = image * alpha + (1 - alpha) * gray(image).mean()
    return result


def saturation(image: Image, alpha: float) -> Image:
    return image * alpha + (1 - alpha) * gray(image)


def hue(image: Image, alpha: float) -> Image:
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
    from_yiq = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.107, 1.705]])
    cos, sin = np.cos(alpha * np.pi), np.sin(alpha * np.pi)
    rotation = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    rotated: Image = image @ (from_yiq @ rotation @ to_yiq).T
    return rotated


def lighting(image: Image, alphas: Image) -> Image:
    shifted: Image = image + EIGENVECTORS @ (alphas * EIGENVALUES)
    return shifted


def sampled_factor(formula: Callable[[Image, float], Image], image: Image, result: Image) -> float:
    """Return the factor with which a formula, linear in it, was applied."""
    at_0, at_1 = formula(image, 0), formula(image, 1)
    slope = at_1 - at_0
    return float(((result - at_0) * slope).sum() / (slope**2).sum())


def sampled_rotation(image: Image, result: Image) -> float:
    """Return the rotation of the hue, in half turns."""
    at_0, at_half, at_1 = hue(image, 0), hue(image, 0.5), hue(image, 1)
    middle = (at_0 + at_1) / 2
    directions = np.stack([(at_0 - middle).ravel(), (at_half - middle).ravel()], axis=1)
    (cos, sin), *_ = np.linalg.lstsq(directions, (result - middle).ravel(), rcond=None)
    return float(np.arctan2(sin, cos) / np.pi)


def assert_uniform_within(values: list[float], limit: float) -> None:
    """Check that values are uniform from -`limit` to `limit`."""
    assert max(map(abs, values)) <= limit * (1 + 1e-4)
    assert_uniform(np.histogram(values, 10, (-limit, limit))[0])


class TestGeometry:
    @pytest.mark.parametrize(
        ("augmenter", "shape", "expected"),
        [
            (
                ResizeAug(3, 1),
                (3, 3, 3),
                "44 81 118 186 10 47 158 167 61 102 139 133 31 68 105 130 82 119 159 125 147 88 125 162 102 139 105",
            ),
            (
                ResizeAug(3),
                (3, 3, 3),
                "36 85 124 191 8 45 155 176 63 109 153 134 6 68 104 137 69 131 167 122 144 90 127 164 104 144 100",
            ),
            (
                ForceResizeAug((3, 2), 9),
                (2, 3, 3),
                "66 103 140 116 76 113 165 125 86 152 138 124 125 136 122 98 134 120",
            ),
            (
                ForceResizeAug((6, 3), 9),
                (3, 6, 3),
                (
                    "7 44 81 90 127 164 158 70 107 144 56 93 112 138 122 195 189 13 65 102 139 148 185 126 91 128 111 "
                    "77 114 151 137 142 179 125 34 71 122 159 196 205 82 87 148 96 116 134 171 119 162 200 76 54 91 128"
                ),
            ),
            (ForceResizeAug((2, 2), 0), (2, 2, 3), "0 37 74 222 3 40 86 123 160 52 89 126"),
            (ForceResizeAug((2, 2), 4), (2, 2, 3), "104 152 228 127 148 149 219 143 31 167 208 119"),
            (CenterCropAug((2, 2)), (2, 2, 3), "154 191 228 9 46 83 197 234 15 52 89 126"),
            (
                CenterCropAug((6, 2), 1),
                (2, 6, 3),
                "43 80 117 126 163 200 69 106 143 55 92 129 148 121 158 231 12 49 " * 2,
            ),
        ],
        ids=lambda value: repr(value) if isinstance(value, Augmenter) else "",
    )
    def test_pixels_match_mxnet(self, augmenter: Augmenter, shape: tuple[int, ...], expected: str) -> None:
        result = augmenter(IMAGE)
        assert result.dtype == np.uint8
        np.testing.assert_allclose(result, numbers(expected).reshape(shape), atol=1)

    def test_interp_9_depends_on_the_sizes(self) -> None:
        np.testing.assert_array_equal(ForceResizeAug((6, 5), 9)(IMAGE), imresize(IMAGE, 6, 5, 2))
        np.testing.assert_array_equal(ForceResizeAug((3, 2), 9)(IMAGE), imresize(IMAGE, 3, 2, 3))
        np.testing.assert_array_equal(ForceResizeAug((6, 3), 9)(IMAGE), imresize(IMAGE, 6, 3, 1))

    def test_interp_10_is_uniform_over_the_methods(self) -> None:
        image = noise(30, 30)
        methods = [imresize(image, 11, 11, method).tobytes() for method in range(5)]
        random.seed(0)
        chosen = [methods.index(ForceResizeAug((11, 11), 10)(image).tobytes()) for _ in range(500)]
        assert_uniform(np.bincount(chosen, minlength=5))

    def test_random_crop_positions_are_uniform(self) -> None:
        random.seed(0)
        corners = [RandomCropAug((4, 4))(coordinates(5, 7))[0, 0] for _ in range(2000)]
        counts = np.zeros((2, 4), int)
        np.add.at(counts, ([y for _, y, _ in corners], [x for x, _, _ in corners]), 1)
        assert_uniform(counts)

    def test_random_crop_of_a_small_image_is_enlarged(self) -> None:
        for _ in range(20):
            result = RandomCropAug((20, 20), 0)(coordinates(5, 7))
            assert result.shape == (20, 20, 3)
            assert (np.ptp(result[..., 0]), np.ptp(result[..., 1])) == (4, 4)

    def test_random_sized_crops_are_distributed_as_by_random_size_crop(self) -> None:
        image = coordinates(40, 50)
        area, ratio = (0.2, 0.7), (0.5, 1.5)
        augmenter = RandomSizedCropAug((90, 90), area, ratio, 0)
        random.seed(0)
        # Enlarged by nearest-neighbor interpolation, a region keeps the pixels of its corners.
        crops = [augmenter(image) for _ in range(2000)]
        ends = [(*crop[0, 0, :2], *crop[-1, -1, :2]) for crop in crops]
        cropped = np.array([(x, y, right - x + 1, bottom - y + 1) for x, y, right, bottom in np.array(ends, int)])
        expected = np.array([random_size_crop(image, (9, 9), area, ratio)[1] for _ in range(2000)])
        difference = cropped.mean(0) - expected.mean(0)
        error = np.sqrt((cropped.var(0) + expected.var(0)) / 2000)
        assert (np.abs(difference) < 3.5 * error).all(), (difference, error)
        np.testing.assert_allclose(cropped.std(0), expected.std(0), rtol=0.1)

    def test_single_number_for_the_area_is_the_minimum(self) -> None:
        for _ in range(20):
            result = RandomSizedCropAug((90, 90), 1, (1, 1), 0)(coordinates(40, 40))
            assert (result[0, 0].tolist(), result[-1, -1].tolist()) == ([0, 0, 0], [39, 39, 0])

    def test_min_area_is_a_deprecated_name_of_area(self) -> None:
        with pytest.warns(DeprecationWarning, match="min_area is deprecated"):
            augmenter = RandomSizedCropAug((9, 9), 0.1, (1, 1), min_area=0.5)
        assert augmenter.area == 0.5
        assert json.loads(str(augmenter.dumps()))[1]["area"] == 0.5

    def test_flip_probability(self) -> None:
        np.testing.assert_array_equal(HorizontalFlipAug(1)(IMAGE), IMAGE[:, ::-1])
        np.testing.assert_array_equal(HorizontalFlipAug(0)(IMAGE), IMAGE)
        random.seed(0)
        flipped = sum(HorizontalFlipAug(0.3)(IMAGE)[0, 0, 0] != IMAGE[0, 0, 0] for _ in range(2000))
        assert 520 < flipped < 680


class TestColors:
    @pytest.mark.parametrize(
        ("formula", "parameter", "expected"),
        [
            (
                brightness,
                1 - 0.14093378813347013,
                "0 31.785 63.571 95.356 127.142 158.927 36.94 68.725 100.511 132.296 164.082 195.867",
            ),
            (
                contrast,
                1 - 0.14093378813347013,
                "15.102 46.887 78.673 110.458 142.244 174.029 52.042 83.827 115.612 147.398 179.183 210.969",
            ),
            (
                saturation,
                1 - 0.14093378813347013,
                "4.25 36.035 67.821 115.25 147.035 178.821 47.25 79.035 110.821 158.25 190.035 221.821",
            ),
            (
                hue,
                -0.17616723516683763,
                "17.43 23.932 95.628 128.369 135.021 206.327 60.406 66.966 138.512 171.346 178.055 249.211",
            ),
            (
                lighting,
                np.array([0.84526285, -0.23296869, 0.01641008]),
                "-27.399 9.763 47.426 83.601 120.763 158.426 15.601 52.763 90.426 126.601 163.763 201.426",
            ),
        ],
    )
    def test_formulas_match_mxnet(
        self, formula: Callable[[Image, Any], Image], parameter: float | Image, expected: str
    ) -> None:
        np.testing.assert_allclose(formula(PIXELS, parameter).ravel(), numbers(expected), atol=1e-3)

    @pytest.mark.parametrize(
        ("augmenter", "formula"),
        [
            (BrightnessJitterAug(0.4), brightness),
            (ContrastJitterAug(0.4), contrast),
            (SaturationJitterAug(0.4), saturation),
        ],
    )
    def test_jitter_applies_the_formula_with_a_uniform_factor(
        self, augmenter: Augmenter, formula: Callable[[Image, float], Image]
    ) -> None:
        random.seed(0)
        factors = []
        for _ in range(1000):
            result = augmenter(PIXELS)
            factor = sampled_factor(formula, PIXELS, result)
            np.testing.assert_allclose(result, formula(PIXELS, factor), atol=1e-3)
            factors.append(factor - 1)
        assert_uniform_within(factors, 0.4)

    def test_hue_applies_the_formula_with_a_uniform_rotation(self) -> None:
        random.seed(0)
        rotations = []
        for _ in range(1000):
            result = HueJitterAug(0.5)(PIXELS)
            rotation = sampled_rotation(PIXELS, result)
            np.testing.assert_allclose(result, hue(PIXELS, rotation), atol=1e-3)
            rotations.append(rotation)
        assert_uniform_within(rotations, 0.5)

    def test_lighting_applies_the_formula_with_three_normal_factors(self) -> None:
        random.seed(0)
        samples = []
        for _ in range(2000):
            result = LightingAug(0.5, EIGENVALUES, EIGENVECTORS)(PIXELS)
            alphas = np.linalg.solve(EIGENVECTORS * EIGENVALUES, (result - PIXELS).mean((0, 1)))
            np.testing.assert_allclose(result, lighting(PIXELS, alphas), atol=1e-3)
            samples.append(alphas)
        # Four standard errors each.
        np.testing.assert_allclose(np.mean(samples, 0), 0, atol=4 * 0.5 / 2000**0.5)
        np.testing.assert_allclose(np.cov(samples, rowvar=False), 0.25 * np.eye(3), atol=4 * 0.25 * (2 / 2000) ** 0.5)
        assert np.mean(np.abs(samples) < 0.5) == pytest.approx(0.6827, abs=0.025)

    def test_color_jitter_applies_three_jitters_in_random_order(self) -> None:
        augmenter = ColorJitterAug(0.1, 0.2, 0.3)
        assert isinstance(augmenter, RandomOrderAug)
        assert [repr(jitter) for jitter in augmenter.ts] == [
            "BrightnessJitterAug(brightness=0.1)",
            "ContrastJitterAug(contrast=0.2)",
            "SaturationJitterAug(saturation=0.3)",
        ]
        random.seed(0)
        for _ in range(50):
            result = augmenter(PIXELS)
            # In exact arithmetic the order makes no difference, and each factor changes one
            # statistic.
            brightened = gray(result).mean() / gray(PIXELS).mean()
            contrasted = np.ptp(gray(result)) / np.ptp(gray(PIXELS)) / brightened
            saturated = np.ptp(result[0, 0]) / np.ptp(PIXELS[0, 0]) / brightened / contrasted
            assert abs(brightened - 1) < 0.1
            assert abs(contrasted - 1) < 0.2
            assert abs(saturated - 1) < 0.3
            expected = saturation(contrast(brightness(PIXELS, brightened), contrasted), saturated)
            np.testing.assert_allclose(result, expected, atol=1e-2)

    def test_color_jitter_skips_zero_ranges(self) -> None:
        assert ColorJitterAug(0, 0, 0).ts == []
        assert [type(jitter) for jitter in ColorJitterAug(0, 0.1, 0).ts] == [ContrastJitterAug]
        np.testing.assert_array_equal(ColorJitterAug(0, 0, 0)(PIXELS), PIXELS)

    def test_gray_matches_mxnet_and_has_its_probability(self) -> None:
        expected = [31.82, 142.82, 74.82, 185.82]
        np.testing.assert_allclose(RandomGrayAug(1)(PIXELS).ravel(), np.repeat(expected, 3), atol=1e-3)
        np.testing.assert_array_equal(RandomGrayAug(0)(PIXELS), PIXELS)
        random.seed(0)
        gray_count = sum(RandomGrayAug(0.3)(PIXELS)[0, 0, 0] != 0 for _ in range(2000))
        assert 520 < gray_count < 680

    @pytest.mark.parametrize(
        ("mean", "std", "expected"),
        [
            (
                [100, 110, 120],
                [2, 4, 8],
                [-50.0, -18.25, -5.75, 5.5, 9.5, 8.125, -28.5, -7.5, -0.375, 27.0, 20.25, 13.5],
            ),
            (
                np.array([100]),
                None,
                [-100.0, -63.0, -26.0, 11.0, 48.0, 85.0, -57.0, -20.0, 17.0, 54.0, 91.0, 128.0],
            ),
        ],
    )
    def test_normalization_matches_mxnet(self, mean: ArrayLike, std: ArrayLike | None, expected: list[float]) -> None:
        np.testing.assert_allclose(ColorNormalizeAug(mean, std)(PIXELS).ravel(), expected, atol=1e-4)

    def test_normalization_without_mean_only_divides(self) -> None:
        np.testing.assert_allclose(ColorNormalizeAug(None, 4)(PIXELS), PIXELS / 4)


class TestTypes:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
    @pytest.mark.parametrize("augmenter", [ResizeAug(3), CenterCropAug((3, 2)), HorizontalFlipAug(1)], ids=repr)
    def test_geometry_keeps_the_dtype(self, augmenter: Augmenter, dtype: type) -> None:
        result = augmenter(IMAGE.astype(dtype))
        assert result.dtype == dtype
        np.testing.assert_allclose(result.astype(float), augmenter(IMAGE.astype(np.float32)), atol=0.6)

    def test_floats_are_neither_rounded_nor_clamped(self) -> None:
        image = noise(5, 6).astype(np.float64) * 1000.5 - 70_000
        np.testing.assert_array_equal(ResizeAug(3)(image), resize_short(image, 3))
        np.testing.assert_array_equal(HorizontalFlipAug(1)(image), image[:, ::-1])

    @pytest.mark.parametrize(
        "augmenter", [BrightnessJitterAug(0.1), HueJitterAug(0.1), RandomGrayAug(0), ColorNormalizeAug(9, 2)], ids=repr
    )
    def test_color_augmenters_convert_uint8_to_float32(self, augmenter: Augmenter) -> None:
        random.seed(1)
        result = augmenter(IMAGE)
        random.seed(1)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, augmenter(IMAGE.astype(np.float64)), atol=1e-3)
        assert augmenter(IMAGE.astype(np.float64)).dtype == np.float64

    @pytest.mark.parametrize("channels", [1, 4])
    def test_geometry_accepts_one_and_four_channels(self, channels: int) -> None:
        image = noise(6, 8, channels)
        np.testing.assert_array_equal(ResizeAug(4)(image), resize_short(image, 4))
        np.testing.assert_array_equal(CenterCropAug((2, 2))(image), image[2:4, 3:5])

    @pytest.mark.parametrize("typ", ["float32", "float16", "float64", "uint8", "int32", np.float32])
    def test_cast_converts_to_any_dtype(self, typ: DTypeLike) -> None:
        result = CastAug(typ)(IMAGE)
        assert result.dtype == typ
        assert result is not IMAGE
        np.testing.assert_array_equal(result, IMAGE)

    @every_augmenter
    def test_input_image_is_not_modified(self, augmenter: Augmenter) -> None:
        for image in IMAGE.copy(), IMAGE.astype(np.float32):
            original = image.copy()
            result = augmenter(image)
            result += 1
            np.testing.assert_array_equal(image, original)

    def test_any_memory_layout_is_accepted(self) -> None:
        odd = np.asfortranarray(IMAGE)[::-1, ::2]
        odd.flags.writeable = False
        np.testing.assert_array_equal(HorizontalFlipAug(1)(odd), odd[:, ::-1])
        big_endian = IMAGE.astype(">f4")
        np.testing.assert_array_equal(HorizontalFlipAug(1)(big_endian), IMAGE[:, ::-1])

    @every_augmenter
    def test_random_seed_makes_results_reproducible(self, augmenter: Augmenter) -> None:
        results = []
        for _ in range(2):
            random.seed(3)
            results.append([augmenter(IMAGE).tolist() for _ in range(5)])
        assert results[0] == results[1]


class TestDescriptions:
    """`dumps`, `repr` and pickles."""

    def test_dumps_match_mxnet(self) -> None:
        settings: Any = {
            "resize": 10,
            "rand_crop": True,
            "rand_resize": True,
            "rand_mirror": True,
            "mean": True,
            "std": True,
            "brightness": 0.1,
            "contrast": 0.2,
            "saturation": 0.3,
            "hue": 0.4,
            "pca_noise": 0.05,
            "rand_gray": 0.6,
            "inter_method": 10,
        }
        assert [augmenter.dumps() for augmenter in CreateAugmenter((3, 8, 9), **settings)] == [
            '["resizeaug", {"size": 10, "interp": 10}]',
            '["randomsizedcropaug", {"size": [9, 8], "area": 0.08, "ratio": [0.75, 1.3333333333333333], "interp": 10}]',
            '["horizontalflipaug", {"p": 0.5}]',
            '["castaug", {"type": "float32"}]',
            [
                "colorjitteraug",
                [
                    '["brightnessjitteraug", {"brightness": 0.1}]',
                    '["contrastjitteraug", {"contrast": 0.2}]',
                    '["saturationjitteraug", {"saturation": 0.3}]',
                ],
            ],
            '["huejitteraug", {"hue": 0.4}]',
            (
                '["lightingaug", {"alphastd": 0.05, "eigval": [55.46, 4.794, 1.148], "eigvec": '
                "[[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.814], [-0.5836, -0.6948, 0.4203]]}]"
            ),
            '["randomgrayaug", {"p": 0.6}]',
            (
                '["colornormalizeaug", {"mean": [123.68000030517578, 116.27999877929688, 103.52999877929688], '
                '"std": [58.39500045776367, 57.119998931884766, 57.375]}]'
            ),
        ]

    def test_dumps_of_nested_augmenters_match_mxnet(self) -> None:
        augmenter = SequentialAug([ResizeAug(4), RandomOrderAug([CastAug("float16")])])
        assert augmenter.dumps() == [
            "sequentialaug",
            ['["resizeaug", {"size": 4, "interp": 2}]', ["randomorderaug", ['["castaug", {"type": "float16"}]']]],
        ]
        assert ForceResizeAug((3, 4)).dumps() == '["forceresizeaug", {"size": [3, 4], "interp": 2}]'
        assert ColorNormalizeAug([1, 2, 3], None).dumps() == '["colornormalizeaug", {"mean": [1, 2, 3], "std": null}]'

    def test_dumps_of_functions_are_their_repr(self) -> None:
        assert SequentialAug([np.negative]).dumps() == ["sequentialaug", ["<ufunc 'negative'>"]]

    def test_dumps_convert_numpy_scalars(self) -> None:
        assert BrightnessJitterAug(np.float64(0.25)).dumps() == '["brightnessjitteraug", {"brightness": 0.25}]'

    def test_repr_shows_the_arguments(self) -> None:
        sequence = SequentialAug([ResizeAug(4), RandomCropAug((3, 2), interp=1)])
        assert repr(sequence) == "SequentialAug([ResizeAug(size=4, interp=2), RandomCropAug(size=(3, 2), interp=1)])"

    @every_augmenter
    def test_pickled_augmenter_behaves_the_same(self, augmenter: Augmenter) -> None:
        restored = pickle.loads(pickle.dumps(augmenter))  # noqa: S301
        assert (repr(restored), restored.dumps()) == (repr(augmenter), augmenter.dumps())
        random.seed(3)
        expected = augmenter(IMAGE)
        random.seed(3)
        np.testing.assert_array_equal(restored(IMAGE), expected)

    def test_custom_augmenter_without_call_raises(self) -> None:
        class Nothing(Augmenter):
            pass

        with pytest.raises(NotImplementedError, match="Nothing has no __call__"):
            Nothing()(IMAGE)
        assert Nothing(a=np.array([1, 2])).dumps() == '["nothing", {"a": [1, 2]}]'


class TestErrors:
    @pytest.mark.parametrize(
        ("make", "error", "message"),
        [
            (
                lambda: ResizeAug(0),
                ValueError,
                "ResizeAug(size=0, interp=2): sizes must be from 1 to 65536 pixels a side, got 0x0",
            ),
            (lambda: ResizeAug(-1), ValueError, "ResizeAug(size=-1, interp=2): "),
            (lambda: ResizeAug(4, 7), ValueError, "inter_method must be 0 (nearest)"),
            (lambda: ForceResizeAug((1, 2, 3)), ValueError, "ForceResizeAug(size=(1, 2, 3), interp=2): "),
            (lambda: RandomSizedCropAug((4, 4), (0.5, 1.5), (1, 1)), ValueError, "fractions of the image's area"),
            (lambda: RandomSizedCropAug((4, 4), 0.5, (2, 1)), ValueError, "ratios of width to height"),
            (lambda: HorizontalFlipAug(1.5), ValueError, "HorizontalFlipAug(p=1.5): "),
            (lambda: RandomGrayAug(-0.1), ValueError, "RandomGrayAug(p=-0.1): "),
            (lambda: HueJitterAug(float("nan")), ValueError, "HueJitterAug(hue=nan): "),
            (lambda: ColorJitterAug(0.1, -0.2, 0), ValueError, "ContrastJitterAug(contrast=-0.2): "),
            (lambda: LightingAug(0.1, [1, 2], np.eye(3)), ValueError, "LightingAug(alphastd=0.1, eigval=[1, 2], "),
            (
                lambda: ColorNormalizeAug([1, 2], None),
                ValueError,
                "mean must have 1 or 3 numbers, got 2",
            ),
            (lambda: ColorNormalizeAug(None, [1, 0, 1]), ValueError, "std finite and not 0"),
            (lambda: CastAug("real"), TypeError, "CastAug(type='real'): "),
            (lambda: SequentialAug([ResizeAug(4), 5]), TypeError, "augmenter 1 is not callable: 5"),  # type: ignore[list-item]
            (lambda: CreateAugmenter((3, 4, 4), rand_resize=True), ValueError, "rand_resize needs rand_crop=True"),
        ],
    )
    def test_invalid_parameters_raise(self, make: Callable[[], object], error: type[Exception], message: str) -> None:
        with pytest.raises(error) as caught:
            make()
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        ("image", "error", "message"),
        [
            (noise(4, 4).astype(np.int32), TypeError, "an image must be uint8 or floating, got int32"),
            (noise(4, 4)[..., 0], ValueError, "(height, width, channels), got (4, 4)"),
            (noise(4, 4)[:0], ValueError, "shape [0, 4, 3]"),
        ],
    )
    def test_invalid_images_raise(self, image: Image, error: type[Exception], message: str) -> None:
        with pytest.raises(error) as caught:
            HorizontalFlipAug(1)(image)
        assert message in str(caught.value)

    def test_color_steps_on_gray_images_raise(self) -> None:
        with pytest.raises(ValueError, match="color steps need an image of 3 channels, got 1"):
            BrightnessJitterAug(0.1)(noise(4, 4, 1))


class TestCreateAugmenter:
    def test_default_is_a_center_crop_and_a_cast(self) -> None:
        assert repr(CreateAugmenter((3, 8, 9))) == "[CenterCropAug(size=(9, 8), interp=2), CastAug(type='float32')]"

    @pytest.mark.parametrize(
        ("settings", "crop"),
        [
            ({"rand_crop": True}, "RandomCropAug(size=(9, 8), interp=2)"),
            (
                {"rand_crop": True, "rand_resize": True},
                "RandomSizedCropAug(size=(9, 8), area=0.08, ratio=(0.75, 1.3333333333333333), interp=2)",
            ),
        ],
    )
    def test_crop_options_select_one_crop(self, settings: dict[str, bool], crop: str) -> None:
        assert [repr(augmenter) for augmenter in CreateAugmenter((3, 8, 9), **settings)[:-1]] == [crop]

    @pytest.mark.parametrize(
        ("settings", "mean", "std"),
        [
            ({"mean": np.array([1.5])}, [1.5], None),
            ({"std": [2.0, 3.0, 4.0]}, None, [2.0, 3.0, 4.0]),
            ({"mean": True, "std": False}, np.float32([123.68, 116.28, 103.53]).tolist(), None),  # type: ignore[arg-type]
        ],
    )
    def test_mean_and_std_accept_true_or_values(self, settings: dict[str, Any], mean: object, std: object) -> None:
        last = CreateAugmenter((3, 8, 9), **settings)[-1]
        assert last.dumps() == json.dumps(["colornormalizeaug", {"mean": mean, "std": std}])

    def test_full_list_matches_mxnet(self) -> None:
        expected = [
            -1.5015,
            -0.5476,
            0.3568,
            1.1528,
            -1.8957,
            -1.0201,
            -0.2514,
            0.6429,
            0.5311,
            -2.0152,
            -0.8452,
            0.0082,
        ]
        augmenters = CreateAugmenter((3, 2, 2), resize=3, mean=True, std=True)
        sequential = SequentialAug(augmenters)(IMAGE)
        pipelined, _ = augment(IMAGE, to_steps(augmenters), 0)
        # One 8-bit step is 0.017.
        np.testing.assert_allclose(sequential.ravel(), expected, atol=0.018)
        np.testing.assert_allclose(pipelined, sequential, atol=1e-4)


class Transform:
    """Transform as in albumentations: takes its image by keyword and returns a dictionary."""

    def __call__(self, *, image: Image) -> dict[str, Image]:
        return {"image": image[::-1]}


class LikeTransform(Transform):
    """Transform with a generic signature, from a module named like the library."""

    __module__ = "albumentations.augmentations.transforms"

    def __call__(self, *args: object, **params: Image) -> dict[str, Image]:
        if args:
            raise KeyError("You have to pass data to augmentations as named arguments")
        return {"image": params["image"][::-1]}


def upside_down(**data: Image) -> dict[str, Image]:
    return {"image": data["image"][::-1]}


class Inverted(ResizeAug):
    """Custom augmenter that derives from one of recio's."""

    def __call__(self, src: Image) -> Image:
        return 255 - src


class Doubling:
    """Mix-in with a `__call__`."""

    def __call__(self, src: Image) -> Image:
        return np.concatenate([src, src])


class Doubled(Doubling, ResizeAug):
    pass


class Renamed(ResizeAug):
    """Subclass that changes nothing."""


def add_half(image: Image) -> Image:
    return image + 0.5


def calls_python(augmenters: list[Any]) -> bool:
    return any("UserFunction" in repr(step) for step in to_steps(augmenters))


class TestSteps:
    """Conversion of augmenters to steps: `recio._loader.to_steps`."""

    def test_list_of_augmenters_equals_sequential_calls(self) -> None:
        augmenters: list[Any] = [
            SequentialAug([ResizeAug(3), HorizontalFlipAug(1)]),
            add_half,
            Inverted(3),
            RandomOrderAug([Transform()]),
            ColorNormalizeAug(1, 2),
        ]
        result, boxes = augment(IMAGE, to_steps(augmenters), 0)
        expected = (255 - (resize_short(IMAGE, 3)[:, ::-1] + 0.5))[::-1] / 2 - 0.5
        assert result.dtype == np.float32
        assert boxes is None
        np.testing.assert_allclose(result, expected, atol=1e-4)
        np.testing.assert_allclose(SequentialAug(augmenters)(IMAGE), expected, atol=1e-4)

    @every_augmenter
    def test_recio_augmenters_run_without_python(self, augmenter: Augmenter) -> None:
        assert not calls_python([augmenter])
        assert [type(step) for step in to_steps([augmenter])] == [Step]

    @pytest.mark.parametrize(
        "augmenter",
        [add_half, np.negative, Transform(), Inverted(3), Doubled(3), CastAug("float16"), SequentialAug([add_half])],
        ids=["function", "ufunc", "transform", "subclass", "mixin", "cast", "sequence"],
    )
    def test_other_callables_are_called(self, augmenter: Callable[[Image], Image]) -> None:
        assert calls_python([ResizeAug(3), augmenter])
        assert calls_python([SequentialAug([RandomOrderAug([augmenter])])])

    def test_subclass_is_called_only_if_it_overrides_call(self) -> None:
        assert not calls_python([Renamed(3)])
        assert augment(IMAGE, to_steps([Renamed(3)]), 0)[0].shape == (3, 3, 3)
        inverted, doubled = Inverted(3), Doubled(3)
        np.testing.assert_array_equal(augment(IMAGE, to_steps([inverted]), 0)[0], 255 - IMAGE)
        assert augment(IMAGE, to_steps([doubled]), 0)[0].shape == (8, 5, 3)

    @pytest.mark.parametrize(
        "transform", [Transform(), LikeTransform(), upside_down], ids=lambda transform: type(transform).__name__
    )
    def test_transforms_with_a_keyword_image(self, transform: Callable[..., dict[str, Image]]) -> None:
        np.testing.assert_array_equal(augment(IMAGE, to_steps([transform]), 0)[0], IMAGE[::-1])
        np.testing.assert_array_equal(SequentialAug([transform])(IMAGE), IMAGE[::-1])

    def test_function_without_signature_receives_the_image(self) -> None:
        assert SequentialAug([max])(np.array([3, 9, 4])) == 9

    def test_cast_rounds_values_within_the_pipeline(self) -> None:
        image = np.full((1, 1, 3), 1 / 3, np.float32)
        cast = CastAug("float16")
        result, _ = augment(image, to_steps([cast]), 0)
        assert result.dtype == np.float32
        assert result[0, 0, 0] == np.float16(1 / 3)

    def test_steps_do_not_keep_augmenters_alive(self) -> None:
        steps = to_steps([CastAug("float16")])
        with pytest.raises(ReferenceError, match="the augmenter no longer exists"):
            augment(IMAGE, steps, 0)

    def test_non_callable_is_named_with_its_index(self) -> None:
        with pytest.raises(TypeError, match="augmenter 2 is not callable: 'flip'"):
            to_steps([ResizeAug(3), add_half, "flip"])

    def test_functions_in_a_called_sequence_may_return_any_array(self) -> None:
        planes = SequentialAug([CastAug(), lambda image: image.transpose(2, 0, 1)])(IMAGE)
        assert planes.shape == (3, 4, 5)

    @pytest.mark.parametrize("in_the_pipeline", [False, True])
    def test_random_order_is_uniform(self, in_the_pipeline: bool) -> None:
        def append(digit: int) -> Callable[[Image], Image]:
            return lambda image: image * 10 + digit

        augmenter = RandomOrderAug([append(digit) for digit in (1, 2, 3)])
        before = list(augmenter.ts)
        random.seed(0)
        blank = np.zeros((1, 1, 1), np.float32)
        if in_the_pipeline:
            results = [augment(blank, to_steps([augmenter]), seed)[0] for seed in range(600)]
        else:
            results = [augmenter(blank) for _ in range(600)]
        orders = [int(result.item()) for result in results]
        assert set(orders) == {123, 132, 213, 231, 312, 321}
        assert_uniform([orders.count(order) for order in set(orders)])
        assert augmenter.ts == before
