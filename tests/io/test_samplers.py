"""`recio.samplers`: orders, iterators that use them, ranks, states."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.datasets import RecordDataset
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageDetRecordIter, ImageRecordIter
from recio.recordio import IRHeader, pack
from recio.samplers import ClassBalancedSampler, PKSampler, Sampler, SubsetSampler, WeightedSampler
from tests.support.records import RecordFile, noise, open_iter, png, write_photos, write_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from recio.io import DataBatch

LABELS = [0] * 9 + [1] * 5 + [2] * 2 + [3] + [4] * 7
"""Identities of the records of `faces`: of 9, 5, 2, 1 and 7 images."""
COUNT = len(LABELS)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write records whose ids are their numbers."""
    images = (png(noise(12, 12, seed=number)) for number in range(COUNT))
    records = [pack(IRHeader(0, float(LABELS[number]), number, 0), image) for number, image in enumerate(images)]
    return write_records(tmp_path_factory.mktemp("faces"), records)


def ids(batches: Iterable[DataBatch]) -> list[list[int]]:
    """Return the ids of each batch, without pad."""
    return [list(map(int, batch.index[: len(batch.index) - (batch.pad or 0)])) for batch in batches]  # type: ignore[index,arg-type]


SAMPLERS: dict[str, Callable[..., Sampler]] = {
    "pk": lambda **ranks: PKSampler(LABELS, 2, 2, seed=3, **ranks),
    "balanced": lambda **ranks: ClassBalancedSampler(LABELS, seed=3, num_samples=26, **ranks),
    "weighted": lambda **ranks: WeightedSampler(np.arange(COUNT), seed=3, num_samples=30, **ranks),
    "weighted once": lambda **ranks: WeightedSampler(
        np.arange(COUNT) % 3, seed=3, replacement=False, num_samples=14, **ranks
    ),
    "subset": lambda **ranks: SubsetSampler([3, 1, 4, 15, 9, 2, 6], seed=3, **ranks),
    "subset in order": lambda **ranks: SubsetSampler([3, 1, 4, 15, 9, 2, 6], shuffle=False, **ranks),
}
ALL = pytest.mark.parametrize("make", SAMPLERS.values(), ids=SAMPLERS.keys())


def orders(sampler: Sampler, epochs: int = 4) -> list[list[int]]:
    return [np.asarray(sampler.order(epoch)).tolist() for epoch in range(epochs)]


# Orders.


@ALL
def test_an_order_is_a_function_of_seed_and_epoch(make: Callable[..., Sampler]) -> None:
    first = orders(make())
    assert first == orders(make())
    assert all(len(order) == make().num_samples for order in first)
    if make is not SAMPLERS["subset in order"]:
        assert all(a != b for a, b in itertools.pairwise(first))


def test_batches_of_pk_have_p_identities_with_k_images() -> None:
    for k in (1, 2, 4):
        sampler = PKSampler(LABELS, 3, k, num_samples=3 * k * 20, seed=1)
        for order in orders(sampler):
            for batch in np.reshape(order, (-1, 3, k)):
                groups = [{LABELS[record] for record in group} for group in batch]
                assert all(len(group) == 1 for group in groups)
                assert len(set.union(*groups)) == 3
                for group in batch:
                    assert len(set(group)) == min(k, LABELS.count(LABELS[group[0]]))


def test_the_default_length_is_that_of_the_data_set() -> None:
    assert PKSampler(LABELS, 2, 4).num_samples == COUNT // 8 * 8
    assert PKSampler(LABELS, 5, 10).num_samples == 50
    assert ClassBalancedSampler(LABELS).num_samples == WeightedSampler([1] * 7).num_samples + COUNT - 7 == COUNT


def test_classes_are_balanced() -> None:
    for order in orders(ClassBalancedSampler(LABELS, num_samples=52)):
        counts = Counter(LABELS[record] for record in order)
        assert sorted(counts.values()) == [10, 10, 10, 11, 11]
        # Records of a class are used equally often.
        for label in counts:
            of_class = Counter(record for record in order if LABELS[record] == label)
            assert max(of_class.values()) - min(of_class.values()) <= 1


