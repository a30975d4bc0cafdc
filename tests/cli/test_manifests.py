"""``recio info``, ``verify`` and ``merge`` of manifests, and the names of classes in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from recio import RecordError
from recio.cli import main
from recio.datasets import RecordDataset
from recio.files import Manifest, info, merge, shuffle, split, verify, write_manifest
from recio.io import ImageRecordIter
from tests.support.records import write_photos

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def shards(tmp_path: Path) -> Manifest:
    """Split photographs into three shards."""
    file = write_photos(tmp_path, 6)
    reports = split(file.rec, 3, tmp_path / "a", checksum=False)
    return write_manifest(tmp_path / "a.recset.json", [report.shard() for report in reports], ["cat", "dog"])


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def flip(path: Path) -> None:
    """Change a bit in the image of the last record, which decoders do not notice."""
    data = bytearray(path.read_bytes())
    data[-3000] ^= 1
    path.write_bytes(data)


def test_info(shards: Manifest, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", shards.path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{shards.path}: 3 shards, 6 records, {shards.bytes} bytes"
    assert lines[1].split() == ["classes:", "2"]
    assert lines[2:] == [f"  a_{n}.rec: 2 records, {shard.bytes} bytes" for n, shard in enumerate(shards.shards)]
    assert run("info", "--json", shards.path) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["records"], report["classes"], len(report["shards"])) == (6, ["cat", "dog"], 3)


def test_verify_compares_the_shards_with_the_manifest(
    shards: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", shards.path) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3
    flip(tmp_path / "a_1.rec")
    assert run("verify", "--no-decode", shards.path) == 1
    lines = capsys.readouterr().out.splitlines()
    assert ": sound; " in lines[1]
    stated = f"{shards.shards[1].crc32c:08x}"
    assert lines[2].startswith(f"  manifest: it states the CRC32C {stated}, the file has ")
    assert run("verify", "--json", shards.path) == 1
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["ok"] for report in reports] == [True, False, True]
    assert [len(report["manifest"]) for report in reports] == [0, 1, 0]


def test_verify_reports_missing_and_shortened_shards(
    shards: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    last = tmp_path / "a_2.rec"
    last.write_bytes(last.read_bytes()[:-4])
    assert run("verify", "--no-decode", shards.path) == 1
    size = shards.shards[2].bytes
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == f"  manifest: it states {size} bytes, the file has {size - 4}"
    last.unlink()
    assert run("verify", "--no-decode", shards.path) == 2
    assert capsys.readouterr().err.count("a_2.rec") == 1


@pytest.mark.parametrize("suffix", [".idx", ".rsum"])
def test_verify_reports_what_is_missing_beside_a_shard(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_photos(tmp_path, 6)
    split(file.rec, 3, tmp_path / "a", checksum=True)
    (tmp_path / "a_1").with_suffix(suffix).unlink()
    assert run("verify", "--no-decode", tmp_path / "a.recset.json") == 1
    reason = {".idx": "a shard must have an index, which is missing", ".rsum": "it states a .rsum, which is missing"}
    assert f"  manifest: {reason[suffix]}" in capsys.readouterr().out.splitlines()
    with pytest.raises((OSError, RecordError)):
        ImageRecordIter(path_imgrec=tmp_path / "a.recset.json", data_shape=(3, 8, 8), batch_size=1)


def test_an_index_that_lacks_records_is_an_error(
    shards: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    idx = tmp_path / "a_1.idx"
    idx.write_text(idx.read_text().splitlines(keepends=True)[0])
    with pytest.raises(RecordError, match="the index lists 1 records, but the manifest of its set states 2"):
        ImageRecordIter(path_imgrec=shards.path, data_shape=(3, 8, 8), batch_size=1)
    assert run("verify", "--no-decode", shards.path) == 1
    assert "a shard must have an index of all records, which lacks 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "function", [info, verify, lambda path: split(path, 2), lambda path: shuffle(path, "b.rec", seed=1)]
)
def test_functions_on_one_file_refuse_a_manifest(function: Callable[[Any], object], shards: Manifest) -> None:
    with pytest.raises(ValueError, match="a manifest names many record files: pass one of them, or merge them first"):
        function(shards.path)


def test_merge(shards: Manifest, tmp_path: Path) -> None:
    assert run("merge", shards.path, "-o", tmp_path / "all.rec") == 0
    for suffix in (".rec", ".idx"):
        expected = (tmp_path / "photos").with_suffix(suffix).read_bytes()
        assert (tmp_path / "all.rec").with_suffix(suffix).read_bytes() == expected
    assert merge(shards.path, tmp_path / "again.rec").records == 6


def test_classes_are_those_of_the_manifest(shards: Manifest, tmp_path: Path) -> None:
    assert RecordDataset(shards.path).classes == ["cat", "dog"]
    assert RecordDataset(shards.path).class_to_idx == {"cat": 0, "dog": 1}
    assert RecordDataset(tmp_path / "a_0.rec").classes is None


@pytest.mark.parametrize("command", [["info"], ["verify"], ["merge", "-o", "x.rec"]])
def test_a_file_that_is_no_manifest(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.recset.json").write_text("{}")
    assert run(*command, tmp_path / "a.recset.json") == 2
    assert "this is no manifest of a record set" in capsys.readouterr().err
