"""Lightning: every epoch is complete, and goes on exactly from a checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.frameworks.lightning_runs import Recorder, every_batch, every_epoch, fit
from tests.frameworks.loaders import epochs
from tests.frameworks.torchrun import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile

pytestmark = pytest.mark.filterwarnings("default")

EPOCHS = 3
BATCHES = 6
"""Batches of an epoch."""


@pytest.fixture(scope="module")
def saved(tiny: RecordFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train two epochs, with a checkpoint after each batch and each epoch."""
    folder = tmp_path_factory.mktemp("checkpoints")
    fit(Recorder(str(tiny.rec)), EPOCHS, callbacks=[every_batch(folder), every_epoch(folder)])
    return folder


def expected(rec: Path, count: int = EPOCHS) -> list[tuple[int, list[int]]]:
    """Return the batches of a run without interruption."""
    return [(epoch, batch) for epoch, batches in enumerate(epochs(rec, count)) for batch in batches]


def test_every_epoch_has_all_its_batches(tiny: RecordFile) -> None:
    model = fit(Recorder(str(tiny.rec)), EPOCHS)
    assert model.batches == expected(tiny.rec)
    assert len(model.batches) == EPOCHS * BATCHES


def test_an_epoch_may_be_limited(tiny: RecordFile) -> None:
    model = fit(Recorder(str(tiny.rec)), EPOCHS, limit_train_batches=2)
    assert model.batches == [(epoch, batch) for epoch in range(EPOCHS) for batch in epochs(tiny.rec, EPOCHS)[epoch][:2]]


@pytest.mark.parametrize("done", [1, 5, 6, 7, 11, 12, 13])
def test_a_checkpoint_continues_with_the_batch_after_it(tiny: RecordFile, saved: Path, done: int) -> None:
    model = fit(Recorder(str(tiny.rec)), EPOCHS, checkpoint=saved / f"{done}.ckpt")
    assert model.batches == expected(tiny.rec)[done:]


@pytest.mark.parametrize("epoch", [0, 1])
def test_a_checkpoint_of_an_epochs_end_continues_with_the_next_epoch(tiny: RecordFile, saved: Path, epoch: int) -> None:
    model = fit(Recorder(str(tiny.rec)), EPOCHS, checkpoint=saved / f"epoch-{epoch}.ckpt")
    assert model.batches == expected(tiny.rec)[(epoch + 1) * BATCHES :]


def test_validation_has_every_sample_once_and_does_not_disturb_training(tiny: RecordFile) -> None:
    model = fit(Recorder(str(tiny.rec), str(tiny.rec)), 2, val_check_interval=0.5, num_sanity_val_steps=2)
    assert model.batches == expected(tiny.rec, 2)
    once = epochs(tiny.rec, 1, shuffle=False, drop_pad=True)[0]
    assert sorted(number for batch in once for number in batch) == list(range(22))
    assert model.validated == once * 4


@pytest.mark.parametrize("done", [2, 3, 4, 6, 9])
def test_a_checkpoint_of_a_run_with_validation(tiny: RecordFile, tmp_path: Path, done: int) -> None:
    """Validation comes after 3 and 6 batches, and has four."""
    rec = str(tiny.rec)
    fit(Recorder(rec, rec), 2, callbacks=[every_batch(tmp_path)], val_check_interval=0.5)
    model = fit(Recorder(rec, rec), 2, checkpoint=tmp_path / f"{done}.ckpt", val_check_interval=0.5)
    assert model.batches == expected(tiny.rec, 2)[done:]


def test_two_ranks_continue_from_checkpoints_of_rank_0(tiny: RecordFile, tmp_path: Path) -> None:
    found = run("on_lightning.py", tmp_path, tiny.rec)
    for rank, result in enumerate(found):
        shard = {"num_parts": 2, "part_index": rank}
        whole = [[epoch, batch] for epoch, batches in enumerate(epochs(tiny.rec, EPOCHS, **shard)) for batch in batches]
        assert len(whole) == EPOCHS * BATCHES // 2
        assert result["batches"] == whole
        assert result["resumed"] == {"2": whole[2:], "3": whole[3:], "5": whole[5:], "epoch-0": whole[3:]}
        assert result["validated"] == epochs(tiny.rec, 1, shuffle=False, drop_pad=True, **shard)[0] * EPOCHS
    validated = [number for result in found for batch in result["validated"] for number in batch]
    assert sorted(validated) == sorted([*range(22)] * EPOCHS)
