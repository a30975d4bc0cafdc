"""Ray Train: each worker opens an iterator of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import recio
import recio.ray
from tests.ray.clusters import Killer
from tests.support.records import FIRST_ID

if TYPE_CHECKING:
    from tests.support.records import RecordFile

pytest.importorskip("pydantic", reason="Ray Train is not installed")
from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

from ray import train

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.usefixtures("two_cores")]


def train_worker(config: dict[str, Any]) -> None:
    """Read two epochs, and write down the ids of each."""
    context = train.get_context()
    batches = recio.io.ImageRecordIter(
        path_imgrec=config["shards"],
        data_shape=(3, 32, 32),
        batch_size=10,
        shuffle=True,
        seed=1,
        shard="global",
        num_parts=context.get_world_size(),
        part_index=context.get_world_rank(),
        preprocess_threads=1,
    )
    if checkpoint := train.get_checkpoint():
        with checkpoint.as_directory() as folder:
            batches.load_state_dict(json.loads(Path(folder, "state.json").read_text()))
    while (epoch := batches.epoch) < 2:
        ids = []
        for number, batch in enumerate(batches):
            ids += batch.index[: 10 - batch.pad].tolist()
            if (epoch, number) == (1, 3) and config["killer"]:
                config["killer"]()
        Path(config["folder"], f"{epoch}-{context.get_world_rank()}.json").write_text(json.dumps(ids))
        batches.reset()
        folder = Path(config["folder"], f"checkpoint-{batches.epoch}")
        if context.get_world_rank() == 0:
            folder.mkdir(exist_ok=True)
            (folder / "state.json").write_text(json.dumps(batches.state_dict()))
        saved = train.Checkpoint(folder) if context.get_world_rank() == 0 else None
        train.report({"epoch": epoch}, checkpoint=saved)


def fit(shards: list[str], folder: Path, killer: Killer | None = None) -> list[list[int]]:
    """Train, and return the ids of both epochs and both workers."""
    folder.mkdir()
    trainer = DataParallelTrainer(
        train_worker,
        train_loop_config={"shards": shards, "folder": str(folder), "killer": killer},
        scaling_config=train.ScalingConfig(num_workers=2),
        run_config=train.RunConfig(
            storage_path=str(folder / "runs"), failure_config=train.FailureConfig(max_failures=1)
        ),
    )
    assert trainer.fit().metrics == {"epoch": 1}
    return [json.loads((folder / f"{epoch}-{rank}.json").read_text()) for epoch in range(2) for rank in range(2)]


def test_workers_read_each_record_once_also_after_a_worker_was_killed(many: RecordFile, tmp_path: Path) -> None:
    shards = [str(report.rec) for report in recio.files.split(many.rec, 3, tmp_path / "a")]
    expected = fit(shards, tmp_path / "expected")
    for epoch in range(2):
        ids = expected[2 * epoch] + expected[2 * epoch + 1]
        assert sorted(ids) == [FIRST_ID + number for number in range(300)]
    killer = Killer(tmp_path / "killed", "worker")
    assert fit(shards, tmp_path / "disturbed", killer) == expected
    assert killer.flag.exists()
