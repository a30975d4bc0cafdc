"""Sets of more than 65,536 records, whose order is computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.records import FIRST_ID, RecordFile, open_iter, write_tiny

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.io import ImageRecordIter

RECORDS = 66_000
BATCH = 400


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write tiny images."""
    return write_tiny(tmp_path_factory.mktemp("large"), RECORDS)


def open_large(file: RecordFile, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 of many types
    return open_iter(file, **{"path_imgidx": file.idx, "shuffle": True, "batch_size": BATCH, **settings})


def order(batches: ImageRecordIter, count: int) -> NDArray[np.int64]:
    """Return the numbers of the records of the next batches."""
    return np.concatenate([next(batches).index.astype(np.int64) for _ in range(count)]) - FIRST_ID


def test_an_epoch_has_every_record_once_in_another_order(large: RecordFile) -> None:
    batches = open_large(large, seed=3)
    first = order(batches, RECORDS // BATCH)
    assert (np.sort(first) == np.arange(RECORDS)).all()
    batches.reset()
    second = order(batches, 20)
    assert np.count_nonzero(first[: len(second)] == second) < 5
    # Positions and records are uncorrelated, and so are neighbors.
    assert abs(np.corrcoef(first, np.arange(RECORDS))[0, 1]) < 0.02
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 0.02


def test_states_fit_other_ranks_and_not_another_version_of_the_order(large: RecordFile) -> None:
    batches = open_large(large, seed=4, shard="global")
    order(batches, 7)
    state = batches.state_dict()
    expected = order(batches, 1)
    ranks = [
        open_large(large, seed=4, shard="global", batch_size=BATCH // 2, num_parts=2, part_index=rank)
        for rank in range(2)
    ]
    for rank in ranks:
        rank.load_state_dict(state)
    assert np.concatenate([order(rank, 1) for rank in ranks]).tolist() == expected.tolist()
    del state["settings"]["order"]
    with pytest.raises(ValueError, match="order: absent in the state, 2 here"):
        ranks[0].load_state_dict(state)
