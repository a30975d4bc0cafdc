"""Colors in `ImageRecordIter`: brightness, contrast, saturation; hue, saturation and lightness; PCA noise.

The sampled parameters are read from the plan, and the pixels are compared with OpenCV's for the same parameters.
OpenCV 4 rounds 0.3 % of the grays and 0.01 % of the hues differently than MXNet's OpenCV 3, which recio follows; hence
the tolerances.
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.records import RecordFile, assert_uniform, noise, open_iter, png, write_images
from tests.support.replay import assert_replayed, sampled_steps, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SHAPE: dict[str, Any] = {"data_shape": (3, 40, 50), "layout": "NHWC", "batch_size": 12}
ENHANCE = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4}
ALL: dict[str, Any] = {**ENHANCE, "random_h": 36, "random_s": 50, "random_l": 50, "pca_noise": 0.2}
# MXNet 1.9.1's principal components of ImageNet's pixels: rows for R, G, B, columns for the
# components.
EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
EIGENVALUES = np.array([55.46, 4.794, 1.148])


@pytest.fixture(scope="module")
def pixels() -> list[NDArray[np.uint8]]:
    return [noise(40, 50, seed=seed) for seed in range(12)]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, pixels: list[NDArray[np.uint8]]) -> RecordFile:
    return write_images(tmp_path_factory.mktemp("noise"), map(png, pixels))


def sampled(file: RecordFile, name: str, count: int = 1000, **settings: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Sample `count` values of one parameter."""
    values = [step[name] for step in sampled_steps(open_iter(file, **settings), "levels", count) if name in step]
    assert len(values) == count
    return np.array(values)


def kinds(plan: dict[str, Any]) -> list[str]:
    """Return the names of the color steps, in order."""
    return [name for step in steps_of(plan, "levels") for name in step.keys() - {"operation", "window"}]


@pytest.mark.parametrize("quirks", [False, True])
class TestPixels:
    def test_brightness_is_exact(self, file: RecordFile, pixels: list[NDArray[np.uint8]], quirks: bool) -> None:
        assert_replayed(open_iter(file, brightness=0.6, mxnet_quirks=quirks, **SHAPE), pixels)

    @pytest.mark.parametrize("name", ["contrast", "saturation"])
    def test_contrast_and_saturation_differ_by_at_most_1(
        self, file: RecordFile, pixels: list[NDArray[np.uint8]], name: str, quirks: bool
    ) -> None:
        batches = open_iter(file, mxnet_quirks=quirks, **{name: 0.6}, **SHAPE)
        assert_replayed(batches, pixels, quirks=quirks, tolerance=1)

    @pytest.mark.parametrize("names", ["h", "s", "l", "hsl"])
    def test_nearly_all_hues_equal_opencvs(
        self, file: RecordFile, pixels: list[NDArray[np.uint8]], names: str, quirks: bool
    ) -> None:
        settings = {f"random_{name}": 60 for name in names}
        assert_replayed(
            open_iter(file, mxnet_quirks=quirks, **settings, **SHAPE),
            pixels,
            quirks=quirks,
            tolerance=1,
            max_differing=0.002,
        )

    def test_lighting_is_exact(self, file: RecordFile, pixels: list[NDArray[np.uint8]], quirks: bool) -> None:
        assert_replayed(open_iter(file, pca_noise=0.5, mxnet_quirks=quirks, **SHAPE), pixels)

    def test_color_follows_geometry_and_uses_the_cropped_image(
        self, file: RecordFile, pixels: list[NDArray[np.uint8]], quirks: bool
    ) -> None:
        geometry = {"max_rotate_angle": 30, "rand_crop": True, "rand_mirror": True, "data_shape": (3, 24, 28)}
        settings = {**SHAPE, **ALL, **geometry, "mxnet_quirks": quirks}
        assert_replayed(open_iter(file, **settings), pixels, quirks=quirks, tolerance=3, max_differing=0.01)

    def test_quirks_do_not_change_sampled_parameters(self, file: RecordFile, quirks: bool) -> None:
        plain, other = open_iter(file, **ALL), open_iter(file, mxnet_quirks=quirks, **ALL)
        assert plain.plan(3, 2) == other.plan(3, 2)


