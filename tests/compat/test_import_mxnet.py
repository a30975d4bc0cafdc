"""``import mxnet`` as an alias of recio: modules, arrays, missing names, and InsightFace's data set on top of it."""

from __future__ import annotations

import importlib
import pickle
import shutil
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio.image
import recio.io
import recio.recordio
from recio import RecordError
from recio.compat.mxnet import Context, NDArray, install, uninstall
from tests.support.faces import FaceSet, write_bin, write_face_set
from tests.support.processes import run_python
from tests.support.records import DATA, PHOTOS, RecordFile, png

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray as NDArrayOf

INSIGHTFACE = DATA / "insightface" / "dataset.py.txt"


class TestImport:
    """Modules and names found by ``import``."""

    def test_every_form_of_import_finds_the_modules(self, mx: ModuleType) -> None:
        names: dict[str, Any] = {}
        exec(  # noqa: S102 the forms of import are statements
            "import mxnet as mx, mxnet.recordio, mxnet.ndarray as nd1\n"
            "from mxnet import recordio, io, image, img, nd, ndarray, context\n"
            "from mxnet.recordio import MXIndexedRecordIO\nfrom mxnet.base import MXNetError\n",
            names,
        )
        assert names["mx"] is mx
        assert names["recordio"] is mx.recordio is recio.recordio
        assert names["image"] is names["img"] is mx.image is mx.img
        assert names["nd"] is names["ndarray"] is names["nd1"] is mx.nd
        assert names["io"].DataIter is recio.io.DataIter
        assert names["MXNetError"] is mx.base.MXNetError
        assert importlib.util.find_spec("mxnet") is not None
        assert mx.__version__ == "1.9.1"

    def test_all_names_of_recio_are_there(self, mx: ModuleType) -> None:
        assert all(hasattr(mx.io, name) for name in recio.io.__all__)
        assert all(hasattr(mx.image, name) for name in recio.image.__all__)

    @pytest.mark.parametrize("name", ["gluon", "mod", "sym", "gpu"])
    def test_missing_name_is_an_error_with_a_hint(self, mx: ModuleType, name: str) -> None:
        sentence = f"recio has no mx.{name}; of MXNet it has only"
        assert not hasattr(mx, name)
        with pytest.raises(AttributeError, match=sentence):
            getattr(mx, name)
        for statement in (f"import mxnet.{name}", f"from mxnet import {name}", f"import mxnet.{name}.nn"):
            with pytest.raises(ImportError, match=sentence):
                exec(statement)  # noqa: S102
        with pytest.raises(AttributeError, match=r"recio has no mx.io.nothing;"):
            _ = mx.io.nothing

    def test_install_is_idempotent(self, mx: ModuleType) -> None:
        finders = list(sys.meta_path)
        install()
        assert sys.modules["mxnet"] is mx
        assert sys.meta_path == finders

    def test_uninstall_removes_everything(self) -> None:
        before = set(sys.modules), list(sys.meta_path)
        install()
        uninstall()
        uninstall()
        assert (set(sys.modules), sys.meta_path) == before

    def test_mxnet_itself_is_not_replaced(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = ModuleType("mxnet")
        monkeypatch.setitem(sys.modules, "mxnet", real)
        with pytest.raises(RuntimeError, match="MXNet itself has been imported"):
            install()
        uninstall()
        assert sys.modules["mxnet"] is real

    def test_mxnet_is_importable_only_after_install(self) -> None:
        done = run_python("import recio.compat.mxnet, sys; print('mxnet' in sys.modules)")
        assert (done.stdout, done.stderr) == ("False\n", "")


class TestArrays:
    """``mx.nd`` and its arrays."""

    def test_arrays_default_to_float32(self, mx: ModuleType) -> None:
        assert mx.nd.array(np.array([1, 2], np.int64)).dtype == np.float32
        assert mx.nd.array([1], dtype="uint8").dtype == np.uint8
        assert mx.nd.array(mx.nd.ones((2,), dtype="int32")).dtype == np.int32
        assert mx.nd.array(5).shape == (1,)

    def test_asnumpy_copies(self, mx: ModuleType) -> None:
        array = mx.nd.array([[1, 2], [3, 4]])
        plain = array.asnumpy()
        assert type(plain) is np.ndarray
        plain[:] = 0
        assert array.asnumpy().tolist() == [[1, 2], [3, 4]]

    def test_slices_and_sums_are_arrays(self, mx: ModuleType) -> None:
        array = mx.nd.array([[1, 2], [3, 4]])
        for result, shape in ((array[0], (2,)), (array[0][1], (1,)), (array[1, 0], (1,)), (array.mean(), (1,))):
            assert isinstance(result, NDArray)
            assert result.shape == shape
        assert array[0][1].asscalar() == 2
        assert array.sum().asscalar() == 10
        assert [row.asnumpy().tolist() for row in array] == [[1, 2], [3, 4]]
        assert isinstance(array * 2 + array, NDArray)
        with pytest.raises(ValueError, match="not a scalar"):
            array.asscalar()

    def test_writing_to_a_slice_changes_the_array(self, mx: ModuleType) -> None:
        array = mx.nd.zeros((2, 3))
        array[1][:] = 5
        array[:, 0] = 7
        assert array.asnumpy().tolist() == [[7, 0, 0], [7, 5, 5]]

    def test_context_is_cpu(self, mx: ModuleType) -> None:
        array = mx.nd.ones((1,), mx.cpu())
        assert array.context == array.ctx == mx.cpu() == Context("cpu", 0)
        assert array.as_in_context(mx.cpu()) is array
        assert repr(mx.cpu(1)) == "cpu(1)"
        assert mx.context.num_gpus() == 0
        array.wait_to_read()
        mx.nd.waitall()
        with pytest.raises(NotImplementedError, match="recio has no device 'gpu'"):
            mx.Context("gpu", 0)

    def test_repr_equals_mxnets(self, mx: ModuleType) -> None:
        assert repr(mx.nd.array([[1, 2, 3]])) == "\n[[1. 2. 3.]]\n<NDArray 1x3 @cpu(0)>"

    def test_missing_attribute_is_an_error_with_a_hint(self, mx: ModuleType) -> None:
        with pytest.raises(AttributeError, match="recio's NDArray has no attach_grad;"):
            mx.nd.ones((1,)).attach_grad()

    def test_transpose_reverses_axes(self, mx: ModuleType) -> None:
        array = mx.nd.array([[1, 2, 3], [4, 5, 6]])
        assert mx.nd.transpose(array, axes=(1, 0)).asnumpy().tolist() == [[1, 4], [2, 5], [3, 6]]
        assert mx.ndarray.flip(data=array, axis=1).asnumpy().tolist() == [[3, 2, 1], [6, 5, 4]]
        assert mx.nd.empty((2, 3)).shape == (2, 3)

    def test_array_is_unpickled_without_install(self, mx: ModuleType) -> None:
        pickled = pickle.dumps(mx.nd.array([1, 2]))
        done = run_python(f"import pickle; print(pickle.loads({pickled!r}).asnumpy())")
        assert (done.stdout, done.stderr) == ("[1. 2.]\n", "")


class TestData:
    """``mx.recordio``, ``mx.image`` and ``mx.io``."""

    def test_images_are_arrays_with_asnumpy(self, mx: ModuleType) -> None:
        payload = PHOTOS[0].read_bytes()
        image = mx.image.imdecode(payload)
        np.testing.assert_array_equal(image.asnumpy(), recio.image.imdecode(payload))
        assert mx.img.imresize(image, 5, 4).asnumpy().shape == (4, 5, 3)
        crop, region = mx.image.center_crop(image, (6, 7))
        assert isinstance(crop, NDArray)
        assert region[2:] == (6, 7)

    def test_batches_have_asnumpy(self, mx: ModuleType, ten: RecordFile) -> None:
        settings: dict[str, Any] = {"path_imgrec": ten.rec, "data_shape": (3, 8, 8), "batch_size": 4}
        plain: list[Any] = list(recio.io.ImageRecordIter(**settings))
        batches: Any = mx.io.ImageRecordIter(**settings)
        assert issubclass(mx.io.ImageRecordIter, recio.io.ImageRecordIter)
        for batch, expected in zip(batches, plain, strict=True):
            np.testing.assert_array_equal(batch.data[0].asnumpy(), expected.data[0])
            np.testing.assert_array_equal(batch.label[0].asnumpy(), expected.label[0])
            assert batch.label[0][1].asscalar() == expected.label[0][1]
        batches.reset()
        assert batches.iter_next()
        assert batches.getdata().asnumpy().shape == (4, 3, 8, 8)
        assert batches.getlabel().asnumpy().tolist() == [0, 1, 2, 3]

    def test_batches_of_iterators_made_by_functions_have_asnumpy(
        self, ten: RecordFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def SomeIter(**settings: Any) -> recio.io.ImageRecordIter:  # noqa: ANN401
            return recio.io.ImageRecordIter(**settings)

        monkeypatch.setattr(recio.io, "SomeIter", SomeIter, raising=False)
        monkeypatch.setattr(recio.io, "__all__", [*recio.io.__all__, "SomeIter"])
        install()
        batches = importlib.import_module("mxnet").io.SomeIter(path_imgrec=ten.rec, data_shape=(3, 8, 8), batch_size=4)
        uninstall()
        assert isinstance(batches.next().data[0], NDArray)

    def test_user_iterators_are_not_wrapped(self, mx: ModuleType) -> None:
        class Ones(mx.io.DataIter):  # type: ignore[misc, name-defined]
            def next(self) -> Any:  # noqa: ANN401
                return mx.io.DataBatch([mx.nd.ones((2,))], None)

        assert next(Ones()).data[0].asnumpy().tolist() == [1, 1]

    def test_damage_is_an_mxnet_error(self, mx: ModuleType, tmp_path: Path) -> None:
        with pytest.raises(mx.base.MXNetError):
            mx.image.imdecode(b"no image")
        (tmp_path / "a.rec").write_bytes(b"no record")
        with pytest.raises(mx.base.MXNetError):
            mx.recordio.MXRecordIO(tmp_path / "a.rec", "r").read()
        assert issubclass(RecordError, mx.MXNetError)


SCRIPT = """
import sys
sys.path[:0] = {paths!r}
import recio.compat.mxnet
recio.compat.mxnet.install()
from tests.support import torchless
{prepare}
torchless.install_utils()

import multiprocessing
import numpy as np
from dataset import MXFaceDataset

def main():
    faces = MXFaceDataset(root_dir={root!r}, local_rank=0)
    {read}
    np.savez({out!r}, images=images, labels=labels)

if __name__ == "__main__":
    main()
"""

BY_POOL = """with multiprocessing.get_context({start!r}).Pool(2) as workers:
        samples = workers.map(faces.__getitem__, range(len(faces)))
        workers.close()
        workers.join()
    images, labels = map(np.stack, zip(*samples))"""

BY_TORCH = """from torch.utils.data import DataLoader
    loader = DataLoader(faces, batch_size=2, num_workers=2, multiprocessing_context={start!r})
    images, labels = (np.concatenate([batch.numpy() for batch in batches]) for batches in zip(*loader))"""


@pytest.fixture
def face_set(tmp_path: Path) -> FaceSet:
    """Write a data set of images of equal size, so that they form batches."""
    images = [png(np.full((4, 6, 3), 40 * n, np.uint8)) for n in range(6)]
    return write_face_set(tmp_path, images=images)


class TestInsightFace:
    """``dataset.py`` of InsightFace's ``arcface_torch``, unedited."""

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    def test_data_set_is_read_by_processes(self, face_set: FaceSet, start: str) -> None:
        images, labels = run_insightface(face_set, "torchless.install()", BY_POOL.format(start=start))
        assert labels.tolist() == face_set.identities
        np.testing.assert_allclose(images, normalized(face_set), atol=1e-6)

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    def test_data_set_is_read_by_pytorchs_data_loader(self, face_set: FaceSet, start: str) -> None:
        pytest.importorskip("torch")
        pytest.importorskip("torchvision")
        images, labels = run_insightface(face_set, "", BY_TORCH.format(start=start))
        assert labels.tolist() == face_set.identities
        # An image of one color does not change when it is flipped.
        np.testing.assert_allclose(images, normalized(face_set), atol=1e-6)

    def test_reading_of_pairs_works(self, mx: ModuleType, tmp_path: Path) -> None:
        """Repeat the steps of ``load_bin`` of ``arcface_torch/eval/verification.py``."""
        path = write_bin(tmp_path / "lfw.bin", [PHOTOS[0].read_bytes()] * 2, [True])
        for payload in pickle.loads(path.read_bytes())[0]:  # noqa: S301 written by this test
            image = mx.image.resize_short(mx.image.imdecode(payload), 20)
            image = mx.nd.transpose(image, axes=(2, 0, 1))
            flipped = mx.ndarray.flip(data=image, axis=2)
            np.testing.assert_array_equal(flipped.asnumpy(), image.asnumpy()[:, :, ::-1])


def normalized(faces: FaceSet) -> NDArrayOf[Any]:
    """Return the images after the data set's transform."""
    images = np.stack([recio.image.imdecode(image) for image in faces.images]).transpose(0, 3, 1, 2)
    return np.asarray((images / 255 - 0.5) / 0.5)


def run_insightface(faces: FaceSet, prepare: str, read: str) -> tuple[NDArrayOf[Any], NDArrayOf[Any]]:
    """Run a script next to ``dataset.py`` in a new process and return the images and labels that it read."""
    shutil.copy(INSIGHTFACE, faces.root / "dataset.py")
    script, out = faces.root / "script.py", faces.root / "samples.npz"
    paths = [str(faces.root), str(DATA.parent.parent)]
    script.write_text(SCRIPT.format(paths=paths, prepare=prepare, read=read, root=str(faces.root), out=str(out)))
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    with np.load(out) as samples:
        return samples["images"], samples["labels"]
