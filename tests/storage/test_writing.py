"""Record files that are written to a bucket appear when they are complete."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from recio import files
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.processes import becomes_true, python, start
from tests.support.records import write_records
from tests.support.servers.faults import Delay, Reset, Status

from .remote import read_local

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.messages import Request
    from tests.support.servers.moto import Moto

LARGE = 24 << 20
"""Bytes that are uploaded in several pieces."""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write records of 24 MB in all."""
    return write_records(tmp_path_factory.mktemp("large"), [bytes([n]) * (1 << 20) for n in range(LARGE >> 20)])


def is_upload(request: Request) -> bool:
    """Return whether a request writes."""
    return request.method in {"PUT", "POST"}


WRITINGS: dict[str, tuple[Callable[[RecordFile, str], Any], list[str]]] = {
    "merge": (lambda file, prefix: files.merge([file.rec, file.rec], f"{prefix}a.rec"), ["a.idx", "a.rec"]),
    "split": (
        lambda file, prefix: files.split(file.rec, 2, f"{prefix}a"),
        ["a.recset.json", "a_0.idx", "a_0.rec", "a_1.idx", "a_1.rec"],
    ),
    "shuffle": (lambda file, prefix: files.shuffle(file.rec, f"{prefix}a.rec", seed=1), ["a.idx", "a.rec"]),
    "repair": (lambda file, prefix: files.repair(file.rec, f"{prefix}a.rec"), ["a.idx", "a.rec"]),
}


@pytest.mark.parametrize("name", WRITINGS)
def test_the_objects_are_the_local_files(
    s3: Bucket, moto: Moto, local_random: RecordFile, tmp_path: Path, name: str
) -> None:
    write, names = WRITINGS[name]
    write(local_random, f"{tmp_path}/")
    write(local_random, s3.url(""))
    assert moto.keys(s3.name) == names
    for key in names:
        assert moto.get(s3.name, key) == (tmp_path / key).read_bytes()


def test_from_bucket_to_bucket(s3: Bucket, moto: Moto, local_random: RecordFile) -> None:
    url = s3.put_file("in.rec", local_random.rec)
    s3.put_file("in.idx", local_random.idx)
    files.shuffle(url, s3.url("out.rec"), seed=1)
    with MXRecordIO(s3.url("out.rec"), "r") as reader:
        assert sorted(reader) == sorted(read_local(local_random))
    assert moto.uploads(s3.name) == []


def test_a_large_file_is_uploaded_in_pieces(s3: Bucket, moto: Moto, large: RecordFile, tmp_path: Path) -> None:
    files.merge([large.rec], tmp_path / "a.rec")
    files.merge([large.rec], s3.url("a.rec"))
    assert moto.get(s3.name, "a.rec") == (tmp_path / "a.rec").read_bytes()
    assert moto.uploads(s3.name) == []
    assert sum("partNumber" in request.target for request in s3.server.requests) > 1


@pytest.mark.parametrize("fault", [Status(503), Status(500), Reset()], ids=repr)
def test_requests_are_tried_again(s3: Bucket, moto: Moto, large: RecordFile, tmp_path: Path, fault: Any) -> None:  # noqa: ANN401
    s3.server.plan = lambda request: fault if is_upload(request) and request.attempt == 0 else None
    files.merge([large.rec], tmp_path / "a.rec")
    files.merge([large.rec], s3.url("a.rec"))
    assert s3.server.faults[type(fault).__name__] > 2
    assert moto.get(s3.name, "a.rec") == (tmp_path / "a.rec").read_bytes()


@pytest.mark.parametrize("size", ["small", "large"])
def test_a_failed_upload_leaves_nothing(
    s3: Bucket, moto: Moto, local_random: RecordFile, large: RecordFile, size: str
) -> None:
    file = large if size == "large" else local_random
    s3.server.plan = lambda request: Status(403) if is_upload(request) and "uploads" not in request.target else None
    with pytest.raises(PermissionError, match="access denied") as caught:
        files.merge([file.rec], s3.url("a.rec"))
    assert s3.url("a.rec") in str(caught.value)
    assert moto.keys(s3.name) == []
    assert becomes_true(lambda: moto.uploads(s3.name) == [])


def test_objects_cannot_be_appended_to(s3: Bucket, moto: Moto, local_random: RecordFile) -> None:
    files.merge([local_random.rec], s3.url("a.rec"))
    before = moto.get(s3.name, "a.rec")
    with pytest.raises(OSError, match="objects cannot be appended to: write the records to another file"):
        MXIndexedRecordIO(s3.url("a.idx"), s3.url("a.rec"), "a")
    assert moto.get(s3.name, "a.rec") == before


def test_records_are_written_one_by_one(s3: Bucket, moto: Moto, tmp_path: Path) -> None:
    for prefix in (f"{tmp_path}/a", s3.url("a")):
        with MXIndexedRecordIO(f"{prefix}.idx", f"{prefix}.rec", "w") as writer:
            for key in range(50):
                writer.write_idx(key, bytes([key]) * 100 * key)
            assert prefix != s3.url("a") or moto.keys(s3.name) == []
    assert moto.keys(s3.name) == ["a.idx", "a.rec"]
    for name in ("a.idx", "a.rec"):
        assert moto.get(s3.name, name) == (tmp_path / name).read_bytes()


def write_and_fail(url: str) -> None:
    with MXRecordIO(url, "w") as writer:
        writer.write(b"record")
        raise ArithmeticError


def test_an_exception_leaves_no_object(s3: Bucket, moto: Moto) -> None:
    with pytest.raises(ArithmeticError):
        write_and_fail(s3.url("a.rec"))
    assert moto.keys(s3.name) == []


def test_a_writer_that_is_not_closed_leaves_no_object(s3: Bucket, moto: Moto) -> None:
    writer = MXRecordIO(s3.url("a.rec"), "w")
    writer.write(b"record")
    with pytest.warns(RuntimeWarning, match=r"a\.rec was not written: its writer was not closed"):
        del writer
    assert moto.keys(s3.name) == []


def test_the_end_of_a_process_leaves_no_object(s3: Bucket, moto: Moto) -> None:
    script = """
from recio.recordio import MXRecordIO
writer = MXRecordIO(settings["to"], "w")
writer.write(b"record")
raise SystemExit(3)
"""
    done = subprocess.run(python(script, {"to": s3.url("a.rec")}), capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "was not written" in done.stderr
    assert "Traceback" not in done.stderr
    assert moto.keys(s3.name) == []


@pytest.mark.parametrize("at", range(6))
def test_a_killed_writer_leaves_no_object(s3: Bucket, moto: Moto, large: RecordFile, at: int) -> None:
    """It is killed while one of its requests is answered: the first, the second and so on."""
    reached = []

    def plan(request: Request) -> Delay | None:
        if is_upload(request):
            reached.append(request)
            return Delay(5) if len(reached) > at else None
        return None

    s3.server.plan = plan
    script = "from recio import files; files.merge([settings['rec']], settings['to'])"
    with start(python(script, {"rec": str(large.rec), "to": s3.url("a.rec")}), stderr=subprocess.PIPE) as process:
        assert becomes_true(lambda: len(reached) > at or process.poll() is not None, within=20)
        process.kill()
        process.communicate()
    assert set(moto.keys(s3.name)) <= {"a.idx", "a.rec"}
    if "a.rec" not in moto.keys(s3.name):
        assert moto.keys(s3.name) == []
