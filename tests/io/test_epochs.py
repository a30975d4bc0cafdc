"""`epoch` and `set_epoch` of all iterators with epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import ImageIter
from recio.io import DataBatch, NDArrayIter, PrefetchingIter, ResizeIter
from tests.io.test_state_dict import Counter, csv, libsvm, mnist
from tests.support.records import RecordFile, open_iter, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("epochs"), 10)


class Hooked(ImageIter):
    """Iterator with a hook that reads."""

    def next_sample(self) -> Any:  # noqa: ANN401 as of the base
        return super().next_sample()


def shuffled(_: Path | None = None, __: RecordFile | None = None, **settings: Any) -> NDArrayIter:  # noqa: ANN401
    return NDArrayIter(np.arange(10), batch_size=4, shuffle=True, **{"seed": 3, **settings})


def records(_: Path, file: RecordFile, **settings: Any) -> Any:  # noqa: ANN401 they are of many types
    return open_iter(file, shuffle=True, seed=5, **settings)


def image_iter(kind: type[ImageIter], file: RecordFile, **settings: Any) -> ImageIter:  # noqa: ANN401
    return kind(4, (3, 8, 8), path_imgrec=file.rec, shuffle=True, seed=1, **settings)


KINDS: dict[str, Callable[[Path, RecordFile], Any]] = {
    "ImageRecordIter": records,
    "ImageRecordIter, zeros": lambda folder, file: records(folder, file, round_batch=False),
    "ImageIter": lambda _, file: image_iter(ImageIter, file),
    "ImageIter, discard": lambda _, file: image_iter(ImageIter, file, last_batch_handle="discard"),
    "ImageIter with a hook": lambda _, file: image_iter(Hooked, file),
    "NDArrayIter": shuffled,
    "CSVIter": lambda folder, _: csv(folder),
    "LibSVMIter": lambda folder, _: libsvm(folder),
    "MNISTIter": lambda folder, _: mnist(folder),
    "ResizeIter": lambda *_: ResizeIter(shuffled(), 3),
    "PrefetchingIter": lambda *_: PrefetchingIter(shuffled()),
    "PrefetchingIter of ImageRecordIter": lambda folder, file: PrefetchingIter(records(folder, file)),
    "PrefetchingIter of two": lambda *_: PrefetchingIter([shuffled(), shuffled(seed=9)]),
}
ROLLING: dict[str, Callable[[Path, RecordFile], Any]] = {
    "ImageIter": lambda _, file: image_iter(ImageIter, file, last_batch_handle="roll_over"),
    "ImageIter with a hook": lambda _, file: image_iter(Hooked, file, last_batch_handle="roll_over"),
    "NDArrayIter": lambda *_: shuffled(last_batch_handle="roll_over"),
}


def ids(batch: DataBatch) -> list[int]:
    assert batch.index is not None
    return [int(number) for number in batch.index]


def epochs(batches: Any, count: int) -> list[list[list[int]]]:  # noqa: ANN401 an iterator of any kind
    """Read epochs as reset begins them, and check their numbers."""
    read = []
    for number in range(count):
        assert batches.epoch == number
        read.append([ids(batch) for batch in batches])
        assert batches.epoch == number
        batches.reset()
    return read


@pytest.mark.parametrize("kind", KINDS)
def test_set_epoch_goes_to_the_beginning_of_any_epoch(tmp_path: Path, tiny: RecordFile, kind: str) -> None:
    expected = epochs(KINDS[kind](tmp_path, tiny), 4)
    batches = KINDS[kind](tmp_path, tiny)
    for number in (2, 0, 3, 3, 1):
        batches.set_epoch(number)
        assert batches.epoch == number
        assert [ids(batch) for batch in batches] == expected[number]
    batches.set_epoch(0)
    batches.next()
    batches.set_epoch(3)
    assert [ids(batch) for batch in batches] == expected[3]


@pytest.mark.parametrize("kind", KINDS | ROLLING)
def test_set_epoch_within_the_epoch_has_no_effect(tmp_path: Path, tiny: RecordFile, kind: str) -> None:
    make = {**KINDS, **ROLLING}[kind]
    expected = epochs(make(tmp_path, tiny), 2)
    batches = make(tmp_path, tiny)
    for epoch in expected:
        for batch in epoch:
            batches.set_epoch(batches.epoch)
            assert ids(batches.next()) == batch
        batches.reset()


@pytest.mark.parametrize("kind", KINDS)
def test_set_epoch_right_after_a_state_was_loaded_has_no_effect(tmp_path: Path, tiny: RecordFile, kind: str) -> None:
    batches = KINDS[kind](tmp_path, tiny)
    for _ in batches:
        pass
    batches.reset()
    batches.next()
    state = batches.state_dict()
    following = ids(batches.next())
    resumed = KINDS[kind](tmp_path, tiny)
    resumed.load_state_dict(state)
    assert resumed.epoch == 1
    resumed.set_epoch(1)
    assert ids(resumed.next()) == following


@pytest.mark.parametrize("kind", ROLLING)
def test_next_epoch_begins_with_the_samples_that_roll_over(tmp_path: Path, tiny: RecordFile, kind: str) -> None:
    expected = epochs(ROLLING[kind](tmp_path, tiny), 3)
    batches = ROLLING[kind](tmp_path, tiny)
    for number, epoch in enumerate(expected):
        batches.set_epoch(number)
        assert [ids(batch) for batch in batches] == epoch
    # No samples roll over into an epoch that does not follow.
    batches.set_epoch(0)
    assert [ids(batch) for batch in batches] == expected[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("epoch", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError), (None, TypeError)])
def test_invalid_epoch_is_refused(
    tmp_path: Path,
    tiny: RecordFile,
    kind: str,
    epoch: Any,  # noqa: ANN401 of any type
    error: type[Exception],
) -> None:
    with pytest.raises(error, match="epoch must be"):
        KINDS[kind](tmp_path, tiny).set_epoch(epoch)


def test_epoch_past_all_numbers_is_refused(tmp_path: Path, tiny: RecordFile) -> None:
    for make in (records, shuffled):
        with pytest.raises(ValueError, match="epoch must be from 0 to"):
            make(tmp_path, tiny).set_epoch(2**50)


def test_order_of_numpys_generator_has_only_a_next_epoch() -> None:
    batches = shuffled(seed=None)
    batches.next()
    batches.set_epoch(1)
    assert batches.epoch == 1
    with pytest.raises(NotImplementedError, match="pass a seed"):
        batches.set_epoch(7)


def test_wrapper_of_an_iterator_without_epochs() -> None:
    with pytest.raises(NotImplementedError, match=r"iters\[0\] has no epoch: Counter"):
        _ = PrefetchingIter(Counter()).epoch
    resized = ResizeIter(Counter(), 2)
    resized.set_epoch(1)
    assert resized.epoch == 1
    with pytest.raises(NotImplementedError, match="data_iter has no set_epoch: Counter"):
        resized.set_epoch(5)
    with pytest.raises(NotImplementedError, match="reset_internal=False"):
        ResizeIter(shuffled(), 2, reset_internal=False).set_epoch(5)
