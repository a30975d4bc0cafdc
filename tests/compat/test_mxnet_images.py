"""``mx.image`` and ``mx.io`` with MXNet's arrays: augmenters, hooks, functions in aug lists, getters."""

from __future__ import annotations

import importlib
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio.image
import recio.io
from recio.compat.mxnet import NDArray
from tests.support.boxes import write_objects
from tests.support.faces import write_face_set
from tests.support.records import RecordFile, noise, png

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def images(tmp_path: Path) -> dict[str, Any]:
    """Write four images and return the keywords of their list."""
    for number in range(4):
        (tmp_path / f"{number}.png").write_bytes(png(noise(9, 10, seed=number)))
    (tmp_path / "a.lst").write_text("".join(f"{number}\t{number / 2}\t{number}.png\n" for number in range(4)))
    return {"path_imglist": str(tmp_path / "a.lst"), "path_root": str(tmp_path)}


class TestModules:
    """Names of submodules, which scripts import from."""

    def test_submodules_of_mxnet_are_there(self, mx: ModuleType) -> None:
        for name in ("io.io", "image.image", "image.detection", "ndarray.ndarray", "ndarray.random", "ndarray.sparse"):
            module = importlib.import_module(f"mxnet.{name}")
            parent, _, last = name.rpartition(".")
            assert getattr(importlib.import_module(f"mxnet.{parent}"), last) is module
        assert mx.image.image.imresize is mx.image.imresize
        assert mx.img.detection.ImageDetIter is mx.image.ImageDetIter
        assert mx.io.io.MXDataIter is mx.io.MXDataIter is recio.io.MXDataIter
        assert mx.nd.ndarray.NDArray is mx.nd.NDArray is NDArray

    def test_classes_are_related_as_in_mxnet(self, mx: ModuleType) -> None:
        assert issubclass(mx.image.ImageDetIter, mx.image.ImageIter)
        assert issubclass(mx.image.ImageIter, recio.image.ImageIter)
        assert issubclass(mx.image.ColorJitterAug, mx.image.RandomOrderAug)
        assert isinstance(mx.image.CreateAugmenter((3, 8, 8))[0], mx.image.CenterCropAug)
        assert isinstance(mx.image.HorizontalFlipAug(0.5), mx.image.Augmenter)


class TestFunctions:
    """Functions on single images."""

    def test_functions_take_and_return_arrays(self, mx: ModuleType) -> None:
        image = mx.nd.array(noise(9, 10), dtype="uint8")
        results = [
            mx.image.imresize(image, 5, 4),
            mx.image.resize_short(image, 6),
            mx.image.fixed_crop(image, 1, 2, 3, 4),
            mx.image.random_crop(image, (5, 4))[0],
            mx.image.copyMakeBorder(image, 1, 2, 3, 4),
            mx.image.color_normalize(image.astype("float32"), mx.nd.array([1, 2, 3]), mx.nd.array([2, 2, 2])),
        ]
        for result in results:
            assert isinstance(result, NDArray)
        assert [result.shape for result in results[:5]] == [(4, 5, 3), (6, 6, 3), (4, 3, 3), (4, 5, 3), (12, 17, 3)]

    def test_out_is_filled_and_returned(self, mx: ModuleType) -> None:
        image = mx.nd.array(noise(9, 10), dtype="uint8")
        out = mx.nd.zeros((4, 5, 3), dtype="uint8")
        assert mx.image.imresize(image, 5, 4, out=out) is out
        assert out.asnumpy().any()
        border = mx.nd.zeros((12, 17, 3), dtype="uint8")
        mx.image.copyMakeBorder(image, 1, 2, 3, 4, type=1, out=border)
        np.testing.assert_array_equal(border.asnumpy()[1:10, 3:13], image.asnumpy())

    def test_missing_file_is_an_mxnet_error_too(self, mx: ModuleType) -> None:
        """MXNet 1.9.1, tests/python/unittest/test_image.py, test_imread_not_found."""
        calls: list[Any] = [
            lambda: mx.image.imread("/absent/a.jpg"),
            lambda: mx.io.ImageRecordIter(path_imgrec="/absent/a.rec", data_shape=(3, 8, 8), batch_size=1),
        ]
        for call in calls:
            with pytest.raises(mx.MXNetError, match="/absent/a") as raised:
                call()
            assert isinstance(raised.value, FileNotFoundError)
            assert raised.value.filename.startswith("/absent/a.")


