"""The index beside a record file, where `path_imgidx` is not given: used if it lists all records, else not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from recio.io import ImageRecordIter
from recio.recordio import IRHeader, MXIndexedRecordIO, pack
from tests.support.records import RecordFile, digest, noise, open_iter, png

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

COUNT = 300


def write_by_id(path: Path, ids: Sequence[int]) -> RecordFile:
    """Write records whose keys in the index are their ids."""
    file = RecordFile(path / "ids.rec", path / "ids.idx")
    images = [png(noise(8, 8, seed=seed)) for seed in range(4)]
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        for number, key in enumerate(ids):
            writer.write_idx(key, pack(IRHeader(0, float(key % 7), key, 0), images[number % 4]))
    return file


def opened(file: RecordFile, caplog: pytest.LogCaptureFixture) -> tuple[str, bool]:
    """Return a hash of the batches, and whether the index beside the file was used."""
    caplog.clear()
    with caplog.at_level(logging.INFO, "recio"), open_iter(file, verbose=False) as batches:
        used = "ImageRecordIter: used the index beside the record file instead of reading all headers"
        return digest(batches), [record.getMessage() for record in caplog.records] == [used]


ORDERS = {
    "ascending": list(range(COUNT)),
    "from 1,000,000": list(range(1_000_000, 1_000_000 + COUNT)),
    "shuffled": [(7 * i) % COUNT for i in range(COUNT)],
}


@pytest.mark.parametrize("ids", ORDERS.values(), ids=ORDERS)
def test_batches_and_states_are_those_without_an_index(
    ids: list[int], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write_by_id(tmp_path, ids)
    with open_iter(file) as batches:
        batches.next()
        state = batches.state_dict()
        rest = digest(batches)
    with_index = opened(file, caplog)
    file.idx.unlink()
    assert with_index == (opened(file, caplog)[0], True)
    with open_iter(file) as batches:
        batches.load_state_dict(state)
        assert digest(batches) == rest


def _without(line: int) -> Callable[[list[str]], list[str]]:
    return lambda lines: lines[:line] + lines[line + 1 :]


CHANGES: dict[str, Callable[[list[str]], list[str]]] = {
    "without the first record": _without(0),
    "without a record": _without(COUNT // 3),
    "without the last record": _without(COUNT - 1),
    "other keys": lambda lines: [f"{i + 1}\t{line.split()[1]}" for i, line in enumerate(lines)],
    "renumbered without a record": lambda lines: [
        f"{i}\t{line.split()[1]}" for i, line in enumerate(_without(COUNT // 3)(lines))
    ],
    "offsets within records": lambda lines: [
        lines[0],
        *(f"{line.split()[0]}\t{int(line.split()[1]) + 4}" for line in lines[1:]),
    ],
    "empty": lambda _: [],
    "not an index": lambda _: ["key\toffset"],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_index_that_does_not_fit_is_not_used(
    change: Callable[[list[str]], list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = write_by_id(tmp_path, range(COUNT))
    expected, _ = opened(file, caplog)
    lines = change(file.idx.read_text().splitlines())
    file.idx.write_text("".join(f"{line}\n" for line in lines))
    assert opened(file, caplog) == (expected, False)


def test_index_from_before_records_were_appended_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write_by_id(tmp_path, range(COUNT))
    before = file.idx.read_text()
    with MXIndexedRecordIO(file.idx, file.rec, "a") as writer:
        writer.write_idx(COUNT, pack(IRHeader(0, 1.0, COUNT, 0), png(noise(8, 8))))
    expected, used = opened(file, caplog)
    file.idx.write_text(before)
    assert used
    assert opened(file, caplog) == (expected, False)


def test_damaged_file_is_salvaged_without_its_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write_by_id(tmp_path, range(COUNT))
    content = bytearray(file.rec.read_bytes())
    content[file.offsets[100]] ^= 1
    file.rec.write_bytes(content)
    with caplog.at_level(logging.INFO, "recio"), open_iter(file, on_error="skip", verbose=False) as batches:
        ids = {int(n) for batch in batches for n in batch.index}
    assert not any("used the index" in record.getMessage() for record in caplog.records)
    assert 100 not in ids


def test_each_of_several_files_has_its_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name, ids in (("a", range(10)), ("b", range(10, 20))):
        (tmp_path / name).mkdir()
        write_by_id(tmp_path / name, ids)
    with (
        caplog.at_level(logging.INFO, "recio"),
        ImageRecordIter(
            path_imgrec=[tmp_path / name / "ids.rec" for name in "ab"],
            data_shape=(3, 8, 8),
            batch_size=5,
            verbose=False,
        ) as batches,
    ):
        assert [int(n) for batch in batches for n in batch.index] == list(range(20))
    assert "used the index beside the 2 record files" in caplog.text
