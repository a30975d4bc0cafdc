"""Ctrl-C, closing and the end of the process while a server does not answer."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import becomes_true, python, start
from tests.support.servers.faults import Stall, always

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recio.io import ImageRecordIter
    from tests.support.servers.buckets import Bucket

    from .remote import RemoteFile

PATIENCE = 0.5
"""Seconds until KeyboardInterrupt, and until an iterator is closed."""
SCRIPT = """
import itertools
import time
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO
import recio

rec, idx = settings["rec"], settings["idx"]
try:
    match settings["work"]:
        case "open":
            MXIndexedRecordIO(idx, rec, "r")
        case "read":
            reader = MXIndexedRecordIO(idx, rec, "r")
            print("ready", flush=True)
            for key in itertools.cycle(range(0, 120, 7)):
                reader.read_idx(key)
        case "iterate":
            batches = ImageRecordIter(
                path_imgrec=rec, path_imgidx=idx, data_shape=(3, 8, 8), batch_size=8, shuffle=True
            )
            print("ready", flush=True)
            while True:
                for batch in batches:
                    pass
                batches.reset()
        case "verify":
            recio.verify(rec)
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
if settings["work"] == "iterate":
    batches.close()
print("end", time.monotonic(), flush=True)
"""


@pytest.mark.alone
@pytest.mark.parametrize("work", ["open", "read", "iterate", "verify"])
def test_ctrl_c(bucket: Bucket, pictures: RemoteFile, work: str) -> None:
    if work in {"open", "verify"}:
        bucket.server.plan = always(Stall())
    command = python(SCRIPT, {"rec": pictures.rec, "idx": pictures.idx, "work": work})
    with start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        if work in {"read", "iterate"}:
            assert process.stdout.readline() == "ready\n"
            bucket.server.plan = always(Stall())
        assert becomes_true(lambda: bucket.server.faults["Stall"] > 0, within=20)
        time.sleep(0.1)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        shown, errors = process.communicate(timeout=20)
    words = shown.split()
    assert words[0::2] == ["interrupted", "end"], (shown, errors)
    assert [float(moment) - sent < PATIENCE for moment in words[1::2]] == [True, True]
    assert errors == ""


@pytest.fixture
def waiting(bucket: Bucket, pictures: RemoteFile) -> Iterator[ImageRecordIter]:
    """Open an iterator for whose batches a thread waits until it is closed; many requests are in flight."""
    bucket.server.plan = lambda request: Stall() if request.number > 20 else None
    batches = pictures.open_iter(shuffle=True)
    errors: list[str] = []

    def read() -> None:
        try:
            list(batches)
        except ValueError as error:
            errors.append(str(error))

    thread = threading.Thread(target=read)
    thread.start()
    assert becomes_true(lambda: bucket.server.faults["Stall"] > 4)
    yield batches
    batches.close()
    thread.join()
    assert errors == ["the iterator is closed"]


@pytest.mark.alone
def test_close(waiting: ImageRecordIter) -> None:
    began = time.monotonic()
    waiting.close()
    assert time.monotonic() - began < PATIENCE


def test_requests_are_cancelled_when_an_iterator_is_closed(bucket: Bucket, waiting: ImageRecordIter) -> None:
    waiting.close()
    assert becomes_true(lambda: bucket.server.in_flight == 0)
    count = len(bucket.server.requests)
    time.sleep(0.2)
    assert len(bucket.server.requests) == count


@pytest.mark.parametrize("end", ["pass", "import os; os._exit(4)", "import sys; sys.exit(4)"])
def test_the_process_ends(bucket: Bucket, pictures: RemoteFile, end: str) -> None:
    bucket.server.plan = lambda request: Stall() if request.number > 20 else None
    script = f"""
from recio.io import ImageRecordIter
batches = ImageRecordIter(
    path_imgrec=settings["rec"], path_imgidx=settings["idx"], data_shape=(3, 8, 8), batch_size=8, shuffle=True
)
{end}
"""
    command = python(script, {"rec": pictures.rec, "idx": pictures.idx})
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0 if end == "pass" else 4, "")
