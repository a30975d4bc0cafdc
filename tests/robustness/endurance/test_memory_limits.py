"""Row R30: where memory runs out there is a MemoryError, never an abort."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.support.processes import python
from tests.support.records import image_record, write_records

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 3000
"""Pixels a side: 27 MB when decoded to R, G and B."""
ROOM = [2, 12, 30, 45, 70, 120]
"""MiB of address space beyond what the process has: too few for most of the works, enough for some."""
SCRIPT = """
import json, os, resource, sys
from pathlib import Path
import recio
from recio.image import ForceResizeAug, ImageIter, imdecode, imencode, imresize
from recio.io import ImageRecordIter
from recio.recordio import MXRecordIO

folder, side = Path(settings["folder"]), settings["side"]

def works(form):
    payload, rec = (folder / form).read_bytes(), folder / f"records of {form}.rec"
    options = {"path_imgrec": rec, "data_shape": (3, 64, 64), "batch_size": 2, "preprocess_threads": 2}
    if form in {"bmp", "tiff", "webp"}:
        options["formats"] = [form]
    large = {**options, "data_shape": (3, 512, 512), "batch_size": 32}
    return {
        "decode": lambda: imdecode(payload),
        "resize": lambda: imresize(imdecode(payload), side // 2, side // 2),
        "encode": lambda: imencode(imdecode(payload), ".png"),
        "resized": lambda: ImageRecordIter(resize=64, **options).next(),
        "rotated": lambda: ImageRecordIter(max_rotate_angle=20, resize=64, **options).next(),
        "function": lambda: ImageRecordIter(aug_list=[lambda image: image, ForceResizeAug((64, 64))], **options).next(),
        "ImageIter": lambda: ImageIter(brightness=0.3, rand_crop=True, **options).next(),
        "large batches": lambda: ImageRecordIter(**large).next(),
        "records": lambda: [MXRecordIO(rec, "r").read() for _ in range(3)],
        "verify": lambda: recio.verify(rec, threads=2),
    }

def run(form, work, room):
    work = works(form)[work]
    used = next(line for line in open("/proc/self/status") if line.startswith("VmSize"))
    limit = int(used.split()[1]) * 1024 + room * (1 << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        work()
    except (MemoryError, OSError) as error:
        return f"{type(error).__name__} {error}"
    return "done"

for case in settings["cases"]:
    sys.stdout.flush()
    child = os.fork()
    if not child:
        print(json.dumps([*case, run(*case)]), flush=True)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        print(json.dumps([*case, f"exit code {code}"]))
"""
FORMATS = {
    "jpg": ["decode", "resize", "encode", "resized", "rotated", "function", "ImageIter", "large batches", "verify"],
    "progressive": ["decode", "resized"],
    "png": ["decode", "resized", "rotated"],
    "bmp": ["decode", "records"],
    "tiff": ["decode"],
    "webp": ["decode"],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write an image in all formats, and record files with four of each."""
    folder = tmp_path_factory.mktemp("large")
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    pixels[::64], pixels[:, ::97] = 200, 90
    for form in FORMATS:
        if form == "progressive":
            Image.fromarray(pixels).save(folder / form, "JPEG", progressive=True)
        else:
            (folder / form).write_bytes(cv2.imencode(f".{form}", pixels)[1].tobytes())
        payload = (folder / form).read_bytes()
        write_records(folder, [image_record(payload, number) for number in range(4)], f"records of {form}")
    return folder


@pytest.mark.timeout(300)
def test_running_out_of_memory_is_a_memory_error(folder: Path) -> None:
    """A process forks for each case, before it has threads."""
    cases = [(form, work, room) for form, works in FORMATS.items() for work, room in itertools.product(works, ROOM)]
    command = python(SCRIPT, {"folder": str(folder), "side": SIDE, "cases": cases})
    child = subprocess.run(command, capture_output=True, text=True, check=False, timeout=250)
    assert child.returncode == 0, child.stderr
    outcomes = [json.loads(line) for line in child.stdout.splitlines()]
    assert len(outcomes) == len(cases), child.stderr
    for *case, outcome in outcomes:
        is_thread_error = outcome.startswith("OSError cannot start a thread")
        assert outcome.startswith(("done", "MemoryError")) or is_thread_error, (case, outcome, child.stderr)
    kinds = [outcome.split()[0] for *_, outcome in outcomes]
    assert kinds.count("MemoryError") >= 30
    assert kinds.count("done") >= 20


@pytest.mark.parametrize("batch_size", [10**9, 2**40])
def test_batch_that_no_memory_holds_is_a_memory_error(folder: Path, batch_size: int) -> None:
    from recio.io import ImageRecordIter  # noqa: PLC0415 the other test needs none

    with pytest.raises(MemoryError, match=f"batch_size={batch_size} needs"):
        ImageRecordIter(path_imgrec=folder / "records of jpg.rec", data_shape=(3, 512, 512), batch_size=batch_size)
