"""Row R18: a process is killed at any moment, and another goes on exactly where its last state says.

With another number of threads and another prefetch depth, and nothing replayed: the rest of the epoch and the next one
are those of a process that was never killed, byte for byte, and every sample comes once. `test_state_dict.py` has the
iterators in Python, `test_on_error.py` damaged files.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import time
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from recio.image import ImageIter
from recio.io import ImageDetRecordIter, ImageRecordIter
from tests.support.boxes import write_objects
from tests.support.processes import exit_code, fork
from tests.support.records import RecordFile, noise, numbers, open_iter, png, write_images

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from recio.io import DataBatch

Iter: TypeAlias = "ImageRecordIter | ImageDetRecordIter | ImageIter"
RECORDS = 50
EPOCHS = 3
CROPPED: dict[str, Any] = {
    "shuffle": True,
    "rand_crop": True,
    "rand_mirror": True,
    "seed": 5,
    "data_shape": (3, 16, 16),
}
KINDS: dict[str, tuple[type[Iter], dict[str, Any]]] = {
    "shuffled and augmented": (ImageRecordIter, CROPPED),
    "in order": (ImageRecordIter, {"data_shape": (3, 16, 16)}),
    "filled up with zeros": (ImageRecordIter, {**CROPPED, "round_batch": False}),
    "the second of two parts": (ImageRecordIter, {**CROPPED, "num_parts": 2, "part_index": 1}),
    "an uneven part": (ImageRecordIter, {**CROPPED, "num_parts": 3, "part_index": 2, "shard_policy": "uneven"}),
    "of objects": (
        ImageDetRecordIter,
        {"shuffle": True, "seed": 5, "rand_mirror_prob": 0.5, "data_shape": (3, 16, 16)},
    ),
    "ImageIter": (ImageIter, {"shuffle": True, "seed": 5, "rand_mirror": True, "data_shape": (3, 24, 24)}),
    "ImageIter that rolls over": (
        ImageIter,
        {"shuffle": True, "seed": 5, "last_batch_handle": "roll_over", "data_shape": (3, 24, 24)},
    ),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[type[Iter], RecordFile]:
    folder = tmp_path_factory.mktemp("files")
    images = write_images(folder, [png(noise(24, 24, seed=seed)) for seed in range(RECORDS)], "images")
    objects = write_objects(folder, RECORDS)
    return {ImageRecordIter: images, ImageIter: images, ImageDetRecordIter: objects}


@pytest.fixture
def images(files: dict[type[Iter], RecordFile]) -> RecordFile:
    return files[ImageRecordIter]


def make(files: dict[type[Iter], RecordFile], kind: str, threads: int = 2, prefetch: int = 2) -> Iter:
    which, settings = KINDS[kind]
    pace: dict[str, Any] = {"preprocess_threads": threads, "prefetch_buffer": prefetch}
    return which(path_imgrec=files[which].rec, batch_size=4, **pace, **settings)


def steps(batches: Iter, epochs: int = EPOCHS) -> Iterator[str]:
    """Return a hash of each remaining batch of so many epochs, and their ends; reset when the next is requested."""
    for _ in range(epochs):
        for batch in batches:
            yield fingerprint(batch)
        yield "the end"
        batches.reset()


def fingerprint(batch: DataBatch) -> str:
    """Return the numbers of a batch's records without padding, and a hash of everything in it."""
    assert batch.index is not None
    sha = hashlib.sha256(batch.index.tobytes())
    for array in (*batch.data, *(batch.label or [])):
        sha.update(array.tobytes())
    return f"{numbers([batch])} {batch.pad} {sha.hexdigest()}"


def killed_after(batches: Callable[[], Iter], count: int) -> tuple[list[str], Any]:
    """Let another process read, and kill it when it has told of so many steps: give these, and its last state."""
    result, into = os.pipe()

    def read() -> None:
        os.close(result)
        with os.fdopen(into, "w", buffering=1) as out:
            reading = batches()
            for step in steps(reading):
                out.write(json.dumps([step, reading.state_dict()]) + "\n")
        signal.pause()

    child = fork(read)
    os.close(into)
    with os.fdopen(result) as told:
        lines = [json.loads(line) for line in islice(told, count)]
    os.kill(child, signal.SIGKILL)
    exit_code(child)
    return [step for step, _ in lines], lines[-1][1]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_stream_resumes_exactly_after_a_kill(files: dict[type[Iter], RecordFile], kills: int) -> None:
    draw = random.Random(11)
    whole = {kind: list(steps(make(files, kind))) for kind in KINDS}
    for number in range(kills):
        kind = list(KINDS)[number % len(KINDS)]
        ends = [place for place, step in enumerate(whole[kind]) if step == "the end"]
        count = draw.choice([draw.randint(1, ends[-2]), ends[0], ends[0] + 1])
        threads, prefetch = draw.choice([1, 2, 3, 8]), draw.choice([1, 2, 5])
        seen, state = killed_after(lambda: make(files, kind), count)  # noqa: B023 called at once
        assert seen == whole[kind][:count]
        resumed = make(files, kind, threads, prefetch)
        resumed.load_state_dict(state)
        done = sum(end < count - 1 for end in ends)
        rest = list(steps(resumed, EPOCHS - done))
        # A state at an epoch's end, before the reset, is one at the end: that comes again.
        again = seen[-1] == "the end"
        assert rest == whole[kind][count - again :], f"{kind}, {count} steps, {threads} threads, prefetch {prefetch}"


