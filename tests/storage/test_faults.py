"""Faults of servers and networks: tried again, or the record's error."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.records import digest, epochs, numbers, stream
from tests.support.servers.faults import (
    PASSING,
    ErrorPage,
    OtherObject,
    Reset,
    ResetInBody,
    Short,
    Stall,
    Status,
    Trickle,
    Truncate,
    WrongRange,
    first_attempts,
    for_range_at,
    seeded,
)

from .remote import IMAGES, RemoteFile, open_images, read_local

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.faults import Fault
    from tests.support.servers.messages import Request

BAD = 77
LIMITS = {"timeout": "1.5", "max_retries": "1"}
LASTING = [
    (Status(503), OSError, r"answered with an error \(503 Service Unavailable, Injected\); gave up after 2 tries"),
    (Status(429, retry_after=0), OSError, "429 Too Many Requests"),
    (Status(403), PermissionError, "access denied"),
    (Status(404), FileNotFoundError, "there is no such object"),
    (Reset(), ConnectionError, "connection to 127.0.0.1 was lost"),
    (ResetInBody(), ConnectionError, "connection was lost after"),
    (Truncate(), OSError, "lost after"),
    (Short(), OSError, "bytes instead of"),
    (Stall(), TimeoutError, "made no progress for 1.5 s"),
    (Stall(-1), TimeoutError, "made no progress for 1.5 s"),
    (WrongRange(), OSError, "other bytes than requested|[Rr]ange"),
    (OtherObject(), ValueError, "the object was replaced while it was read"),
    (Status(412), ValueError, "the object was replaced while it was read"),
    (ErrorPage(), (OSError, ValueError), "whole files only|replaced"),
]


def options(bucket: Bucket) -> dict[str, Any]:
    """Return the options with which a request fails soon."""
    return {"storage_options": bucket.storage_options | LIMITS}


def break_record(bucket: Bucket, file: RecordFile, fault: Fault, attempts: int | None = None) -> None:
    """Let requests for a record meet a fault."""
    bucket.server.plan = for_range_at(file.offsets[BAD] + 2000, fault, attempts)


def is_for_record(request: Request, file: RemoteFile) -> bool:
    """Return whether a request is for the record."""
    ends = request.range or (0, 0)
    return ends[0] <= file.local.offsets[BAD] + 2000 < ends[1]


class TestPassing:
    @pytest.mark.parametrize("fault", PASSING, ids=repr)
    def test_images(self, bucket: Bucket, pictures: RemoteFile, local_pictures: RecordFile, fault: Fault) -> None:
        with pictures.open_iter(shuffle=True) as remote:
            bucket.server.plan = first_attempts(fault)
            assert digest(remote) == digest(open_images(local_pictures, shuffle=True))
        assert bucket.server.faults[type(fault).__name__] > 0

    @pytest.mark.parametrize("fault", [Status(503), Truncate(), Short()], ids=repr)
    def test_records(self, bucket: Bucket, random_records: RemoteFile, fault: Fault) -> None:
        bucket.server.plan = first_attempts(fault)
        expected = read_local(random_records.local)
        assert random_records.read_all() == expected
        with random_records.open_indexed() as reader:
            assert [reader.read_idx(key) for key in (3, 250, 120)] == [expected[key] for key in (3, 250, 120)]

    def test_stalled_answers(self, bucket: Bucket, pictures: RemoteFile, local_pictures: RecordFile) -> None:
        bucket.server.plan = seeded(1, 0.1, [Stall(), Stall(0), Stall(-1)], attempts=1)
        # Two epochs may read a record at the same time, and its attempts are counted together.
        settings = {"storage_options": bucket.storage_options | LIMITS | {"max_retries": "5"}}
        with pictures.open_iter(shuffle=True, **settings) as remote:
            assert digest(remote) == digest(open_images(local_pictures, shuffle=True))
        assert bucket.server.faults["Stall"] > 0

    def test_slow_answers_are_no_stalled_ones(self, bucket: Bucket, pictures: RemoteFile) -> None:
        """The timeout is for progress, not for answers."""
        break_record(bucket, pictures.local, Trickle(seconds=2.5, pieces=20))
        with pictures.open_iter(**options(bucket)) as remote:
            assert len(numbers(remote)) == IMAGES

    def test_the_server_is_asked_no_earlier_than_it_wants(self, bucket: Bucket, random_records: RemoteFile) -> None:
        break_record(bucket, random_records.local, Status(429, retry_after=1), attempts=1)
        with random_records.open_indexed() as reader:
            assert reader.read_idx(BAD) == read_local(random_records.local)[BAD]
        first, again = bucket.server.requests[-2:]
        assert first.range == again.range
        assert again.moment - first.moment >= 1


class TestLasting:
    """Faults that do not pass are the error of the record, with URL, number and offset."""

    @pytest.mark.parametrize(("fault", "kind", "text"), LASTING, ids=lambda value: repr(value)[:40])
    def test_error(
        self,
        bucket: Bucket,
        pictures: RemoteFile,
        fault: Fault,
        kind: type[Exception] | tuple[type[Exception], ...],
        text: str,
    ) -> None:
        break_record(bucket, pictures.local, fault)
        with pictures.open_iter(**options(bucket)) as batches, pytest.raises(kind, match=text) as caught:
            list(batches)
        found: Any = caught.value
        assert (found.path, found.record, found.offset) == (pictures.rec, BAD, pictures.local.offsets[BAD])
        assert pictures.rec in str(found)
        assert f"record {BAD} at byte {pictures.local.offsets[BAD]}: " in str(found)

    @pytest.mark.parametrize("fault", [Status(503), Stall(), Truncate(), Reset()], ids=repr)
    def test_skipped(self, bucket: Bucket, pictures: RemoteFile, tmp_path: Path, fault: Fault) -> None:
        break_record(bucket, pictures.local, fault)
        log = tmp_path / "errors.jsonl"
        with pictures.open_iter(on_error="skip", error_log=log, **options(bucket)) as batches:
            for epoch in epochs(batches, 2):
                assert sorted(numbers(epoch)) == [n for n in range(IMAGES) if n != BAD]
            assert [(error.path, error.record) for error in batches.errors] == [(pictures.rec, BAD)]
        assert [json.loads(line)["record"] for line in log.read_text().splitlines()] == [BAD]

    def test_callback(self, bucket: Bucket, pictures: RemoteFile) -> None:
        break_record(bucket, pictures.local, Status(503))
        heard: list[Any] = []
        with pictures.open_iter(on_error=heard.append, **options(bucket)) as batches:
            assert len(numbers(batches)) == IMAGES - 1
        assert [(error.path, error.record) for error in heard] == [(pictures.rec, BAD)]

    def test_a_record_by_key(self, bucket: Bucket, random_records: RemoteFile) -> None:
        bucket.server.plan = for_range_at(random_records.local.offsets[200] + 9, Status(503))
        with random_records.open_indexed(**options(bucket)) as reader:
            with pytest.raises(OSError, match="503") as caught:
                reader.read_idx(200)
            assert random_records.rec in str(caught.value)
            assert f"at byte {random_records.local.offsets[200]}" in str(caught.value)
            assert reader.read_idx(0) == read_local(random_records.local)[0]
            bucket.server.plan = lambda _: None
            assert reader.read_idx(200) == read_local(random_records.local)[200]


class TestMany:
    """Random faults at a high rate."""

    @pytest.mark.timeout(600)
    @pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
    def test_no_record_is_wrong_lost_or_doubled(
        self, bucket: Bucket, pictures: RemoteFile, local_pictures: RecordFile, count: int
    ) -> None:
        settings: dict[str, Any] = {"shuffle": True, "rand_mirror": True}
        expected = list(stream(open_images(local_pictures, **settings), 3))
        for seed in itertools.count():
            # Two epochs may read a record at the same time, and its attempts are counted together.
            bucket.server.plan = seeded(seed, 0.4, attempts=2)
            with pictures.open_iter(**settings) as remote:
                found = list(stream(remote, 3))
            assert digest(found) == digest(expected)
            assert Counter(numbers(found)) == dict.fromkeys(range(IMAGES), 3)
            if bucket.server.faults.total() >= count:
                break
        print(f"R60: {bucket.server.faults.total()} faults, {dict(bucket.server.faults)}")  # noqa: T201
