"""Outputs: complete or not there, shards, and what is there before."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.convert import convert, rows
from recio.datasets import RecordDataset
from recio.files import read_manifest, verify
from tests.support.processes import python, start

from .sets import SETS, SUFFIX, labeled, same, tree, write

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = ("rec", "tar", "tfrecord", "parquet")
SLOW = """
import time
from recio.convert import convert
convert(settings["src"], settings["dst"], dst_format=settings["kind"], shards=settings["shards"],
        progress=lambda done, total: time.sleep(0.2))
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Write a Parquet file of six images, from which all other formats are converted."""
    file = write(tmp_path, "source", SETS["of im2rec"])
    convert(file.rec, tmp_path / "source.parquet")
    return tmp_path / "source.parquet"


@pytest.mark.parametrize("kind", FORMATS)
def test_number_of_shards(tmp_path: Path, source: Path, kind: str) -> None:
    report = convert(source, tmp_path / "set", dst_format=kind, shards=4)  # type: ignore[arg-type]
    assert [path.name for path in report.files] == [f"set_0000{n}.{kind}" for n in range(4)]
    assert all(path.parent == tmp_path / "set" for path in report.files)
    assert report.bytes == sum((tmp_path / "set" / path.name).stat().st_size for path in report.files)
    assert [len(list(rows(tmp_path / "set" / path.name))) for path in report.files] == [1, 2, 1, 2]
    assert [row.key for row in rows(tmp_path / "set")] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", FORMATS)
def test_size_of_shards(tmp_path: Path, source: Path, kind: str) -> None:
    sizes = [len(row.image) for row in rows(source)]
    size = 2 * max(sizes) + 500
    report = convert(source, tmp_path / "set", dst_format=kind, shard_size=size)  # type: ignore[arg-type]
    assert len(report.files) >= len(sizes) / 3
    for path in report.files:
        assert sum(len(row.image) for row in rows(str(path))) <= size
    assert [row.key for row in rows(tmp_path / "set")] == [0, 1, 2, 3, 4, 5]
    tiny = convert(source, tmp_path / "tiny", dst_format=kind, shard_size=1)  # type: ignore[arg-type]
    assert len(tiny.files) == 6


def test_shards_of_record_files_have_a_manifest(tmp_path: Path, source: Path) -> None:
    convert(source, tmp_path / "set", dst_format="rec", shards=2, classes=["x", "y", "z"], checksum=True)
    manifest = read_manifest(tmp_path / "set" / "set.recset.json")
    assert ([shard.records for shard in manifest.shards], manifest.classes) == ([3, 3], ["x", "y", "z"])
    assert all(verify(shard.rec).ok and shard.has_checksums for shard in manifest.shards)
    data = RecordDataset(tmp_path / "set" / "set.recset.json")
    assert (len(data), data.classes) == (6, ["x", "y", "z"])


def test_names_of_classes_of_shards(tmp_path: Path, source: Path) -> None:
    for kind in ("tar", "tfrecord"):
        convert(source, tmp_path / kind, dst_format=kind, shards=2, classes=["x", "y", "z"])
        assert (tmp_path / kind / f"{kind}.classes.txt").read_text() == "x\ny\nz\n"
        assert convert(tmp_path / kind, tmp_path / f"{kind}.rec").classes == 3


@pytest.mark.parametrize("kind", FORMATS)
def test_existing_file_is_replaced_or_stays(tmp_path: Path, source: Path, kind: str) -> None:
    target = tmp_path / f"a.{kind}"
    target.write_bytes(b"older")
    damaged = tmp_path / "damaged.tar"
    convert(source, damaged)
    damaged.write_bytes(damaged.read_bytes()[:30_000])
    with pytest.raises(RecordError):
        convert(damaged, target)
    assert target.read_bytes() == b"older"
    convert(source, target)
    assert len(list(rows(target))) == 6
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_folder_must_be_empty_or_not_exist(tmp_path: Path, source: Path) -> None:
    (tmp_path / "empty").mkdir()
    convert(source, tmp_path / "empty")
    before = tree(tmp_path)
    for kind, shards in (("folder", None), ("tar", 2)):
        with pytest.raises(FileExistsError, match="it exists, and is no empty folder"):
            convert(source, tmp_path / "empty", dst_format=kind, shards=shards)  # type: ignore[arg-type]
    with pytest.raises(FileExistsError, match="it exists, and is no empty folder"):
        convert(source, source.with_suffix(".idx"), dst_format="folder")
    assert tree(tmp_path) == before


def test_folder_that_is_a_link(tmp_path: Path, source: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    convert(source, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "images.lst").exists()


def test_parent_that_does_not_exist(tmp_path: Path, source: Path) -> None:
    for name in ("no/a.rec", "no/a.tar", "no/a"):
        with pytest.raises(FileNotFoundError):
            convert(source, tmp_path / name)


@pytest.mark.parametrize("kind", ["tar", "tfrecord", "parquet"])
def test_output_that_is_an_input(tmp_path: Path, source: Path, kind: str) -> None:
    convert(source, tmp_path / f"a.{kind}")
    before = (tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"link.{kind}").symlink_to(f"a.{kind}")
    for name in (f"a.{kind}", f"link.{kind}"):
        with pytest.raises(ValueError, match="the output would overwrite an input or its index; choose another name"):
            convert(tmp_path / f"a.{kind}", tmp_path / name)
    assert (tmp_path / f"a.{kind}").read_bytes() == before


def test_output_that_is_the_index_of_an_input(source: Path) -> None:
    with pytest.raises(ValueError, match="the output would overwrite an input or its index"):
        convert(source.with_suffix(".rec"), source.with_suffix(".idx"), dst_format="tar")


def test_names_of_classes_of_the_source_are_not_overwritten(tmp_path: Path) -> None:
    file = write(tmp_path, "a", labeled([0, 1]))
    (tmp_path / "a.classes.txt").write_text("cat\ndog\n")
    with pytest.raises(ValueError, match=r"a\.classes\.txt belongs to the source, and has other names of classes"):
        convert(file.rec, tmp_path / "a.tar", classes=["x", "y"])
    assert convert(file.rec, tmp_path / "a.tar").classes == 2
    assert convert(file.rec, tmp_path / "a.tfrecord", classes=["cat", "dog"]).classes == 2
    assert (tmp_path / "a.classes.txt").read_text() == "cat\ndog\n"


def test_older_names_of_classes_do_not_stay_beside_other_labels(tmp_path: Path, source: Path) -> None:
    (tmp_path / "b.classes.txt").write_text("cat\ndog\n")
    convert(source, tmp_path / "b.rec")
    assert not (tmp_path / "b.classes.txt").exists()


@pytest.mark.parametrize(
    ("kind", "shards"), [(kind, None) for kind in SUFFIX] + [("tar", 3), ("rec", 3), ("rec", None)]
)
def test_kill_leaves_nothing_but_what_the_next_run_removes(
    tmp_path: Path, source: Path, kind: str, shards: int | None
) -> None:
    name = "a" if shards is not None or kind == "folder" else f"a.{kind}"
    target = tmp_path / "out" / name
    target.parent.mkdir()
    settings: dict[str, object] = {"src": str(source), "dst": str(target), "kind": kind, "shards": shards}
    with start(python(SLOW, settings)) as process:
        deadline = time.monotonic() + 60
        while not list(target.parent.iterdir()):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    left = list(target.parent.iterdir())
    assert left
    assert all(path.name.startswith(".a") for path in left)
    convert(source, target, dst_format=kind, shards=shards)  # type: ignore[arg-type]
    assert not [path for path in target.parent.iterdir() if path.name.startswith(".")]
    assert [row.key for row in rows(target)] == [0, 1, 2, 3, 4, 5]


def test_folder_of_a_run_that_goes_on_is_not_removed(tmp_path: Path, source: Path) -> None:
    settings: dict[str, object] = {"src": str(source), "dst": str(tmp_path / "a"), "kind": "folder", "shards": None}
    with start(python(SLOW, settings)) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".a.*")):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        convert(source, tmp_path / "a")
        assert list(tmp_path.glob(".a.*")), "that of the other process"
        # The one that is first wins, and the other fails.
        assert process.wait(60) == 1
    assert not list(tmp_path.glob(".a.*"))
    assert len(list(rows(tmp_path / "a"))) == 6


def test_back_from_shards_is_the_same(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["with records without an image"])
    for kind in ("tar", "tfrecord", "parquet"):
        convert(file.rec, tmp_path / kind, dst_format=kind, shards=2)
        convert(tmp_path / kind, tmp_path / "b.rec")
        assert same(file, tmp_path / "b.rec")


def test_report(tmp_path: Path, source: Path) -> None:
    report = convert(source, tmp_path / "a.tar")
    assert report.path == tmp_path / "a.tar"
    assert report.files == [tmp_path / "a.tar"]
    assert (report.format, report.records, report.bytes) == ("tar", 6, (tmp_path / "a.tar").stat().st_size)
    assert (report.without_image, report.renumbered, report.classes) == (0, False, None)
    assert json.dumps([str(path) for path in report.files])