@pytest.mark.parametrize("kind", ["shuffled and augmented", "in order", "filled up with zeros", "ImageIter"])
def test_every_sample_is_read_once(files: dict[type[Iter], RecordFile], kind: str) -> None:
    for count in range(RECORDS // 4 + 1):
        first = make(files, kind)
        seen = numbers(islice(first, count))
        resumed = make(files, kind, threads=1)
        resumed.load_state_dict(first.state_dict())
        assert sorted(seen + numbers(resumed)) == list(range(RECORDS))


@pytest.mark.parametrize("kind", KINDS)
def test_state_is_at_most_1_kib_of_json(files: dict[type[Iter], RecordFile], kind: str) -> None:
    batches = make(files, kind)
    sizes = [len(json.dumps(batches.state_dict(), allow_nan=False)) for _ in steps(batches)]
    print(f"{max(sizes)} bytes")  # noqa: T201
    assert max(sizes) <= 1024


def test_loading_a_state_decodes_nothing_again(images: RecordFile) -> None:
    """Only what is prefetched where it goes on: of small batches, these are some 32 images."""
    made: list[None] = []

    def counted(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        made.append(None)
        return image

    def settled() -> int:
        """Return the number of images that were made, when no more are."""
        count = -1
        while count != len(made):
            count = len(made)
            time.sleep(0.3)
        return count

    settings: dict[str, Any] = {"data_shape": (3, 24, 24), "batch_size": 1, "prefetch_buffer": 1, "aug_list": [counted]}
    first = open_iter(images, **settings)
    for _ in range(RECORDS - 5):
        first.next()
    resumed = open_iter(images, **settings)
    before = settled()
    resumed.load_state_dict(first.state_dict())
    assert numbers([resumed.next()]) == [RECORDS - 5]
    assert settled() - before < RECORDS - 5


@pytest.mark.parametrize(
    ("settings", "difference"),
    [
        ({"seed": 6}, "seed"),
        ({"batch_size": 5}, "batch_size"),
        ({"shuffle": False}, "shuffle"),
        ({"num_parts": 2}, "num_parts"),
        ({"data_shape": (3, 8, 8)}, "data_shape"),
        ({"rand_mirror": False}, "augmentation"),
        ({"dtype": "float32"}, "dtype"),
    ],
    ids=str,
)
def test_state_of_other_settings_is_refused_by_name(
    images: RecordFile, settings: dict[str, Any], difference: str
) -> None:
    taken, here, untouched = (open_iter(images, **{**CROPPED, **more}) for more in (settings, {}, {}))
    taken.next()
    with pytest.raises(ValueError, match=rf"does not fit.*\b{difference}\b"):
        here.load_state_dict(taken.state_dict())
    assert list(steps(here)) == list(steps(untouched))


def test_state_of_another_file_or_iterator_is_refused(
    files: dict[type[Iter], RecordFile], images: RecordFile, tmp_path: Path
) -> None:
    here = open_iter(images, **CROPPED)
    other = write_images(tmp_path, [png(noise(24, 24, seed=seed + 1)) for seed in range(RECORDS)], "other")
    with pytest.raises(ValueError, match="does not fit"):
        here.load_state_dict(open_iter(other, **CROPPED).state_dict())
    with pytest.raises(ValueError, match="the state is of ImageDetRecordIter, not of ImageRecordIter"):
        here.load_state_dict(make(files, "of objects").state_dict())


class StatefulLoader:
    """What torchdata's ``StatefulDataLoader`` does with a data set that has a state, in a few lines.

    It asks for the state after each batch, and is asked for its own by the training loop.
    """

    def __init__(self, batches: Iter) -> None:
        self._batches, self._state, self._given = batches, batches.state_dict(), 0

    def __iter__(self) -> Iterator[str]:
        for batch in self._batches:
            self._given += 1
            self._state = self._batches.state_dict()
            yield fingerprint(batch)
        self._batches.reset()
        self._state, self._given = self._batches.state_dict(), 0

    def state_dict(self) -> dict[str, Any]:
        return {"_steps_since_iter": self._given, "_dataset_state": self._state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._given = state["_steps_since_iter"]
        self._batches.load_state_dict(state["_dataset_state"])


def test_stateful_data_loader_resumes_in_any_epoch(files: dict[type[Iter], RecordFile]) -> None:
    kind = "shuffled and augmented"
    loader = StatefulLoader(make(files, kind))
    whole = [list(loader) for _ in range(EPOCHS)]
    for epoch, count in [(0, 1), (0, 7), (1, 0), (1, 3), (2, 12)]:
        first = StatefulLoader(make(files, kind))
        for _ in range(epoch):
            list(first)
        seen = list(islice(first, count))
        saved = json.dumps(first.state_dict())
        resumed = StatefulLoader(make(files, kind, threads=1, prefetch=1))
        resumed.load_state_dict(json.loads(saved))
        assert seen + list(resumed) == whole[epoch]
