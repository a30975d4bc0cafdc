"""`filesystem=`: stores of obstore and file systems of fsspec, wherever records are read."""

from __future__ import annotations

import copy
import itertools
import json
import multiprocessing
import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

import fsspec
import numpy as np
import pytest
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.local import LocalFileSystem
from obstore.store import LocalStore, MemoryStore

import recio
from recio import RecordError
from recio.datasets import FaceRecordDataset, RecordDataset
from recio.image import ImageIter
from recio.io import ImageMaskRecordIter, ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx
from tests.support.faces import write_face_set
from tests.support.records import noise, png, write_images

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS: dict[str, Any] = {"data_shape": (3, 8, 8), "batch_size": 4}
_numbers = itertools.count()


class AsyncMemory(AsyncFileSystem):  # type: ignore[misc] # fsspec has no types
    """Asynchronous file system, as those of clouds are: it has a thread with an event loop."""

    protocol = "asyncmemory"

    def __init__(self, folder: str, **settings: Any) -> None:  # noqa: ANN401
        super().__init__(folder, **settings)
        self.folder = folder

    async def _info(self, path: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401
        return LocalFileSystem().info(f"{self.folder}/{path}")  # type: ignore[no-any-return]

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:  # noqa: ANN401
        return LocalFileSystem().cat_file(f"{self.folder}/{path}", start, end)  # type: ignore[no-any-return]


class Files(NamedTuple):
    """Files in a file system, and the folder that they are copies of."""

    filesystem: Any
    prefix: str
    folder: Path

    def path(self, name: str) -> str:
        return f"{self.prefix}{name}"


def in_fsspec_memory(folder: Path) -> Files:
    filesystem, root = fsspec.filesystem("memory"), f"/set-{next(_numbers)}"
    for file in folder.iterdir():
        filesystem.pipe_file(f"{root}/{file.name}", file.read_bytes())
    return Files(filesystem, f"memory:/{root}/", folder)


def in_obstore_memory(folder: Path) -> Files:
    store = MemoryStore()
    for file in folder.iterdir():
        store.put(f"set/{file.name}", file.read_bytes())
    return Files(store, "set/", folder)


KINDS: dict[str, Callable[[Path], Files]] = {
    "memory of fsspec": in_fsspec_memory,
    "asynchronous, of fsspec": lambda folder: Files(AsyncMemory(str(folder)), "", folder),
    "memory of obstore": in_obstore_memory,
    "local of obstore": lambda folder: Files(LocalStore(folder), "", folder),
}
kinds = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a record file of 10 images with an index and names of classes."""
    path = tmp_path / "files"
    path.mkdir()
    write_images(path, [png(noise(8, 8, seed=n)) for n in range(10)], "a")
    (path / "a.lst").write_text("".join(f"{100 + n}\t{n + 0.5}\tx.png\n" for n in range(10)))
    (path / "a.classes.txt").write_text("cat\ndog\n")
    return path


def batches(iterator: Any) -> list[Any]:  # noqa: ANN401
    return [(batch.data[0].tolist(), batch.label[0].tolist(), batch.index.tolist()) for batch in iterator]


def first_record(images: ImageIter) -> bytes | None:
    assert images.imgrec is not None
    return images.imgrec.read()


READERS: dict[str, Callable[..., Any]] = {
    "MXRecordIO": lambda at, **kw: list(MXRecordIO(at("a.rec"), "r", **kw)),
    "MXIndexedRecordIO": lambda at, **kw: MXIndexedRecordIO(at("a.idx"), at("a.rec"), "r", **kw).read_idx(3),
    "keys of text": lambda at, **kw: MXIndexedRecordIO(at("a.idx"), at("a.rec"), "r", str, **kw).read_idx("3"),
    "ImageRecordIter": lambda at, **kw: batches(
        ImageRecordIter(path_imgrec=at("a.rec"), shuffle=True, **SETTINGS, **kw)
    ),
    "with index and list": lambda at, **kw: batches(
        ImageRecordIter(path_imgrec=[at("a.rec")], path_imgidx=at("a.idx"), path_imglist=at("a.lst"), **SETTINGS, **kw)
    ),
    "two files": lambda at, **kw: batches(
        ImageRecordIter(path_imgrec=f"{at('a.rec')};{at('a.rec')}", **SETTINGS, **kw)
    ),
    "masks": lambda at, **kw: (
        ImageMaskRecordIter(
            path_imgrec=at("a.rec"), path_maskrec=at("a.rec"), path_maskidx=at("a.idx"), **SETTINGS, **kw
        ).provide_label
    ),
    "ImageIter": lambda at, **kw: batches(
        ImageIter(4, (3, 8, 8), path_imgrec=at("a.rec"), path_imgidx=at("a.idx"), **kw)
    ),
    "ImageIter.imgrec": lambda at, **kw: first_record(ImageIter(4, (3, 8, 8), path_imgrec=at("a.rec"), **kw)),
    "RecordDataset": lambda at, **kw: RecordDataset(at("a.rec"), **kw)[3][0].tolist(),
    "labels": lambda at, **kw: RecordDataset([at("a.rec")], [at("a.idx")], **kw).labels().tolist(),
    "classes": lambda at, **kw: RecordDataset(at("a.rec"), **kw).classes,
    "verify": lambda at, **kw: recio.files.verify(at("a.rec"), **kw).records,
    "verify with an index": lambda at, **kw: recio.files.verify(at("a.rec"), at("a.idx"), **kw).has_index,
    "info": lambda at, **kw: recio.files.info(at("a.rec"), **kw).indexed,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
@kinds
def test_files_are_read_as_local_ones(make: Callable[[Path], Files], read: Callable[..., Any], folder: Path) -> None:
    files = make(folder)
    expected = read(lambda name: str(folder / name))
    assert read(files.path, filesystem=files.filesystem) == expected


@kinds
def test_record_files_are_copied_to_local_ones(make: Callable[[Path], Files], folder: Path, tmp_path: Path) -> None:
    files, out = make(folder), f"file://{tmp_path}/out.rec"
    rec, filesystem = files.path("a.rec"), files.filesystem
    recio.files.merge([rec, rec], out, filesystem=filesystem)
    assert len(MXRecordIO(tmp_path / "out.rec", "r")) == 20
    recio.files.shuffle(rec, out, seed=1, filesystem=filesystem)
    assert (tmp_path / "out.classes.txt").read_text() == "cat\ndog\n"
    shards = recio.files.split(rec, 2, f"file://{tmp_path}/shard", filesystem=filesystem)
    assert [shard.records for shard in shards] == [5, 5]
    assert recio.files.repair(rec, out, filesystem=filesystem).records == 10
    assert rec2idx(rec, f"file://{tmp_path}/new.idx", filesystem=filesystem) == "ids"


def test_a_face_set_is_found_in_a_folder(tmp_path: Path) -> None:
    faces = write_face_set(tmp_path)
    for root, filesystem in (("", LocalStore(tmp_path)), (str(tmp_path), LocalFileSystem())):
        dataset = FaceRecordDataset(root or "train.rec", filesystem=filesystem)
        assert len(dataset) == len(faces.images)


@kinds
def test_a_cache_is_copied_once(make: Callable[[Path], Files], folder: Path, tmp_path: Path) -> None:
    files, cache = make(folder), tmp_path / "cache.rec"
    settings = {"path_imgrec": f"{files.path('a.rec')}#{cache}", **SETTINGS, "filesystem": files.filesystem}
    expected = batches(ImageRecordIter(path_imgrec=folder / "a.rec", **SETTINGS))
    assert batches(ImageRecordIter(**settings)) == expected
    first = cache.stat()
    assert batches(ImageRecordIter(**settings)) == expected
    assert (cache.stat().st_ino, cache.read_bytes()) == (first.st_ino, (folder / "a.rec").read_bytes())


@kinds
def test_a_missing_file_is_named(make: Callable[[Path], Files], folder: Path) -> None:
    files = make(folder)
    with pytest.raises(FileNotFoundError, match=r"b\.rec") as caught:
        RecordDataset(files.path("b.rec"), filesystem=files.filesystem)
    assert (caught.value.filename, "local files" in str(caught.value)) == (files.path("b.rec"), False)
    with pytest.raises(FileNotFoundError, match=r"b\.idx"):
        RecordDataset(files.path("a.rec"), files.path("b.idx"), filesystem=files.filesystem)


class Failing:
    """File system whose reads fail."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def info(self, path: str) -> dict[str, Any]:
        if "a.rec" not in path:
            raise FileNotFoundError(path)
        return {"size": 1000, "type": "file", "etag": "1"}

    def cat_file(self, *_: Any, **__: Any) -> bytes:  # noqa: ANN401
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "Forbidden"), PermissionError),
        (TimeoutError("after 5 s"), TimeoutError),
        (ConnectionResetError("by peer"), ConnectionResetError),
        (ValueError("wrong region"), OSError),
    ],
)
def test_errors_keep_their_kind_and_text(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=str(error.args[-1])):
        MXRecordIO("a.rec", "r", filesystem=Failing(error)).read()
    with pytest.raises(KeyboardInterrupt):
        MXRecordIO("a.rec", "r", filesystem=Failing(KeyboardInterrupt())).read()


