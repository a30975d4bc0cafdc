"""What a process and its children cost, read from Linux's `/proc`: CPU, page faults, memory.

The children count because a loader may work in processes instead of threads. It knows
nothing of loaders or images.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What a process tree has used up so far, or between two readings."""

    cpu_s: float
    """Seconds of CPU, user and system."""
    minor_faults: int
    """Pages that the kernel had to map without reading a disk."""

    def __sub__(self, earlier: Cost) -> Cost:
        """Give what was used since the earlier reading."""
        return Cost(self.cpu_s - earlier.cpu_s, self.minor_faults - earlier.minor_faults)


def tree_cost() -> Cost:
    """Read the cost of this process and of its children, dead ones included."""
    stats = [_stat(pid) for pid in [os.getpid(), *_descendants()]]
    # proc(5), counted from the state: 8 minflt + 9 cminflt; 12-15 utime, stime, cutime, cstime.
    # Linux writes what waited-for children used into the parent's c-fields.
    ticks = sum(int(field) for stat in stats for field in stat[11:15])
    faults = sum(int(field) for stat in stats for field in stat[7:9])
    return Cost(ticks / TICKS, faults)


def machine_cpu_s() -> float:
    """Read the seconds of CPU that all processes of the machine have used since it started."""
    fields = [int(field) for field in (PROC / "stat").read_text().split()[1:9]]
    idle, io_wait = fields[3:5]
    return (sum(fields) - idle - io_wait) / TICKS


def resident_mb() -> float:
    """Read the memory of this process that is in RAM, in MB (file pages it maps included)."""
    return _kilobytes(PROC / "self/status", "VmRSS:") / 1000


def reset_peak() -> None:
    """Let `peak_mb` start anew from what is resident now."""
    (PROC / "self/clear_refs").write_text("5")


def peak_mb() -> float:
    """Read the most that was resident since `reset_peak`, in MB.

    Of living children only the pages that they do not share are added, as of now: the
    shared ones are resident here already.
    """
    own = _kilobytes(PROC / "self/status", "VmHWM:")
    children = (PROC / str(pid) / "smaps_rollup" for pid in _descendants())
    return (own + sum(_kilobytes(path, "Private_") for path in children)) / 1000


def _descendants() -> list[int]:
    parents = {int(p.name): _parent(int(p.name)) for p in PROC.glob("[0-9]*")}
    found = [os.getpid()]
    for pid in found:  # grows while it is walked, generation by generation
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):  # ended between listing and reading
        return None


def _stat(pid: int) -> list[str]:
    # The command's name stands in brackets and may hold blanks and brackets of its own.
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _kilobytes(path: Path, key: str) -> float:
    lines = path.read_text().splitlines()
    kib = sum(int(line.split()[1]) for line in lines if line.startswith(key))
    return kib * 1.024
