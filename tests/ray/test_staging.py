"""The folder of a write: what counts, what is removed, and tasks that outlive the write."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from recio._recio import RemotePath
from recio.files import ShardWriter
from recio.ray._staging import Staging
from recio.ray._write import RecordsDatasink, RowFormat
from recio.recordio import IRHeader, pack
from tests.ray.clusters import keys_of, names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from recio.files import Shard
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.moto import Moto

RECORD = pack(IRHeader(0, 1.0, 7, 0), b"image")


def attempt(staging: Staging, task: int, records: int = 3) -> list[Shard]:
    """Write the shards of an attempt of a task: two records each."""
    with ShardWriter(staging.prefix_of(task), shard_size=100) as writer:
        for _ in range(records):
            writer.write(RECORD)
    return writer.shards


def begun(prefix: Path | RemotePath) -> Staging:
    """Begin a write."""
    staging = Staging(prefix)
    staging.begin()
    return staging


def test_shards_of_other_attempts_are_removed(tmp_path: Path) -> None:
    staging = begun(tmp_path / "out")
    second, _, first = attempt(staging, 1), attempt(staging, 0), attempt(staging, 0)
    manifest = staging.commit([*second, *first], None)
    assert [shard.records for shard in manifest.shards] == [2, 1, 2, 1]
    assert keys_of(manifest) == list(range(6))
    files = [f"out_{number:05}{end}" for number in range(4) for end in (".idx", ".rec")]
    assert names(tmp_path) == ["out.recset.json", *files]


def test_nothing_is_a_set_before_the_end(tmp_path: Path) -> None:
    attempt(begun(tmp_path / "out"), 0)
    assert [name for name in names(tmp_path) if "/" not in name and not name.startswith(".")] == []


def test_a_write_that_fails_leaves_an_older_set(tmp_path: Path) -> None:
    first = begun(tmp_path / "out")
    first.commit(attempt(first, 0), None)
    before = names(tmp_path)
    second = begun(tmp_path / "out")
    attempt(second, 0)
    second.discard()
    assert names(tmp_path) == before


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "out_test.rec").write_bytes(b"")
    for _ in range(2):
        staging = begun(tmp_path / "out")
        staging.commit(attempt(staging, 0, records=1), None)
    assert names(tmp_path) == ["out.recset.json", "out_00000.idx", "out_00000.rec", "out_test.rec"]


def test_checksums_of_an_older_set_are_removed(tmp_path: Path) -> None:
    (tmp_path / "out_00000.rsum").write_bytes(b"of other records")
    staging = begun(tmp_path / "out")
    staging.commit(attempt(staging, 0, records=1), None)
    assert names(tmp_path) == ["out.recset.json", "out_00000.idx", "out_00000.rec"]


def test_a_task_that_outlives_the_write_is_told(tmp_path: Path) -> None:
    staging = begun(tmp_path / "out")
    staging.check()
    staging.commit(attempt(staging, 0), None)
    with pytest.raises(RuntimeError, match="the write has ended, or this node has another file system"):
        staging.check()
    with pytest.raises(FileNotFoundError):
        attempt(staging, 0)


def test_a_task_that_outlives_the_write_to_a_store_is_told(s3: Bucket) -> None:
    staging = begun(RemotePath(s3.url("out")))
    staging.check()
    staging.discard()
    with pytest.raises(RuntimeError, match="the write has ended"):
        staging.check()


def test_a_task_that_outlives_the_write_removes_its_shards(moto: Moto, s3: Bucket) -> None:
    del s3
    moto.create_bucket("outlived")
    staging = begun(RemotePath("s3://outlived/out"))
    sink = RecordsDatasink(staging, RowFormat("image", None, None, 95, ".jpg"), 100, checksum=False)

    def blocks() -> Iterator[pa.Table]:
        yield pa.table({"image": [b"image"] * 3})
        staging.discard()
        yield pa.table({"image": [b"image"] * 3})

    with pytest.raises(RuntimeError, match="the write has ended"):
        sink.write(blocks(), SimpleNamespace(task_idx=0))
    assert moto.keys("outlived") == []
