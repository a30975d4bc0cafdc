"""Grain: `recio.grain.IterDataset`, and `RecordDataset` as a data source."""

from __future__ import annotations

import functools
import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import grain
import numpy as np
import pytest
from absl import flags

import recio.grain
from recio.datasets import RecordDataset
from recio.image import CreateAugmenter, batch as decode_batch
from recio.io import NDArrayIter
from tests.support.records import RecordFile, open_iter, threads, write_photos

if TYPE_CHECKING:
    from collections.abc import Iterable

BATCH, BATCHES = 4, 6
"""Size of a batch, and batches of an epoch, of which the last has 2 samples of pad."""


@pytest.fixture(scope="module", autouse=True)
def _flags() -> None:
    """Let Grain start processes, as `absl.app.run` does."""
    flags.FLAGS.mark_as_parsed()


def dataset(file: RecordFile, num_epochs: int | None = 1, **settings: Any) -> Any:  # noqa: ANN401 Grain has no types
    opened = functools.partial(open_iter, file, shuffle=True, seed=5, **settings)
    return recio.grain.IterDataset(opened, num_epochs=num_epochs).map(lambda batch: batch["id"])


def expected(file: RecordFile, count: int) -> list[list[int]]:
    """Return the ids of the batches of some epochs."""
    batches = open_iter(file, shuffle=True, seed=5)
    found = []
    for _ in range(count):
        found += [batch.index.tolist() for batch in batches]
        batches.reset()
    return found


def ids(elements: Iterable[Any]) -> list[list[int]]:
    return [element.tolist() for element in elements]


def test_an_element_is_a_dictionary_of_arrays_of_one_shape(tiny: RecordFile) -> None:
    elements = list(recio.grain.IterDataset(lambda: open_iter(tiny)))
    batches = list(open_iter(tiny))
    assert len(elements) == BATCHES
    for element, batch in zip(elements, batches, strict=True):
        assert list(element) == ["image", "label", "id", "valid"]
        np.testing.assert_array_equal(element["image"], batch.data[0])
        np.testing.assert_array_equal(element["label"], batch.label[0])
        np.testing.assert_array_equal(element["id"], batch.index)
    assert [int(element["valid"].sum()) for element in elements] == [BATCH] * (BATCHES - 1) + [2]
    assert elements[-1]["valid"].tolist() == [True, True, False, False]


def test_epochs_differ_and_their_number_is_given(tiny: RecordFile) -> None:
    three = expected(tiny, 3)
    assert ids(dataset(tiny)) == three[:BATCHES]
    assert ids(dataset(tiny, num_epochs=3)) == three
    endless = iter(dataset(tiny, num_epochs=None))
    assert ids(next(endless) for _ in range(3 * BATCHES)) == three
    assert three[:BATCHES] != three[BATCHES : 2 * BATCHES]


def test_each_iterator_has_batches_of_its_own(tiny: RecordFile) -> None:
    data = dataset(tiny)
    first, second = iter(data), iter(data)
    assert ids([next(first), next(second), next(first)]) == [expected(tiny, 1)[i] for i in (0, 0, 1)]
    assert ids(data) == expected(tiny, 1)


@pytest.mark.parametrize("done", [0, 3, BATCHES, BATCHES + 3, 2 * BATCHES])
def test_a_state_is_exact_in_all_positions(tiny: RecordFile, done: int) -> None:
    stopped = iter(dataset(tiny, num_epochs=2))
    for _ in range(done):
        next(stopped)
    resumed = iter(dataset(tiny, num_epochs=2, preprocess_threads=1))
    resumed.set_state(json.loads(json.dumps(stopped.get_state())))
    assert ids(resumed) == ids(stopped) == expected(tiny, 2)[done:]


