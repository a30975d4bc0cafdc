"""CPU time, page faults and memory of a process and its children, from Linux's `/proc`.

Children are included because a loader may use processes instead of threads.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Resources used by a process tree, in total or between two readings."""

    cpu_s: float
    """CPU time in seconds, user and system."""
    minor_faults: int
    """Pages mapped by the kernel without reading the disk."""

    def __sub__(self, earlier: Cost) -> Cost:
        """Return the resources used since an earlier reading."""
        return Cost(self.cpu_s - earlier.cpu_s, self.minor_faults - earlier.minor_faults)


def tree_cost() -> Cost:
    """Read the cost of this process and its children, including those that have exited."""
    stats = [_stat(pid) for pid in [os.getpid(), *_descendants()]]
    # proc(5), counted from the state: 8 minflt + 9 cminflt; 12-15 utime, stime, cutime, cstime.
    # The c-fields hold the resources of children that the parent has waited for.
    ticks = sum(int(field) for stat in stats for field in stat[11:15])
    faults = sum(int(field) for stat in stats for field in stat[7:9])
    return Cost(ticks / TICKS, faults)


def machine_cpu_s() -> float:
    """Read the CPU seconds used by all processes since the machine started."""
    fields = [int(field) for field in (PROC / "stat").read_text().split()[1:9]]
    idle, io_wait = fields[3:5]
    return (sum(fields) - idle - io_wait) / TICKS


def resident_mb() -> float:
    """Read the resident memory of this process in MB, including mapped file pages."""
    return _kilobytes(PROC / "self/status", "VmRSS:") / 1000


def reset_peak() -> None:
    """Reset the peak that `peak_mb` returns to the current resident memory."""
    (PROC / "self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Read the peak resident memory since `reset_peak`, in MB.

    Of running children only the private pages are added, as of now: shared pages are resident in this
    process already.
    """
    peak = _kilobytes(PROC / "self/status", "VmHWM:")
    children = (PROC / str(pid) / "smaps_rollup" for pid in _descendants())
    return (peak + sum(_kilobytes(path, "Private_") for path in children)) / 1000


def _descendants() -> list[int]:
    parents = {int(p.name): _parent(int(p.name)) for p in PROC.glob("[0-9]*")}
    pids = [os.getpid()]
    for pid in pids:  # grows during the loop, one generation after the other
        pids += [child for child, parent in parents.items() if parent == pid]
    return pids[1:]


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):  # exited after it was listed
        return None


def _stat(pid: int) -> list[str]:
    # The command name is in parentheses and may contain spaces and parentheses.
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _kilobytes(path: Path, key: str) -> float:
    lines = path.read_text().splitlines()
    kib = sum(int(line.split()[1]) for line in lines if line.startswith(key))
    return kib * 1.024
