"""Batches depend only on (seed, epoch, record): hashes of complete streams are equal."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.records import RecordFile, digest, epochs, images, numbers, open_iter

if TYPE_CHECKING:
    from numpy.typing import NDArray

AUGMENTED: dict[str, Any] = {
    "data_shape": (3, 32, 32),
    "batch_size": 7,
    "resize": 40,
    "rand_crop": True,
    "rand_mirror": True,
    "inter_method": 10,
}


def digests(photos: RecordFile, count: int = 2, **settings: Any) -> list[str]:  # noqa: ANN401 settings are of many types
    """Return the hash of each of the first epochs."""
    batches = open_iter(photos, **{**AUGMENTED, "shuffle": True, **settings})
    return [digest(epoch) for epoch in epochs(batches, count)]


@pytest.fixture(scope="module")
def expected(photos: RecordFile) -> list[str]:
    return digests(photos, seed=5)


@pytest.mark.parametrize("prefetch", [1, 4])
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_batches_do_not_depend_on_threads_or_prefetch(
    photos: RecordFile, expected: list[str], threads: int, prefetch: int
) -> None:
    assert digests(photos, seed=5, preprocess_threads=threads, prefetch_buffer=prefetch) == expected


def test_resized_crops_do_not_depend_on_threads(photos: RecordFile) -> None:
    settings = {"rand_crop": False, "random_resized_crop": True}
    assert digests(photos, preprocess_threads=1, **settings) == digests(photos, preprocess_threads=4, **settings)


def test_epochs_differ(photos: RecordFile) -> None:
    assert len(set(digests(photos, count=3))) == 3


def test_seeds_differ_in_order_and_in_augmentation(photos: RecordFile) -> None:
    for shuffle in (False, True):
        assert len({digests(photos, count=1, seed=seed, shuffle=shuffle)[0] for seed in (0, 1, 2**64 - 1)}) == 3


def test_without_randomness_epochs_and_seeds_are_equal(photos: RecordFile) -> None:
    plain = {"shuffle": False, "rand_crop": False, "rand_mirror": False, "inter_method": 1}
    assert len({*digests(photos, seed=0, **plain), *digests(photos, seed=1, **plain)}) == 1


def test_epoch_does_not_depend_on_reading_earlier_epochs(photos: RecordFile) -> None:
    settings = {**AUGMENTED, "shuffle": True, "seed": 5}
    complete, partial = open_iter(photos, **settings), open_iter(photos, **settings)
    for count in (1, 2, 3):
        list(complete)
        for _ in range(count):
            partial.next()
        complete.reset()
        partial.reset()
    assert digest(complete) == digest(partial)


def by_number(photos: RecordFile, **settings: Any) -> dict[int, NDArray[np.uint8]]:  # noqa: ANN401
    """Read an epoch, and return the images by record number."""
    batches = list(open_iter(photos, **{**AUGMENTED, **settings}))
    return dict(zip(numbers(batches), images(batches), strict=True))


@pytest.mark.parametrize("other", [{"shuffle": True}, {"batch_size": 4}, {"path_imgidx": True}], ids=str)
def test_augmentation_does_not_depend_on_the_position(photos: RecordFile, other: dict[str, Any]) -> None:
    if "path_imgidx" in other:
        other = {"path_imgidx": photos.idx}
    first, second = by_number(photos), by_number(photos, **other)
    assert first.keys() == second.keys()
    assert all(np.array_equal(image, second[number]) for number, image in first.items())


def test_shards_of_an_epoch_make_up_the_epoch(photos: RecordFile) -> None:
    """Training on several machines sees the same images as on one machine."""
    full = by_number(photos)
    shards = [by_number(photos, num_parts=3, part_index=index) for index in range(3)]
    assert sorted(itertools.chain(*shards)) == sorted(full)
    assert all(np.array_equal(image, full[number]) for shard in shards for number, image in shard.items())


def test_images_have_different_augmentations(photos: RecordFile) -> None:
    """The random stream of an image differs from those of other images and other epochs."""
    batches = open_iter(photos, **AUGMENTED)
    first, second = (images(epoch) for epoch in epochs(batches, 2))
    assert sum(np.array_equal(*pair) for pair in zip(first, second, strict=True)) <= 2
