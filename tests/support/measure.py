"""What decoding a hostile file says, and what it takes: measured in a process of its own, a fork of this one."""

from __future__ import annotations

import multiprocessing
import resource
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import recio

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

KIB = 1024


class Taken(NamedTuple):
    """What came of it."""

    said: str
    """The text of the error, or that there is a picture."""
    seconds: float
    """Of the CPU, all threads together: another process's load is no fault of this one's."""
    rise: int
    """Bytes by which the resident memory grew, at its highest."""


def measure(work: Callable[[], NDArray[Any]]) -> Taken:
    """Return the result and the cost of some work in a fork; another error than `DecodeError` fails the caller."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(work, sender))
    process.start()
    sender.close()
    try:
        taken: Taken = receiver.recv()
    except EOFError:
        process.join()
        raise AssertionError(f"the process ended with {process.exitcode}") from None
    process.join()
    return taken


def _run(work: Callable[[], NDArray[Any]], sender: Connection) -> None:
    # A fork's highest is what it begins with.
    before, start = _peak(), time.process_time()
    try:
        said = f"a picture: {work().shape}"
    except recio.DecodeError as error:
        said = str(error)
    sender.send(Taken(said, time.process_time() - start, _peak() - before))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