def test_credentials_are_in_no_message_and_no_text() -> None:
    url = "https://user:secret@x.org/a.rec?sig=secret"
    error = ValueError(f"403 for {url}, redirected to https://cdn.x.org/a?Signature=secret")
    reader = MXRecordIO(url, "r", filesystem=Failing(error))
    with pytest.raises(OSError, match="redirected") as caught:
        reader.read()
    assert "secret" not in f"{caught.value!r} {caught.value.filename} {reader!r}"


class Short(Failing):
    """File system that returns fewer bytes than it is asked for."""

    def cat_file(self, *_: Any, start: int, end: int) -> bytes:  # noqa: ANN401
        return b"x" * (end - start - 1)


def test_short_reads_are_errors() -> None:
    with pytest.raises(RecordError, match=r"a\.rec.*returned \d+ bytes"):
        MXRecordIO("a.rec", "r", filesystem=Short(ValueError())).read()


def test_a_replaced_object_is_an_error(folder: Path) -> None:
    files = in_obstore_memory(folder)
    reader = MXIndexedRecordIO(files.path("a.idx"), files.path("a.rec"), "r", filesystem=files.filesystem)
    files.filesystem.put(files.path("a.rec"), (folder / "a.rec").read_bytes())
    with pytest.raises(RecordError, match=r"set/a\.rec.*the object was replaced while it was read"):
        reader.read_idx(3)


