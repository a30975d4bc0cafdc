"""The command ``recio convert``: arguments, output, exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from recio.cli import main
from recio.convert import rows
from recio.files import split
from tests.support.faces import write_face_set

from .sets import SETS, labeled, same, write

if TYPE_CHECKING:
    from pathlib import Path

    from pytest import CaptureFixture  # noqa: PT013 a type


def run(*arguments: object) -> int:
    """Run the command; return its exit code."""
    try:
        return main(["convert", *map(str, arguments)])
    except SystemExit as error:
        return int(error.code or 0)


def test_there_and_back(tmp_path: Path, capsys: CaptureFixture[str]) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    assert run(file.rec, tmp_path / "a.parquet") == 0
    size = (tmp_path / "a.parquet").stat().st_size
    assert capsys.readouterr().out == f"{tmp_path}/a.parquet: 6 images, {size} bytes\n"
    assert run(tmp_path / "a.parquet", tmp_path / "b.rec") == 0
    assert same(file, tmp_path / "b.rec")


def test_json(tmp_path: Path, capsys: CaptureFixture[str]) -> None:
    file = write(tmp_path, "a", SETS["of im2rec"])
    (tmp_path / "names").write_text("x\ny\nz\n")
    assert run(file.rec, tmp_path / "b", "--to", "tar", "--shards", 2, "--json", "--classes", tmp_path / "names") == 0
    (line,) = capsys.readouterr().out.splitlines()
    files = [str(tmp_path / "b" / f"b_0000{n}.tar") for n in range(2)]
    assert json.loads(line) == {
        "path": str(tmp_path / "b"),
        "format": "tar",
        "files": files,
        "records": 6,
        "bytes": sum((tmp_path / "b" / f"b_0000{n}.tar").stat().st_size for n in range(2)),
        "without_image": 0,
        "renumbered": False,
        "classes": 3,
    }


def test_text_of_shards_and_new_keys(tmp_path: Path, capsys: CaptureFixture[str]) -> None:
    files = [write(tmp_path, name, labeled([0])).rec for name in "abc"]
    assert run(*files, "--to", "tfrecord", tmp_path / "out", "--shard-size", "1K") == 0
    out = capsys.readouterr().out
    assert out.endswith(" bytes in 3 files; its records have new keys, from 0\n")
    assert out.startswith(f"{tmp_path}/out: 3 images, ")


def test_options_reach_the_function(tmp_path: Path) -> None:
    file = write(tmp_path, "a", SETS["in another order"])
    (tmp_path / "a.rec").rename(tmp_path / "a.data")
    file.idx.unlink()
    assert run(tmp_path / "a.data", tmp_path / "b.out", "--from", "rec", "--to", "tar", "--renumber") == 0
    assert [row.key for row in rows(tmp_path / "b.out", src_format="tar")] == [0, 1, 2, 3, 4, 5]
    assert run(tmp_path / "b.out", tmp_path / "c.rec", "--from", "tar", "--checksum", "--label-column", "cls") == 0
    assert (tmp_path / "c.rsum").exists()


def test_left_out_records_are_reported(tmp_path: Path, capsys: CaptureFixture[str]) -> None:
    write_face_set(tmp_path)
    shards = [report.rec for report in split(tmp_path / "train.rec", 2, tmp_path / "part")]
    assert run(*shards, tmp_path / "a.tar") == 0
    assert capsys.readouterr().err.startswith("recio: 5 records without an image were left out, as keys are new")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("no.rec", "b.tar"), 2, "recio: no.rec: No such file or directory\n"),
        (("no.tar", "b.rec"), 2, "recio: no.tar: no such tar file\n"),
        (("short.tar", "b.rec"), 1, "recio: short.tar: at byte 0: the member '000000000.jpg' is "),
        (("a.rec", "b.xyz"), 2, "recio: b.xyz: the format is not known by this name: --to (dst_format=) states it\n"),
        (("a.rec", "a.idx", "--to", "tar"), 2, "recio: a.idx: the output would overwrite an input or its index"),
        (
            ("a.rec", "b", "--to", "tar", "--shards", "0"),
            2,
            "recio convert: error: argument --shards: must be at least 1",
        ),
        (("a.rec",), 2, "recio convert: error: the following arguments are required: DST\n"),
    ],
)
def test_errors(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "a", SETS["of im2rec"])
    assert run("a.rec", "a.tar") == 0
    content = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "short.tar").write_bytes(content[:1000])
    capsys.readouterr()
    assert run(*arguments) == code
    assert capsys.readouterr().err.rpartition("usage")[2].splitlines(keepends=True)[-1].startswith(message.rstrip("\n"))


def test_without_pyarrow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: CaptureFixture[str]) -> None:
    import sys  # noqa: PLC0415

    file = write(tmp_path, "a", SETS["of im2rec"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "recio.convert._parquet", raising=False)
    monkeypatch.delattr("recio.convert._parquet", raising=False)
    assert run(file.rec, tmp_path / "a.parquet") == 2
    assert (
        capsys.readouterr().err == "recio: Parquet files need pyarrow, which is missing: pip install 'recio[parquet]'\n"
    )
