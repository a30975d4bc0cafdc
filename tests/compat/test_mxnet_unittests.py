"""What MXNet's own tests check, with ``import mxnet`` as the stand-in.

The facts are those of MXNet 1.9.1, tests/python/unittest/test_io.py, test_recordio.py and test_image.py; the docstrings
name the tests. The files themselves pass too, unedited but for the keyword ``and_mirror``, a typing error of theirs.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from tests.support.boxes import write_objects
from tests.support.records import PHOTOS, RecordFile, noise, png, write_images

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SAMPLES, BATCH = 1000, 128


def counted(mx: ModuleType, as_ndarray: bool) -> tuple[Any, Any]:
    """Return data and labels of 1,000 samples; that of sample n is n / 100."""
    data: Any = mx.nd.ones((SAMPLES, 2, 2)) if as_ndarray else np.ones((SAMPLES, 2, 2))
    labels: Any = mx.nd.ones((SAMPLES, 1)) if as_ndarray else np.ones((SAMPLES, 1))
    for number in range(SAMPLES):
        data[number] = number / 100
        labels[number] = number / 100
    return data, labels


class TestIO:
    """test_io.py."""

    @pytest.mark.parametrize("as_ndarray", [False, True])
    @pytest.mark.parametrize("several", [False, True])
    @pytest.mark.parametrize(
        ("handle", "batches", "zeros", "eights"),
        [("pad", 8, 124, 100), ("discard", 7, 100, 96), ("roll_over", 7, 100, 96)],
    )
    def test_last_batch_handle(
        self, mx: ModuleType, as_ndarray: bool, several: bool, handle: str, batches: int, zeros: int, eights: int
    ) -> None:
        """test_NDArrayIter: numbers of batches, and of labels that begin with 0 and with 8."""
        data, labels = counted(mx, as_ndarray)
        iterator = mx.io.NDArrayIter([data, data] if several else data, labels, BATCH, last_batch_handle=handle)
        delivered = list(iterator)
        values = np.concatenate([batch.label[0].asnumpy().ravel() for batch in delivered])
        assert len(delivered) == batches
        assert [int((values.astype(int) == digit).sum()) for digit in (0, 8)] == [zeros, eights]
        for batch in delivered:
            assert len(batch.data) == 1 + several
            np.testing.assert_array_equal(batch.data[-1].asnumpy()[:, 0, 0], batch.label[0].asnumpy().ravel())
        if handle == "roll_over":
            iterator.reset()
            padded = list(mx.io.NDArrayIter(data, labels, BATCH))[-1]
            np.testing.assert_array_equal(iterator.next().data[0].asnumpy(), padded.data[0].asnumpy())

    def test_batch_may_be_larger_than_the_data(self, mx: ModuleType) -> None:
        """_test_corner_case."""
        batch = mx.io.NDArrayIter(data=np.arange(10), batch_size=205, last_batch_handle="pad").next()
        assert batch.data[0].asnumpy().tolist() == [*range(10)] * 20 + [*range(5)]

    @pytest.mark.parametrize(("dtype", "number"), [("int32", 200000001), ("int64", 2147483648), ("float32", 1)])
    def test_csv_has_its_type(self, mx: ModuleType, tmp_path: Path, dtype: str, number: int) -> None:
        """test_CSVIter."""
        (tmp_path / "data.t").write_text((",".join([str(number)] * 64) + "\n") * 30)
        (tmp_path / "label.t").write_text("0\n" * 30)
        iterator = mx.io.CSVIter(
            data_csv=str(tmp_path / "data.t"), data_shape=(8, 8), label_csv=str(tmp_path / "label.t"), batch_size=10,
            dtype=dtype,
        )  # fmt: skip
        expected = mx.nd.ones((10, 8, 8), dtype=dtype) * number
        for _ in iterator:
            data = iterator.getdata().asnumpy()
            assert data.dtype == expected.asnumpy().dtype
            np.testing.assert_array_equal(data, expected.asnumpy())

    def test_records_are_counted_with_a_mean_image(self, mx: ModuleType, tmp_path: Path) -> None:
        """test_Cifar10Rec and test_image_iter_exception."""
        file = write_images(tmp_path, [png(noise(32, 32, seed=number % 7)) for number in range(50)], "train")
        settings: dict[str, Any] = {
            "path_imgrec": str(file.rec),
            "mean_img": str(tmp_path / "mean.bin"),
            "rand_crop": False,
            "rand_mirror": False,
            "shuffle": False,
            "batch_size": 10,
            "preprocess_threads": 4,
            "prefetch_buffer": 1,
        }
        labels = [
            batch.label[0].asnumpy().tolist() for batch in mx.io.ImageRecordIter(data_shape=(3, 28, 28), **settings)
        ]
        assert np.ravel(labels).tolist() == [*range(50)]
        with pytest.raises(mx.base.MXNetError):
            mx.io.ImageRecordIter(data_shape=(5, 28, 28), **settings)

    def test_seed_aug_determines_the_augmentation(self, mx: ModuleType, ten: RecordFile) -> None:
        """test_ImageRecordIter_seed_augmentation."""

        def pixels(seed: int) -> list[Any]:
            batches = mx.io.ImageRecordIter(
                path_imgrec=str(ten.rec), data_shape=(3, 6, 6), batch_size=3, rand_crop=True, rand_mirror=True,
                max_random_scale=1.3, max_random_illumination=3, max_rotate_angle=10, random_l=50, random_s=40,
                random_h=10, max_shear_ratio=2, seed_aug=seed,
            )  # fmt: skip
            return [batch.data[0].asnumpy().tolist() for batch in batches]

        assert pixels(3) == pixels(3) != pixels(4)

    def test_batches_are_shown_by_their_shapes(self, mx: ModuleType) -> None:
        """test_DataBatch."""
        ones = mx.nd.ones
        batch = mx.io.DataBatch(data=[ones((2, 3)), ones((7, 8))], label=[ones((4, 5))])
        assert str(batch) == "DataBatch: data shapes: [(2, 3), (7, 8)] label shapes: [(4, 5)]"


def test_keys_may_be_shuffled(mx: ModuleType, tmp_path: Path) -> None:
    """test_recordio.py, test_indexed_recordio."""
    paths = str(tmp_path / "a.idx"), str(tmp_path / "a.rec")
    writer = mx.recordio.MXIndexedRecordIO(*paths, "w")
    for number in range(255):
        writer.write_idx(number, chr(number).encode())
    del writer
    reader = mx.recordio.MXIndexedRecordIO(*paths, "r")
    keys = reader.keys
    assert sorted(keys) == [*range(255)]
    random.shuffle(keys)
    assert [reader.read_idx(key) for key in keys] == [chr(key).encode() for key in keys]


@pytest.fixture
def sixteen(tmp_path: Path) -> list[str]:
    """Write sixteen images, as MXNet's tests have, and return their paths."""
    paths = [str(tmp_path / f"{number}.png") for number in range(16)]
    for number, path in enumerate(paths):
        (tmp_path / path).write_bytes(png(noise(20 + number, 30, seed=number)))
    return paths


