"""Row R12, where the system itself refuses: a disk that is full, a device that is, a limit on the length of files.

`test_im2rec.py` has the limit on im2rec as a command.
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.faults import ROOT, Runner, Trial
from tests.support.writings import WRITINGS

FULL = Path("/dev/full")
UNSHARE = ["unshare", "--map-root-user", "--mount"]


def may_mount() -> bool:
    """Return whether this user may create a namespace with private mounts."""
    return bool(shutil.which("unshare")) and subprocess.run([*UNSHARE, "true"], check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="no private mounts")
def test_full_disk_is_an_error_with_path_and_leaves_no_files(tmp_path: Path) -> None:
    command = [*UNSHARE, sys.executable, "-m", "tests.support.small_disk", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    failed, *wrong = done.stdout.splitlines()
    print(f"{failed} writings found no room")  # noqa: T201
    assert int(failed) >= 2 * len(WRITINGS)
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("name", WRITINGS)
def test_file_size_limit_is_reported_like_a_full_disk(runner: Runner, workshop: Path, name: str) -> None:
    trial = Trial(runner, name, workshop)
    length = max(len(data) for name, data in trial.whole.items() if data != trial.before.get(name))
    wrong = [
        f"{limit} of {length} bytes: {complaint}"
        for limit in (0, 1, length // 3, length - 1)
        for complaint in trial.complaints(trial.run(limit=limit), [errno.EFBIG])
    ]
    assert "\n".join(wrong) == ""


@pytest.mark.skipif(not FULL.is_char_device(), reason="no /dev/full")
class TestFullDevice:
    """The last bytes are written by `close`; that they are lost is not."""

    def test_close_reports_a_full_record_file(self) -> None:
        writer = MXRecordIO(FULL, "w")
        writer.write(b"one")
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught:
            writer.close()
        assert caught.value.filename == str(FULL)
        writer.close()

    def test_write_idx_reports_a_full_index(self, tmp_path: Path) -> None:
        with (
            pytest.raises(OSError, match=os.strerror(errno.ENOSPC)) as caught,
            MXIndexedRecordIO(FULL, tmp_path / "a.rec", "w") as writer,
        ):
            writer.write_idx(0, b"one")
        assert caught.value.filename == str(FULL)
