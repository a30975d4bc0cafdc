"""Row R39: Ctrl-C is heard while record files of millions of records are scanned, and leaves nothing behind."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from recio.recordio import frame
from tests.support.processes import python, start

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 0.5
"""Seconds until KeyboardInterrupt."""
RECORDS = 3_000_000

SCANS = {
    "len": "len(recio.recordio.MXRecordIO(settings['rec'], 'r'))",
    "rec2idx": "recio.recordio.rec2idx(settings['rec'], settings['new'] + '.idx')",
    "merge": "recio.files.merge([settings['rec']] * 2, settings['new'] + '.rec')",
    "shuffle": "recio.files.shuffle(settings['rec'], settings['new'] + '.rec', seed=1)",
    "split": "recio.files.split(settings['rec'], 2, settings['new'])",
    "verify": "recio.files.verify(settings['rec'], decode=False)",
    "info": "recio.files.info(settings['rec'])",
    "repair": "recio.files.repair(settings['rec'], settings['new'] + '.rec')",
    "data set": "recio.datasets.RecordDataset(settings['rec'])",
    "labels": "recio.datasets.RecordDataset(settings['rec']).labels()",
}
SCRIPT = """
import signal, time
import recio, recio.datasets
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
try:
    for _ in range(100):
        {}
except KeyboardInterrupt:
    print(time.monotonic(), flush=True)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file of small records without an index."""
    path = tmp_path_factory.mktemp("scans") / "large.rec"
    path.write_bytes(frame(bytes(24) + b"image") * RECORDS)
    return path


@pytest.mark.alone
@pytest.mark.parametrize("scan", SCANS)
def test_ctrl_c_while_scanning_is_heard_at_once(scan: str, large: Path, tmp_path: Path) -> None:
    settings: dict[str, object] = {"rec": str(large), "new": str(tmp_path / "new")}
    with start(python(SCRIPT.format(SCANS[scan]), settings), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.4)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        heard = process.stdout.readline()
        process.wait(20)
    assert process.returncode == 0
    seconds = float(heard) - sent
    print(f"R39: {scan}: {seconds:.2f} s")  # noqa: T201 the figure is the point
    assert seconds <= PATIENCE
    # A fast machine may have completed a file before.
    assert [path for path in tmp_path.iterdir() if not path.name.startswith("new")] == []