def test_a_state_continues_in_another_process(tiny: RecordFile) -> None:
    data = dataset(tiny, num_epochs=2)
    stopped = iter(data)
    next(stopped)
    code = f"""
import json, sys
from tests.frameworks.test_grain import RecordFile, dataset, ids
from pathlib import Path
resumed = iter(dataset(RecordFile(Path({str(tiny.rec)!r}), Path({str(tiny.idx)!r})), num_epochs=2))
resumed.set_state(json.load(sys.stdin))
print(json.dumps(ids(resumed)))
"""
    state = json.dumps(stopped.get_state())
    done = subprocess.run([sys.executable, "-c", code], input=state, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == expected(tiny, 2)[1:]


def test_grains_own_check_of_checkpoints_passes(tiny: RecordFile) -> None:
    grain.experimental.assert_equal_output_after_checkpoint(dataset(tiny, num_epochs=2))


def test_a_process_of_grains_prefetches_with_exact_states(tiny: RecordFile) -> None:
    data = dataset(tiny, num_epochs=2).mp_prefetch(grain.MultiprocessingOptions(num_workers=1))
    stopped, resumed = iter(data), iter(data)
    assert ids(next(stopped) for _ in range(3)) == expected(tiny, 1)[:3]
    resumed.set_state(stopped.get_state())
    assert ids(resumed) == expected(tiny, 2)[3:]
    stopped.close()
    resumed.close()


def test_several_processes_of_grains_are_an_error(tiny: RecordFile) -> None:
    data = iter(dataset(tiny).mp_prefetch(grain.MultiprocessingOptions(num_workers=2)))
    with pytest.raises(ValueError, match="Cannot slice `IterDataset` source"):
        next(data)
    data.close()


def test_close_stops_the_threads(tiny: RecordFile) -> None:
    data = iter(dataset(tiny))
    next(data)
    assert threads()
    data.close()
    assert threads() == []
    with pytest.raises(ValueError, match="closed iterator"):
        next(data)


def test_an_epoch_without_batches_is_the_end() -> None:
    opened = functools.partial(NDArrayIter, np.zeros(3), np.zeros(3), batch_size=4, last_batch_handle="discard")
    assert list(recio.grain.IterDataset(opened, num_epochs=None)) == []


def test_wrong_arguments(tiny: RecordFile) -> None:
    with pytest.raises(ValueError, match="num_epochs must be at least 1, got 0"):
        dataset(tiny, num_epochs=0)
    with pytest.raises(TypeError, match="open_batches must return an iterator of recio, got list"):
        iter(recio.grain.IterDataset(list))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="open_batches must be a function, got ImageRecordIter"):
        recio.grain.IterDataset(open_iter(tiny))  # type: ignore[arg-type]


# RecordDataset as a data source.


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_photos(tmp_path_factory.mktemp("photos"), 12)


def test_a_record_dataset_is_a_source(photos: RecordFile) -> None:
    source = RecordDataset(photos.rec)
    assert isinstance(source, grain.sources.RandomAccessDataSource)
    data = grain.MapDataset.source(source).seed(1).shuffle().map(lambda sample: sample[1])
    assert sorted(data) == list(range(12))
    assert list(data) == list(data) != sorted(data)
    assert [label for _, label in grain.MapDataset.source(source)[1::3]] == [1, 4, 7, 10]


def test_states_of_a_map_dataset_are_exact(photos: RecordFile) -> None:
    data = grain.MapDataset.source(RecordDataset(photos.rec)).shuffle(seed=1).map(lambda sample: sample[1])
    data = data.repeat(2).batch(5).to_iter_dataset()
    stopped = iter(data)
    next(stopped)
    resumed = iter(data)
    resumed.set_state(stopped.get_state())
    rest = ids(stopped)
    assert ids(resumed) == rest
    assert sum(map(len, rest)) == 24 - 5


def test_encoded_images_are_decoded_by_batches(photos: RecordFile) -> None:
    augmenters = CreateAugmenter((3, 32, 32), rand_crop=True, rand_mirror=True)

    def decode(samples: list[tuple[int, bytes, float]]) -> dict[str, Any]:
        numbers, payloads, labels = zip(*samples, strict=True)
        images = decode_batch(payloads, (3, 32, 32), augmenters, seed=1, ids=numbers)
        return {"image": images, "label": np.array(labels)}

    source = grain.MapDataset.source(RecordDataset(photos.rec, decode=False))
    data = source.map_with_index(lambda number, sample: (number, *sample)).batch(4, batch_fn=decode)
    settings = {"data_shape": (3, 32, 32), "aug_list": augmenters, "seed": 1, "dtype": "float32"}
    for element, batch in zip(data, open_iter(photos, **settings), strict=True):
        np.testing.assert_array_equal(element["image"], batch.data[0])
        np.testing.assert_array_equal(element["label"], batch.label[0])


def loader(file: RecordFile, shard: int = 0, shards: int = 1) -> Any:  # noqa: ANN401 Grain has no types
    sampler = grain.samplers.IndexSampler(
        num_records=12,
        shard_options=grain.sharding.ShardOptions(shard_index=shard, shard_count=shards),
        shuffle=True,
        num_epochs=1,
        seed=3,
    )
    source = RecordDataset(file.rec)
    return grain.DataLoader(data_source=source, sampler=sampler, operations=[Label()], worker_count=0)


class Label(grain.transforms.Map):  # type: ignore[misc]
    """Label of a sample."""

    def map(self, element: tuple[Any, float]) -> float:
        return element[1]


def test_a_data_loader_shards_and_resumes(photos: RecordFile) -> None:
    shards = [list(loader(photos, shard, 3)) for shard in range(3)]
    assert sorted(label for labels in shards for label in labels) == list(range(12))
    stopped = iter(loader(photos))
    first = [next(stopped) for _ in range(5)]
    resumed = iter(loader(photos))
    resumed.set_state(stopped.get_state())
    rest = list(resumed)
    assert rest == list(stopped)
    assert sorted(first + rest) == list(range(12))


def test_the_representation_of_a_source_is_the_same_in_other_processes(photos: RecordFile) -> None:
    source = RecordDataset(photos.rec)
    assert repr(pickle.loads(pickle.dumps(source))) == repr(source) == repr(RecordDataset(photos.rec))  # noqa: S301
    assert "0x" not in repr(source)
