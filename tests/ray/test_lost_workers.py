"""Writes of which a worker or a node is killed: the set is that of an undisturbed write, and nothing else is left."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pytest

import recio
import recio.ray
from recio.ray import _pack, _write
from recio.ray._write import RowFormat
from recio.recordio import unpack
from tests.ray.clusters import Killer, contents, keys_of, living_nodes, names, records_of, three_nodes
from tests.support.processes import becomes_true
from tests.support.records import FIRST_ID, PHOTOS, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import ray.data

    from recio._storage import StorageOptions
    from recio.im2rec import PackReport
    from recio.ray._pack import Task
    from tests.support.records import RecordFile
    from tests.support.servers.moto import Moto

pytestmark = pytest.mark.filterwarnings("default")

FOLDER = PHOTOS[0].parents[1]


@dataclass(frozen=True)
class KillingRows(RowFormat):
    """Format of rows that kills at the row with some id, after other rows were written."""

    killer: Killer | None = None
    fatal_id: int = 0

    def record(self, row: dict[str, Any], new_id: int) -> bytes:
        """Return the record of a row, if the task lives."""
        if row["id"] == self.fatal_id and self.killer:
            self.killer()
        return super().record(row, new_id)


@pytest.fixture
def nodes() -> Iterator[None]:
    """Start a cluster of three nodes."""
    with three_nodes():
        yield


def kill_in(patch: pytest.MonkeyPatch, flag: Path, victim: str, at: int) -> None:
    """Let the write of record `at` kill, the first time."""

    def rows(*settings: Any) -> RowFormat:  # noqa: ANN401 those of the class
        return KillingRows(**asdict(RowFormat(*settings)), killer=Killer(flag, victim), fatal_id=FIRST_ID + at)

    patch.setattr(_write, "RowFormat", rows)


def read(many: RecordFile) -> ray.data.Dataset:
    """Return the data set, in four tasks that read and write."""
    return recio.ray.read_records(many.rec, override_num_blocks=4)


def expected(many: RecordFile, folder: Path) -> dict[str, bytes]:
    """Return the files of an undisturbed write."""
    recio.ray.write_records(read(many), folder / "out", shard_size=1 << 18, checksum=True)
    return contents(folder)


@pytest.mark.parametrize("victim", ["worker", "node"])
def test_a_killed_task_is_repeated(
    many: RecordFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: None, victim: str
) -> None:
    del nodes
    for name in ("expected", "disturbed"):
        (tmp_path / name).mkdir()
    files = expected(many, tmp_path / "expected")
    # The task has written shards of 256 KiB before.
    kill_in(monkeypatch, tmp_path / "killed", victim, at=70)
    recio.ray.write_records(read(many), tmp_path / "disturbed" / "out", shard_size=1 << 18, checksum=True)
    assert (tmp_path / "killed").exists()
    assert contents(tmp_path / "disturbed") == files
    assert becomes_true(lambda: living_nodes() == (3 if victim == "node" else 4), 60)


def test_blocks_of_a_lost_node_are_read_again(
    many: RecordFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nodes: None
) -> None:
    del nodes
    kill_in(monkeypatch, tmp_path / "killed", "node", at=150)
    dataset = recio.ray.read_records(many.rec, override_num_blocks=12)
    # Tasks of this size are not those that read.
    manifest = recio.ray.write_records(dataset, tmp_path / "out", shard_size=_write.ROOM + (1 << 20))
    assert (tmp_path / "killed").exists()
    assert sorted(unpack(record)[0].id for record in records_of(manifest)) == [FIRST_ID + n for n in range(300)]
    assert sorted(records_of(manifest)) == sorted(read_all(many.rec)[0])
    assert keys_of(manifest) == list(range(300))
    shards = [f"out_{number:05}" for number in range(len(manifest.shards))]
    assert names(tmp_path) == [
        "killed",
        "out.recset.json",
        *(f"{name}{end}" for name in shards for end in (".idx", ".rec")),
    ]


@pytest.mark.parametrize("victim", ["worker", "node"])
def test_a_killed_task_is_repeated_in_a_store(
    many: RecordFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moto: Moto,
    options: StorageOptions,
    nodes: None,
    victim: str,
) -> None:
    del nodes
    bucket = f"killed-{victim}"
    moto.create_bucket(bucket)
    kill_in(monkeypatch, tmp_path / "killed", victim, at=70)
    manifest = recio.ray.write_records(read(many), f"s3://{bucket}/out", shard_size=1 << 18, storage_options=options)
    assert (tmp_path / "killed").exists()
    assert records_of(manifest, options) == read_all(many.rec)[0]
    assert keys_of(manifest, options) == list(range(300))
    shards = [str(shard.rec).removeprefix(f"s3://{bucket}/").removesuffix(".rec") for shard in manifest.shards]
    files = [f"{name}{end}" for name in shards for end in (".idx", ".rec")]
    assert moto.keys(bucket) == sorted(["out.recset.json", *files])


@pytest.mark.parametrize("victim", ["worker", "node"])
def test_a_killed_task_packs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto: Moto, options: StorageOptions, nodes: None, victim: str
) -> None:
    del nodes
    bucket = f"packing-{victim}"
    moto.create_bucket(bucket)
    lines = [f"{number}\t0\t{PHOTOS[number % len(PHOTOS)].relative_to(FOLDER)}\n" for number in range(600)]
    (tmp_path / "a.lst").write_text("".join(lines))
    settings: dict[str, Any] = {"root": FOLDER, "shards": 3, "quality": 90, "resize": 200, "checksum": True}
    for name in ("expected", "disturbed"):
        (tmp_path / name).mkdir()
    recio.ray.pack(tmp_path / "a.lst", tmp_path / "expected" / "a", **settings)
    for flag, target in (("local", tmp_path / "disturbed" / "a"), ("stored", f"s3://{bucket}/a")):
        kill_in_packing(monkeypatch, tmp_path / flag, victim)
        recio.ray.pack(tmp_path / "a.lst", target, storage_options=options, **settings)
        assert (tmp_path / flag).exists()
    assert contents(tmp_path / "disturbed") == contents(tmp_path / "expected")
    assert {key: moto.get(bucket, key) for key in moto.keys(bucket)} == contents(tmp_path / "expected")


def kill_in_packing(patch: pytest.MonkeyPatch, flag: Path, victim: str) -> None:
    """Let the first task that has packed some of its lines kill."""
    killer = Killer(flag, victim)

    def progress(done: int, total: int, skipped: int) -> None:
        del skipped
        if 0 < done < total:
            killer()

    def pack_shard(task: Task, threads: int) -> PackReport:
        return original(task._replace(options={**task.options, "progress": progress}), threads)

    patch.setattr(_pack, "pack_shard", pack_shard)


original = _pack.pack_shard
