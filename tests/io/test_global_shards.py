"""Global shards: every rank has a slice of each global batch, and a state fits any number of ranks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import ImageIter
from tests.support.records import FIRST_ID, RecordFile, open_iter, write_tiny

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from recio._loader.native_iter import PipelineIter
    from recio.io import ImageBatch, ImageRecordIter

GLOBAL_BATCH = 16
RECORDS = 50


@pytest.fixture(scope="module")
def fifty(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write 50 tiny images."""
    return write_tiny(tmp_path_factory.mktemp("fifty"), RECORDS)


def ranks(file: RecordFile, count: int, **settings: Any) -> list[ImageRecordIter]:  # noqa: ANN401 of many types
    settings = {"shuffle": True, "seed": 5, "rand_mirror": True, **settings}
    settings = {"batch_size": GLOBAL_BATCH // count, **settings}
    return [open_iter(file, shard="global", num_parts=count, part_index=rank, **settings) for rank in range(count)]


def joined(batches: list[ImageBatch]) -> tuple[bytes, list[int], int]:
    """Return the pixels, ids and pad of a global batch."""
    data = np.concatenate([batch.data[0] for batch in batches])
    return data.tobytes(), [int(i) for batch in batches for i in batch.index], sum(batch.pad for batch in batches)


def global_batches(iterators: Sequence[PipelineIter], count: int) -> Iterator[tuple[bytes, list[int], int] | None]:
    """Yield the next global batches, and None at the end of each epoch."""
    for _ in range(count):
        batches = [next(iterator, None) for iterator in iterators]
        if None in batches:
            assert batches == [None] * len(batches)
            for iterator in iterators:
                iterator.reset()
            yield None
        else:
            yield joined([batch for batch in batches if batch is not None])


@pytest.mark.parametrize("settings", [{}, {"shuffle": False}, {"round_batch": False}])
@pytest.mark.parametrize("count", [1, 2, 4, 16])
def test_global_batches_are_those_of_one_rank(fifty: RecordFile, count: int, settings: dict[str, Any]) -> None:
    alone = open_iter(fifty, batch_size=GLOBAL_BATCH, **{"shuffle": True, "seed": 5, "rand_mirror": True, **settings})
    expected = list(global_batches([alone], 11))
    assert list(global_batches(ranks(fifty, count, **settings), 11)) == expected
    assert expected.count(None) == 2


def test_an_epoch_has_every_record_once_and_ranks_mix(fifty: RecordFile) -> None:
    iterators = ranks(fifty, 4)
    first_rank = set()
    for _ in range(3):
        seen = []
        for rank, iterator in enumerate(iterators):
            own = [int(i) for batch in iterator for i in batch.index[: len(batch.index) - batch.pad]]
            first_rank |= {*own} if rank == 0 else set()
            seen += own
            iterator.reset()
        assert sorted(seen) == list(range(FIRST_ID, FIRST_ID + RECORDS))
    assert len(first_rank) > RECORDS / 4 + 5
    assert {len(iterator) for iterator in iterators} == {4}


@pytest.mark.parametrize("settings", [{}, {"round_batch": False}, {"shuffle": False}])
def test_a_state_resumes_on_any_number_of_ranks(fifty: RecordFile, settings: dict[str, Any]) -> None:
    expected = list(global_batches(ranks(fifty, 1, **settings), 20))
    found = []
    states: list[str] = []
    for count, batches in ((4, 2), (2, 5), (8, 3), (1, 1), (16, 4), (4, 5)):
        iterators = ranks(fifty, count, **settings)
        for rank, iterator in enumerate(iterators):
            if states:
                iterator.load_state_dict(json.loads(states[rank % len(states)]))
        found += list(global_batches(iterators, batches))
        states = [json.dumps(iterator.state_dict()) for iterator in iterators]
        assert len({*states}) == 1
    assert found == expected


def test_roll_over_resumes_on_any_number_of_ranks(fifty: RecordFile) -> None:
    def open_ranks(count: int) -> list[ImageIter]:
        options: dict[str, Any] = {"path_imgrec": str(fifty.rec), "data_shape": (3, 4, 4), "shuffle": True, "seed": 3}
        options |= {"last_batch_handle": "roll_over", "num_parts": count, "shard": "global"}
        return [ImageIter(GLOBAL_BATCH // count, part_index=rank, **options) for rank in range(count)]

    expected = list(global_batches(open_ranks(1), 15))
    found, state = [], None
    for count, batches in ((4, 5), (2, 4), (8, 6)):
        iterators = open_ranks(count)
        for iterator in iterators:
            if state is not None:
                iterator.load_state_dict(state)
        found += list(global_batches(iterators, batches))
        state = iterators[-1].state_dict()
    assert found == expected


def test_skipped_records_are_pad_and_change_no_other_slot(fifty: RecordFile, tmp_path: Path) -> None:
    bad = [3, 17, 40]
    damaged = damage(fifty, bad, tmp_path)
    clean = list(global_batches(ranks(fifty, 1), 9))
    for count in (1, 2, 8):
        iterators = ranks(damaged, count, on_error="skip")
        found = list(global_batches(iterators, 5))
        state = iterators[0].state_dict()
        resumed = ranks(damaged, 4, on_error="skip")
        for iterator in resumed:
            iterator.load_state_dict(state)
        found += list(global_batches(resumed, 4))
        assert [batch is None for batch in found] == [batch is None for batch in clean]
        for ours, theirs in zip(found, clean, strict=True):
            if ours and theirs and not theirs[2]:
                kept = {*theirs[1]} - {FIRST_ID + number for number in bad}
                assert kept <= {*ours[1]}
                assert ours[2] == GLOBAL_BATCH - len(kept)


def damage(file: RecordFile, numbers: list[int], folder: Path) -> RecordFile:
    """Write a copy of a file in which the images of some records are none."""
    data = bytearray(file.rec.read_bytes())
    for number in numbers:
        begin = file.offsets[number] + 8 + 24
        data[begin : begin + 8] = b"not PNG!"
    damaged = RecordFile(folder / "damaged.rec", file.idx)
    damaged.rec.write_bytes(data)
    return damaged


def test_max_errors_counts_among_all_records(fifty: RecordFile, tmp_path: Path) -> None:
    damaged = damage(fifty, [0, 10, 20, 30, 40], tmp_path)
    batches = ranks(damaged, 8, on_error="skip", max_errors=0.11)[0]
    for _ in range(20):
        for _batch in batches:
            pass
        batches.reset()
    assert len(batches.errors) == 5


def test_repeated_records_that_are_skipped_are_errors_of_their_own_rank(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, 20, "twenty")
    damaged = damage(file, [0, 1, 19], tmp_path)
    # The last global batch has 4 records, and repeats the first 4.
    errors = []
    for iterator in ranks(damaged, 2, on_error="skip", shuffle=False, batch_size=4):
        assert len(list(iterator)) == 3
        errors.append([error.record for error in iterator.errors])
    assert errors == [[0, 1, 19], []]


def test_a_batch_of_one_damaged_record_is_pad(fifty: RecordFile, tmp_path: Path) -> None:
    damaged = damage(fifty, [0], tmp_path)
    for round_batch in (True, False):
        batches = open_iter(
            damaged,
            batch_size=1,
            shard="global",
            num_parts=2,
            on_error="skip",
            round_batch=round_batch,
        )
        assert [batch.pad for batch in batches] == [1] + [0] * 24
        assert [error.record for error in batches.errors] == [0]


def test_states_of_another_global_batch_or_of_contiguous_shards_do_not_fit(fifty: RecordFile) -> None:
    state = ranks(fifty, 2)[0].state_dict()
    other = open_iter(fifty, batch_size=4, shard="global", num_parts=2, shuffle=True, seed=5, rand_mirror=True)
    with pytest.raises(ValueError, match="global_batch_size: 16 in the state, 8 here"):
        other.load_state_dict(state)
    contiguous = open_iter(fifty, batch_size=8, num_parts=2, shuffle=True, seed=5, rand_mirror=True)
    with pytest.raises(ValueError, match="global_batch_size: 16 in the state, absent here"):
        contiguous.load_state_dict(state)
    with pytest.raises(ValueError, match="global_batch_size: absent in the state, 16 here"):
        ranks(fifty, 2)[0].load_state_dict(contiguous.state_dict())


def test_more_ranks_than_records(fifty: RecordFile) -> None:
    pads = [next(iterator).pad for iterator in ranks(write_tiny(fifty.rec.parent, 5, "five"), 16)]
    assert pads == [0] * 5 + [1] * 11


def test_set_epoch_and_sizes(fifty: RecordFile) -> None:
    iterators = ranks(fifty, 4)
    for iterator in iterators:
        iterator.set_epoch(2)
    expected = list(global_batches(ranks(fifty, 1), 11))
    assert list(global_batches(iterators, 1)) == [expected[10]]


def test_wrong_arguments(fifty: RecordFile) -> None:
    for policy in ("drop", "uneven"):
        with pytest.raises(
            ValueError, match='shard_policy is of contiguous shards; with a sampler or shard="global" all ranks'
        ):
            open_iter(fifty, shard="global", shard_policy=policy)
    with pytest.raises(ValueError, match='shard must be "contiguous" or "global", got "some"'):
        open_iter(fifty, shard="some")
    with pytest.raises(ValueError, match="seed must be given with shard='global'"):
        ImageIter(2, (3, 4, 4), path_imgrec=str(fifty.rec), shard="global")


def test_a_hook_that_reads_is_refused(fifty: RecordFile) -> None:
    class Own(ImageIter):
        def next_sample(self) -> Any:  # noqa: ANN401
            return super().next_sample()

    batches = Own(2, (3, 4, 4), path_imgrec=str(fifty.rec), shard="global", num_parts=2, seed=0)
    with pytest.raises(
        ValueError, match="next_sample, imdecode and read_image cannot be overridden with a sampler or shard='global'"
    ):
        batches.next()