def test_records_are_drawn_by_their_weights() -> None:
    order = np.asarray(WeightedSampler([1, 0, 3, 6], num_samples=20_000, seed=1).order(0))
    np.testing.assert_allclose(np.bincount(order, minlength=4) / 20_000, [0.1, 0, 0.3, 0.6], atol=0.02)
    once = WeightedSampler([1, 0, 3, 6], replacement=False)
    assert {record for epoch in orders(once) for record in epoch} == {0, 2, 3}
    assert all(len(set(order)) == 3 for order in orders(once))


def test_a_subset_has_each_record_once() -> None:
    assert all(sorted(order) == [2, 5, 9] for order in orders(SubsetSampler([9, 2, 5])))
    assert orders(SubsetSampler(np.array(LABELS) == 2, shuffle=False), 1) == [[14, 15]]


def test_a_shuffled_subset_of_all_records_is_shuffled_like_an_iterator(faces: RecordFile) -> None:
    sampled = open_iter(faces, sampler=SubsetSampler(np.arange(COUNT), seed=5))
    assert ids(sampled) == ids(open_iter(faces, shuffle=True, seed=5))


def test_a_subset_does_not_change_with_the_array_that_it_was_made_of() -> None:
    indices = np.array([4, 2, 6])
    sampler = SubsetSampler(indices, shuffle=False)
    for array in (indices, sampler.order(0)):
        array[:] = 0
    assert list(sampler) == [4, 2, 6]


def test_labels_may_be_names() -> None:
    sampler = ClassBalancedSampler(["cat", "dog", "dog", "dog"], seed=1)
    assert sorted(sampler.order(0).tolist()).count(0) == 2


