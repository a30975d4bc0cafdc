"""Row R12: each system call that writes fails once, in every writing that recio does, until a run has no such call.

A failure is heard of, with the path and the system's reason; the final names are absent or complete; nothing temporary,
no open file, no thread stays. What a program must survive, a short write and an interrupted call, changes nothing.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.faults import ROOT, Runner, Trial, contents
from tests.support.writings import WRITINGS

if TYPE_CHECKING:
    from pathlib import Path

ERRORS = [errno.ENOSPC, errno.EIO, errno.EDQUOT]
TURNS = [
    pytest.param(ERRORS[first:] + ERRORS[:first], id=errno.errorcode[error], marks=[pytest.mark.slow] if first else [])
    for first, error in enumerate(ERRORS)
]
"""Which error the first call fails with, which the second: after all turns each call has failed with each."""


@pytest.fixture(scope="module", params=WRITINGS)
def trial(request: pytest.FixtureRequest, runner: Runner, workshop: Path) -> Trial:
    """Take a writing that succeeds where nothing goes wrong."""
    tried = Trial(runner, request.param, workshop)
    assert tried.outcome.error is None
    assert tried.outcome.calls
    return tried


def all_complaints(trial: Trial, way: str, errors: list[int]) -> str:
    """Return what is wrong after the failure of one call or another."""
    return "\n".join(
        f"{outcome.call}: {complaint}"
        for outcome in trial.until_none_fires(way, errors)
        for complaint in trial.complaints(outcome, errors)
    )


@pytest.mark.parametrize("errors", TURNS)
def test_failing_call_is_reported_or_harmless(trial: Trial, errors: list[int]) -> None:
    assert all_complaints(trial, "fail", errors) == ""


def test_persistently_full_disk_is_reported(trial: Trial) -> None:
    assert all_complaints(trial, "stay full", [errno.ENOSPC]) == ""


@pytest.mark.parametrize("way", ["interrupt", "shorten"])
def test_interrupted_call_and_short_write_change_nothing(trial: Trial, way: str) -> None:
    for outcome in trial.until_none_fires(way):
        assert (outcome.ended, outcome.error, outcome.left) == (0, None, []), outcome
        assert contents(trial.place) == trial.whole, outcome.call


def test_at_least_three_hundred_calls_fail(runner: Runner, workshop: Path) -> None:
    """Twice each: once, and with all that follow."""
    calls = {name: len(Trial(runner, name, workshop).outcome.calls) for name in WRITINGS}
    print(f"{sum(calls.values())} calls of {len(calls)} writings: {calls}")  # noqa: T201
    assert sum(calls.values()) >= 300


# Opens for writing, and what else strace calls a change; what the shim must see all of.
TRACED = "trace=write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,ftruncate"

ONE_WRITING = """
import sys
from pathlib import Path
from tests.support.writings import WRITINGS
WRITINGS[sys.argv[1]].work(Path(sys.argv[2]))
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize(
    "name", ["im2rec with masks over older files", "make_list", "a mean image", "a cache of labels"]
)
def test_shim_sees_every_call_that_changes_a_file(runner: Runner, workshop: Path, tmp_path: Path, name: str) -> None:
    """Else some call would never fail: one that is made without libc."""
    trial = Trial(runner, name, workshop)
    trial.lay_out()
    log = tmp_path / "log"
    command = [
        "strace",
        "-f",
        "-y",
        "-e",
        TRACED,
        "-o",
        str(log),
        sys.executable,
        "-c",
        ONE_WRITING,
        name,
        str(trial.place),
    ]
    subprocess.run(command, check=True, cwd=ROOT)
    seen = [line for line in log.read_text().splitlines() if str(trial.place) in line]
    counted = [call for call in trial.outcome.calls if not call.startswith(("open", "close", "mkdir", "rmdir"))]
    assert len(seen) == len(counted), "\n".join([*seen, *counted])
