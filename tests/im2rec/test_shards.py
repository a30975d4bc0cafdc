"""``im2rec --shards`` and ``--shard-size``: one data set in many record files."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from recio.files import Manifest, Shard, read_manifest, write_manifest
from recio.im2rec import PackReport, pack
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO
from tests.support.commands import run_im2rec
from tests.support.records import noise, png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGES = 23
BAD = (4, 5, 11, 22)
"""Numbers of the images that cannot be packed."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write images, of which some are damaged, masks, and lists of all."""
    for name in ("images", "masks", "good"):
        (tmp_path / name).mkdir()
    for number in range(IMAGES):
        image = png(noise(9, 9 + number, seed=number))
        (tmp_path / "good" / f"{number}.png").write_bytes(image)
        (tmp_path / "images" / f"{number}.png").write_bytes(b"" if number in BAD else image)
        (tmp_path / "masks" / f"{number}.png").write_bytes(png(noise(9, 9 + number, 1)))
    lines = [f"{100 + number}\t{number % 3}\t{number}.png\n" for number in range(IMAGES)]
    lines.insert(7, "\n")
    lines.insert(9, "103\t0\t0.png\n")
    (tmp_path / "a.lst").write_text("".join(lines))
    (tmp_path / "a.classes.txt").write_text("x\ny\nz\n")
    return tmp_path


def pack_all(folder: Path, root: str = "images", **options: Any) -> PackReport:  # noqa: ANN401 of many types
    return pack(folder / "a.lst", folder / root, pass_through=True, num_thread=2, **options)


def records(manifest: Manifest) -> Iterator[tuple[int, bytes]]:
    for shard in manifest.shards:
        with MXIndexedRecordIO(shard.idx, shard.rec, "r") as reader:
            assert len(reader.keys) == shard.records
            yield from ((key, reader.read_idx(key)) for key in reader.keys)


def one_file(folder: Path, root: str = "images") -> list[tuple[int, bytes]]:
    report = pack_all(folder, root)
    with MXIndexedRecordIO(report.idx, report.rec, "r") as reader:
        return [(key, reader.read_idx(key)) for key in reader.keys]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("options", [{"shards": 1}, {"shards": 4}, {"shard_size": 3000}, {"shard_size": 1}])
@pytest.mark.parametrize("root", ["images", "good"])
def test_shards_are_the_record_file_in_pieces(folder: Path, root: str, options: dict[str, Any]) -> None:
    expected = one_file(folder, root)
    report = pack_all(folder, root, **options)
    assert report.manifest is not None
    assert list(records(report.manifest)) == expected
    assert read_manifest(folder / "a.recset.json") == report.manifest
    assert report.manifest.classes == ["x", "y", "z"]
    assert (report.records, report.bytes) == (len(expected), report.manifest.bytes)
    single = pack_all(folder, root)
    assert report.skipped == single.skipped
    assert len(report.skipped) == (len(BAD) + 1 if root == "images" else 1)
    batches = ImageRecordIter(path_imgrec=folder / "a.recset.json", data_shape=(3, 8, 8), batch_size=4)
    assert sorted(int(i) for batch in batches for i in batch.index[: 4 - batch.pad]) == sorted(k for k, _ in expected)