class TestAugmenters:
    """Augmenters that are called, and functions in aug lists."""

    def test_augmenters_take_and_return_arrays(self, mx: ModuleType) -> None:
        image = mx.nd.array(noise(9, 10), dtype="uint8")
        for augmenter in mx.image.CreateAugmenter(
            (3, 5, 5), resize=6, rand_crop=True, rand_mirror=True, brightness=0.1, hue=0.1, mean=True, std=True
        ):
            image = augmenter(image)
            assert isinstance(image, NDArray)
        assert (image.shape, image.dtype) == ((5, 5, 3), np.float32)

    def test_functions_in_combinations_take_arrays(self, mx: ModuleType) -> None:
        def doubled(image: Any) -> Any:  # noqa: ANN401 an NDArray
            assert type(image) is mx.nd.NDArray
            return image * 2

        both = mx.image.SequentialAug([mx.image.CastAug(), doubled])
        image = mx.nd.array(noise(4, 4), dtype="uint8")
        np.testing.assert_array_equal(both(image).asnumpy(), noise(4, 4) * np.float32(2))

    def test_detection_augmenters_take_and_return_arrays(self, mx: ModuleType) -> None:
        image, label = mx.nd.array(noise(9, 10), dtype="uint8"), np.array([[1, 0.1, 0.2, 0.5, 0.6]])
        flipped, moved = mx.image.DetHorizontalFlipAug(1)(image, label)
        assert isinstance(flipped, NDArray)
        np.testing.assert_allclose(np.asarray(moved)[0], [1, 0.5, 0.2, 0.9, 0.6], atol=1e-6)

    def test_functions_in_aug_list_take_arrays(self, mx: ModuleType, ten: RecordFile) -> None:
        seen = []

        def inverted(image: Any) -> Any:  # noqa: ANN401 an NDArray
            seen.append(type(image))
            return mx.nd.array(255 - image.asnumpy(), dtype="uint8")

        settings: dict[str, Any] = {"path_imgrec": ten.rec, "data_shape": (3, 8, 8), "batch_size": 10}
        crop = mx.image.CenterCropAug((8, 8))
        for aug_list in ([crop, inverted], [mx.image.SequentialAug([crop, inverted])]):
            batch = mx.io.ImageRecordIter(**settings, aug_list=aug_list).next()
            plain = recio.io.ImageRecordIter(**settings).next()
            np.testing.assert_array_equal(batch.data[0].asnumpy(), 255 - plain.data[0])
        assert set(seen) == {NDArray}

    def test_augmenters_are_native_steps(self, mx: ModuleType) -> None:
        assert recio.image.HorizontalFlipAug(1).step() is not None
        copied = pickle.loads(pickle.dumps(mx.image.HorizontalFlipAug(1)))  # noqa: S301 of this test
        assert type(copied) is mx.image.HorizontalFlipAug


class TestHooks:
    """Hooks of subclasses and instances of ``mx.image.ImageIter``."""

    def test_hooks_take_and_return_arrays(self, mx: ModuleType, images: dict[str, Any]) -> None:
        seen: dict[str, set[type]] = {}

        class Hooked(mx.image.ImageIter):  # type: ignore[misc, name-defined]
            def next_sample(self) -> Any:  # noqa: ANN401
                label, data = super().next_sample()
                seen.setdefault("label", set()).add(type(label))
                assert label.asnumpy().shape == (1,)
                return label, data

            def imdecode(self, s: bytes) -> Any:  # noqa: ANN401
                image = super().imdecode(s)
                seen.setdefault("image", set()).add(type(image))
                return image

            def augmentation_transform(self, data: Any) -> Any:  # noqa: ANN401
                seen.setdefault("data", set()).add(type(data))
                for augmenter in self.auglist:
                    data = augmenter(data)
                return data

            def postprocess_data(self, datum: Any) -> Any:  # noqa: ANN401
                return mx.nd.transpose(datum, axes=(2, 0, 1))

        batches, plain = (cls(2, (3, 8, 8), **images) for cls in (Hooked, recio.image.ImageIter))
        for batch, expected in zip(batches, plain, strict=True):
            np.testing.assert_array_equal(batch.data[0].asnumpy(), expected.data[0])
            np.testing.assert_array_equal(batch.label[0].asnumpy(), expected.label[0])
        assert seen == {"label": {NDArray}, "image": {NDArray}, "data": {NDArray}}

    def test_hook_of_an_instance_takes_arrays(self, mx: ModuleType, images: dict[str, Any]) -> None:
        batches = mx.image.ImageIter(2, (3, 8, 8), **images)
        batches.augmentation_transform = lambda data: mx.nd.zeros((8, 8, 3)) + data.shape[0]
        assert batches.next().data[0].asnumpy().min() == 9

    def test_labels_of_records_are_as_in_the_header(self, mx: ModuleType, ten: RecordFile) -> None:
        label, data = mx.image.ImageIter(2, (3, 8, 8), path_imgrec=ten.rec).next_sample()
        assert (label, type(data)) == (0.0, bytes)

    def test_boxes_are_drawn(self, mx: ModuleType, tmp_path: Path) -> None:
        file = write_objects(tmp_path, 3)
        drawn = list(mx.image.ImageDetIter(2, (3, 16, 16), path_imgrec=file.rec).draw_next(color=(255, 0, 0)))
        assert [image.shape for image in drawn] == [(16, 16, 3)] * 3

    def test_paths_are_used_as_they_are_without_a_root(self, mx: ModuleType, tmp_path: Path) -> None:
        """MXNet 1.9.1, tests/python/unittest/test_image.py, test_imageiter: ``path_root=''`` and absolute paths."""
        (tmp_path / "a.png").write_bytes(png(noise(8, 8)))
        (tmp_path / "a.lst").write_text(f"0\t3\t{tmp_path / 'a.png'}\n")
        batches = mx.image.ImageIter(1, (3, 8, 8), path_imglist=str(tmp_path / "a.lst"), path_root="")
        assert batches.next().label[0].asscalar() == 3


