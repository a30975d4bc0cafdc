"""The augmenters of `mx.image` on single images, and how lists of them become steps of the pipeline.

Numbers called MXNet's were given by MXNet 1.9.1 for `IMAGE` or `LEVELS`, after ``random.seed(7)`` and
``numpy.random.seed(7)`` where it draws. Formulas are written out in NumPy here, and are shown to give MXNet's numbers;
what recio gives is then compared with the formula, for the number that recio must have drawn.
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
LEVELS = IMAGE[:2, :2].astype(np.float32)

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
every_augmenter = pytest.mark.parametrize("augmenter", EVERY_AUGMENTER, ids=lambda one: type(one).__name__)


def numbers(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), np.float64)


def grey(image: Image) -> Image:
    levels: Image = image @ [[0.299], [0.587], [0.114]]
    return levels


def brightness(image: Image, alpha: float) -> Image:
    return image * alpha


def contrast(image: Image, alpha: float) -> Image:
    moved: Image = image * alpha + (1 - alpha) * grey(image).mean()
    return moved


def saturation(image: Image, alpha: float) -> Image:
    return image * alpha + (1 - alpha) * grey(image)


def hue(image: Image, alpha: float) -> Image:
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
    from_yiq = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.107, 1.705]])
    cos, sin = np.cos(alpha * np.pi), np.sin(alpha * np.pi)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    turned: Image = image @ (from_yiq @ turn @ to_yiq).T
    return turned


def lighting(image: Image, alphas: Image) -> Image:
    shifted: Image = image + EIGENVECTORS @ (alphas * EIGENVALUES)
    return shifted


def drawn_factor(formula: Callable[[Image, float], Image], image: Image, result: Image) -> float:
    """Return the factor of a formula that is linear in it, from its result."""
    at_0, at_1 = formula(image, 0), formula(image, 1)
    along = at_1 - at_0
    return float(((result - at_0) * along).sum() / (along**2).sum())


def drawn_turn(image: Image, result: Image) -> float:
    """Return by how many half turns the hue was rotated."""
    ahead, aside, back = hue(image, 0), hue(image, 0.5), hue(image, 1)
    middle = (ahead + back) / 2
    directions = np.stack([(ahead - middle).ravel(), (aside - middle).ravel()], axis=1)
    (cos, sin), *_ = np.linalg.lstsq(directions, (result - middle).ravel(), rcond=None)
    return float(np.arctan2(sin, cos) / np.pi)


def assert_evenly_spread(draws: list[float], most: float) -> None:
    """Check that numbers are uniform from -`most` to `most`."""
    assert max(map(abs, draws)) <= most * (1 + 1e-4)
    assert_uniform(np.histogram(draws, 10, (-most, most))[0])


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
    def test_pixels_are_mxnets(self, augmenter: Augmenter, shape: tuple[int, ...], expected: str) -> None:
        result = augmenter(IMAGE)
        assert result.dtype == np.uint8
        np.testing.assert_allclose(result, numbers(expected).reshape(shape), atol=1)

    def test_nine_chooses_by_the_sizes(self) -> None:
        np.testing.assert_array_equal(ForceResizeAug((6, 5), 9)(IMAGE), imresize(IMAGE, 6, 5, 2))
        np.testing.assert_array_equal(ForceResizeAug((3, 2), 9)(IMAGE), imresize(IMAGE, 3, 2, 3))
        np.testing.assert_array_equal(ForceResizeAug((6, 3), 9)(IMAGE), imresize(IMAGE, 6, 3, 1))

    def test_ten_chooses_any(self) -> None:
        image = noise(30, 30)
        methods = [imresize(image, 11, 11, method).tobytes() for method in range(5)]
        random.seed(0)
        chosen = [methods.index(ForceResizeAug((11, 11), 10)(image).tobytes()) for _ in range(500)]
        assert_uniform(np.bincount(chosen, minlength=5))

    def test_a_random_crop_is_anywhere(self) -> None:
        random.seed(0)
        places = [RandomCropAug((4, 4))(coordinates(5, 7))[0, 0] for _ in range(2000)]
        counts = np.zeros((2, 4), int)
        np.add.at(counts, ([y for _, y, _ in places], [x for x, _, _ in places]), 1)
        assert_uniform(counts)

    def test_a_random_crop_is_enlarged_if_it_must_be(self) -> None:
        for _ in range(20):
            result = RandomCropAug((20, 20), 0)(coordinates(5, 7))
            assert result.shape == (20, 20, 3)
            assert (np.ptp(result[..., 0]), np.ptp(result[..., 1])) == (4, 4)

    def test_regions_of_random_size_are_spread_as_those_of_the_function(self) -> None:
        image = coordinates(40, 50)
        area, ratio = (0.2, 0.7), (0.5, 1.5)
        augmenter = RandomSizedCropAug((90, 90), area, ratio, 0)
        random.seed(0)
        # Resampled to more pixels, by the nearest one, a region shows its corners.
        crops = [augmenter(image) for _ in range(2000)]
        ends = [(*crop[0, 0, :2], *crop[-1, -1, :2]) for crop in crops]
        ours = np.array([(x, y, right - x + 1, bottom - y + 1) for x, y, right, bottom in np.array(ends, int)])
        functions = np.array([random_size_crop(image, (9, 9), area, ratio)[1] for _ in range(2000)])
        apart = ours.mean(0) - functions.mean(0)
        error = np.sqrt((ours.var(0) + functions.var(0)) / 2000)
        assert (np.abs(apart) < 3.5 * error).all(), (apart, error)
        np.testing.assert_allclose(ours.std(0), functions.std(0), rtol=0.1)

    def test_a_number_for_the_area_is_the_least(self) -> None:
        for _ in range(20):
            result = RandomSizedCropAug((90, 90), 1, (1, 1), 0)(coordinates(40, 40))
            assert (result[0, 0].tolist(), result[-1, -1].tolist()) == ([0, 0, 0], [39, 39, 0])

    def test_min_area_is_an_older_name_of_area(self) -> None:
        with pytest.warns(DeprecationWarning, match="min_area is deprecated"):
            augmenter = RandomSizedCropAug((9, 9), 0.1, (1, 1), min_area=0.5)
        assert augmenter.area == 0.5
        assert json.loads(str(augmenter.dumps()))[1]["area"] == 0.5

    def test_flips_are_as_frequent_as_they_should_be(self) -> None:
        np.testing.assert_array_equal(HorizontalFlipAug(1)(IMAGE), IMAGE[:, ::-1])
        np.testing.assert_array_equal(HorizontalFlipAug(0)(IMAGE), IMAGE)
        random.seed(0)
        flipped = sum(HorizontalFlipAug(0.3)(IMAGE)[0, 0, 0] != IMAGE[0, 0, 0] for _ in range(2000))
        assert 520 < flipped < 680


class TestColours:
    @pytest.mark.parametrize(
        ("formula", "drawn", "expected"),
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
    def test_the_formulas_are_mxnets(
        self, formula: Callable[[Image, Any], Image], drawn: float | Image, expected: str
    ) -> None:
        np.testing.assert_allclose(formula(LEVELS, drawn).ravel(), numbers(expected), atol=1e-3)

    @pytest.mark.parametrize(
        ("augmenter", "formula"),
        [
            (BrightnessJitterAug(0.4), brightness),
            (ContrastJitterAug(0.4), contrast),
            (SaturationJitterAug(0.4), saturation),
        ],
    )
    def test_jitter_is_the_formula_with_a_factor_from_the_range(
        self, augmenter: Augmenter, formula: Callable[[Image, float], Image]
    ) -> None:
        random.seed(0)
        draws = []
        for _ in range(1000):
            result = augmenter(LEVELS)
            factor = drawn_factor(formula, LEVELS, result)
            np.testing.assert_allclose(result, formula(LEVELS, factor), atol=1e-3)
            draws.append(factor - 1)
        assert_evenly_spread(draws, 0.4)

    def test_hue_is_the_formula_with_a_turn_from_the_range(self) -> None:
        random.seed(0)
        draws = []
        for _ in range(1000):
            result = HueJitterAug(0.5)(LEVELS)
            turn = drawn_turn(LEVELS, result)
            np.testing.assert_allclose(result, hue(LEVELS, turn), atol=1e-3)
            draws.append(turn)
        assert_evenly_spread(draws, 0.5)

    def test_lighting_is_the_formula_with_three_normal_numbers(self) -> None:
        random.seed(0)
        draws = []
        for _ in range(2000):
            result = LightingAug(0.5, EIGENVALUES, EIGENVECTORS)(LEVELS)
            alphas = np.linalg.solve(EIGENVECTORS * EIGENVALUES, (result - LEVELS).mean((0, 1)))
            np.testing.assert_allclose(result, lighting(LEVELS, alphas), atol=1e-3)
            draws.append(alphas)
        # Four standard errors each.
        np.testing.assert_allclose(np.mean(draws, 0), 0, atol=4 * 0.5 / 2000**0.5)
        np.testing.assert_allclose(np.cov(draws, rowvar=False), 0.25 * np.eye(3), atol=4 * 0.25 * (2 / 2000) ** 0.5)
        assert np.mean(np.abs(draws) < 0.5) == pytest.approx(0.6827, abs=0.025)

    def test_color_jitter_is_the_three_in_random_order(self) -> None:
        augmenter = ColorJitterAug(0.1, 0.2, 0.3)
        assert isinstance(augmenter, RandomOrderAug)
        assert [repr(part) for part in augmenter.ts] == [
            "BrightnessJitterAug(brightness=0.1)",
            "ContrastJitterAug(contrast=0.2)",
            "SaturationJitterAug(saturation=0.3)",
        ]
        random.seed(0)
        for _ in range(50):
            result = augmenter(LEVELS)
            # In exact arithmetic the order makes no difference, and each factor shows in one
            # respect.
            by = grey(result).mean() / grey(LEVELS).mean()
            contrasted = np.ptp(grey(result)) / np.ptp(grey(LEVELS)) / by
            saturated = np.ptp(result[0, 0]) / np.ptp(LEVELS[0, 0]) / by / contrasted
            assert (abs(by - 1) < 0.1, abs(contrasted - 1) < 0.2, abs(saturated - 1) < 0.3) == (True, True, True)
            expected = saturation(contrast(brightness(LEVELS, by), contrasted), saturated)
            np.testing.assert_allclose(result, expected, atol=1e-2)

    def test_color_jitter_leaves_out_what_is_0(self) -> None:
        assert ColorJitterAug(0, 0, 0).ts == []
        assert [type(part) for part in ColorJitterAug(0, 0.1, 0).ts] == [ContrastJitterAug]
        np.testing.assert_array_equal(ColorJitterAug(0, 0, 0)(LEVELS), LEVELS)

    def test_grey_is_mxnets_and_as_frequent_as_it_should_be(self) -> None:
        expected = [31.82, 142.82, 74.82, 185.82]
        np.testing.assert_allclose(RandomGrayAug(1)(LEVELS).ravel(), np.repeat(expected, 3), atol=1e-3)
        np.testing.assert_array_equal(RandomGrayAug(0)(LEVELS), LEVELS)
        random.seed(0)
        greys = sum(RandomGrayAug(0.3)(LEVELS)[0, 0, 0] != 0 for _ in range(2000))
        assert 520 < greys < 680

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
    def test_normalising_is_mxnets(self, mean: ArrayLike, std: ArrayLike | None, expected: list[float]) -> None:
        np.testing.assert_allclose(ColorNormalizeAug(mean, std)(LEVELS).ravel(), expected, atol=1e-4)

    def test_without_a_mean_it_only_divides(self) -> None:
        np.testing.assert_allclose(ColorNormalizeAug(None, 4)(LEVELS), LEVELS / 4)


class TestTypes:
    @pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
    @pytest.mark.parametrize("augmenter", [ResizeAug(3), CenterCropAug((3, 2)), HorizontalFlipAug(1)], ids=repr)
    def test_geometry_keeps_the_type(self, augmenter: Augmenter, dtype: type) -> None:
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
    def test_colours_make_whole_levels_floats(self, augmenter: Augmenter) -> None:
        random.seed(1)
        result = augmenter(IMAGE)
        random.seed(1)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, augmenter(IMAGE.astype(np.float64)), atol=1e-3)
        assert augmenter(IMAGE.astype(np.float64)).dtype == np.float64

    @pytest.mark.parametrize("channels", [1, 4])
    def test_geometry_takes_one_and_four_channels(self, channels: int) -> None:
        image = noise(6, 8, channels)
        np.testing.assert_array_equal(ResizeAug(4)(image), resize_short(image, 4))
        np.testing.assert_array_equal(CenterCropAug((2, 2))(image), image[2:4, 3:5])

    @pytest.mark.parametrize("typ", ["float32", "float16", "float64", "uint8", "int32", np.float32])
    def test_cast_makes_an_array_of_any_type(self, typ: DTypeLike) -> None:
        result = CastAug(typ)(IMAGE)
        assert result.dtype == typ
        assert result is not IMAGE
        np.testing.assert_array_equal(result, IMAGE)

    @every_augmenter
    def test_the_image_is_left_as_it_is(self, augmenter: Augmenter) -> None:
        for image in IMAGE.copy(), IMAGE.astype(np.float32):
            before = image.copy()
            result = augmenter(image)
            result += 1
            np.testing.assert_array_equal(image, before)

    def test_any_memory_layout_is_taken(self) -> None:
        odd = np.asfortranarray(IMAGE)[::-1, ::2]
        odd.flags.writeable = False
        np.testing.assert_array_equal(HorizontalFlipAug(1)(odd), odd[:, ::-1])
        big_endian = IMAGE.astype(">f4")
        np.testing.assert_array_equal(HorizontalFlipAug(1)(big_endian), IMAGE[:, ::-1])

    @every_augmenter
    def test_the_same_seed_of_pythons_random_gives_the_same(self, augmenter: Augmenter) -> None:
        results = []
        for _ in range(2):
            random.seed(3)
            results.append([augmenter(IMAGE).tolist() for _ in range(5)])
        assert results[0] == results[1]


class TestDescriptions:
    """`dumps`, `repr` and pickles."""

    def test_dumps_are_mxnets(self) -> None:
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

    def test_dumps_of_combinations_are_mxnets(self) -> None:
        augmenter = SequentialAug([ResizeAug(4), RandomOrderAug([CastAug("float16")])])
        assert augmenter.dumps() == [
            "sequentialaug",
            ['["resizeaug", {"size": 4, "interp": 2}]', ["randomorderaug", ['["castaug", {"type": "float16"}]']]],
        ]
        assert ForceResizeAug((3, 4)).dumps() == '["forceresizeaug", {"size": [3, 4], "interp": 2}]'
        assert ColorNormalizeAug([1, 2, 3], None).dumps() == '["colornormalizeaug", {"mean": [1, 2, 3], "std": null}]'

    def test_functions_describe_themselves_as_they_can(self) -> None:
        assert SequentialAug([np.negative]).dumps() == ["sequentialaug", ["<ufunc 'negative'>"]]

    def test_numbers_of_numpys_are_numbers(self) -> None:
        assert BrightnessJitterAug(np.float64(0.25)).dumps() == '["brightnessjitteraug", {"brightness": 0.25}]'

    def test_they_show_how_they_were_made(self) -> None:
        sequence = SequentialAug([ResizeAug(4), RandomCropAug((3, 2), interp=1)])
        assert repr(sequence) == "SequentialAug([ResizeAug(size=4, interp=2), RandomCropAug(size=(3, 2), interp=1)])"

    @every_augmenter
    def test_pickles_do_the_same(self, augmenter: Augmenter) -> None:
        twin = pickle.loads(pickle.dumps(augmenter))  # noqa: S301
        assert (repr(twin), twin.dumps()) == (repr(augmenter), augmenter.dumps())
        random.seed(3)
        expected = augmenter(IMAGE)
        random.seed(3)
        np.testing.assert_array_equal(twin(IMAGE), expected)

    def test_an_augmenter_of_ones_own_needs_a_call(self) -> None:
        class Nothing(Augmenter):
            pass

        with pytest.raises(NotImplementedError, match="Nothing has no __call__"):
            Nothing()(IMAGE)
        assert Nothing(a=np.array([1, 2])).dumps() == '["nothing", {"a": [1, 2]}]'


class TestRefusals:
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
    def test_parameters_that_make_no_sense(
        self, make: Callable[[], object], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error) as refused:
            make()
        assert message in str(refused.value)

    @pytest.mark.parametrize(
        ("image", "error", "message"),
        [
            (noise(4, 4).astype(np.int32), TypeError, "an image must be uint8 or floating, got int32"),
            (noise(4, 4)[..., 0], ValueError, "(height, width, channels), got (4, 4)"),
            (noise(4, 4, 2), ValueError, "1, 3 or 4 channels"),
            (noise(4, 4)[:0], ValueError, "shape [0, 4, 3]"),
        ],
    )
    def test_images_that_are_none(self, image: Image, error: type[Exception], message: str) -> None:
        with pytest.raises(error) as refused:
            HorizontalFlipAug(1)(image)
        assert message in str(refused.value)

    def test_colours_of_images_that_have_none(self) -> None:
        with pytest.raises(ValueError, match="color steps need an image of 3 channels, got 1"):
            BrightnessJitterAug(0.1)(noise(4, 4, 1))


class TestCreateAugmenter:
    def test_without_wishes_it_crops_the_middle_and_casts(self) -> None:
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
    def test_there_is_one_crop(self, settings: dict[str, bool], crop: str) -> None:
        assert [repr(augmenter) for augmenter in CreateAugmenter((3, 8, 9), **settings)[:-1]] == [crop]

    @pytest.mark.parametrize(
        ("settings", "mean", "std"),
        [
            ({"mean": np.array([1.5])}, [1.5], None),
            ({"std": [2.0, 3.0, 4.0]}, None, [2.0, 3.0, 4.0]),
            ({"mean": True, "std": False}, np.float32([123.68, 116.28, 103.53]).tolist(), None),  # type: ignore[arg-type]
        ],
    )
    def test_mean_and_std_are_true_or_given(self, settings: dict[str, Any], mean: object, std: object) -> None:
        last = CreateAugmenter((3, 8, 9), **settings)[-1]
        assert last.dumps() == json.dumps(["colornormalizeaug", {"mean": mean, "std": std}])

    def test_the_whole_list_is_mxnets(self) -> None:
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
        one_by_one = SequentialAug(augmenters)(IMAGE)
        at_once, _ = augment(IMAGE, to_steps(augmenters), 0)
        # A level is 0.017.
        np.testing.assert_allclose(one_by_one.ravel(), expected, atol=0.018)
        np.testing.assert_allclose(at_once, one_by_one, atol=1e-4)


class Transform:
    """What albumentations has: an object that takes its image by name, and gives a dictionary."""

    def __call__(self, *, image: Image) -> dict[str, Image]:
        return {"image": image[::-1]}


class LikeTransform(Transform):
    """One whose signature says nothing, from a module of the library's name."""

    __module__ = "albumentations.augmentations.transforms"

    def __call__(self, *args: object, **params: Image) -> dict[str, Image]:
        if args:
            raise KeyError("You have to pass data to augmentations as named arguments")
        return {"image": params["image"][::-1]}


