"""A warm process that does one work after another, each in a forked child in which something may go wrong.

Starting Python and importing recio takes a hundred times as long as a child, and thousands of them are wanted. Started
by `faults.Runner` as ``python -m tests.support.fault_runner SHIM``, with the shim of ``faults.c`` preloaded; reads
an order, and writes what came of it, a JSON object a line. Knows nothing of what is right.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.loops import LOOPS
from tests.support.processes import becomes_true, children
from tests.support.records import threads
from tests.support.writings import WRITINGS

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHDOG = 20
"""Seconds until a child that hangs is ended; on the standard error output it says where it was."""
WORKS: dict[str, Callable[[Path], object]] = {**LOOPS, **{name: writing.work for name, writing in WRITINGS.items()}}
WAYS = ("pass", "fail", "stay full", "interrupt", "shorten", "kill", "kill within")


def main() -> None:
    """Carry out orders until there are no more."""
    shim = ctypes.CDLL(sys.argv[1])
    shim.faults_call.restype = ctypes.c_char_p
    # Children look for garbage in what is theirs alone.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(in_child(shim, json.loads(line))) + "\n")
        sys.stdout.flush()


def in_child(shim: ctypes.CDLL, order: dict[str, Any]) -> dict[str, Any]:
    """Do the work in a child; give what it says, and how it ended."""
    result, into = os.pipe()
    child = os.fork()
    if child == 0:
        faulthandler.dump_traceback_later(WATCHDOG, exit=True)
        os.write(into, json.dumps(do(shim, order, into)).encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(result, "rb") as said:
        said.readline()
        sent = send(child, order)
        words = said.read()
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return {"ended": ended, "sent": sent, **(json.loads(words) if words else {})}


def send(child: int, order: dict[str, Any]) -> float:
    """Send the child the signal that is ordered, after the time that is; give when."""
    if order["signal"]:
        time.sleep(order["after"])
        os.kill(child, order["signal"])
    return time.monotonic()


def do(shim: ctypes.CDLL, order: dict[str, Any], into: int) -> dict[str, Any]:
    """Do the work with a call of it going wrong; say when it begins, then what came of it and what it left open."""
    unraised: list[str] = []
    sys.unraisablehook = lambda event: unraised.append(str(event.exc_value))
    folder = Path(order["folder"])
    open_before = descriptors()
    if order["limit"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (order["limit"],) * 2)
    shim.faults_arm(os.fsencode(folder), order["at"], WAYS.index(order["way"]), order["errno"])
    began = time.monotonic()
    error = outcome(order["work"], folder, into)
    caught = time.monotonic()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shim.faults_disarm()
    gc.collect()
    # A thread that is ending has its files open still.
    becomes_true(lambda: not threads() and threading.active_count() == 1 and descriptors() == open_before)
    return {
        "error": error,
        "began": began,
        "caught": caught,
        "unraised": unraised,
        "calls": [shim.faults_call(at).decode() for at in range(1, shim.faults_count() + 1)],
        "struck": shim.faults_struck(),
        "leaked": sorted({*descriptors()} - {*open_before}),
        "threads": threads(),
        "children": sorted(children()),
    }


def outcome(work: str, folder: Path, into: int) -> str | None:
    """Report that the work begins, do it, and return the error's type and text."""
    try:
        os.write(into, b"it begins\n")
        WORKS[work](folder)
    except BaseException as error:  # noqa: BLE001 also SystemExit and KeyboardInterrupt are outcomes
        return f"{type(error).__name__}: {error}"
    return None


def descriptors() -> list[str]:
    """Return the open files, as ``number path``."""
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        # The folder's own is closed by now.
        with contextlib.suppress(FileNotFoundError):
            found.append(f"{entry.name} {entry.readlink()}")
    return sorted(found)


if __name__ == "__main__":
    main()
