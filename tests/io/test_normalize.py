"""Final arithmetic of `ImageRecordIter`: random contrast and illumination, and the mean image.

`test_augmentation.py` tests the normalization by mean and std of each channel.
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.io import ImageRecordIter
from tests.support.records import (
    DATA,
    RecordFile,
    assert_uniform,
    images,
    in_batch,
    noise,
    numbers,
    open_iter,
    png,
    write_images,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

GOLDEN = DATA / "golden"
SETTINGS: dict[str, dict[str, Any]] = json.loads((GOLDEN / "single.json").read_text())
COUNT = 20
PIXELS = [noise(12, 12, seed=seed) for seed in range(COUNT)]
SHAPE: dict[str, Any] = {"data_shape": (3, 12, 12), "layout": "NHWC", "batch_size": COUNT}
MEAN = {"mean_r": 123.68, "mean_g": 116.28, "mean_b": 103.53}
NORMALIZATION = {**MEAN, "std_r": 58.395, "std_g": 57.12, "std_b": 57.375, "scale": 0.7}
GAIN = {"max_random_contrast": 0.4, "max_random_illumination": 30}


@pytest.fixture
def file(tmp_path: Path) -> RecordFile:
    return write_images(tmp_path, map(png, PIXELS))


class TestContrastAndIllumination:
    @pytest.mark.parametrize("gain", [GAIN, {"max_random_contrast": 0.4}, {"max_random_illumination": 30}], ids=str)
    @pytest.mark.parametrize("dtype", [np.float32, np.float16])
    def test_floats_equal_the_plan_bit_for_bit(
        self, file: RecordFile, gain: dict[str, Any], dtype: type[np.floating[Any]]
    ) -> None:
        f = np.float32
        mean, std = (np.array([NORMALIZATION[f"{name}_{c}"] for c in "rgb"], f) for name in ("mean", "std"))
        batches = open_iter(file, dtype=dtype, **gain, **NORMALIZATION, **SHAPE)
        for number, image in enumerate(batches.next().data[0]):
            plan = batches.plan(number)
            factor, offset = (f(plan[name]) * f(0.7) / std for name in ("contrast", "illumination"))
            expected = (PIXELS[number].astype(f) - mean) * factor + offset
            assert image.tobytes() == expected.astype(dtype).tobytes()

    def test_contrast_and_illumination_are_uniform_and_independent(self, file: RecordFile) -> None:
        batches = open_iter(file, **GAIN)
        plans = [batches.plan(0, epoch) for epoch in range(1000)]
        contrast, illumination = (np.array([plan[name] for plan in plans]) for name in ("contrast", "illumination"))
        assert_uniform(np.histogram(contrast, 12, (0.6, 1.4))[0])
        assert_uniform(np.histogram(illumination, 12, (-30, 30))[0])
        assert abs(np.corrcoef(contrast, illumination)[0, 1]) < 0.1

    @pytest.mark.parametrize("dtype", ["uint8", "int8"])
    def test_integer_dtypes_ignore_contrast_and_illumination(self, file: RecordFile, dtype: str) -> None:
        plain, gained = (open_iter(file, dtype=dtype, **settings, **SHAPE).next() for settings in ({}, GAIN))
        np.testing.assert_array_equal(gained.data[0], plain.data[0])

    def test_dtype_does_not_change_other_sampled_parameters(self, file: RecordFile) -> None:
        """In MXNet, uint8 samples no contrast, so that crops differ from the second image on."""
        settings = {**GAIN, **SHAPE, "data_shape": (3, 8, 8), "rand_crop": True, "rand_mirror": True}
        plans = [open_iter(file, dtype=dtype, **settings).plan(3) for dtype in ("uint8", "float32")]
        assert plans[0] == plans[1]

    @pytest.mark.parametrize("value", [-0.5, math.nan, math.inf])
    @pytest.mark.parametrize("name", GAIN)
    def test_invalid_range_is_named(self, file: RecordFile, name: str, value: float) -> None:
        with pytest.raises(ValueError, match=name):
            open_iter(file, **{name: value})


class TestMeanImage:
    def test_mean_is_computed_from_augmented_images(self, file: RecordFile, tmp_path: Path) -> None:
        path = tmp_path / "mean.npy"
        augmented = {**SHAPE, "data_shape": (3, 8, 8), "rand_crop": True, "rand_mirror": True, "seed": 3}
        batch = open_iter(file, mean_img=path, dtype="float32", **augmented).next()
        expected = images(open_iter(file, **augmented)).mean(axis=0).transpose(2, 0, 1)
        mean = np.load(path)
        assert mean.dtype == np.float32
        np.testing.assert_array_equal(mean, expected.astype(np.float32))
        assert np.abs(batch.data[0].mean()) < 1e-4

    @pytest.mark.parametrize("settings", [{"batch_size": 7}, {"batch_size": 50}, {"shuffle": True, "batch_size": 6}])
    def test_padding_is_not_counted(self, file: RecordFile, tmp_path: Path, settings: dict[str, Any]) -> None:
        path = tmp_path / "mean.npy"
        open_iter(file, mean_img=path, **{**SHAPE, **settings})
        np.testing.assert_allclose(np.load(path).transpose(1, 2, 0), np.mean(PIXELS, axis=0), atol=1e-4)

    def test_shard_has_the_mean_of_its_own_images(self, file: RecordFile, tmp_path: Path) -> None:
        shard = {**SHAPE, "num_parts": 3, "part_index": 1}
        shard_numbers = numbers(open_iter(file, mean_img=tmp_path / "mean.npy", **shard))
        expected = np.mean([PIXELS[number] for number in shard_numbers], axis=0)
        np.testing.assert_allclose(np.load(tmp_path / "mean.npy").transpose(1, 2, 0), expected, atol=1e-4)

    @pytest.mark.parametrize("name", ["mean.bin", "mean.nd", "mean"])
    def test_mean_is_written_in_mxnets_format(self, file: RecordFile, tmp_path: Path, name: str) -> None:
        """The header is that of ``golden/mean_img.nd``, which MXNet 1.9.1 wrote: float32, named mean_img."""
        for path in (tmp_path / name, tmp_path / "mean.npy"):
            open_iter(file, mean_img=path, **SHAPE)
        written, golden = (tmp_path / name).read_bytes(), (GOLDEN / "mean_img.nd").read_bytes()
        header = 36 + 3 * 8 + 12
        assert (written[:36], written[60:header]) == (golden[:36], golden[60:header])
        assert written[36:60] == np.array([3, 12, 12], "<i8").tobytes()
        assert written[header:-24] == np.load(tmp_path / "mean.npy").astype("<f4").tobytes()
        assert written[-24:] == golden[-24:]
        image = open_iter(file, mean_img=tmp_path / name, dtype="float32", **SHAPE).next().data[0]
        np.testing.assert_array_equal(
            image, open_iter(file, mean_img=tmp_path / "mean.npy", dtype="float32", **SHAPE).next().data[0]
        )

    @pytest.mark.parametrize("form", ["<II3q", "<I3I"])
    def test_files_of_older_versions_of_mxnet_are_read(self, file: RecordFile, tmp_path: Path, form: str) -> None:
        """Their headers have no storage type, and the oldest no magic number (NDArray::LegacyLoad of MXNet 1.9.1)."""
        mean = np.full((3, 12, 12), 7, "<f4")
        magic = () if form == "<I3I" else (0xF993FAC8,)
        header = struct.pack(form, *magic, 3, 3, 12, 12) + struct.pack("<iii", 1, 0, 0)
        content = struct.pack("<QQQ", 0x112, 0, 1) + header + mean.tobytes() + struct.pack("<Q", 0)
        (tmp_path / "mean.bin").write_bytes(content)
        image = open_iter(file, mean_img=tmp_path / "mean.bin", dtype="float32", **SHAPE).next().data[0][0]
        np.testing.assert_array_equal(image, PIXELS[0] - np.float32(7))

    def test_mean_is_written_once_and_then_read(self, file: RecordFile, tmp_path: Path) -> None:
        path = tmp_path / "mean.npy"
        open_iter(file, mean_img=path, **SHAPE)
        mean = np.full((3, 12, 12), 100.25, np.float64)
        np.save(path, mean)
        written = path.read_bytes()
        image = open_iter(file, mean_img=str(path), dtype="float32", **SHAPE).next().data[0][0]
        np.testing.assert_array_equal(image, PIXELS[0] - np.float32(100.25))
        assert path.read_bytes() == written

    def test_writing_leaves_no_other_file(self, file: RecordFile, tmp_path: Path) -> None:
        folder = tmp_path / "means"
        folder.mkdir()
        open_iter(file, mean_img=folder / "mean.npy", **SHAPE)
        assert [path.name for path in folder.iterdir()] == ["mean.npy"]

    def test_file_mode_follows_the_umask(self, file: RecordFile, tmp_path: Path) -> None:
        open_iter(file, mean_img=tmp_path / "mean.npy", **SHAPE)
        (tmp_path / "new").touch()
        assert (tmp_path / "mean.npy").stat().st_mode == (tmp_path / "new").stat().st_mode

    def test_unreadable_images_leave_no_file(self, tmp_path: Path) -> None:
        broken = write_images(tmp_path, [png(PIXELS[0]), b"no image"])
        with pytest.raises(ValueError, match="record 1"):
            open_iter(broken, mean_img=tmp_path / "mean.npy", **SHAPE)
        assert {path.name for path in tmp_path.iterdir()} == {"some.rec", "some.idx"}

    @pytest.mark.parametrize("name", [name for name in SETTINGS if name.startswith("mean_img")])
    def test_mxnets_mean_file_is_subtracted_as_by_mxnet(self, name: str, tmp_path: Path) -> None:
        with np.load(GOLDEN / "single.npz") as arrays:
            image, expected = arrays["image"], arrays[name]
        settings = {**SETTINGS[name], "mean_img": GOLDEN / "mean_img.nd", "batch_size": 1}
        pixels = open_iter(write_images(tmp_path, [png(image)]), **settings).next().data[0][0]
        assert pixels.dtype == expected.dtype
        assert pixels.tobytes() == expected.tobytes()

    def test_mean_equals_mxnets(self, tmp_path: Path) -> None:
        """Up to differences between the JPEG decoders."""
        settings: dict[str, Any] = {"data_shape": (3, 8, 8), "batch_size": 26, "resize": 12, "dtype": "float32"}
        ours, theirs = (
            ImageRecordIter(path_imgrec=GOLDEN / "images.rec", mean_img=path, **settings).next().data[0]
            for path in (tmp_path / "mean.npy", GOLDEN / "mean_img.nd")
        )
        assert np.abs(ours - theirs).max() < 1

    @pytest.mark.parametrize("mirror", [False, True])
    @pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
    def test_mean_is_mirrored_with_the_image(self, file: RecordFile, tmp_path: Path, layout: str, mirror: bool) -> None:
        mean = noise(12, 12, seed=99)
        np.save(tmp_path / "mean.npy", mean.transpose(2, 0, 1).astype(np.float32))
        settings = {**SHAPE, "layout": layout, "mirror": mirror, "dtype": "float32", "scale": 0.5, "mean_r": 9}
        batch = open_iter(file, mean_img=tmp_path / "mean.npy", **settings).next()
        expected = np.array([(PIXELS[n].astype(int) - mean) / 2 for n in in_batch(batch)])
        expected = expected[:, :, ::-1] if mirror else expected
        np.testing.assert_array_equal(batch.data[0], expected if layout == "NHWC" else expected.transpose(0, 3, 1, 2))

    @pytest.mark.parametrize("dtype", ["uint8", "int8"])
    def test_integer_dtypes(self, file: RecordFile, tmp_path: Path, dtype: str) -> None:
        """The rounded mean is subtracted for int8, and nothing for uint8."""
        np.save(tmp_path / "mean.npy", np.full((3, 12, 12), 127.5, np.float32))
        batch = open_iter(file, mean_img=tmp_path / "mean.npy", dtype=dtype, **SHAPE).next()
        pixels = np.array(PIXELS).astype(int)
        np.testing.assert_array_equal(batch.data[0], pixels if dtype == "uint8" else pixels - 128)

    def test_contrast_and_illumination_follow_the_mean(self, file: RecordFile, tmp_path: Path) -> None:
        np.save(tmp_path / "mean.npy", np.full((3, 12, 12), 60.5, np.float32))
        batches = open_iter(file, mean_img=tmp_path / "mean.npy", dtype="float32", **GAIN, **SHAPE)
        plan, image = batches.plan(0), batches.next().data[0][0]
        f = np.float32
        expected = (PIXELS[0] - f(60.5)) * f(plan["contrast"]) + f(plan["illumination"])
        np.testing.assert_array_equal(image, expected)

    @pytest.mark.parametrize("shape", [(12, 12, 3), (3, 12, 11), (1, 12, 12), (432,), ()])
    def test_mean_of_another_shape_is_an_error(self, file: RecordFile, tmp_path: Path, shape: tuple[int, ...]) -> None:
        np.save(tmp_path / "mean.npy", np.zeros(shape, np.float32))
        with pytest.raises(ValueError, match=r"mean\.npy: the mean image must have shape \(3, 12, 12\), got \("):
            open_iter(file, mean_img=tmp_path / "mean.npy", **SHAPE)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda _: b"",
            lambda _: b"garbage" * 100,
            lambda nd: nd[:30],
            lambda nd: nd[:-40],
            lambda nd: nd[:16] + b"\2" + nd[17:],
            lambda nd: nd[:24] + b"\0" + nd[25:],
            lambda nd: nd[:32] + b"\xff\xff\xff\xff" + nd[36:],
            lambda nd: nd[:36] + b"\xff" * 8 + nd[44:],
            lambda nd: nd[:68] + b"\1" + nd[69:],
        ],
    )
    def test_damaged_mxnet_file_is_named(self, file: RecordFile, tmp_path: Path, damage: Any) -> None:  # noqa: ANN401
        path = tmp_path / "mean.nd"
        path.write_bytes(damage((GOLDEN / "mean_img.nd").read_bytes()))
        with pytest.raises(ValueError, match=r"mean\.nd: neither a \.npy file nor an NDArray file of MXNet's"):
            open_iter(file, mean_img=path, **{**SHAPE, "data_shape": (3, 8, 8)})

    @pytest.mark.parametrize("array", [np.array([{}]), np.full((3, 12, 12), "a"), np.full((3, 12, 12), np.nan)])
    def test_numpy_file_without_an_image_is_named(self, file: RecordFile, tmp_path: Path, array: NDArray[Any]) -> None:
        np.save(tmp_path / "mean.npy", array, allow_pickle=True)
        with pytest.raises(ValueError, match=r"mean\.npy"):
            open_iter(file, mean_img=tmp_path / "mean.npy", **SHAPE)

    @pytest.mark.parametrize("kept", [6, 7, 60, -1])
    def test_truncated_numpy_file_is_named(self, file: RecordFile, tmp_path: Path, kept: int) -> None:
        path = tmp_path / "mean.npy"
        np.save(path, np.zeros((3, 12, 12)))
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(ValueError, match=r"mean\.npy"):
            open_iter(file, mean_img=path, **SHAPE)