@pytest.mark.parametrize("kind", ["asynchronous, of fsspec", "local of obstore"])
def test_readers_and_data_sets_are_pickled(kind: str, folder: Path) -> None:
    files = KINDS[kind](folder)
    dataset = RecordDataset(files.path("a.rec"), filesystem=files.filesystem)
    reader = MXIndexedRecordIO(files.path("a.idx"), files.path("a.rec"), "r", filesystem=files.filesystem)
    assert pickle.loads(pickle.dumps(dataset))[3][1] == dataset[3][1]  # noqa: S301
    assert pickle.loads(pickle.dumps(reader)).read_idx(3) == reader.read_idx(3)  # noqa: S301
    assert copy.copy(reader).read_idx(3) == reader.read_idx(3)


def label(dataset: RecordDataset) -> Any:  # noqa: ANN401
    return dataset[3][1]


def labels_in_process(dataset: RecordDataset, method: str) -> Any:  # noqa: ANN401
    with multiprocessing.get_context(method).Pool(1) as pool:
        return pool.apply_async(label, (dataset,)).get(60)


inherited: list[RecordDataset] = []


def label_of_inherited(_: int) -> Any:  # noqa: ANN401
    try:
        return inherited[0][3][1]
    except OSError as error:
        return str(error)


@pytest.mark.parametrize("kind", ["memory of fsspec", "asynchronous, of fsspec", "local of obstore"])
def test_forked_processes_read_or_fail_at_once(kind: str, folder: Path) -> None:
    files = KINDS[kind](folder)
    inherited[:] = [RecordDataset(files.path("a.rec"), filesystem=files.filesystem)]
    expected = inherited[0][3][1]
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.map_async(label_of_inherited, [0]).get(60)[0]
    if kind == "local of obstore":
        assert "obstore does not work in a forked process" in found
    else:
        assert found == expected


def test_keywords_are_checked(folder: Path) -> None:
    rec = str(folder / "a.rec")
    with pytest.raises(TypeError, match="filesystem must be a store of obstore or a file system of fsspec, got dict"):
        MXRecordIO(rec, "r", filesystem={})
    with pytest.raises(ValueError, match="storage_options and filesystem exclude each other"):
        RecordDataset(rec, filesystem=MemoryStore(), storage_options={"region": "x"})
    with pytest.raises(TypeError, match="must be strings, numbers or booleans, got 'timeout': list"):
        ImageRecordIter(path_imgrec=rec, storage_options={"timeout": [5]}, **SETTINGS)  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="storage_options must be a dict, got str"):
        recio.files.verify(rec, storage_options="region=x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"a path is a key without a scheme, got s3://b/a\.rec"):
        MXRecordIO("s3://b/a.rec", "r", filesystem=MemoryStore())


def test_states_have_no_options_and_notice_a_replaced_object(folder: Path) -> None:
    files = in_obstore_memory(folder)
    settings = {"path_imgrec": files.path("a.rec"), **SETTINGS, "filesystem": files.filesystem}
    state = json.loads(json.dumps(ImageRecordIter(**settings).state_dict()))
    ImageRecordIter(**settings).load_state_dict(state)
    local = ImageRecordIter(path_imgrec=folder / "a.rec", **SETTINGS)
    local.load_state_dict(state)
    assert np.all(local.next().index)
    files.filesystem.put(files.path("a.rec"), (folder / "a.rec").read_bytes())
    with pytest.raises(ValueError, match="other objects than those in the state, or were replaced"):
        ImageRecordIter(**settings).load_state_dict(state)