class TestQuirks:
    def test_quirks_swap_the_weights_of_red_and_blue(self, tmp_path: Path) -> None:
        """The gray values of red, green and blue are 76, 150 and 29; with the quirk 29, 150 and 76."""
        for color, grays in (((255, 0, 0), (76, 29)), ((0, 0, 255), (29, 76)), ((0, 255, 0), (150, 150))):
            file = write_images(tmp_path, [png(np.full((8, 8, 3), color, np.uint8))])
            for quirks, gray in zip((False, True), grays, strict=True):
                batches = open_iter(file, contrast=1, mxnet_quirks=quirks)
                (alpha,) = (step["contrast"] for step in steps_of(batches.plan(0), "levels"))
                image = batches.next().data[0][0, :, 0, 0]
                expected = (np.array(color) * alpha + (1 - alpha) * gray).clip(0, 255)
                np.testing.assert_allclose(image, expected, atol=0.5001)

    def test_quirks_clamp_hues_that_otherwise_wrap(self, tmp_path: Path) -> None:
        """Red is hue 0: a negative shift stays red with the quirk, and becomes bluish without it."""
        file = write_images(tmp_path, [png(np.full((8, 8, 3), (254, 0, 0), np.uint8))] * 40)
        settings: dict[str, Any] = {"random_h": 60, "batch_size": 40}
        wrapped, stopped = (
            open_iter(file, mxnet_quirks=quirks, **settings).next().data[0][..., 0, 0] for quirks in (False, True)
        )
        plans = open_iter(file, **settings)
        hues = np.array([steps_of(plans.plan(record), "levels")[0]["hls"][0] for record in range(40)])
        np.testing.assert_array_equal(wrapped[hues >= 0], stopped[hues >= 0])
        assert (hues < 0).sum() > 10
        assert (stopped[hues < 0] == (254, 0, 0)).all()
        assert (wrapped[hues < 0][:, 2] > 0).all()


class TestSampling:
    @pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
    @pytest.mark.parametrize("others", [0, 0.5])
    def test_factors_are_uniform_around_1(self, file: RecordFile, name: str, others: float) -> None:
        ranges: dict[str, Any] = {**dict.fromkeys(ENHANCE, others), name: 0.3}
        assert_uniform(np.histogram(sampled(file, name, **ranges), 12, (0.7, 1.3))[0])

    def test_jitter_steps_come_in_every_order(self, file: RecordFile) -> None:
        batches = open_iter(file, **ENHANCE)
        orders = [kinds(batches.plan(0, epoch)) for epoch in range(1000)]
        possible = list(itertools.permutations(ENHANCE))
        assert_uniform([orders.count(list(order)) for order in possible])

    @pytest.mark.parametrize("enabled", [["contrast"], ["brightness", "saturation"]])
    def test_steps_without_settings_are_absent(self, file: RecordFile, enabled: list[str]) -> None:
        batches = open_iter(file, **dict.fromkeys(enabled, 0.2))
        assert all(sorted(kinds(batches.plan(record))) == enabled for record in range(12))

    def test_groups_come_in_a_fixed_order(self, file: RecordFile) -> None:
        batches = open_iter(file, **ALL)
        assert all(kinds(batches.plan(record))[3:] == ["hls", "shift"] for record in range(12))

    @pytest.mark.parametrize(("name", "index"), [("random_h", 0), ("random_l", 1), ("random_s", 2)])
    def test_hls_shifts_are_integers_distributed_as_in_mxnet(self, file: RecordFile, name: str, index: int) -> None:
        """The distribution is that of (u + 4v) / 5, u and v uniform from -limit to limit, truncated to integers."""
        limit, count = 40, 4000
        shifts = sampled(file, "hls", count, **{name: limit})
        assert shifts.dtype == int
        assert not np.delete(shifts, index, axis=1).any()
        rng = np.random.default_rng(1)
        u, v = rng.uniform(-limit, limit, (2, 400_000))
        expected = np.trunc((u + 4 * v) / 5)
        assert abs(shifts).max() <= limit
        assert distance(shifts[:, index], expected) < 1.95 / math.sqrt(count)

    def test_hls_shifts_are_independent(self, file: RecordFile) -> None:
        shifts = sampled(file, "hls", random_h=90, random_l=90, random_s=90)
        assert np.abs(np.corrcoef(shifts.T) - np.eye(3)).max() < 0.12

    @pytest.mark.parametrize("noise", [0.1, 2])
    def test_lighting_follows_the_principal_components(self, file: RecordFile, noise: float) -> None:
        along = sampled(file, "shift", 4000, pca_noise=noise) @ np.linalg.inv(EIGENVECTORS * EIGENVALUES).T / noise
        assert np.abs(along.mean(axis=0)).max() < 0.06
        assert np.abs(along.std(axis=0) - 1).max() < 0.05
        assert np.abs(np.corrcoef(along.T) - np.eye(3)).max() < 0.06
        assert (np.abs(along) < 1).mean() == pytest.approx(math.erf(math.sqrt(0.5)), abs=0.02)

    def test_every_record_and_epoch_samples_new_parameters(self, file: RecordFile) -> None:
        batches = open_iter(file, pca_noise=1)
        plans = [batches.plan(record, epoch) for record in range(12) for epoch in (0, 1)]
        assert len({tuple(steps_of(plan, "levels")[0]["shift"]) for plan in plans}) == 24

    def test_parameters_depend_on_the_seed(self, file: RecordFile) -> None:
        plans = [open_iter(file, seed=seed, **ALL).plan(0) for seed in (1, 1, 2)]
        assert plans[0] == plans[1] != plans[2]


def distance(samples: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Return the distance of two empirical distributions (Kolmogorov and Smirnov)."""
    points = np.unique(reference)
    first, second = (
        np.searchsorted(np.sort(values), points, side="right") / values.size for values in (samples, reference)
    )
    return float(np.abs(first - second).max())
