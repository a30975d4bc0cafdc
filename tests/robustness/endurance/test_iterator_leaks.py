"""Row R15: iterators that are made, read a little, begun anew, hit an error and dropped cost nothing in the long run.

In a process of its own, since what other tests hold may grow or shrink meanwhile. `test_lifecycle.py` has what
one iterator holds and lets go of.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import python
from tests.support.records import image_record, noise, png, write_records

if TYPE_CHECKING:
    from pathlib import Path

LIVES = """
import psutil
from recio import DecodeError
from recio.io import ImageRecordIter
from tests.support.processes import becomes_true
from tests.support.records import threads

process = psutil.Process()

def live(path, batches_an_epoch):
    batches = ImageRecordIter(path_imgrec=path, data_shape=(3, 8, 8), batch_size=4, preprocess_threads=2, shuffle=True)
    next(outcomes(batches))
    for _ in range(2):
        # In the middle of an epoch; then at the end of one, which had an error if the file has.
        batches.reset()
        assert sum(1 for _ in outcomes(batches)) == batches_an_epoch
    batches.reset()

def outcomes(batches):
    while True:
        try:
            yield batches.next()
        except DecodeError as error:
            yield error
        except StopIteration:
            return

def state():
    return process.memory_info().rss, process.num_fds(), len(threads())

def use(count):
    for number in range(count):
        live(settings["whole" if number % 2 else "damaged"], batches_an_epoch=4)

use(settings["count"] // 5)
before = state()
use(settings["count"])
assert becomes_true(lambda: state()[1:] == before[1:]), (before, state())
print((state()[0] - before[0]) / settings["count"], *before[1:])
"""


@pytest.mark.parametrize("iterators", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_thousands_of_iterators_leak_no_memory_descriptors_or_threads(tmp_path: Path, iterators: int) -> None:
    images = [image_record(png(noise(8, 8, seed=number)), number) for number in range(14)]
    whole = write_records(tmp_path, images, "whole")
    damaged = write_records(tmp_path, [*images[:7], images[7][:60], *images[8:]], "damaged")
    command = python(LIVES, {"whole": str(whole.rec), "damaged": str(damaged.rec), "count": iterators})
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    slope, files, threads = map(float, done.stdout.split())
    print(f"{slope:.0f} bytes an iterator, of {iterators}; {files:.0f} files and {threads:.0f} threads")  # noqa: T201
    assert slope <= 1024
