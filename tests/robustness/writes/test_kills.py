"""Row R11: a writing that is killed, before each of its system calls, within each write, and at any moment.

The final names are absent or complete, byte for byte; a file that grows under its name is cut off, and holds nothing
else than it should. The same writing again gives what it would have given if nothing had happened, and removes what the
killed one has left.
"""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.recordio import MXIndexedRecordIO
from tests.support.faults import Outcome, Runner, Trial, contents
from tests.support.writings import WRITINGS

if TYPE_CHECKING:
    from pathlib import Path

NOT_HERE = "im2rec of 17 MB"
"""Ten times slower than the others, with no other names."""


@pytest.fixture(scope="module", params=[name for name in WRITINGS if name != NOT_HERE])
def trial(request: pytest.FixtureRequest, runner: Runner, workshop: Path) -> Trial:
    """Take a writing that succeeds where nothing goes wrong."""
    tried = Trial(runner, request.param, workshop)
    assert tried.outcome.error is None
    return tried


def complaints(trial: Trial, outcome: Outcome) -> list[str]:
    """Return what is wrong after a kill, and after the same writing has been done again."""
    found = list(trial.unsound())
    if trial.writing.repeats:
        after = trial.again()
        left = trial.temporary()
        now = {name: data for name, data in contents(trial.place).items() if name not in left}
        if after.error or after.left or now != trial.whole:
            found.append(f"the next run: {after.error} {after.left}, {sorted(now)}")
        found += [f"the next run left {name}" for name in left]
    return [f"{outcome.call}: {complaint}" for complaint in found]


@pytest.mark.parametrize("way", ["kill", "kill within"])
def test_kill_leaves_no_incomplete_file_and_the_next_run_completes(trial: Trial, way: str) -> None:
    found = []
    for outcome in trial.until_none_fires(way):
        assert outcome.ended == -signal.SIGKILL
        found += complaints(trial, outcome)
    assert "\n".join(found) == ""


def by_key(file: Path) -> dict[int, bytes]:
    """Read all that an index lists."""
    with MXIndexedRecordIO(file.with_suffix(".idx"), file, "r") as reader:
        return {key: reader.read_idx(key) for key in reader.keys}


@pytest.mark.parametrize("way", ["kill", "kill within"])
def test_index_of_a_killed_writer_lists_only_written_records(runner: Runner, workshop: Path, way: str) -> None:
    """A line that was cut off may be told as damage."""
    trial = Trial(runner, "MXIndexedRecordIO", workshop)
    rec = trial.place / "a.rec"
    whole, readable, torn = by_key(rec), 0, 0
    for _ in trial.until_none_fires(way):
        if rec.with_suffix(".idx").exists():
            try:
                assert by_key(rec).items() <= whole.items()
                readable += 1
            except RecordError:
                torn += 1
    assert readable
    assert way == "kill within" or not torn


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kills", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_kill_at_any_time_leaves_no_incomplete_file(runner: Runner, workshop: Path, kills: int) -> None:
    trial = Trial(runner, "im2rec with masks over older files", workshop)
    lasts = sorted(outcome.caught - outcome.began for outcome in (trial.run() for _ in range(9)))[4]
    draw = random.Random(7)
    found, killed = [], 0
    for _ in range(kills):
        outcome = trial.run(signal=signal.SIGKILL, after=draw.uniform(0, lasts))
        killed += outcome.ended == -signal.SIGKILL
        found += complaints(trial, outcome)
    print(f"{killed} of {kills} runs, of {lasts * 1000:.1f} ms each, were killed before their end")  # noqa: T201
    assert "\n".join(found) == ""
    assert killed >= kills / 3
