"""Row R29: a changed state is a ValueError or a position, never a hang; one of other labels is refused."""

from __future__ import annotations

import itertools
import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import ImageIter
from recio.io import ImageMaskRecordIter, NDArrayIter, PrefetchingIter, ResizeIter
from tests.io.test_state_dict import csv, libsvm, mnist
from tests.support.records import RecordFile, image_record, noise, open_iter, png, write_records, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class ReadingHook(ImageIter):
    """Iterator with a hook that reads."""

    def next_sample(self) -> Any:  # noqa: ANN401 as of the base
        return super().next_sample()


def rolling(kind: type[ImageIter], file: RecordFile) -> ImageIter:
    return kind(4, (3, 8, 8), path_imgrec=file.rec, shuffle=True, seed=1, last_batch_handle="roll_over")


def arrays(handle: Any = "roll_over") -> NDArrayIter:  # noqa: ANN401 a literal
    return NDArrayIter(np.arange(10), batch_size=4, shuffle=True, seed=1, last_batch_handle=handle)


KINDS: dict[str, Callable[[Path, RecordFile], Any]] = {
    "ImageRecordIter": lambda _, file: open_iter(file, shuffle=True),
    "ImageIter that rolls over": lambda _, file: rolling(ImageIter, file),
    "ImageIter with a hook": lambda _, file: rolling(ReadingHook, file),
    "NDArrayIter": lambda *_: arrays("pad"),
    "NDArrayIter that rolls over": lambda *_: arrays(),
    "CSVIter": lambda folder, _: csv(folder),
    "LibSVMIter": lambda folder, _: libsvm(folder),
    "MNISTIter": lambda folder, _: mnist(folder),
    "ResizeIter": lambda *_: ResizeIter(arrays(), 4),
    "PrefetchingIter": lambda *_: PrefetchingIter(arrays()),
    "PrefetchingIter of ImageIter": lambda _, file: PrefetchingIter(rolling(ImageIter, file)),
}
VALUES: list[Any] = [
    None, True, 0, 1, 3, 4, 9, 10, 11, -1, 2**31, 2**39, 2**40, 2**63, 2**64, 10**30, 0.5, float("nan"), float("inf"),
    "", "0", "\x1b[2J", [], [0], [0, 0], [0, 10], [2**39, 0], [0, 0, 0], [-1, 0], ["a", "b"], {}, {"a": 1}, [[[]]],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 any value of a state
    """Return the paths to all values in a state."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def changed(state: Any, path: tuple[Any, ...], value: Any) -> Any:  # noqa: ANN401 any value of a state
    """Return a copy of a state with another value at a path."""
    if not path:
        return value
    copy = json.loads(json.dumps(state))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


def refusal(batches: Any, state: Any) -> str:  # noqa: ANN401 an iterator of any kind
    """Load a state; return the message if it is refused."""
    try:
        batches.load_state_dict(state)
    except ValueError as error:
        return str(error)
    return ""


def try_to_load(batches: Any, state: Any) -> None:  # noqa: ANN401 an iterator of any kind
    """Load a state; if that succeeds, read the rest of two epochs."""
    message = refusal(batches, state)
    assert "\x1b" not in message
    if message:
        return
    for _ in range(2):
        assert sum(1 for _ in itertools.islice(batches, 100)) < 100
        batches.reset()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("states"), 10)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", KINDS)
def test_changed_state_is_refused_or_a_position(tmp_path: Path, tiny: RecordFile, kind: str) -> None:
    """Each value is replaced by many others, and at random two of them."""
    batches = KINDS[kind](tmp_path, tiny)
    batches.next()
    state = batches.state_dict()
    paths = list(places(state))
    draw = random.Random(5)
    for path, value in itertools.product(paths, VALUES):
        try_to_load(batches, changed(state, path, value))
    inner = [path for path in paths if len(path) > 1]
    for _ in range(300):
        twice = state
        for path in draw.sample(inner, 2):
            try:
                twice = changed(twice, path, draw.choice(VALUES))
            except (KeyError, IndexError, TypeError):
                continue
        try_to_load(batches, twice)


def test_deeply_nested_state_is_refused(tiny: RecordFile) -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]
    batches = open_iter(tiny)
    for state in (
        nested,
        {**batches.state_dict(), "iterator": nested},
        changed(batches.state_dict(), ("recio",), nested),
    ):
        with pytest.raises(ValueError, match="state"):
            batches.load_state_dict(state)


def labels(folder: Path, name: str, offset: int, count: int = 10, first: int = 100) -> Path:
    path = folder / name
    path.write_text("".join(f"{first + n}\t{n + offset}\tx.png\n" for n in range(count)))
    return path


def test_state_of_other_labels_is_refused(tmp_path: Path, tiny: RecordFile) -> None:
    same, copy = labels(tmp_path, "same.lst", 0), labels(tmp_path, "copy.lst", 0)
    other = labels(tmp_path, "other.lst", 5)
    for make in (
        lambda path: open_iter(tiny, path_imglist=path),
        lambda path: ImageIter(4, (3, 8, 8), path_imgrec=tiny.rec, path_imglist=path, seed=1),
    ):
        state = make(same).state_dict()
        make(copy).load_state_dict(state)
        with pytest.raises(ValueError, match=r"path_imglist: \d+ in the state, \d+ here"):
            make(other).load_state_dict(state)
        with pytest.raises(ValueError, match=r"path_imglist: \d+ in the state, absent here"):
            make(None).load_state_dict(state)
        with pytest.raises(ValueError, match=r"path_imglist: absent in the state, \d+ here"):
            make(same).load_state_dict(make(None).state_dict())


def test_state_of_other_keys_of_a_list_is_refused(tmp_path: Path, tiny: RecordFile) -> None:
    """`ImageIter` finds the labels of a list by the keys of the index."""
    listed = labels(tmp_path, "keys.lst", 0, first=0)
    lines = tiny.idx.read_text().splitlines()
    swapped = tmp_path / "swapped.idx"
    swapped.write_text("".join(f"{9 - n}\t{line.split()[1]}\n" for n, line in enumerate(lines)))

    def make(index: Path) -> ImageIter:
        return ImageIter(4, (3, 8, 8), path_imgrec=tiny.rec, path_imgidx=index, path_imglist=listed, seed=1)

    state = make(tiny.idx).state_dict()
    make(tiny.idx).load_state_dict(state)
    with pytest.raises(ValueError, match="path_imglist"):
        make(swapped).load_state_dict(state)


def test_state_of_other_masks_is_refused(tmp_path: Path) -> None:
    images = write_records(tmp_path, [image_record(png(noise(8, 8)), n) for n in range(6)], "images")

    def masks(name: str, value: int) -> RecordFile:
        mask = png(np.full((8, 8, 1), value, np.uint8))
        return write_records(tmp_path, [image_record(mask, n) for n in range(6)], name)

    first, copy, other = masks("first", 1), masks("copy", 1), masks("other", 2)

    def make(file: RecordFile, **settings: Any) -> ImageMaskRecordIter:  # noqa: ANN401 they are of many types
        return ImageMaskRecordIter(
            path_imgrec=images.rec, path_maskrec=file.rec, data_shape=(3, 8, 8), batch_size=2, **settings
        )

    state = make(first).state_dict()
    make(copy).load_state_dict(state)
    with pytest.raises(ValueError, match="path_maskrec: "):
        make(other).load_state_dict(state)
    with pytest.raises(ValueError, match="path_maskrec: "):
        make(first, mask_fill=3).load_state_dict(state)