def upside_down(**data: Image) -> dict[str, Image]:
    return {"image": data["image"][::-1]}


class Inverted(ResizeAug):
    """An augmenter of one's own, made from one of recio's."""

    def __call__(self, src: Image) -> Image:
        return 255 - src


class Doubling:
    """A `__call__` to be mixed in."""

    def __call__(self, src: Image) -> Image:
        return np.concatenate([src, src])


class Doubled(Doubling, ResizeAug):
    pass


class Renamed(ResizeAug):
    """A class that changes nothing."""


def add_half(image: Image) -> Image:
    return image + 0.5


def calls_python(augmenters: list[Any]) -> bool:
    return any("UserFunction" in repr(step) for step in to_steps(augmenters))


class TestSteps:
    """From augmenters to steps: `recio._loader.to_steps`."""

    def test_lists_of_augmenters_do_what_they_do_one_by_one(self) -> None:
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
    def test_recios_own_never_see_python(self, augmenter: Augmenter) -> None:
        assert not calls_python([augmenter])
        assert [type(step) for step in to_steps([augmenter])] == [Step]

    @pytest.mark.parametrize(
        "augmenter",
        [add_half, np.negative, Transform(), Inverted(3), Doubled(3), CastAug("float16"), SequentialAug([add_half])],
        ids=["function", "ufunc", "transform", "subclass", "mixin", "cast", "sequence"],
    )
    def test_everything_else_is_called(self, augmenter: Callable[[Image], Image]) -> None:
        assert calls_python([ResizeAug(3), augmenter])
        assert calls_python([SequentialAug([RandomOrderAug([augmenter])])])

    def test_a_class_that_derives_from_an_augmenter_is_called_only_for_its_own_call(self) -> None:
        assert not calls_python([Renamed(3)])
        assert augment(IMAGE, to_steps([Renamed(3)]), 0)[0].shape == (3, 3, 3)
        inverted, doubled = Inverted(3), Doubled(3)
        np.testing.assert_array_equal(augment(IMAGE, to_steps([inverted]), 0)[0], 255 - IMAGE)
        assert augment(IMAGE, to_steps([doubled]), 0)[0].shape == (8, 5, 3)

    @pytest.mark.parametrize(
        "transform", [Transform(), LikeTransform(), upside_down], ids=lambda one: type(one).__name__
    )
    def test_transforms_that_take_their_image_by_name(self, transform: Callable[..., dict[str, Image]]) -> None:
        np.testing.assert_array_equal(augment(IMAGE, to_steps([transform]), 0)[0], IMAGE[::-1])
        np.testing.assert_array_equal(SequentialAug([transform])(IMAGE), IMAGE[::-1])

    def test_a_function_that_does_not_say_what_it_takes_is_given_the_image(self) -> None:
        assert SequentialAug([max])(np.array([3, 9, 4])) == 9

    def test_a_cast_to_another_type_is_felt_in_the_pipeline(self) -> None:
        image = np.full((1, 1, 3), 1 / 3, np.float32)
        cast = CastAug("float16")
        result, _ = augment(image, to_steps([cast]), 0)
        assert result.dtype == np.float32
        assert result[0, 0, 0] == np.float16(1 / 3)

    def test_an_augmenter_is_only_borrowed(self) -> None:
        lent = to_steps([CastAug("float16")])
        with pytest.raises(ReferenceError, match="the augmenter no longer exists"):
            augment(IMAGE, lent, 0)

    def test_what_cannot_be_called_is_named_by_its_place(self) -> None:
        with pytest.raises(TypeError, match="augmenter 2 is not callable: 'flip'"):
            to_steps([ResizeAug(3), add_half, "flip"])

    def test_functions_may_give_anything_when_a_sequence_is_called_itself(self) -> None:
        planes = SequentialAug([CastAug(), lambda image: image.transpose(2, 0, 1)])(IMAGE)
        assert planes.shape == (3, 4, 5)

    @pytest.mark.parametrize("in_the_pipeline", [False, True])
    def test_every_order_is_as_likely_as_the_others(self, in_the_pipeline: bool) -> None:
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
