"""Row R27: a thread that cannot be started is an OSError, and leaves nothing running."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.faults import compile_shim
from tests.support.processes import python
from tests.support.records import PHOTOS, write_photos

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import contextlib, ctypes, json, os, time
from pathlib import Path
import numpy as np
import recio, recio.files, recio.im2rec
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageMaskRecordIter, ImageRecordIter, NDArrayIter, PrefetchingIter

rec, folder = settings["rec"], Path(settings["folder"])
limiter = ctypes.CDLL(os.environ["LD_PRELOAD"])
SIZE = {"data_shape": (3, 64, 64), "batch_size": 64}

class Hooked(ImageIter):
    def augmentation_transform(self, data):
        return data[:64, :64]

def arrays():
    return [NDArrayIter(np.zeros(8), batch_size=2) for _ in range(3)]

images = [name for name in os.listdir(folder) if name.endswith(".jpg")]
(folder / "a.lst").write_text("".join(f"{number}\\t0\\t{name}\\n" for number, name in enumerate(images)))

works = {
    "ImageRecordIter": lambda: next(ImageRecordIter(path_imgrec=rec, preprocess_threads=3, resize=64, **SIZE)),
    "small batches": lambda: next(
        ImageRecordIter(path_imgrec=rec, preprocess_threads=3, resize=64, data_shape=(3, 64, 64), batch_size=2)
    ),
    "ImageIter": lambda: next(ImageIter(path_imgrec=rec, preprocess_threads=3, resize=64, **SIZE)),
    "hooks": lambda: next(Hooked(path_imgrec=rec, preprocess_threads=3, resize=64, **SIZE)),
    "PrefetchingIter": lambda: next(PrefetchingIter(arrays())),
    "PrefetchingIter of ImageRecordIter": lambda: next(PrefetchingIter(
        ImageRecordIter(path_imgrec=rec, preprocess_threads=3, resize=64, **SIZE)
    )),
    "verify": lambda: recio.verify(rec, threads=3),
    "pack": lambda: recio.im2rec.pack(folder / "a.lst", folder, num_thread=3),
    "merge": lambda: recio.files.merge([rec, rec], folder / "merged.rec"),
    "split": lambda: recio.files.split(rec, 2, folder / "split.rec"),
    "shuffle": lambda: recio.files.shuffle(rec, folder / "shuffled.rec", seed=1),
}

def names():
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):
            yield (task / "comm").read_text()

def running():
    deadline = time.monotonic() + 2
    while (left := [name for name in names() if name.startswith("recio")]) and time.monotonic() < deadline:
        time.sleep(0.001)
    return left

outcomes = []
for name, work in works.items():
    for allowed in range(12):
        limiter.allow_threads(allowed)
        try:
            result = work()
            outcome = "done"
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
            del error
        result = None
        limiter.allow_threads(-1)
        outcomes.append((name, allowed, outcome, running()))
        if outcome == "done":
            break
    work()
print(json.dumps(outcomes))
"""


def test_thread_that_cannot_be_started_is_an_os_error(tmp_path: Path) -> None:
    """With 0, 1, 2 ... threads allowed, until the work succeeds; and then again without a limit."""
    shim = compile_shim(tmp_path, "threads")
    file = write_photos(tmp_path, 6)
    shutil.copy(PHOTOS[0], tmp_path / "0.jpg")
    command = python(SCRIPT, {"rec": str(file.rec), "folder": str(tmp_path)})
    environment = {**os.environ, "LD_PRELOAD": str(shim), "OPENBLAS_NUM_THREADS": "1"}
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert child.returncode == 0, child.stderr
    outcomes = json.loads(child.stdout)
    for name, allowed, outcome, running in outcomes:
        assert outcome == "done" or outcome.startswith("OSError: cannot start a thread: "), (name, allowed, outcome)
        assert running == [], (name, allowed)
    threads = {name: allowed for name, allowed, outcome, _ in outcomes if outcome == "done"}
    assert min(threads.values()) >= 1, threads
    assert threads["small batches"] == 3
    assert threads["ImageRecordIter"] == threads["ImageIter"] == threads["hooks"] == 5
