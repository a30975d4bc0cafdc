"""The steps of MXNet's data-loading tutorial; the only change is ``import recio as mx``.

The tutorial's data set, with a folder per class, is replaced by the photos of these tests.
"""

from __future__ import annotations

import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio as mx
import recio.compat.mxnet
from tests.support.records import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PHOTOS = DATA / "photos"


class SimpleIter(mx.io.DataIter):
    """Custom iterator of the tutorial over generated data."""

    def __init__(
        self,
        data_names: list[str],
        data_shapes: list[tuple[int, ...]],
        data_gen: list[Callable[[tuple[int, ...]], Any]],
        label_names: list[str],
        label_shapes: list[tuple[int, ...]],
        label_gen: list[Callable[[tuple[int, ...]], Any]],
        num_batches: int = 10,
    ) -> None:
        super().__init__()
        self._provide_data = list(zip(data_names, data_shapes, strict=True))
        self._provide_label = list(zip(label_names, label_shapes, strict=True))
        self.num_batches = num_batches
        self.data_gen = data_gen
        self.label_gen = label_gen
        self.cur_batch = 0

    def __iter__(self) -> SimpleIter:
        return self

    def reset(self) -> None:
        self.cur_batch = 0

    def __next__(self) -> mx.io.DataBatch:
        return self.next()

    @property
    def provide_data(self) -> list[tuple[str, tuple[int, ...]]]:
        return self._provide_data

    @property
    def provide_label(self) -> list[tuple[str, tuple[int, ...]]]:
        return self._provide_label

    def next(self) -> mx.io.DataBatch:
        if self.cur_batch >= self.num_batches:
            raise StopIteration
        self.cur_batch += 1
        data = [g(d[1]) for d, g in zip(self._provide_data, self.data_gen, strict=True)]
        label = [g(d[1]) for d, g in zip(self._provide_label, self.label_gen, strict=True)]
        return mx.io.DataBatch(data, label)


# The commands of MXNet's tutorial basic/data: of its last version, and of the one before MXNet 1.0.
COMMANDS = {
    "last": (
        "--list --recursive --test-ratio=0.2 data/caltech data/101_ObjectCategories",
        "--num-thread=4 --pass-through data/caltech data/101_ObjectCategories",
    ),
    "before 1.0": (
        "--list=1 --recursive=1 --shuffle=1 --test-ratio=0.2 data/caltech data/101_ObjectCategories",
        "--num-thread=4 --pass-through=1 data/caltech data/101_ObjectCategories",
    ),
}


