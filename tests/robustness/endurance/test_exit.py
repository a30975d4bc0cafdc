"""Row R26: the process ends with its exit code, whatever the threads of iterators are doing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import run_python
from tests.support.records import RecordFile, is_quiet, write_tiny

if TYPE_CHECKING:
    import subprocess

SCRIPT = """
import os, sys, threading, time
import recio, recio._util
from recio.image import ImageIter
from recio.io import ImageRecordIter, PrefetchingIter

path = settings["path"]
recio._util.EXIT_PATIENCE = settings["patience"]

def sleep(image):
    time.sleep(0.002)
    return image

def compute(image):
    end = time.monotonic() + 0.002
    while time.monotonic() < end:
        sum(range(100))
    return image

class ImageHook(ImageIter):
    def augmentation_transform(self, data):
        return sleep(data)

class ReadingHook(ImageIter):
    def next_sample(self):
        return sleep(super().next_sample())

def record_iter(function=sleep):
    return ImageRecordIter(path_imgrec=path, data_shape=(3, 8, 8), batch_size=8, aug_list=[function])

def start(function, *args):
    threading.Thread(target=function, args=args, daemon=True).start()

def read_in_thread(batches):
    def read():
        while True:
            for _ in batches:
                pass
            batches.reset()
    start(read)
    time.sleep(0.03)

def verify():
    while True:
        recio.verify(path, progress=lambda *at: time.sleep(0.002))

kind = settings["kind"]
if kind == "function":
    batches = record_iter()
    batches.next()
elif kind == "prefetched function":
    batches = PrefetchingIter(record_iter())
    batches.next()
elif kind == "prefetched computation":
    batches = PrefetchingIter(record_iter(compute))
    batches.next()
elif kind == "prefetched hook":
    batches = PrefetchingIter(ImageHook(8, (3, 8, 8), path_imgrec=path))
    batches.next()
elif kind == "prefetched reading hook":
    batches = PrefetchingIter(ReadingHook(8, (3, 8, 8), path_imgrec=path))
    batches.next()
elif kind == "daemon thread reads":
    batches = record_iter()
    read_in_thread(batches)
elif kind == "daemon thread reads by hooks":
    batches = ReadingHook(8, (3, 8, 8), path_imgrec=path)
    read_in_thread(batches)
elif kind == "daemon thread closes":
    batches = record_iter()
    read_in_thread(batches)
    start(batches.close)
elif kind == "daemon thread drops":
    several = [record_iter()]
    several[0].next()
    start(several.clear)
elif kind == "daemon thread verifies":
    start(verify)
    time.sleep(0.03)

if settings["end"] == "sys.exit":
    sys.exit(3)
if settings["end"] == "os._exit":
    os._exit(4)
if settings["end"] == "error":
    raise SystemError("the end")
"""
KINDS = [
    "function",
    "prefetched function",
    "prefetched computation",
    "prefetched hook",
    "prefetched reading hook",
    "daemon thread reads",
    "daemon thread reads by hooks",
    "daemon thread closes",
    "daemon thread drops",
    "daemon thread verifies",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("exit"), 100)


def outcomes(
    file: RecordFile, kinds: list[str], patience: float, end: str = "return"
) -> list[subprocess.CompletedProcess[str]]:
    """Run the script for each kind, several at a time, so that the scheduler varies what they do at the end."""

    def run(kind: str) -> subprocess.CompletedProcess[str]:
        return run_python(SCRIPT, path=str(file.rec), kind=kind, patience=patience, end=end)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(run, kinds))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("patience", [5.0, 0.0], ids=["waiting for functions", "not waiting"])
@pytest.mark.parametrize("runs", [1, pytest.param(40, marks=pytest.mark.slow)])
def test_exit_code_is_zero(file: RecordFile, runs: int, patience: float) -> None:
    """Without waiting, the functions are interrupted: that is what happens to one that takes longer."""
    for kind, child in zip(KINDS * runs, outcomes(file, KINDS * runs, patience), strict=True):
        assert child.returncode == 0, (kind, child.stderr)
        assert is_quiet(child.stderr), (kind, child.stderr)


@pytest.mark.parametrize(("end", "code"), [("sys.exit", 3), ("os._exit", 4), ("error", 1)])
def test_exit_code_is_that_of_the_script(file: RecordFile, end: str, code: int) -> None:
    for child in outcomes(file, KINDS[:2], 5.0, end):
        assert child.returncode == code, child.stderr


@pytest.mark.parametrize("wrapper", ["", "PrefetchingIter"])
def test_function_that_never_returns_does_not_keep_the_process(file: RecordFile, wrapper: str) -> None:
    script = f"""
import threading
import recio._util
from recio.io import ImageRecordIter, PrefetchingIter

recio._util.EXIT_PATIENCE = 0.2
calls, stuck = [], threading.Event()

def first_eight(image):
    calls.append(1)
    if len(calls) > 8:
        stuck.set()
        threading.Event().wait()
    return image

batches = {wrapper}(ImageRecordIter(
    path_imgrec=settings["path"], data_shape=(3, 8, 8), batch_size=8, aug_list=[first_eight]
))
batches.next()
stuck.wait()
"""
    child = run_python(script, path=str(file.rec))
    assert (child.returncode, child.stderr) == (0, "")
