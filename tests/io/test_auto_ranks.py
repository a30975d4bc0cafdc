"""``num_parts='auto'``: the rank and the number of processes, from frameworks and launchers."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from recio._loader.ranks import shard_of
from recio.image import ImageIter
from recio.io import CSVIter, LibSVMIter
from tests.support.records import RecordFile, labels, numbers, open_iter, write_tiny

if TYPE_CHECKING:
    from pathlib import Path

VARIABLES = ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS")


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in ("torch", "jax"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def set_variables(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def add_torch(monkeypatch: pytest.MonkeyPatch, *, initialized: bool) -> None:
    torch = ModuleType("torch")
    torch.distributed = SimpleNamespace(  # type: ignore[attr-defined]
        is_available=lambda: True, is_initialized=lambda: initialized, get_world_size=lambda: 8, get_rank=lambda: 5
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


def add_jax(monkeypatch: pytest.MonkeyPatch, *, initialized: bool) -> None:
    jax = ModuleType("jax")
    jax.distributed = SimpleNamespace(is_initialized=lambda: initialized)  # type: ignore[attr-defined]
    jax.process_count, jax.process_index = (lambda: 6), (lambda: 4)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jax", jax)


def test_without_a_launcher_there_is_one_shard() -> None:
    assert shard_of("auto", 0) == (1, 0)
    assert shard_of(3, 2) == (3, 2)
    assert shard_of("3", "2") == (3, 2)


def test_variables_of_launchers(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, RANK="2", WORLD_SIZE="3", SLURM_PROCID="1", SLURM_STEP_NUM_TASKS="9")
    assert shard_of("auto", 0) == (3, 2)
    monkeypatch.delenv("RANK")
    with pytest.raises(ValueError, match="the environment has WORLD_SIZE, but not RANK"):
        shard_of("auto", 0)
    monkeypatch.delenv("WORLD_SIZE")
    assert shard_of("auto", 0) == (9, 1)


def test_a_batch_script_of_slurm_is_no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, SLURM_PROCID="0", SLURM_NTASKS="4")
    with pytest.raises(
        ValueError, match=r"SLURM_NTASKS is 4 and SLURM_STEP_NUM_TASKS is not set: .* start it with srun"
    ):
        shard_of("auto", 0)
    set_variables(monkeypatch, SLURM_NTASKS="1")
    assert shard_of("auto", 0) == (1, 0)


def test_frameworks_count_before_variables_if_they_are_initialized(monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, RANK="2", WORLD_SIZE="3")
    add_torch(monkeypatch, initialized=False)
    add_jax(monkeypatch, initialized=False)
    assert shard_of("auto", 0) == (3, 2)
    add_jax(monkeypatch, initialized=True)
    assert shard_of("auto", 0) == (6, 4)
    add_torch(monkeypatch, initialized=True)
    assert shard_of("auto", 0) == (8, 5)


@pytest.mark.parametrize(
    ("rank", "processes", "message"),
    [
        ("3", "3", "RANK and WORLD_SIZE has rank 3 of 3 processes"),
        ("0", "0", "has rank 0 of 0 processes"),
        ("-1", "3", "RANK must be an integer, got '-1'"),
        ("0", "two", "WORLD_SIZE must be an integer, got 'two'"),
    ],
)
def test_wrong_variables_are_named(rank: str, processes: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, RANK=rank, WORLD_SIZE=processes)
    with pytest.raises(ValueError, match=message):
        shard_of("auto", 0)


def test_a_part_index_is_refused() -> None:
    with pytest.raises(ValueError, match="part_index must not be given with num_parts='auto', got 1"):
        shard_of("auto", 1)
    with pytest.raises(TypeError, match="num_parts must be an integer, got 'all'"):
        shard_of("all", 0)


def test_iterators_read_their_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    set_variables(monkeypatch, RANK="1", WORLD_SIZE="2")
    file: RecordFile = write_tiny(tmp_path, 8)
    assert numbers(open_iter(file, num_parts="auto")) == [4, 5, 6, 7]
    assert numbers(open_iter(file, num_parts="auto", shard="global", batch_size=2)) == [2, 3, 6, 7]
    batches = ImageIter(2, (3, 8, 8), path_imgrec=str(file.rec), num_parts="auto")
    assert len(batches) == 2
    (tmp_path / "a.csv").write_text("1\n2\n3\n4\n")
    rows = CSVIter(data_csv=str(tmp_path / "a.csv"), data_shape=(1,), batch_size=1)
    assert [float(batch.data[0][0, 0]) for batch in rows] == [1, 2, 3, 4]
    (tmp_path / "a.txt").write_text("1 0:1\n2 0:2\n3 0:3\n4 0:4\n")
    lines = LibSVMIter(data_libsvm=str(tmp_path / "a.txt"), data_shape=(1,), batch_size=1, num_parts="auto")
    assert [labels(batch)[0] for batch in lines] == [3, 4]
