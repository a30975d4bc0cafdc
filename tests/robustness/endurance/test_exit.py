"""Row R26: the process ends with its exit code, whatever the threads of iterators are doing."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import run_python
from tests.support.records import RecordFile, write_photos, write_tiny

if TYPE_CHECKING:
    import subprocess

SCRIPT = """
import os, sys, threading, time, types
import numpy as np
import recio, recio._util
from recio.image import ImageIter
from recio.io import ImageRecordIter, PrefetchingIter

path = settings["path"]
recio._util.EXIT_PATIENCE = settings["patience"]

# While the interpreter clears modules, no other thread may use it; threads in native code go on.
class SlowEnd:
    def __del__(self, sleep=time.sleep):
        sleep(0.05)

sys.modules["slow_end"] = types.ModuleType("slow_end")
sys.modules["slow_end"].end = SlowEnd()

def sleep(image):
    time.sleep(0.002)
    return image

def flip(image):
    return image.astype("float64")[:, ::-1]

def fail(image):
    raise RuntimeError("a function that fails")

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

class FullHook(ImageIter):
    def next_sample(self):
        label, data = super().next_sample()
        return np.array([label], np.float32), bytearray(data)
    def imdecode(self, data):
        return super().imdecode(bytes(data)).astype("float64")
    def check_valid_image(self, data):
        sleep(data)

def record_iter(function=sleep):
    return ImageRecordIter(path_imgrec=path, data_shape=(3, 8, 8), batch_size=8, aug_list=[function])

def start(function, *args):
    threading.Thread(target=function, args=args, daemon=True).start()

def read_in_thread(batches):
    def read():
        while True:
            try:
                for _ in batches:
                    pass
            except RuntimeError:
                continue
            batches.reset()
    start(read)
    time.sleep(0.03)

def repeat(work):
    while True:
        work()

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
elif kind == "daemon threads call functions":
    for function in (flip, fail):
        batches = record_iter(function)
        read_in_thread(batches)
elif kind == "daemon threads read by all hooks":
    read_in_thread(FullHook(8, (3, 8, 8), path_imgrec=path))
    read_in_thread(PrefetchingIter(FullHook(8, (3, 8, 8), path_imgrec=path)))
elif kind == "daemon thread opens":
    start(repeat, lambda: record_iter().next())
    time.sleep(0.03)
elif kind == "daemon threads verify":
    start(repeat, lambda: recio.verify(path, progress=lambda *at: time.sleep(0.002)))
    start(repeat, lambda: recio.verify(settings["photos"]))
    time.sleep(0.03)

if settings["end"] == "sys.exit":
    sys.exit(3)
if settings["end"] == "os._exit":
    os._exit(4)
if settings["end"] == "error":
    raise SystemError("the end")
"""
CLOSED_BY_USER = "daemon thread closes"
KINDS = [
    "function",
    "prefetched function",
    "prefetched computation",
    "prefetched hook",
    "prefetched reading hook",
    "daemon thread reads",
    "daemon thread reads by hooks",
    CLOSED_BY_USER,
    "daemon thread drops",
    "daemon threads call functions",
    "daemon threads read by all hooks",
    "daemon thread opens",
    "daemon threads verify",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("exit"), 100)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_photos(tmp_path_factory.mktemp("exit"), 100)


def outcomes(
    file: RecordFile, photos: RecordFile, kinds: list[str], patience: float, end: str = "return"
) -> list[subprocess.CompletedProcess[str]]:
    """Run the script for each kind, several at a time, so that the scheduler varies what they do at the end."""

    def run(kind: str) -> subprocess.CompletedProcess[str]:
        return run_python(SCRIPT, path=str(file.rec), photos=str(photos.rec), kind=kind, patience=patience, end=end)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(run, kinds))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("patience", [5.0, 0.0], ids=["waiting for functions", "not waiting"])
@pytest.mark.parametrize("runs", [1, pytest.param(40, marks=pytest.mark.slow)])
def test_exit_code_is_zero(file: RecordFile, photos: RecordFile, runs: int, patience: float) -> None:
    """Without waiting, the functions are interrupted: that is what happens to one that takes longer."""
    for kind, child in zip(KINDS * runs, outcomes(file, photos, KINDS * runs, patience), strict=True):
        assert child.returncode == 0, (kind, child.stderr)
        assert child.stderr == "" or (kind == CLOSED_BY_USER and found_closed(child.stderr)), (kind, child.stderr)


def found_closed(stderr: str) -> bool:
    """Return whether only the reading thread printed an error, that its iterator is closed.

    The process may end while it is printed.
    """
    return stderr.startswith("Exception in thread Thread-1") and set(re.findall(r"\w*Error", stderr)) <= {"ValueError"}


@pytest.mark.parametrize(("end", "code"), [("sys.exit", 3), ("os._exit", 4), ("error", 1)])
def test_exit_code_is_that_of_the_script(file: RecordFile, photos: RecordFile, end: str, code: int) -> None:
    for child in outcomes(file, photos, KINDS[:2], 5.0, end):
        assert child.returncode == code, child.stderr


JOINED = """
import atexit, threading

def join():
    thread.join()
    try:
        batches.next()
    except ValueError as error:
        print(error)

atexit.register(join)
from recio.io import ImageRecordIter, PrefetchingIter
from recio.image import ImageIter

class ReadingHook(ImageIter):
    def next_sample(self):
        return super().next_sample()

started = threading.Event()

def read():
    try:
        while True:
            for _ in batches:
                started.set()
            batches.reset()
    finally:
        print("finally")

batches = {maker}
thread = threading.Thread(target=read, daemon=True)
thread.start()
started.wait()
"""
RECORDS = 'ImageRecordIter(path_imgrec=settings["path"], data_shape=(3, 8, 8), batch_size=8)'
MAKERS = {
    "ImageRecordIter": RECORDS,
    "PrefetchingIter": f"PrefetchingIter({RECORDS})",
    "ImageIter": 'ReadingHook(8, (3, 8, 8), path_imgrec=settings["path"])',
}


@pytest.mark.parametrize("maker", MAKERS)
def test_daemon_thread_ends_with_its_iterator_and_may_be_joined(file: RecordFile, maker: str) -> None:
    child = run_python(JOINED.replace("{maker}", MAKERS[maker]), path=str(file.rec))
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout == "finally\nthe iterator is closed\n"


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

# With one thread, the ninth call is for the second batch: with several it may be for the first, and
# no batch would ever be ready.
batches = {wrapper}(ImageRecordIter(
    path_imgrec=settings["path"], data_shape=(3, 8, 8), batch_size=8, aug_list=[first_eight], preprocess_threads=1
))
batches.next()
stuck.wait()
"""
    child = run_python(script, path=str(file.rec))
    assert (child.returncode, child.stderr) == (0, "")
