"""Row R31: Ctrl-C is heard while an iterator is constructed, whose scan of all headers may take minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from recio.recordio import IRHeader, pack
from tests.support.framing import encode
from tests.support.processes import run_python

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 1_500_000
PATIENCE = 0.5
"""Seconds until KeyboardInterrupt."""
SCRIPT = """
import os, signal, sys, threading, time
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageDetRecordIter, ImageMaskRecordIter, ImageRecordIter

rec, lst = settings["rec"], settings["lst"]
shape = {"data_shape": (3, 8, 8), "batch_size": 1}
makes = {
    "records": lambda: ImageRecordIter(path_imgrec=rec, **shape),
    "labels": lambda: ImageRecordIter(path_imgrec=rec, label_width=-1, **shape),
    "list": lambda: ImageRecordIter(path_imgrec=rec, path_imglist=lst, **shape),
    "ImageIter": lambda: ImageIter(path_imgrec=rec, path_imglist=lst, **shape),
    "ImageDetRecordIter": lambda: ImageDetRecordIter(path_imgrec=rec, **shape),
    "ImageDetIter": lambda: ImageDetIter(path_imgrec=rec, **shape),
    "ImageMaskRecordIter": lambda: ImageMaskRecordIter(path_imgrec=rec, path_maskrec=rec, **shape),
}
signal.signal(signal.SIGINT, signal.default_int_handler)
sent = []

def interrupt():
    sent.append(time.monotonic())
    os.kill(os.getpid(), signal.SIGINT)

for name, make in makes.items():
    for delay in settings["delays"]:
        timer = threading.Timer(delay, interrupt)
        timer.start()
        try:
            make()
            timer.join()
            time.sleep(0.1)
            print(name, "done")
        except KeyboardInterrupt:
            print(name, time.monotonic() - sent[-1])
        except ValueError as error:
            timer.join()
            print(name, "done", error)
"""


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_ctrl_c_is_heard_while_headers_are_scanned(tmp_path: Path) -> None:
    record = encode(pack(IRHeader(0, [2, 5, 1, 0.1, 0.1, 0.9, 0.9], 7, 0), b"image"))
    rec, lst = tmp_path / "many.rec", tmp_path / "some.lst"
    rec.write_bytes(record * RECORDS)
    lst.write_text("7\t1\tx.png\n")
    child = run_python(SCRIPT, rec=str(rec), lst=str(lst), delays=[0.02, 0.35, 0.8])
    assert child.returncode == 0, child.stderr
    times = [line.split() for line in child.stdout.splitlines()]
    heard = [float(time) for _, time, *_ in times if time != "done"]
    assert len(heard) >= 10, times
    assert max(heard) <= PATIENCE, times
