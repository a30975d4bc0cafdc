"""Processes that tests leave: killed after each test, and when pytest ends in any way.

A test that fails or runs out of time may leave the processes that it started, and they may leave theirs. pytest adopts
orphans (`PR_SET_CHILD_SUBREAPER`), so that all are found after the test. When pytest is killed there is nobody to look:
a guard waits for its end, and kills what has the run's mark in its environment, or as its name if it is a fork of
pytest, whose environment cannot be marked any more.

``python -m tests.support.leftovers PID MARK`` is the guard.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.processes import becomes_true, children

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VARIABLE = "RECIO_TEST_RUNS"
"""The marks of the run and of runs around it."""
PR_SET_CHILD_SUBREAPER = 36
GRACE = 2.0
"""Seconds in which a process that a test left may still end by itself."""


def adopt_orphans() -> None:
    """Become the parent of processes whose parents end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start_guard() -> None:
    """Mark this process and all that it starts, and start the guard, which is not marked."""
    mark = f"run-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "tests.support.leftovers", str(os.getpid()), mark]
    silent = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_RDWR, 0) for descriptor in range(3)]
    # Not by `subprocess.Popen`, which warns of a process that outlives it.
    os.posix_spawn(sys.executable, command, os.environ, file_actions=silent, setsid=True)
    os.environ[VARIABLE] = ":".join(filter(None, [os.environ.get(VARIABLE), mark]))
    os.register_at_fork(after_in_child=lambda: Path("/proc/self/comm").write_text(mark, encoding="ascii"))


def guard(pid: int, mark: str) -> None:
    """Wait until a process ends, then kill all that have its mark."""
    with contextlib.suppress(ProcessLookupError):
        select.select([os.pidfd_open(pid)], [], [])
    # A process that is being killed may still start another.
    while left := list(marked(mark)):
        kill(left)
        time.sleep(0.05)


def marked(mark: str) -> Iterator[int]:
    """Return the processes that have a mark and have not ended: those that have show no environment."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (folder / "environ").read_bytes()
            name = (folder / "comm").read_text().strip()
            if mark.encode() in variables or (variables and name == mark):
                yield int(folder.name)


OF_ALL_TESTS = ("from multiprocessing", "-m tests.support.servers.moto")
"""Parts of the commands of processes that end with this one."""


def kill(pids: Iterable[int]) -> None:
    """Kill processes, of which some may have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def end(before: set[int]) -> list[str]:
    """Wait a little for the children that this process did not have before; kill the others, return their commands."""
    becomes_true(lambda: not running(children() - before), GRACE)
    commands: list[str] = []
    while left := running(children() - before):
        commands += left.values()
        kill(left)
        for pid in left:
            os.waitpid(pid, 0)
    return commands


def running(pids: set[int]) -> dict[int, str]:
    """Return the children that have not ended, and their commands, but for those that end with this process.

    They are the helpers of `multiprocessing`, and the server that all tests use, which the first of them starts.
    """
    commands = {pid: command(pid) for pid in pids if os.waitpid(pid, os.WNOHANG)[0] == 0}
    return {pid: line for pid, line in commands.items() if not any(name in line for name in OF_ALL_TESTS)}


def command(pid: int) -> str:
    """Return the command line of a process."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()


if __name__ == "__main__":
    guard(int(sys.argv[1]), sys.argv[2])
