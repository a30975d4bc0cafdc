"""Faults of servers and networks: tried again, or the record's error."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.records import digest, numbers, stream
from tests.support.servers.faults import (
    PASSING,
    Short,
    Status,
    Truncate,
    first_attempts,
    for_range_at,
    seeded,
)

from .remote import IMAGES, RemoteFile, open_images, read_local

if TYPE_CHECKING:
    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.faults import Fault
    from tests.support.servers.messages import Request

BAD = 77


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

    def test_the_server_is_asked_no_earlier_than_it_wants(self, bucket: Bucket, pictures: RemoteFile) -> None:
        break_record(bucket, pictures.local, Status(429, retry_after=1), attempts=1)
        with pictures.open_iter() as remote:
            assert len(numbers(remote)) == IMAGES
        requests = bucket.server.requests
        first = next(request for request in requests if is_for_record(request, pictures))
        again = next(r for r in requests[first.number + 1 :] if r.range == first.range)
        assert again.moment - first.moment >= 1


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
        print(f"{bucket.server.faults.total()} faults, {dict(bucket.server.faults)}")  # noqa: T201