def test_shard_k_has_the_lines_from_its_share_on(folder: Path) -> None:
    report = pack_all(folder, "good", shards=5)
    assert report.manifest is not None
    lines = IMAGES + 1
    starts = [lines * number // 5 for number in range(6)]
    duplicate = 8
    expected = [end - start - (start <= duplicate < end) for start, end in pairwise(starts)]
    assert [shard.records for shard in report.manifest.shards] == expected


def test_sizes_are_kept(folder: Path) -> None:
    report = pack_all(folder, "good", shard_size=3000)
    assert report.manifest is not None
    shards = report.manifest.shards
    assert len(shards) > 3
    assert all(shard.bytes <= 3000 for shard in shards)
    for shard, after in pairwise(shards):
        first = int(after.idx.read_text().split()[3]) if after.records > 1 else after.bytes
        assert shard.bytes + first > 3000


def test_masks_are_in_shards_of_their_own(folder: Path) -> None:
    expected = pack_all(folder, masks=folder / "masks")
    assert expected.mask_rec is not None
    masks = expected.mask_rec.read_bytes()
    report = pack_all(folder, masks=folder / "masks", shards=3, checksum=True)
    assert report.mask_manifest is not None
    assert b"".join(shard.rec.read_bytes() for shard in report.mask_manifest.shards) == masks
    assert {shard.rec.name for shard in report.mask_manifest.shards} == {f"a_mask_0000{n}.rec" for n in range(3)}
    assert all(shard.has_checksums for shard in report.mask_manifest.shards)
    assert "a_mask_00002.rsum" in names(folder)


def test_a_new_set_replaces_the_shards_of_an_older_one(folder: Path) -> None:
    pack_all(folder, "good", shards=7, checksum=True)
    pack_all(folder, "good", shards=2)
    left = {name for name in names(folder) if name.startswith("a_")}
    assert left == {f"a_0000{number}.{end}" for number in range(2) for end in ("rec", "idx")}
    assert len(read_manifest(folder / "a.recset.json").shards) == 2


def test_shards_that_are_left_of_earlier_runs_are_removed(folder: Path) -> None:
    pack_all(folder, "good", shards=6, masks=folder / "masks")
    for number in range(8):
        (folder / "good" / f"{number}.png").write_bytes(b"")
    with pytest.raises(Stopped):
        pack_all(folder, "good", shards=3, progress=stop_after(IMAGES - 2), masks=folder / "masks")
    report = pack_all(folder, "good", shards=3, resume=True, masks=folder / "masks")
    assert report.manifest is not None
    assert [shard.rec.name for shard in report.manifest.shards] == ["a_00001.rec", "a_00002.rec"]
    left = {name for name in names(folder) if name.startswith("a_") and name.endswith(".rec")}
    assert left == {f"a{mask}_0000{number}.rec" for mask in ("", "_mask") for number in (1, 2)}


def test_a_set_of_masks_of_its_own_is_left(folder: Path) -> None:
    mine = Shard(folder / "a_mask_00000.rec", 1, 5)
    mine.rec.write_bytes(b"masks")
    write_manifest(folder / "a_mask.recset.json", [mine])
    pack_all(folder, "good", shards=2)
    assert {"a_mask.recset.json", "a_mask_00000.rec"} <= names(folder)


def test_without_records_an_older_set_is_left(folder: Path) -> None:
    older = pack_all(folder, "good", shards=3)
    for image in (folder / "good").iterdir():
        image.write_bytes(b"")
    assert pack_all(folder, "good", shards=2).records == 0
    assert read_manifest(folder / "a.recset.json") == older.manifest
    assert older.manifest is not None
    assert len(list(records(older.manifest))) == IMAGES


def test_files_of_other_names_are_not_removed(folder: Path) -> None:
    (folder / "mine.rec").write_bytes(pack_all(folder, "good").rec.read_bytes())
    (folder / "mine.idx").write_bytes(b"0\t0\n")
    write_manifest(folder / "a.recset.json", [Shard(folder / "mine.rec", 1, (folder / "mine.rec").stat().st_size)])
    pack_all(folder, "good", shards=2)
    assert {"mine.rec", "mine.idx"} <= names(folder)


class Stopped(Exception):  # noqa: N818 it is no error
    pass


def stop_after(lines: int) -> Any:  # noqa: ANN401
    def progress(done: int, total: int, skipped: int) -> None:
        del skipped
        assert total == IMAGES + 1
        if done >= lines:
            raise Stopped

    return progress


@pytest.mark.parametrize("options", [{"shards": 4}, {"shard_size": 2500}])
@pytest.mark.parametrize("masks", [False, True])
def test_resume_keeps_the_shards_that_are_complete(folder: Path, options: dict[str, Any], masks: bool) -> None:
    if masks:
        options = {**options, "masks": folder / "masks"}
    expected = pack_all(folder, **options)
    contents = {name: (folder / name).read_bytes() for name in names(folder)}
    assert expected.manifest is not None
    last = expected.manifest.shards[-1]
    for name in names(folder):
        if name.startswith(("a_0", "a_m")) or name.endswith(".json"):
            (folder / name).unlink()
    with pytest.raises(Stopped):
        pack_all(folder, progress=stop_after(IMAGES - 2), **options)
    assert "a.recset.json" not in names(folder)
    first = folder / "a_00000.rec"
    before = first.stat().st_mtime_ns
    report = pack_all(folder, resume=True, **options)
    assert first.stat().st_mtime_ns == before
    assert (folder / last.rec.name).exists()
    assert not report.kept
    assert {name: (folder / name).read_bytes() for name in names(folder)} == contents
    again = pack_all(folder, resume=True, **options)
    assert again.kept
    assert (again.manifest, again.skipped) == (expected.manifest, expected.skipped)


def test_a_run_that_fails_at_once_leaves_an_older_set(folder: Path) -> None:
    older = pack_all(folder, "good", shards=3)
    with pytest.raises(FileNotFoundError):
        pack_all(folder, "nowhere", shards=3)
    with pytest.raises(Stopped):
        pack_all(folder, "good", shards=3, progress=stop_after(0))
    assert read_manifest(folder / "a.recset.json") == older.manifest


def test_nothing_to_pack_leaves_nothing(folder: Path) -> None:
    shutil.rmtree(folder / "images")
    (folder / "images").mkdir()
    report = pack_all(folder, shards=3)
    assert (report.records, report.manifest, len(report.skipped)) == (0, None, IMAGES + 1)
    assert not [name for name in names(folder) if name.endswith((".rec", ".json"))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shards": 0}, "shards must be from 1 to 24, got 0"),
        ({"shards": 25}, "shards must be from 1 to 24, got 25"),
        ({"shard_size": 0}, "shard_size must be at least 1, got 0"),
        ({"shards": 2, "shard_size": 5}, "shards and shard_size exclude each other"),
    ],
)
def test_wrong_arguments(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_all(folder, **options)


class TestCommand:
    def test_shards(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        # 1, because of the duplicate.
        assert run_im2rec("--pass-through", "--shards", 3, folder / "a", folder / "good") == 1
        manifest = read_manifest(folder / "a.recset.json")
        shown = f"{folder}/a.recset.json: 3 shards, {IMAGES} records, {manifest.bytes} bytes"
        assert capsys.readouterr().out.splitlines() == [shown]

    def test_shard_size(self, folder: Path) -> None:
        arguments = ["--pass-through", "--skip-bad", "--shard-size", "2.5K", folder / "a", folder / "good"]
        assert run_im2rec(*arguments) == 0
        assert max(shard.bytes for shard in read_manifest(folder / "a.recset.json").shards) <= 2560

    @pytest.mark.parametrize("size", ["x", "1X", "-1", ""])
    def test_wrong_sizes(self, folder: Path, size: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_im2rec(f"--shard-size={size}", folder / "a", folder / "good") == 2
        assert "a size must be a number with K, M, G, T or nothing" in capsys.readouterr().err

    def test_a_size_of_zero(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_im2rec("--shard-size=0", folder / "a", folder / "good") == 2
        assert "shard_size must be at least 1, got 0" in capsys.readouterr().err


def test_the_manifest_is_as_documented(folder: Path) -> None:
    pack_all(folder, "good", shards=2)
    content = json.loads((folder / "a.recset.json").read_bytes())
    assert content["recset"] == 1
    assert content["shards"][1]["rec"] == "a_00001.rec"
    assert content["shards"][1]["bytes"] == (folder / "a_00001.rec").stat().st_size
