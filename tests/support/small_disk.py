"""Every writing on a disk of 4 MiB that has room for none of it, for a part of it, and for all.

Run by `test_full_disk.py` as ``unshare --map-root-user --mount python -m tests.support.small_disk FOLDER``: in a
namespace of its own any user may mount one. Prints how many writings failed for want of room, and what was wrong then,
a line each.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

from tests.support.faults import Outcome, Runner, Trial
from tests.support.writings import WRITINGS, make_inputs

MOUNT = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs"]
PAGE = 4096
ROOM = [*range(6), 16, 64, 160]
"""How many pages are free when a writing begins; the disk has 1,024."""


def main() -> None:
    """Mount the disk, and try."""
    workshop = Path(sys.argv[1])
    make_inputs(workshop)
    disk = workshop / "disk"
    disk.mkdir()
    subprocess.run([*MOUNT, str(disk)], check=True)
    (disk / "inputs").symlink_to(workshop / "inputs")
    failed, wrong = 0, []
    with Runner(workshop) as runner:
        for name in WRITINGS:
            trial = Trial(runner, name, workshop)
            trial.place = disk / "place"
            for room in ROOM:
                outcome = fill_and_run(trial, disk, room * PAGE)
                failed += outcome.error is not None
                wrong += [f"{name}, {room} pages free: {it}" for it in trial.complaints(outcome, [errno.ENOSPC])]
    sys.stdout.write("\n".join([str(failed), *wrong]) + "\n")


def fill_and_run(trial: Trial, disk: Path, room: int) -> Outcome:
    """Fill the disk until there is as much room as given, and do the writing."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    trial.lay_out()
    with filler.open("wb", buffering=0) as file:
        free = os.statvfs(disk).f_bavail * PAGE
        file.write(bytes(max(free - room, 0)))
    return trial.again()


if __name__ == "__main__":
    main()