@pytest.mark.parametrize("scale", [1e-322, 1e308])
def test_weights_may_be_tiny_or_huge(scale: float) -> None:
    sampler = WeightedSampler(np.full(8, scale), replacement=False)
    assert len({tuple(sampler.order(epoch).tolist()) for epoch in range(4)}) == 4
    assert len(set(WeightedSampler(np.full(8, scale), num_samples=100).order(0).tolist())) == 8


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: PKSampler(LABELS, 6, 2),
            ValueError,
            "identities_per_batch must be at most 5, the number of identities, got 6",
        ),
        (lambda: PKSampler(LABELS, 0, 2), ValueError, "identities_per_batch must be at least 1, got 0"),
        (lambda: PKSampler(LABELS, 2, 2, num_samples=6), ValueError, "num_samples must be a multiple of 4"),
        (lambda: PKSampler(np.zeros((4, 2)), 2, 2), ValueError, r"labels must have one value .* shape \(4, 2\)"),
        (lambda: ClassBalancedSampler([]), ValueError, "labels must have one value for each record"),
        (lambda: WeightedSampler([1, -1]), ValueError, "weights must be finite and at least 0"),
        (lambda: WeightedSampler([0, 0]), ValueError, "one must be more than 0"),
        (lambda: WeightedSampler([1, float("nan")]), ValueError, "weights must be finite"),
        (
            lambda: WeightedSampler([1, 0], replacement=False, num_samples=2),
            ValueError,
            "num_samples must be at most 1",
        ),
        (lambda: SubsetSampler([]), ValueError, "indices must have one value"),
        (lambda: SubsetSampler([False, False]), ValueError, "indices must be at least 0, and there must be one"),
        (lambda: SubsetSampler([3, -1]), ValueError, "indices must be at least 0"),
        (lambda: Sampler(3, records=0), ValueError, "records must be at least 1, got 0"),
        (lambda: SubsetSampler([0.5]), TypeError, "indices must be integers or booleans, got float64"),
        (lambda: SubsetSampler([1], num_parts=2, part_index=2), ValueError, "part_index must be less than num_parts=2"),
        (lambda: SubsetSampler([1], num_parts=0), ValueError, "num_parts must be at least 1, got 0"),
        (lambda: Sampler(3).order(0), NotImplementedError, "Sampler does not define order"),
    ],
)
def test_wrong_arguments_are_errors(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# Iterators.


@ALL
@pytest.mark.parametrize("threads", [1, 3])
def test_an_iterator_has_the_order_of_its_sampler(
    faces: RecordFile, make: Callable[..., Sampler], threads: int
) -> None:
    batches = open_iter(faces, sampler=make(), preprocess_threads=threads)
    for order in orders(make()):
        assert list(itertools.chain(*ids(batches))) == order
        batches.reset()
    assert len(batches) == -(-make().num_samples // 4)


@pytest.mark.parametrize("iterator", [ImageIter, ImageRecordIter])
def test_all_iterators_take_samplers(faces: RecordFile, iterator: type) -> None:
    batches = iterator(
        path_imgrec=faces.rec, data_shape=(3, 8, 8), batch_size=4, seed=1, sampler=SAMPLERS["balanced"]()
    )
    assert list(itertools.chain(*ids(batches))) == orders(SAMPLERS["balanced"]())[0]


@pytest.mark.parametrize("iterator", [ImageDetIter, ImageDetRecordIter])
def test_detection_takes_samplers(tmp_path: Path, iterator: type) -> None:
    labels = [[2.0, 5.0, 1.0, 0.1, 0.1, 0.9, 0.9], [2.0, 5.0], [2.0, 5.0, 0.0, 0.2, 0.2, 0.4, 0.4]]
    file = write_records(
        tmp_path, [pack(IRHeader(0, label, number, 0), png(noise(9, 9))) for number, label in enumerate(labels)]
    )
    settings: dict[str, Any] = {"path_imgrec": file.rec, "data_shape": (3, 8, 8), "batch_size": 2, "seed": 1}
    batches = iterator(**settings, sampler=SubsetSampler([2, 0, 2], shuffle=False))
    assert ids(batches) == [[2, 0], [2]]
    if iterator is ImageDetIter:
        # It skips images without objects, wherever they are.
        with pytest.raises(ValueError, match="the sampler returned record 1, which has no objects"):
            iterator(**settings, sampler=SubsetSampler([0, 1])).next()


def test_repeats_of_a_record_are_augmented_differently(tmp_path: Path) -> None:
    file = write_photos(tmp_path, 4)
    settings: dict[str, Any] = {"data_shape": (3, 48, 48), "random_resized_crop": True, "seed": 7, "batch_size": 3}
    repeated = open_iter(file, sampler=SubsetSampler([2, 2, 2], shuffle=False), **settings).next().data[0]
    assert not (repeated[0] == repeated[1]).all()
    assert not (repeated[1] == repeated[2]).all()
    once = open_iter(file, **settings).next().data[0]
    # The first one is that of an iterator without a sampler.
    np.testing.assert_array_equal(repeated[0], once[2])


@pytest.mark.parametrize("ranks", [2, 3])
@ALL
def test_ranks_have_slices_of_global_batches(faces: RecordFile, make: Callable[..., Sampler], ranks: int) -> None:
    parts = [open_iter(faces, sampler=make(), num_parts=ranks, part_index=rank) for rank in range(ranks)]
    assert len({len(part) for part in parts}) == 1
    batches = [ids(part) for part in parts]
    mixed = [record for group in zip(*batches, strict=True) for batch in group for record in batch]
    assert mixed == orders(make())[0]


@ALL
@pytest.mark.parametrize("delivered", [1, 3, 9])
def test_a_state_continues_exactly_on_other_numbers_of_ranks(
    faces: RecordFile, make: Callable[..., Sampler], delivered: int
) -> None:
    settings: dict[str, Any] = {"rand_mirror": True, "seed": 2}
    batches = open_iter(faces, sampler=make(), **settings)
    for _ in range(delivered):
        if next(batches, None) is None:
            batches.reset()
    state = json.loads(json.dumps(batches.state_dict()))
    resumed = open_iter(faces, sampler=make(), **settings)
    resumed.load_state_dict(state)
    for _ in range(2):
        for batch, other in itertools.zip_longest(batches, resumed):
            np.testing.assert_array_equal(batch.data[0], other.data[0])
            np.testing.assert_array_equal(batch.index, other.index)
        batches.reset()
        resumed.reset()


def test_a_state_of_another_sampler_is_refused(faces: RecordFile) -> None:
    state = open_iter(faces, sampler=SAMPLERS["pk"]()).state_dict()
    for other in (PKSampler(LABELS, 2, 2, seed=4), SAMPLERS["balanced"](), None):
        with pytest.raises(ValueError, match=r"the state does not fit .* sampler: "):
            open_iter(faces, sampler=other).load_state_dict(state)


class Failing(Sampler):
    """Sampler whose odd epochs fail."""

    def __init__(self, result: Callable[[], Any]) -> None:
        super().__init__(6)
        self.result = result

    def order(self, epoch: int) -> Any:  # noqa: ANN401 anything
        return self.result() if epoch % 2 else [5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (lambda: 1 // 0, ZeroDivisionError, "division"),
        (lambda: next(iter(())), RuntimeError, "the sampler raised StopIteration"),
        (lambda: [0, 1], ValueError, r"Failing.order must return 6 integers, got an array of shape \(2,\)"),
        (lambda: [0.5] * 6, ValueError, r"dtype float64 in epoch \d"),
        (lambda: [-1, 0, 0, 0, 0, 0], ValueError, r"must return numbers of records, got -1 to 0 in epoch \d"),
        (lambda: [0, 1, 2, 3, 4, COUNT], ValueError, f"the sampler returned record {COUNT}, but there are {COUNT}"),
    ],
)
def test_an_error_of_a_sampler_is_raised_by_next(
    faces: RecordFile, result: Callable[[], Any], error: type[Exception], message: str
) -> None:
    batches = open_iter(faces, sampler=Failing(result))
    for _ in range(2):
        assert ids(batches) == [[5, 4, 3, 2], [1, 0]]
        batches.reset()
        for _ in range(2):
            with pytest.raises(error, match=message):
                batches.next()
        with pytest.raises(StopIteration):
            batches.next()
        batches.reset()


def test_a_sampler_that_asks_its_own_iterator_for_the_order_is_an_error(faces: RecordFile) -> None:
    asking = 5

    class Asking(Sampler):
        batches: ImageIter

        def order(self, epoch: int) -> Any:  # noqa: ANN401 the keys
            # Those that are made ahead of the consumer's epoch may not ask.
            return [int(key) for key in self.batches.seq or ()] if epoch == asking else range(6)

    sampler = Asking(6)
    sampler.batches = ImageIter(4, (3, 8, 8), path_imgrec=faces.rec, path_imgidx=faces.idx, seed=1, sampler=sampler)
    assert len(ids(sampler.batches)) == 2
    sampler.batches.set_epoch(asking)
    with pytest.raises(ValueError, match="a sampler asks its own iterator for its order"):
        sampler.batches.next()
    sampler.batches.close()


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"sampler": SAMPLERS["pk"](), "shuffle": True}, ValueError, "sampler and shuffle=True exclude each other"),
        ({"sampler": SAMPLERS["pk"](), "batch_size": 8}, ValueError, "batch_size must be 4 with this sampler, got 8"),
        ({"sampler": WeightedSampler([1, 2])}, ValueError, f"the sampler is for 2 records, but there are {COUNT}"),
        ({"sampler": SAMPLERS["pk"](num_parts=2)}, ValueError, "num_parts must be passed to the iterator"),
        ({"sampler": [1, 2]}, TypeError, "sampler must be a sampler of recio.samplers, .* got list"),
        ({"sampler": SAMPLERS["subset"](), "shard_policy": "drop"}, ValueError, "shard_policy is of contiguous shards"),
    ],
)
def test_what_does_not_fit_the_iterator_is_an_error(
    faces: RecordFile, settings: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        open_iter(faces, **settings)


def test_damaged_records_are_skipped(tmp_path: Path) -> None:
    images = [png(noise(8, 8, seed=number)) for number in range(6)]
    images[2] = b"no image"
    file = write_records(tmp_path, [pack(IRHeader(0, 0.0, n, 0), image) for n, image in enumerate(images)])
    batches = open_iter(file, sampler=SubsetSampler([1, 2, 3, 2, 5], shuffle=False), on_error="skip", batch_size=5)
    batch = batches.next()
    assert (batch.index.tolist(), batch.pad) == ([1, 3, 5, 1, 3], 2)
    assert [error.record for error in batches.errors] == [2]


def test_a_mean_image_is_that_of_all_records(faces: RecordFile, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"path_imgrec": faces.rec, "data_shape": (3, 12, 12), "batch_size": 4}
    for name, sampler in (("sampled", SubsetSampler([3, 3, 3])), ("all", None)):
        ImageRecordIter(**settings, mean_img=tmp_path / f"{name}.npy", sampler=sampler)
    np.testing.assert_array_equal(np.load(tmp_path / "sampled.npy"), np.load(tmp_path / "all.npy"))


# Loops over samplers, as PyTorch's DataLoader makes them.


@ALL
def test_each_loop_is_an_epoch(make: Callable[..., Sampler]) -> None:
    sampler = make()
    assert [list(sampler) for _ in range(4)] == orders(make())
    assert (len(sampler), sampler.epoch) == (sampler.num_samples, 3)


@ALL
@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_ranks_have_as_many_and_together_all(make: Callable[..., Sampler], ranks: int) -> None:
    parts = [make(num_parts=ranks, part_index=rank) for rank in range(ranks)]
    for order in orders(make(), 2):
        lists = [list(part) for part in parts]
        assert {len(records) for records in lists} == {len(parts[0])}
        turn = parts[0].batch_size or 1
        mixed = np.reshape(lists, (ranks, -1, turn)).transpose(1, 0, 2).ravel().tolist()
        assert mixed[: len(order)] == order
        assert mixed[len(order) :] == order[: len(mixed) - len(order)]


def test_loops_and_iterators_make_the_same_batches(faces: RecordFile) -> None:
    for rank in range(2):
        batches = open_iter(faces, sampler=SAMPLERS["pk"](), num_parts=2, part_index=rank)
        sampler = SAMPLERS["pk"](num_parts=2, part_index=rank)
        records = np.reshape(list(sampler), (-1, 4)).tolist()
        assert [batch.index.tolist() for batch in batches] == records


@ALL
@pytest.mark.parametrize("taken", [0, 1, 5, 7])
def test_a_loop_continues_from_a_state(make: Callable[..., Sampler], taken: int) -> None:
    sampler, resumed = make(), make()
    list(sampler)
    loop = iter(sampler)
    list(itertools.islice(loop, taken))
    resumed.load_state_dict(json.loads(json.dumps(sampler.state_dict())))
    resumed.set_epoch(resumed.epoch)
    left = orders(make())[1][taken:] if taken else orders(make())[1]
    assert list(resumed) == (left or orders(make())[2])
    assert list(resumed) == orders(make())[2 if left else 3]


def test_set_epoch_and_broken_loops() -> None:
    sampler, expected = SAMPLERS["balanced"](), orders(SAMPLERS["balanced"]())
    next(iter(sampler))
    assert list(sampler) == expected[1]
    sampler.set_epoch(0)
    assert list(sampler) == expected[0]
    sampler.set_epoch(0)
    assert list(sampler) == expected[0]
    iter(sampler)
    assert list(sampler) == expected[1]


def test_a_loop_begins_with_its_first_number() -> None:
    resumed, expected = SAMPLERS["balanced"](), orders(SAMPLERS["balanced"]())
    sampler = SAMPLERS["balanced"]()
    next(iter(sampler))
    resumed.load_state_dict(sampler.state_dict())
    loop = iter(resumed)
    # As Lightning does.
    resumed.set_epoch(0)
    assert list(loop) == expected[0][1:]


def test_states_of_other_samplers_are_refused() -> None:
    state = SAMPLERS["pk"]().state_dict()
    with pytest.raises(ValueError, match="the state is of PKSampler, not of ClassBalancedSampler"):
        SAMPLERS["balanced"]().load_state_dict(state)
    with pytest.raises(ValueError, match="num_parts: 1 in the state, 2 here"):
        SAMPLERS["pk"](num_parts=2).load_state_dict(state)


def test_labels_of_a_data_set_are_what_samplers_take(faces: RecordFile) -> None:
    sampler = PKSampler(RecordDataset(faces.rec).labels(), 2, 2, seed=3)
    assert orders(sampler) == orders(SAMPLERS["pk"]())
    assert repr(sampler) == "<PKSampler: 24 samples an epoch>"