class TestImage:
    """test_image.py."""

    @pytest.mark.parametrize("to_rgb", [0, 1])
    def test_images_equal_opencvs(self, mx: ModuleType, to_rgb: int) -> None:
        """test_imdecode and test_imdecode_bytearray."""
        for path in PHOTOS[:3]:
            for content in (path.read_bytes(), bytearray(path.read_bytes())):
                expected = cv2.imread(str(path))
                image = mx.image.imdecode(content, to_rgb=to_rgb).asnumpy()
                np.testing.assert_array_equal(image[..., ::-1] if to_rgb else image, expected)

    @pytest.mark.parametrize("content", [b"", b"clearly not image content"])
    def test_what_is_no_image_is_an_mxnet_error(self, mx: ModuleType, content: bytes) -> None:
        """test_imdecode_empty_buffer and test_imdecode_invalid_image."""
        with pytest.raises(mx.base.MXNetError):
            mx.image.imdecode(content)

    @pytest.mark.parametrize("interp", [0, 1])
    def test_arrays_of_floats_are_resized(self, mx: ModuleType, interp: int) -> None:
        """test_resize_short and test_imresize: arrays are float32, and `out` is filled."""
        image = noise(40, 30)
        array, out = mx.nd.array(image), mx.nd.zeros((17, 23, 3))
        expected = cv2.resize(image, (23, 17), interpolation=interp)
        for resized in (mx.image.imresize(array, 23, 17, interp=interp), mx.image.imresize(array, 23, 17, interp, out)):
            np.testing.assert_allclose(resized.asnumpy(), expected, atol=3)
        assert mx.image.resize_short(array, 15, interp).shape == (20, 15, 3)

    @pytest.mark.parametrize("dtype", ["int32", "float32", "int64", "float64"])
    @pytest.mark.parametrize("source", ["imglist", "path_imglist"])
    def test_last_batches_of_image_iter(
        self, mx: ModuleType, sixteen: list[str], tmp_path: Path, dtype: str, source: str
    ) -> None:
        """test_imageiter."""
        lines = [f"{number}\t{number % 5}\t{path}\n" for number, path in enumerate(sixteen)]
        (tmp_path / "a.lst").write_text("".join(lines))
        images = {
            "imglist": [[number % 5, path] for number, path in enumerate(sixteen)],
            "path_imglist": str(tmp_path / "a.lst"),
        }
        settings = {source: images[source], "path_root": "", "dtype": dtype, "label_width": 1}
        check_last_batches(lambda size, **more: mx.image.ImageIter(size, (3, 16, 16), **settings, **more))

    def test_last_batches_of_image_det_iter(self, mx: ModuleType, tmp_path: Path) -> None:
        """test_image_detiter."""
        file = write_objects(tmp_path, 16)
        settings = {"path_imgrec": str(file.rec), "path_imgidx": str(file.idx)}
        check_last_batches(lambda size, **more: mx.image.ImageDetIter(size, (3, 16, 16), **settings, **more))
        one, other = (mx.image.ImageDetIter(2, (3, 16, 16), **settings) for _ in range(2))
        synced = other.sync_label_shape(one)
        assert (synced.data_shape, synced.label_shape) == (other.data_shape, other.label_shape)

    def test_arrays_are_normalized(self, mx: ModuleType) -> None:
        """test_color_normalize and test_augmenters."""
        values, mean, std = (
            np.random.default_rng(0).random((9, 8, 3)) * 255,
            np.array([1.0, 2, 3]),
            np.array([2.0, 3, 4]),
        )
        arrays = mx.nd.array(mean), mx.nd.array(std)
        for result in (
            mx.image.color_normalize(mx.nd.array(values), *arrays),
            mx.image.ColorNormalizeAug(mean=arrays[0], std=std)(mx.nd.array(values)),
        ):
            np.testing.assert_allclose(result.asnumpy(), (values - mean) / std, atol=1e-3)

    def test_batches_are_rotated(self, mx: ModuleType) -> None:
        """test_imrotate and test_random_rotate."""
        batch = mx.nd.random.uniform(0, 1, (5, 3, 30, 60), dtype=np.float32)
        angles = mx.nd.array([1, 2, 3, 4, 5], dtype=np.float32)
        for zoom in ({}, {"zoom_in": True}, {"zoom_out": True}):
            assert mx.image.imrotate(batch, angles, **zoom).shape == batch.shape
        with pytest.raises(ValueError, match="zoom_in and zoom_out"):
            mx.image.imrotate(batch, angles, zoom_in=True, zoom_out=True)
        with pytest.raises(TypeError, match="rotation_degrees must be a number"):
            mx.image.imrotate(batch[0], angles)
        image = batch[0]
        assert mx.image.random_rotate(image, [-5.0, 5.0]).shape == (3, 30, 60)
        assert mx.image.random_rotate(mx.nd.stack(image, image), [-5.0, 5.0]).shape == (2, 3, 30, 60)


def check_last_batches(opened: Any) -> None:  # noqa: ANN401 a function
    """Check the batches of iterators over sixteen images, as _test_imageiter_last_batch does."""
    for batch in opened(2):
        assert batch.data[0].shape == (2, 3, 16, 16)
    assert len(list(opened(3, last_batch_handle="discard"))) == 5
    padded = list(opened(3, last_batch_handle="pad"))
    assert len(padded) == 6
    np.testing.assert_array_equal(padded[0].data[0][:2].asnumpy(), padded[5].data[0][1:].asnumpy())
    rolling = opened(3, last_batch_handle="roll_over")
    first = next(iter(rolling)).data[0][0].asnumpy()
    assert len(list(rolling)) == 4
    for position, pad, batches in ((1, 2, 5), (2, 1, 6)):
        rolling.reset()
        batch = rolling.next()
        np.testing.assert_array_equal(batch.data[0][position].asnumpy(), first)
        assert (batch.pad, 1 + len(list(rolling))) == (pad, batches)
    assert len(list(opened(3, shuffle=True, last_batch_handle="pad"))) == 6