class TestIterators:
    """Iterators of ``mx.io``."""

    def test_getters_return_one_array_from_the_start(self, mx: ModuleType, ten: RecordFile) -> None:
        batches = mx.io.ImageRecordIter(path_imgrec=ten.rec, data_shape=(3, 8, 8), batch_size=4)
        assert isinstance(batches, mx.io.MXDataIter)
        assert batches.getdata().asnumpy().shape == (4, 3, 8, 8)
        assert batches.getlabel().asnumpy().tolist() == [0, 1, 2, 3]
        assert len(batches.getlabel()) == 4
        assert batches.getdata()[0].shape == (3, 8, 8)
        assert not isinstance(mx.io.NDArrayIter(mx.nd.ones((4, 2))), mx.io.MXDataIter)

    def test_csv_and_libsvm_data_have_mxnets_methods(self, mx: ModuleType, tmp_path: Path) -> None:
        pytest.importorskip("scipy")
        (tmp_path / "a.csv").write_text("1,2\n3,4\n")
        (tmp_path / "a.t").write_text("1 0:0.5 2:1.5\n2 1:3\n")
        csv = mx.io.CSVIter(data_csv=str(tmp_path / "a.csv"), data_shape=(2,), batch_size=2)
        assert csv.getdata().asnumpy().tolist() == [[1, 2], [3, 4]]
        sparse = mx.io.LibSVMIter(data_libsvm=str(tmp_path / "a.t"), data_shape=(3,), batch_size=2)
        for batch in sparse:
            matrix = sparse.getdata()
            matrix.check_format(full_check=True)
            assert matrix.stype == "csr"
            assert matrix.asnumpy().tolist() == batch.data[0].asnumpy().tolist() == [[0.5, 0, 1.5], [0, 3, 0]]
            assert isinstance(matrix, mx.nd.sparse.CSRNDArray)

    @pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
    def test_ndarray_iter_keeps_the_types_of_arrays(self, mx: ModuleType, dtype: str) -> None:
        """NumPy arrays become float32 (python/mxnet/io/utils.py of MXNet 1.9.1, _init_data)."""
        batches = mx.io.NDArrayIter(mx.nd.ones((4, 2), dtype=dtype), np.arange(4), 2)
        batch = batches.next()
        assert (batch.data[0].dtype, batch.label[0].dtype) == (np.dtype(dtype).type, np.float32)
        assert batches.provide_data[0].dtype == np.dtype(dtype)

    def test_wrappers_take_iterators_of_mxnet(self, mx: ModuleType) -> None:
        for wrap in (lambda inner: mx.io.ResizeIter(inner, 3), mx.io.PrefetchingIter):
            batches = wrap(mx.io.NDArrayIter(mx.nd.arange(8).reshape((4, 2)), mx.nd.arange(4), 2))
            batch = batches.next()
            assert batch.data[0].asnumpy().tolist() == [[0, 1], [2, 3]]
            batches.reset()


