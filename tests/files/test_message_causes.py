"""Messages of common mistakes with paths, indexes and files of other kinds name the cause and the fix."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recio import RecordError
from recio.cli import main as recio_main
from recio.datasets import FaceRecordDataset, RecordDataset, read_bin
from recio.files import repair, verify
from recio.im2rec import main as im2rec_main, make_list
from recio.image import ImageDetIter, ImageIter, imread
from recio.io import CSVIter, ImageRecordIter
from recio.recordio import IRHeader, MXIndexedRecordIO, MXRecordIO, pack
from tests.support.faces import write_face_set
from tests.support.records import RecordFile, noise, png

if TYPE_CHECKING:
    from collections.abc import Callable


def write(folder: Path, label: Any = 0.0) -> RecordFile:  # noqa: ANN401 a number or several
    """Write four records with images."""
    file = RecordFile(folder / "p.rec", folder / "p.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        for n in range(4):
            writer.write_idx(n, pack(IRHeader(0, label, n, 0), png(noise(8, 8, seed=n))))
    return file


def data(rec: object) -> dict[str, Any]:
    return {"path_imgrec": rec, "data_shape": (3, 8, 8), "batch_size": 4}


@pytest.mark.parametrize(
    "read",
    [
        lambda file: next(ImageRecordIter(**data(file.rec), path_imgidx=file.idx)),
        lambda file: next(ImageIter(**data(str(file.rec)), path_imgidx=str(file.idx))),
        lambda file: RecordDataset(file.rec).labels(),
        lambda file: RecordDataset(file.rec)[0],
        lambda file: MXIndexedRecordIO(file.idx, file.rec, "r").read_idx(0),
    ],
)
def test_offsets_that_begin_no_record_name_the_index(read: Callable[[RecordFile], object], tmp_path: Path) -> None:
    file = write(tmp_path)
    file.idx.write_text("0\t4\n1\t12\n2\t16\n3\t20\n")
    with pytest.raises(RecordError, match=r"at byte 4: magic .*(index|idx).* lists a record there.*`recio index`"):
        read(file)


@pytest.mark.parametrize(
    "read",
    [
        lambda file: ImageRecordIter(**data(file.rec), mean_img="s3://b/p"),
        lambda _: CSVIter(data_csv="s3://b/p", data_shape=(1,), batch_size=1),
        lambda _: imread("s3://b/p"),
    ],
)
def test_urls_where_only_local_files_are_opened_keep_both_slashes(
    read: Callable[[RecordFile], object], tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"only local files are opened here.*'s3://b"):
        read(write(tmp_path))


@pytest.mark.parametrize(
    "read",
    [
        lambda file: ImageRecordIter(**data(file.rec), path_imgidx=Path("s3://b/p")),
        lambda _: RecordDataset(Path("s3://b/p")),
        lambda _: MXRecordIO(Path("s3://b/p"), "r"),
        lambda _: MXIndexedRecordIO(Path("s3://b/q"), Path("s3://b/p"), "w"),
        lambda _: verify(Path("https://x.org/p.rec")),
    ],
)
def test_a_url_that_pathlib_changed_is_named(read: Callable[[RecordFile], object], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"pass a URL as a string"):
        read(write(tmp_path))


def test_urls_of_local_files_and_several_files_in_a_string(tmp_path: Path) -> None:
    assert len(RecordDataset(f"file://{write(tmp_path).rec}")) == 4
    with pytest.raises(FileNotFoundError, match="pass the path without file://"):
        imread(f"file://{tmp_path}/p.png")
    with pytest.raises(FileNotFoundError, match="pass several record files as a list"):
        RecordDataset("a.rec;b.rec")
    with pytest.raises(IsADirectoryError):
        RecordDataset(".")


def test_a_list_without_paths_is_named(tmp_path: Path) -> None:
    (tmp_path / "two.lst").write_text("0\t1\n1\t2\n")
    with pytest.raises(
        RecordError, match=r"two.lst: this is an index \(.idx\) or a list without paths.*column of paths"
    ):
        ImageRecordIter(**data(write(tmp_path).rec), path_imglist=tmp_path / "two.lst").reset()


def test_boxes_of_sizes_name_the_conversion(tmp_path: Path) -> None:
    rec = write(tmp_path, [2, 5, 0, 0.5, 0.6, 0.1, 0.2]).rec
    with pytest.raises(RecordError, match=r"sides in order; boxes are left, top, right, bottom; convert x, y, width"):
        ImageDetIter(4, (3, 8, 8), path_imgrec=str(rec))


@pytest.mark.parametrize("issame", [[1.0, 0.0], ["a", "b"], [None, True]])
def test_pairs_of_other_types_name_what_is_read(issame: list[Any], tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(pickle.dumps(([png(noise(4, 4))] * 4, issame)))
    with pytest.raises(RecordError, match=r"issame booleans or integers, as recio.datasets.write_bin"):
        read_bin(tmp_path / "x.bin")


def test_a_face_set_may_be_named_by_its_record_file(tmp_path: Path) -> None:
    faces = write_face_set(tmp_path)
    (tmp_path / "property").write_bytes(b"\xef\xbb\xbf3,112,112\r\n")
    dataset = FaceRecordDataset(tmp_path / "train.rec")
    assert (len(dataset), dataset.num_classes) == (len(faces.images), 3)


def test_what_is_no_record_file_is_named_by_repair_and_info(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rec = tmp_path / "g.rec"
    content = write(tmp_path).rec.read_bytes()
    rec.write_bytes(gzip.compress(content))
    assert "this is a gzip file" in repair(rec, tmp_path / "out.rec").skipped[0].reason
    recio_main(["info", str(rec)])
    assert capsys.readouterr().out == f"{rec}: this is a gzip file, not a record file; unpack it first\n"
    rec.write_bytes(b"\xce\xd7\x23\x0a" + bytes(96))
    assert "big-endian byte order, which recio does not read" in repair(rec, tmp_path / "out.rec").skipped[0].reason


def test_an_unusable_index_is_not_called_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path)
    file.idx.write_text("garbage\n")
    recio_main(["info", str(file.rec)])
    assert "not usable; `recio verify` states why" in capsys.readouterr().out
    recio_main(["verify", str(file.rec)])
    assert "an unusable index" in capsys.readouterr().out


def test_arguments_of_im2rec(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "1.png").write_bytes(png(noise(4, 4)))
    prefix, root = tmp_path / "small", str(tmp_path / "small")
    im2rec_main([f"{prefix}.rec", root])
    assert f"PREFIX is the path without .rec: {prefix}" in capsys.readouterr().err
    im2rec_main([f"{prefix}/", root])
    assert f"to pack {prefix}.lst, pass {prefix} without the slash" in capsys.readouterr().err
    report = make_list(prefix, root, exts=[".jpg,.png"])
    assert [*report.lists.values()] == [1]
    assert im2rec_main(["--encoding", "png", str(prefix), root]) == 0
