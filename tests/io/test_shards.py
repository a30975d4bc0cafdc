"""Shards of a data set for ranks that run in step: number of batches and padding."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import pytest

from recio.image import ImageIter
from tests.support.records import RecordFile, epochs, in_batch, numbers, open_iter, write_tiny

if TYPE_CHECKING:
    from pathlib import Path

    from recio.io import ImageRecordIter

Policy = Literal["pad", "drop", "uneven"]


def ranks(file: RecordFile, count: int, **settings: Any) -> list[ImageRecordIter]:  # noqa: ANN401 they are of many types
    return [open_iter(file, num_parts=count, part_index=index, **settings) for index in range(count)]


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("round_batch", [False, True])
@pytest.mark.parametrize(("records", "count"), [(9, 2), (10, 3), (17, 4), (5, 5), (33, 8)])
def test_ranks_have_equal_batch_counts_and_cover_every_record_once(
    tmp_path: Path, records: int, count: int, shuffle: bool, round_batch: bool
) -> None:
    file = write_tiny(tmp_path, records)
    streams = [list(epochs(rank, 3)) for rank in ranks(file, count, shuffle=shuffle, round_batch=round_batch)]
    for epoch in range(3):
        batches = [rank[epoch] for rank in streams]
        assert len({len(rank_batches) for rank_batches in batches}) == 1
        rank_numbers = [numbers(rank_batches) for rank_batches in batches]
        assert sorted(chain.from_iterable(rank_numbers)) == list(range(records))
        assert max(map(len, rank_numbers)) - min(map(len, rank_numbers)) <= 1


def test_short_rank_repeats_its_own_records_as_padding(tmp_path: Path) -> None:
    first, _ = ranks(write_tiny(tmp_path, 9), 2)
    assert [(in_batch(batch), batch.pad) for batch in first] == [([0, 1, 2, 3], 0), ([0, 1, 2, 3], 4)]


@pytest.mark.parametrize("shuffle", [False, True])
def test_drop_gives_each_rank_as_many_records_as_the_smallest(tmp_path: Path, shuffle: bool) -> None:
    rank_epochs = [
        [numbers(epoch) for epoch in epochs(rank, 12)]
        for rank in ranks(write_tiny(tmp_path, 11), 3, shard_policy="drop", shuffle=shuffle)
    ]
    for rank in rank_epochs:
        assert {len(epoch) for epoch in rank} == {3}
        assert all(len({*epoch}) == 3 for epoch in rank)
    seen = {*chain.from_iterable(chain.from_iterable(rank_epochs))}
    # With shuffling, other records are dropped in each epoch; else those at the end of the larger
    # shards.
    assert seen == {*range(11)} if shuffle else len(seen) == 9


@pytest.mark.parametrize("policy", ["pad", "drop"])
@pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
def test_ranks_of_image_iter_have_equal_batch_counts_over_many_epochs(
    tmp_path: Path, policy: Policy, handle: Literal["pad", "discard", "roll_over"]
) -> None:
    file = write_tiny(tmp_path, 17)
    counts: list[list[int]] = []
    for index in range(3):
        batches = ImageIter(
            4,
            (3, 8, 8),
            path_imgrec=file.rec,
            num_parts=3,
            part_index=index,
            last_batch_handle=handle,
            shard_policy=policy,
        )
        counts.append([])
        for _ in range(7):
            counts[-1].append(sum(1 for _ in batches))
            batches.reset()
    assert counts[0] == counts[1] == counts[2]
    assert sum(counts[0]) > 0


def test_uneven_shards_may_differ_by_a_batch(tmp_path: Path) -> None:
    uneven = ranks(write_tiny(tmp_path, 9), 2, shard_policy="uneven")
    assert [len(rank) for rank in uneven] == [len(list(rank)) for rank in uneven] == [1, 2]


def test_more_ranks_than_records_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"num_parts=3, but there are only 2 records: part 0 .*shard_policy=\"uneven\""
    ):
        ranks(write_tiny(tmp_path, 2), 3)


def test_unknown_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='shard_policy must be "pad", "drop" or "uneven", got "even"'):
        open_iter(write_tiny(tmp_path, 2), shard_policy="even")


class Hooked(ImageIter):
    """Iterator with a hook that takes decoded images."""

    def postprocess_data(self, datum: Any) -> Any:  # noqa: ANN401 an image
        return super().postprocess_data(datum)


class Decoding(ImageIter):
    """Iterator with a hook that decodes."""

    def imdecode(self, s: Any) -> Any:  # noqa: ANN401 as of ImageIter
        return super().imdecode(s)


@pytest.mark.parametrize("kind", [Hooked, Decoding])
@pytest.mark.parametrize("handle", ["pad", "discard", "roll_over"])
def test_ranks_with_hooks_have_equal_batch_counts(
    tmp_path: Path, kind: type[ImageIter], handle: Literal["pad", "discard", "roll_over"]
) -> None:
    file = write_tiny(tmp_path, 9)
    iterators = [
        kind(4, (3, 8, 8), path_imgrec=file.rec, num_parts=2, part_index=index, last_batch_handle=handle)
        for index in range(2)
    ]
    counts = [[batch.pad for batch in batches] for batches in iterators]
    assert counts == {"pad": [[0, 4], [0, 3]], "discard": [[0], [0]], "roll_over": [[0], [0]]}[handle]
