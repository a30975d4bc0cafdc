"""What decoding a hostile file says, and what it takes: measured in a process of its own, a fork of this one."""

from __future__ import annotations

import multiprocessing
import resource
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import recio

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from numpy.typing import NDArray

KIB = 1024
INFLATE_SECONDS = 0.022
"""CPU time of `_inflate` on an idle Xeon of 2.8 GHz, on which the limits on CPU time were chosen."""


class Taken(NamedTuple):
    """What came of it."""

    said: str
    """The text of the error, or that there is a picture."""
    seconds: float
    """Of the CPU, all threads together, outside of the kernel.

    What new pages cost in the kernel varies tenfold with the load of the machine; `touched` limits their number.
    """
    touched: int
    """Bytes of new pages."""
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
    before = resource.getrusage(resource.RUSAGE_SELF)
    try:
        said = f"a picture: {work().shape}"
    except recio.DecodeError as error:
        said = str(error)
    after = resource.getrusage(resource.RUSAGE_SELF)
    sender.send(
        Taken(
            said,
            after.ru_utime - before.ru_utime,
            (after.ru_minflt - before.ru_minflt) * resource.getpagesize(),
            (after.ru_maxrss - before.ru_maxrss) * KIB,
        )
    )


def slowness() -> float:
    """Return how many times slower this machine is at present than an idle one of the reference, at least 1.

    Limits on time are multiplied by it. It is measured without recio's code, which is to keep the limits.
    """
    packed = zlib.compress(bytes(64 << 20), 1)
    return max(1.0, *(_inflate(packed) / INFLATE_SECONDS for _ in range(3)))


def _inflate(packed: bytes) -> float:
    start = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    zlib.decompress(packed)
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime - start
