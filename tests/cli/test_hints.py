"""Every hint that a message has is the right one: following it leads to files that can be read and appended to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

import recio
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.cli.test_cli import run
from tests.support.records import RecordFile, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECORDS = 6


def cut(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.truncate(length)


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def unlisted_and_cut(file: RecordFile) -> None:
    """As a killed writer leaves it: complete records that the index does not list, and an incomplete one."""
    lines = file.idx.read_text().splitlines(keepends=True)
    file.idx.write_text("".join(lines[:3]))
    cut(file.rec, file.rec.stat().st_size - 10)


def both_cut(file: RecordFile) -> None:
    cut(file.idx, file.idx.stat().st_size - 2)
    cut(file.rec, file.rec.stat().st_size - 10)


def unlisted(file: RecordFile) -> None:
    file.idx.write_text("".join(file.idx.read_text().splitlines(keepends=True)[:3]))


def unlisted_and_damaged_before(file: RecordFile) -> None:
    overwrite(file.rec, file.offsets[1], bytes(4))
    unlisted(file)


DAMAGE: dict[str, Callable[[RecordFile], object]] = {
    "no index": lambda file: file.idx.unlink(),
    "index cut within a line": lambda file: cut(file.idx, file.idx.stat().st_size - 2),
    "index cut, record file too": both_cut,
    "unlisted records": unlisted,
    "unlisted records, the last one cut": unlisted_and_cut,
    "unlisted records, damage before them": unlisted_and_damaged_before,
    "last record cut": lambda file: cut(file.rec, file.rec.stat().st_size - 10),
    "record file cut between records": lambda file: cut(file.rec, file.offsets[4]),
    "a header overwritten": lambda file: overwrite(file.rec, file.offsets[5], bytes(4)),
    "an invalid line": lambda file: file.idx.write_text(file.idx.read_text() + "x\ty\n"),
    "a key twice": lambda file: file.idx.write_text(file.idx.read_text() + "0\t4\n"),
}


def append(file: RecordFile) -> None:
    with MXIndexedRecordIO(file.idx, file.rec, "a") as writer:
        writer.write_idx(1000, b"more")


def read_all(file: RecordFile) -> None:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        for key in reader.keys:
            reader.read_idx(key)


ACTIONS: dict[str, Callable[[RecordFile], object]] = {
    "append": append,
    "read all": read_all,
    "merge": lambda file: recio.files.merge([file.rec], file.rec.with_name("merged.rec")),
    "read in sequence": lambda file: list(MXRecordIO(file.rec, "r")),
}


def follow(message: str, file: RecordFile) -> RecordFile:
    """Run the command that a message names; one that fails names the next. `verify` only reports."""
    command = next(name for name in re.findall(r"`recio (\w+)`", message) if name != "verify")
    repaired = file.rec.with_name(f"{file.rec.stem}_repaired.rec")
    result = run("index", file.rec) if command == "index" else run("repair", file.rec, "-o", repaired)
    if result.exit_code != 0:
        return follow(result.stderr, file)
    return file if command == "index" else RecordFile(repaired, repaired.with_suffix(".idx"))


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_following_the_hints_helps(damage: str, action: str, tmp_path: Path) -> None:
    file = write_tiny(tmp_path, RECORDS)
    DAMAGE[damage](file)
    for _ in range(3):
        try:
            ACTIONS[action](file)
        except (recio.RecordError, OSError) as error:
            if action.startswith("read") and "`recio" not in str(error):
                # What is wrong with one record: the error has its offset.
                return
            file = follow(str(error), file)
        else:
            return
    raise AssertionError("the hints did not help")


def test_hint_after_a_refused_append_is_repair_if_index_fails(tmp_path: Path) -> None:
    file = write_tiny(tmp_path, RECORDS)
    unlisted_and_cut(file)
    with pytest.raises(recio.RecordError, match="`recio repair` saves the complete records"):
        append(file)
    file = write_tiny(tmp_path, RECORDS)
    unlisted(file)
    with pytest.raises(recio.RecordError, match="`recio index` rebuilds the index"):
        append(file)