class TestIteratorsOfOthers:
    """What public iterators on ``mx.io.DataIter`` do, such as InsightFace's `FaceImageIter`."""

    def test_iterator_of_faces_fills_arrays(self, mx: ModuleType, tmp_path: Path) -> None:
        """Images and labels are written to views of a batch; images are normalized in place, cut and flipped."""
        faces = write_face_set(tmp_path, images=[png(noise(8, 8, seed=number)) for number in range(6)])

        class Faces(mx.io.DataIter):  # type: ignore[misc, name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.imgrec = mx.recordio.MXIndexedRecordIO(
                    str(faces.root / "train.idx"), str(faces.root / "train.rec"), "r"
                )
                header, _ = mx.recordio.unpack(self.imgrec.read_idx(0))
                self.seq, self.cur = list(range(1, int(header.label[0]))), 0
                self.mean = mx.nd.array(np.full((1, 1, 3), 127.5, np.float32)).reshape((1, 1, 3))
                self.provide_data, self.provide_label = [("data", (3, 3, 8, 8))], [("softmax_label", (3,))]

            def reset(self) -> None:
                self.cur = 0

            def next(self) -> Any:  # noqa: ANN401
                if self.cur + 3 > len(self.seq):
                    raise StopIteration
                data, label = mx.nd.empty(self.provide_data[0][1]), mx.nd.empty(self.provide_label[0][1])
                for i in range(3):
                    header, image = mx.recordio.unpack(self.imgrec.read_idx(self.seq[self.cur]))
                    self.cur += 1
                    pixels = mx.ndarray.flip(data=mx.image.imdecode(image), axis=1)
                    pixels = pixels.astype("float32", copy=False)
                    pixels -= self.mean
                    pixels *= 0.0078125
                    pixels[0:2, 1:3, :] = 0
                    for channel in range(3):
                        pixels[:, :, channel] = np.fliplr(pixels[:, :, channel])
                    data[i][:] = mx.nd.transpose(pixels, axes=(2, 0, 1))
                    label[i][:] = header.label if np.ndim(header.label) == 0 else header.label[0]
                return mx.io.DataBatch([data], [label], 0)

        batches = list(Faces())
        assert [batch.label[0].asnumpy().tolist() for batch in batches] == [faces.identities[:3], faces.identities[3:]]
        first = (noise(8, 8, seed=0).astype(np.float32) - 127.5) / 128
        first[0:2, 5:7] = 0
        np.testing.assert_allclose(batches[0].data[0].asnumpy()[0], first.transpose(2, 0, 1), atol=1e-6)

    def test_color_jitter_of_insightface_works(self, mx: ModuleType) -> None:
        image = mx.nd.array(noise(6, 7)).astype("float32")
        weights = mx.nd.array([[[0.299, 0.587, 0.114]]])
        gray = image * weights
        gray = (3.0 * (1.0 - 0.9) / gray.size) * mx.nd.sum(gray)
        image *= 0.9
        image += gray
        per_pixel = mx.nd.sum(image * weights, axis=2, keepdims=True)
        assert (gray.shape, per_pixel.shape) == ((1,), (6, 7, 1))
        image += per_pixel
        expected = noise(6, 7).astype(np.float64)
        luma = [0.299, 0.587, 0.114]
        expected = expected * 0.9 + 0.1 * (expected @ luma).mean()
        expected += (expected @ luma)[..., None]
        np.testing.assert_allclose(image.asnumpy(), expected, rtol=1e-4)

    def test_iterator_that_joins_others_works(self, mx: ModuleType, ten: RecordFile) -> None:
        """A pattern of the tutorials: the batches of two iterators in one."""

        class Joined(mx.io.DataIter):  # type: ignore[misc, name-defined]
            def __init__(self, *inner: Any) -> None:  # noqa: ANN401
                super().__init__()
                self.inner, self.batch_size = inner, inner[0].batch_size

            def reset(self) -> None:
                for one in self.inner:
                    one.reset()

            def iter_next(self) -> bool:
                return all(one.iter_next() for one in self.inner)

            def getdata(self) -> Any:  # noqa: ANN401
                return [one.getdata() for one in self.inner]

            def getlabel(self) -> Any:  # noqa: ANN401
                return [self.inner[0].getlabel()]

            def getpad(self) -> Any:  # noqa: ANN401
                return self.inner[0].getpad()

        settings: dict[str, Any] = {"path_imgrec": ten.rec, "batch_size": 5}
        joined = Joined(*(mx.io.ImageRecordIter(data_shape=(3, side, side), **settings) for side in (8, 6)))
        for _ in range(2):
            shapes = [[data.shape for data in batch.data] for batch in joined]
            assert shapes == [[(5, 3, 8, 8), (5, 3, 6, 6)]] * 2
            joined.reset()


