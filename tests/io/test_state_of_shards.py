"""A state of any shard is loaded by every shard of as many, which then has delivered as many batches."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from recio.image import ImageIter
from recio.io import CSVIter, LibSVMIter, MNISTIter, PrefetchingIter
from tests.support.records import RecordFile, image_record, noise, open_iter, png, write_records, write_tiny

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTS = 2


def records(count: int, folder: Path) -> RecordFile:
    return write_tiny(folder, count, f"records{count}")


def opened(file: RecordFile, part: int, **settings: Any) -> Any:  # noqa: ANN401 they are of many types
    return open_iter(file, shuffle=True, seed=2, num_parts=PARTS, part_index=part, **settings)


def image_iter(file: RecordFile, part: int, **settings: Any) -> ImageIter:  # noqa: ANN401 they are of many types
    shard: dict[str, Any] = {"num_parts": PARTS, "part_index": part, "shuffle": True, "seed": 4}
    return ImageIter(3, (3, 8, 8), path_imgrec=file.rec, **shard, **settings)


def rest(batches: Any, done: list[Any]) -> list[Any]:  # noqa: ANN401 an iterator of any kind
    """Return the steps that follow those that were done."""
    return list(steps(batches))[done[-1:] == ["end"] :]


def steps(batches: Any, epochs: int = 3) -> Iterator[Any]:  # noqa: ANN401 an iterator of any kind
    """Return the remaining batches of so many epochs, their ends and resets."""
    for _ in range(epochs):
        for batch in batches:
            yield batch.index.tolist(), batch.pad
        yield "end"
        batches.reset()
        yield "reset"


KINDS: dict[str, Any] = {
    "ImageRecordIter": opened,
    "ImageRecordIter, zeros": lambda file, part: opened(file, part, round_batch=False),
    "ImageRecordIter, drop": lambda file, part: opened(file, part, shard_policy="drop"),
    "ImageIter": image_iter,
    "ImageIter, discard": lambda file, part: image_iter(file, part, last_batch_handle="discard"),
    "ImageIter, roll over and drop": lambda file, part: image_iter(
        file, part, last_batch_handle="roll_over", shard_policy="drop"
    ),
    "PrefetchingIter": lambda file, part: PrefetchingIter(opened(file, part)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [16, 17, 18, 23])
def test_state_of_one_shard_fits_the_other_at_every_position(tmp_path: Path, kind: str, count: int) -> None:
    """With shards of the same length, and of lengths that differ by one, also at a border of batches."""
    make, file = KINDS[kind], records(count, tmp_path)
    for saved, other in ((0, 1), (1, 0)):
        expected = list(steps(make(file, other)))
        reading = make(file, saved)
        walk = steps(reading)
        for done in range(len(expected)):
            resumed = make(file, other)
            resumed.load_state_dict(reading.state_dict())
            assert rest(resumed, expected[:done])[: len(expected) - done] == expected[done:], done
            next(walk)


@pytest.mark.parametrize("count", [16, 18])
def test_state_of_equal_shards_that_roll_over(tmp_path: Path, count: int) -> None:
    file = records(count, tmp_path)
    expected = list(steps(image_iter(file, 1, last_batch_handle="roll_over")))
    reading = image_iter(file, 0, last_batch_handle="roll_over")
    walk = steps(reading)
    for done in range(len(expected)):
        resumed = image_iter(file, 1, last_batch_handle="roll_over")
        resumed.load_state_dict(reading.state_dict())
        assert rest(resumed, expected[:done])[: len(expected) - done] == expected[done:], done
        next(walk)


def test_positions_that_depend_on_the_shard_are_refused_by_name(tmp_path: Path) -> None:
    file = records(17, tmp_path)
    rolling = [image_iter(file, part, last_batch_handle="roll_over") for part in range(PARTS)]
    with pytest.raises(ValueError, match="parts of different lengths have different positions: save a state of each"):
        rolling[1].load_state_dict(rolling[0].state_dict())
    uneven = [opened(file, part, shard_policy="uneven") for part in range(PARTS)]
    with pytest.raises(ValueError, match="part_index: 0 in the state, 1 here"):
        uneven[1].load_state_dict(uneven[0].state_dict())
    bad = write_records(tmp_path, [image_record(b"none" if n == 1 else png(noise(8, 8)), n) for n in range(16)], "bad")
    skipping = [open_iter(bad, num_parts=PARTS, part_index=part, on_error="skip") for part in range(PARTS)]
    skipping[0].next()
    with pytest.raises(ValueError, match="samples were skipped: save a state of each part"):
        skipping[1].load_state_dict(skipping[0].state_dict())


def test_wrong_number_of_a_shard_is_refused(tmp_path: Path) -> None:
    batches = opened(records(16, tmp_path), 0)
    state = batches.state_dict()
    for part in (2, -1, "0", None, 2**70):
        with pytest.raises(ValueError, match="the state's part_index must be from 0 to 1 here"):
            batches.load_state_dict({**state, "position": {**state["position"], "part_index": part}})


def test_shards_of_text_and_arrays(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("".join(f"{n}\n" for n in range(12)))
    (tmp_path / "a.t").write_text("".join(f"{n} 0:1\n" for n in range(12)))
    (tmp_path / "image").write_bytes(struct.pack(">4I", 0x803, 12, 1, 1) + bytes(12))
    (tmp_path / "label").write_bytes(struct.pack(">2I", 0x801, 12) + bytes(12))

    def make(kind: type, part: int) -> Any:  # noqa: ANN401 one of three
        files: dict[Any, dict[str, Any]] = {
            CSVIter: {"data_csv": tmp_path / "a.csv", "data_shape": 1},
            LibSVMIter: {"data_libsvm": tmp_path / "a.t", "data_shape": 1},
            MNISTIter: {"image": tmp_path / "image", "label": tmp_path / "label"},
        }
        shard = {} if kind is CSVIter else {"num_parts": PARTS, "part_index": part}
        return kind(batch_size=2, **files[kind], **shard)

    for kind in (CSVIter, LibSVMIter, MNISTIter):
        first, second, expected = (make(kind, part) for part in (0, 1, 1))
        first.next(), expected.next()
        second.load_state_dict(first.state_dict())
        assert list(steps(second, 1)) == list(steps(expected, 1))
