"""Processes that tests start: Python scripts, commands that are interrupted, children that must not be left."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def python(script: str, settings: dict[str, object]) -> list[str]:
    """Return the command that runs a script, which finds `settings` under that name."""
    return [sys.executable, "-c", f"settings = {settings!r}\n{script}"]


def run_python(script: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run a script in another process, for a minute at most: a busy machine takes long to start several at once."""
    return subprocess.run(python(script, settings), capture_output=True, text=True, check=False, timeout=60)


@contextlib.contextmanager
def start(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:  # noqa: ANN401 Popen's
    """Start a process that is killed, with all that it started, if the block raises.

    `subprocess.Popen` alone waits for the process then, for ever if it was to be interrupted and was not.
    """
    with subprocess.Popen(command, text=True, process_group=0, **options) as process:
        try:
            yield process
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def fork(work: Callable[[], object]) -> int:
    """Start a forked process that does some work and ends, with 1 if that raises; return its number."""
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:  # noqa: BLE001 the fork must not go on as a second pytest
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def exit_code(child: int) -> int:
    """Wait for a process to end; return its exit code, or the negative number of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def let_children_be_interrupted() -> None:
    """Handle SIGINT if it is ignored, and do nothing: then programs that this process starts do not ignore it.

    A process that was started in the background by a shell without job control, by nohup or by a service, may ignore
    SIGINT, and so do its children unless it has a handler of its own.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, in this process and in those that it forks meanwhile."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def children() -> set[int]:
    """Return the processes that this one has started, or inherited as a subreaper, and not waited for."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        # A thread may end between being listed and being asked.
        with contextlib.suppress(FileNotFoundError):
            found |= set(map(int, (task / "children").read_text().split()))
    return found


def becomes_true(condition: Callable[[], bool], within: float = 5.0) -> bool:
    """Wait until a condition holds, for some seconds at most; return whether it does."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def on_terminal(*command: object) -> str:
    """Run a command whose standard error is a terminal; return its output there."""
    master, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    arguments = [str(argument) for argument in command]
    with subprocess.Popen(arguments, stderr=terminal, stdout=subprocess.DEVNULL) as process:
        os.close(terminal)
        output = b""
        while chunk := read_terminal(master):
            output += chunk
    os.close(master)
    assert process.returncode == 0, output
    return output.decode()


def read_terminal(master: int) -> bytes:
    """Read from a terminal; return nothing when its other end is closed, which is an error there."""
    try:
        return os.read(master, 4096)
    except OSError:
        return b""