@pytest.fixture(scope="module", params=[*COMMANDS.values()], ids=[*COMMANDS])
def caltech(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack the folder of classes by the tutorial's commands and return the prefix of the files."""
    folder = tmp_path_factory.mktemp("tutorial")
    (folder / "data").mkdir()
    (folder / "data" / "101_ObjectCategories").symlink_to(PHOTOS)
    for arguments in request.param:
        command = f"'{sys.executable}' -m recio.im2rec {arguments}"
        subprocess.run(command, shell=True, check=True, cwd=folder)  # noqa: S602 as in the tutorial
    return folder / "data" / "caltech"


def one_epoch(batches: mx.io.DataIter) -> Iterator[mx.io.DataBatch]:
    for batch in batches:  # noqa: UP028 `yield from` would close the iterator of a reader that stops early
        yield batch
    batches.reset()


def test_custom_iterator_yields_its_batches_each_epoch() -> None:
    n, num_classes = 32, 10
    rng = np.random.default_rng(0)
    data_iter = SimpleIter(
        ["data"], [(n, 100)], [lambda shape: rng.uniform(-1, 1, shape)],
        ["softmax_label"], [(n,)], [lambda shape: rng.integers(0, num_classes, shape)],
        num_batches=5,
    )  # fmt: skip
    for _ in range(2):
        shapes = [(batch.data[0].shape, (batch.label or [])[0].shape) for batch in one_epoch(data_iter)]
        assert shapes == [((n, 100), (n,))] * 5


def test_ndarray_iter_returns_batches() -> None:
    data = np.random.default_rng(0).random((100, 3))
    label = np.random.default_rng(1).integers(0, 10, (100,))
    data_iter = mx.io.NDArrayIter(data=data, label=label, batch_size=30)
    assert [batch.pad for batch in one_epoch(data_iter)] == [0, 0, 0, 20]


def test_csv_iter_reads_a_file_of_values(tmp_path: Path) -> None:
    data = np.random.default_rng(0).random((100, 3))
    np.savetxt(tmp_path / "data.csv", data, delimiter=",")
    data_iter = mx.io.CSVIter(data_csv=str(tmp_path / "data.csv"), data_shape=(3,), batch_size=30)
    batches = list(one_epoch(data_iter))
    assert [batch.pad for batch in batches] == [0, 0, 0, 20]
    np.testing.assert_allclose(batches[0].data[0], data[:30], rtol=1e-6)


def test_records_are_written_and_read_in_order(tmp_path: Path) -> None:
    record = mx.recordio.MXRecordIO(str(tmp_path / "tmp.rec"), "w")
    for i in range(5):
        record.write(b"record_%d" % i)
    record.close()
    record = mx.recordio.MXRecordIO(str(tmp_path / "tmp.rec"), "r")
    items = []
    while item := record.read():
        items.append(item)
    record.close()
    assert items == [b"record_0", b"record_1", b"record_2", b"record_3", b"record_4"]


def test_records_are_written_and_read_by_key(tmp_path: Path) -> None:
    record = mx.recordio.MXIndexedRecordIO(str(tmp_path / "tmp.idx"), str(tmp_path / "tmp.rec"), "w")
    for i in range(5):
        record.write_idx(i, b"record_%d" % i)
    record.close()
    record = mx.recordio.MXIndexedRecordIO(str(tmp_path / "tmp.idx"), str(tmp_path / "tmp.rec"), "r")
    assert record.read_idx(3) == b"record_3"
    assert list(record.keys) == [0, 1, 2, 3, 4]


def test_data_and_labels_are_packed_and_unpacked() -> None:
    header1 = mx.recordio.IRHeader(0, 1.0, 1, 0)
    s1 = mx.recordio.pack(header1, b"data")
    header2 = mx.recordio.IRHeader(0, [1.0, 2.0, 3.0], 2, 0)
    s2 = mx.recordio.pack(header2, b"data")
    assert mx.recordio.unpack(s1) == (header1, b"data")
    header, data = mx.recordio.unpack(s2)
    assert (header.flag, list(header.label), header.id, data) == (3, [1.0, 2.0, 3.0], 2, b"data")


def test_images_are_packed_and_unpacked() -> None:
    data = np.ones((3, 3, 1), dtype=np.uint8)
    header = mx.recordio.IRHeader(0, 1.0, 0, 0)
    s = mx.recordio.pack_img(header, data, quality=100, img_fmt=".jpg")
    unpacked, image = mx.recordio.unpack_img(s)
    assert unpacked == header
    np.testing.assert_array_equal(image, data[..., 0])


def test_image_is_decoded_from_a_file() -> None:
    img = mx.img.imdecode((PHOTOS / "cat" / "00.jpg").read_bytes())
    assert img.shape[2] == 3
    tmp = mx.img.imresize(img, 100, 70)
    assert tmp.shape == (70, 100, 3)
    crop, coord = mx.img.random_crop(img, (150, 200))
    assert crop.shape == (200, 150, 3)
    assert coord[2:] == (150, 200)


def test_list_names_each_image_and_the_label_of_its_folder(caltech: Path) -> None:
    lines = caltech.with_name("caltech.lst").read_text().splitlines()
    assert len(lines) == 30
    folders = {line.split("\t")[-1].split("/")[0]: line.split("\t")[1] for line in lines}
    assert len(set(folders.values())) == len(folders) == len(list(PHOTOS.iterdir()))


def test_records_are_loaded_by_image_record_iter(caltech: Path) -> None:
    data_iter = mx.io.ImageRecordIter(
        path_imgrec=str(caltech.with_name("caltech.rec")),
        data_shape=(3, 227, 227),
        batch_size=4,
        resize=256,
    )
    data_iter.reset()
    batch = data_iter.next()
    assert batch.data[0].shape == (4, 3, 227, 227)
    assert len(list(data_iter)) == -(-30 // 4) - 1


def test_records_and_raw_files_are_loaded_by_image_iter(caltech: Path) -> None:
    records = mx.img.ImageIter(
        batch_size=4,
        data_shape=(3, 227, 227),
        path_imgrec=str(caltech.with_name("caltech.rec")),
        path_imgidx=str(caltech.with_name("caltech.idx")),
    )
    records.reset()
    raw = mx.img.ImageIter(
        batch_size=4,
        data_shape=(3, 227, 227),
        path_imglist=str(caltech.with_name("caltech.lst")),
        path_root=str(PHOTOS),
        aug_list=mx.img.CreateAugmenter((3, 227, 227), resize=256, rand_crop=True, rand_mirror=True, mean=True),
    )
    a, b = records.next(), raw.next()
    assert a.data[0].shape == b.data[0].shape == (4, 3, 227, 227)
    assert a.label is not None
    assert b.label is not None
    assert a.label[0].tolist() == b.label[0].tolist()


def test_lists_may_have_several_labels(caltech: Path, tmp_path: Path) -> None:
    """The list is edited as in the tutorial and packed with all labels."""
    lines = caltech.with_name("caltech.lst").read_text().splitlines()[:6]
    edited = ["\t".join([index, label, str(2 * float(label)), path]) for index, label, path in map(str.split, lines)]
    (tmp_path / "multi.lst").write_text("\n".join(edited) + "\n")
    assert mx.im2rec.main(["--pack-label", str(tmp_path / "multi"), str(PHOTOS)]) == 0
    data_iter = mx.io.ImageRecordIter(
        path_imgrec=str(tmp_path / "multi.rec"), data_shape=(3, 64, 64), batch_size=6, label_width=2
    )
    batch = data_iter.next()
    assert batch.label is not None
    assert batch.label[0].tolist() == [[float(line.split()[1]), 2 * float(line.split()[1])] for line in lines]


def test_pythons_random_seed_reproduces_a_run(caltech: Path) -> None:
    def first() -> Any:  # noqa: ANN401 an array
        random.seed(7)
        rec = str(caltech.with_name("caltech.rec"))
        return mx.img.ImageIter(4, (3, 64, 64), path_imgrec=rec, shuffle=True, rand_crop=True).next().data[0]

    np.testing.assert_array_equal(first(), first())


SNIPPETS: dict[str, str] = {
    "data in memory": """
        import numpy as np
        np.random.seed(42)
        mx.random.seed(42)
        data = np.random.rand(100,3)
        label = np.random.randint(0, 10, (100,))
        data_iter = mx.io.NDArrayIter(data=data, label=label, batch_size=30)
        for batch in data_iter:
            print([batch.data, batch.label, batch.pad])
        assert batch.data[0].asnumpy().shape == (30, 3)
    """,
    "CSV files": """
        data = np.random.rand(100,3)
        np.savetxt('data.csv', data, delimiter=',')
        data_iter = mx.io.CSVIter(data_csv='data.csv', data_shape=(3,), batch_size=30)
        for batch in data_iter:
            print([batch.data, batch.pad])
        assert batch.pad == 20
    """,
    "custom iterator": """
        class SimpleIter(mx.io.DataIter):
            def __init__(self, names, shapes, num_batches=10):
                # Without the constructor of the base class, as in the tutorial.
                self.provide_data = list(zip(names, shapes))
                self.num_batches, self.cur_batch = num_batches, 0
            def __iter__(self):
                return self
            def reset(self):
                self.cur_batch = 0
            def __next__(self):
                return self.next()
            def next(self):
                if self.cur_batch < self.num_batches:
                    self.cur_batch += 1
                    data = [mx.nd.array(np.random.uniform(-1, 1, d[1])) for d in self.provide_data]
                    return mx.io.DataBatch(data, [mx.nd.array(np.random.randint(0, 10, (32,)))])
                else:
                    raise StopIteration
        batches = list(SimpleIter(['data'], [(32, 100)]))
        assert len(batches) == 10 and batches[0].label[0].asnumpy().shape == (32,)
    """,
    "keys of records": """
        record = mx.recordio.MXIndexedRecordIO('tmp.idx', 'tmp.rec', 'w')
        for i in range(5):
            record.write_idx(i, bytes('record_%d'%i, 'utf-8'))
        record.close()
        record = mx.recordio.MXIndexedRecordIO('tmp.idx', 'tmp.rec', 'r')
        assert record.read_idx(3) == b'record_3'
        assert list(record.keys) == [0, 1, 2, 3, 4]
    """,
    "images": """
        with open(os.path.join('data', '101_ObjectCategories', 'cat', '00.jpg'), 'rb') as file:
            img = mx.image.imdecode(file.read())
        shown = [img.asnumpy()]
        tmp = mx.image.imresize(img, 100, 70)
        shown.append(tmp.asnumpy())
        tmp, coord = mx.image.random_crop(img, (150, 200))
        print(coord)
        shown.append(tmp.asnumpy())
        assert [type(image) for image in shown] == [np.ndarray] * 3
        assert [image.shape for image in shown[1:]] == [(70, 100, 3), (200, 150, 3)]
    """,
    "image iterators": """
        im2rec_path = mx.test_utils.get_im2rec_path()
        data_path = os.path.join('data','101_ObjectCategories')
        prefix_path = os.path.join('data','caltech')
        with open(os.devnull, 'wb') as devnull:
            subprocess.check_call([sys.executable, im2rec_path, '--list', '--recursive', '--test-ratio=0.2',
                                   prefix_path, data_path], stdout=devnull)
            subprocess.check_call([sys.executable, im2rec_path, '--num-thread=4', '--pass-through', '--test-ratio=0.2',
                                   prefix_path, data_path], stdout=devnull)
        for data_iter in (
            mx.io.ImageRecordIter(
                path_imgrec=os.path.join('.','data','caltech.rec'), data_shape=(3, 227, 227), batch_size=4, resize=256),
            mx.image.ImageIter(
                batch_size=4, data_shape=(3, 227, 227), path_imgrec=os.path.join('.','data','caltech.rec'),
                path_imgidx=os.path.join('.','data','caltech.idx')),
        ):
            data_iter.reset()
            batch = data_iter.next()
            data = batch.data[0]
            for i in range(4):
                image = data[i].asnumpy().astype(np.uint8).transpose((1,2,0))
                assert image.shape == (227, 227, 3) and image.any()
    """,
}
"""Steps of docs/tutorials/basic/data.md of MXNet 1.3.0, with ``.asnumpy()``, without plotting."""


@pytest.mark.parametrize("name", SNIPPETS)
def test_steps_run_unchanged_with_the_stand_in(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "101_ObjectCategories").symlink_to(PHOTOS)
    monkeypatch.chdir(tmp_path)
    # The scripts that the steps run import recio from the same place.
    monkeypatch.setenv("PYTHONPATH", str(Path(mx.__file__).parent.parent))
    beginning = "import mxnet as mx, numpy as np, os, subprocess, sys\n"
    recio.compat.mxnet.install()
    try:
        exec(beginning + textwrap.dedent(SNIPPETS[name]), {})  # noqa: S102 the steps as they are
    finally:
        recio.compat.mxnet.uninstall()