def test_auglist_of_an_iterator_takes_ndarrays(mx: ModuleType, images: dict[str, Any], tmp_path: Path) -> None:
    """The body of ``ImageIter.augmentation_transform`` of MXNet 1.9.1, and that of ``ImageDetIter``."""
    batches = mx.image.ImageIter(2, (3, 8, 8), **images, rand_mirror=True, brightness=0.1)
    data: Any = mx.nd.array(noise(9, 10), dtype="uint8")
    for augmenter in batches.auglist:
        data = augmenter(data)
    assert data.asnumpy().shape == (8, 8, 3)
    batches = mx.image.ImageDetIter(2, (3, 8, 8), path_imgrec=str(write_objects(tmp_path, 3).rec), rand_mirror=True)
    for _ in range(2):
        data, label = mx.nd.array(noise(9, 10), dtype="uint8"), mx.nd.array([[0, 0.1, 0.1, 0.5, 0.5]])
        for augmenter in batches.auglist:
            data, label = augmenter(data, label)
        assert data.asnumpy().shape[2] == label.asnumpy().shape[0] + 2
        batches.reshape((3, 7, 7))
    assert batches.next().data[0].shape == (2, 3, 7, 7)


def test_labels_of_imglist_are_ndarrays(mx: ModuleType, images: dict[str, Any]) -> None:
    batches = mx.image.ImageIter(2, (3, 8, 8), **images)
    label, path = batches.imglist[batches.seq[1]]
    assert (label.asnumpy().tolist(), path) == ([0.5], "1.png")
    assert batches.next_sample()[0].asnumpy().tolist() == [0.0]
    batches.imglist[batches.seq[1]] = (mx.nd.array([7]), "1.png")
    batches.reset()
    assert [batch.label[0].asnumpy().tolist() for batch in batches] == [[0, 7], [1, 1.5]]


def test_errors_of_the_operating_system_keep_their_arguments(mx: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a directory") as caught:
        mx.image.imread(str(tmp_path))
    assert isinstance(caught.value, OSError)
    assert caught.value.args == caught.value.__cause__.args  # type: ignore[union-attr]
    with pytest.raises(ValueError, match=r"No such file or directory: .*none") as caught:
        mx.image.imread(str(tmp_path / "none"))
    error: Any = caught.value
    assert isinstance(error, FileNotFoundError)
    assert (error.errno, str(error)) == (2, str(error.__cause__))


def test_first_batch_is_the_one_that_next_returns(mx: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1\n2\n3\n4\n")
    batches = mx.io.CSVIter(data_csv=str(tmp_path / "a.csv"), data_shape=(1,), batch_size=2)
    first = batches.first_batch
    assert first.data[0].asnumpy().tolist() == [[1], [2]]
    assert batches.next().data[0].asnumpy().tolist() == [[1], [2]]
    assert batches.first_batch is None
    assert batches.next().data[0].asnumpy().tolist() == [[3], [4]]


def test_cursor_of_arrays_is_that_of_mxnet(mx: ModuleType) -> None:
    """The numbers follow ``NDArrayIter`` of MXNet 1.9.1, python/mxnet/io/io.py."""
    expected = {
        "pad": [-4, 0, 4, 8, 12, -4, 0],
        "discard": [-4, 0, 4, 8, -4, 0],
        "roll_over": [-4, 0, 4, 8, -6, -2],
    }
    for handling, cursors in expected.items():
        batches = mx.io.NDArrayIter(np.arange(10), batch_size=4, last_batch_handle=handling)
        seen = [batches.cursor]
        seen.extend(batches.cursor for _ in batches)
        seen.append(batches.cursor)
        batches.reset()
        seen.append(batches.cursor)
        batches.next()
        assert [*seen, batches.cursor] == cursors, handling


def test_small_functions_of_arrays(mx: ModuleType) -> None:
    assert [mx.cpu().device_typeid, mx.context.cpu_pinned().device_typeid, mx.context.cpu_shared().device_typeid] == [
        1,
        3,
        5,
    ]
    one = mx.nd.array([1, 2])
    assert mx.nd.add_n(one, one, one).asnumpy().tolist() == [3, 6]
    with pytest.raises(ValueError, match="add_n: arrays of the same shape and dtype"):
        mx.nd.add_n(one, mx.nd.array([1]))
    assert mx.nd.array([-1, 257], dtype="uint8").asnumpy().tolist() == [255, 1]
    with pytest.raises(TypeError, match="x must have NDArray type, as in MXNet, got 5"):
        mx.nd.where(one, 5, 6)
