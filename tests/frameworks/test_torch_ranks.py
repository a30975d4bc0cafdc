"""Ranks of DistributedDataParallel: shards, equal numbers of batches, one state for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.frameworks.torchrun import run

if TYPE_CHECKING:
    from tests.support.records import RecordFile


@pytest.fixture(scope="module")
def ranks(tiny: RecordFile, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    return run("ddp.py", tmp_path_factory.mktemp("ddp"), tiny.rec)


def test_ranks_return_every_record_once_in_as_many_batches(ranks: list[Any]) -> None:
    for epoch in range(3):
        first, second = (rank["epochs"][epoch] for rank in ranks)
        assert len(first) == len(second) == 3
        # 11 records each: a repeat fills the last batch.
        ids = [number for batches in (first, second) for batch in batches for number in batch[:4]]
        assert sorted(set(ids)) == list(range(22))
        assert len(ids) == 24
        assert not {n for batch in first for n in batch} & {n for batch in second for n in batch}


def test_epochs_have_other_orders(ranks: list[Any]) -> None:
    for rank in ranks:
        assert len({str(batches) for batches in rank["epochs"]}) == 3


def test_all_ranks_continue_from_the_state_of_rank_0(ranks: list[Any]) -> None:
    for rank in ranks:
        assert rank["resumed"] == rank["epochs"][0][2:]


def test_evaluation_counts_every_record_once(ranks: list[Any]) -> None:
    assert sorted(number for rank in ranks for batch in rank["evaluated"] for number in batch) == list(range(22))
