"""No process outlives its test, nor pytest; SIGINT interrupts even where it was ignored."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .processes import becomes_true, interruptible, start

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDLESS = [sys.executable, "-c", "import time; print(flush=True); time.sleep(1000)"]
CONFTEST = "from tests.conftest import _no_process_left, pytest_configure"
INTERRUPTS_A_CHILD = """
import signal, subprocess, sys

def test_that_interrupts():
    command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(1000)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        assert b"KeyboardInterrupt" in child.communicate(timeout=20)[1]
"""
LEAVES_PROCESSES = """
import os, subprocess, sys, time
from pathlib import Path

def test_that_fails():
    child = subprocess.Popen(["sleep", "1000"])
    parent = subprocess.run(["sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"], capture_output=True, check=True)
    fork = os.fork()
    if fork == 0:
        time.sleep(1000)
    Path("pids.tmp").write_text(f"{child.pid} {int(parent.stdout)} {fork}")
    Path("pids.tmp").rename("pids")
    {ending}
"""


def run_inner(folder: Path, ending: str) -> subprocess.Popen[str]:
    """Start pytest on a test that leaves a child, an orphan and a fork."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_inner.py").write_text(LEAVES_PROCESSES.replace("{ending}", ending))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", ".", "-c", "/dev/null", "."]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def pids(folder: Path) -> list[int]:
    assert becomes_true((folder / "pids").exists, within=60)
    return list(map(int, (folder / "pids").read_text().split()))


def is_running(pid: int) -> bool:
    """Return whether a process has not ended; one that nobody has waited for has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_of_a_failed_test_are_killed(tmp_path: Path) -> None:
    with run_inner(tmp_path, "assert False") as pytest_:
        shown, _ = pytest_.communicate(timeout=60)
    assert [pid for pid in pids(tmp_path) if is_running(pid)] == []
    assert "the test left processes" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_processes_of_a_killed_pytest_are_killed(tmp_path: Path, number: signal.Signals) -> None:
    with run_inner(tmp_path, "time.sleep(1000)") as pytest_:
        left = pids(tmp_path)
        assert all(map(is_running, left))
        pytest_.send_signal(number)
    assert becomes_true(lambda: not any(map(is_running, left)), within=20)


def test_a_process_is_killed_if_the_block_raises() -> None:
    with pytest.raises(LookupError), start(ENDLESS) as process:
        raise LookupError
    assert process.returncode == -signal.SIGKILL


def test_children_can_be_interrupted_where_pytest_ignores_sigint(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_inner.py").write_text(INTERRUPTS_A_CHILD)
    options = "-p no:cacheprovider --rootdir . -c /dev/null ."
    command = f"trap '' INT; exec '{sys.executable}' -m pytest {options}"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S607
    assert done.returncode == 0, done.stdout


@pytest.fixture
def _ignored() -> Iterator[None]:
    """Ignore SIGINT, as a shell's background commands do."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ignored")
def test_sigint_interrupts_where_it_was_ignored() -> None:
    with interruptible():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with start(ENDLESS, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert "KeyboardInterrupt" in process.communicate(timeout=20)[1]
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
