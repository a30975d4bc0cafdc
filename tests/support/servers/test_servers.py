"""The tests' servers answer as real ones do, and inject the faults that a plan wants."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import becomes_true

from .faults import (
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
    always,
    first_attempts,
    seeded,
)
from .hugging_face import HuggingFace
from .messages import Request
from .moto import SIGNED
from .objects import Objects
from .server import Server, no_faults
from .web import Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .buckets import Bucket
    from .faults import Fault
    from .moto import Moto

BODY = bytes(range(256)) * 100
RANGE = {"Range": "bytes=100-1099"}


@pytest.fixture
def server() -> Iterator[Server]:
    """Start a server of one object, `/data`."""
    objects = Objects()
    objects.put("/data", BODY)
    with Server(objects) as server:
        yield server


def get(url: str, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Send a request over a connection of its own."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("header", "part"),
    [("bytes=0-0", BODY[:1]), ("bytes=25000-", BODY[25000:]), ("bytes=-3", BODY[-3:]), ("bytes=9-99999", BODY[9:])],
)
def test_ranges(server: Server, header: str, part: bytes) -> None:
    answer, body = get(server.url, "/data", Range=header)
    assert (answer.status, body) == (206, part)


def test_object_and_its_head(server: Server) -> None:
    answer, body = get(server.url, "/data")
    assert (answer.status, body) == (200, BODY)
    head, nothing = get(server.url, "/data", "HEAD")
    assert (head.status, head.headers["Content-Length"], nothing) == (200, str(len(BODY)), b"")
    assert head.headers["ETag"] == answer.headers["ETag"]


def test_preconditions(server: Server) -> None:
    etag = get(server.url, "/data", "HEAD")[0].headers["ETag"]
    assert get(server.url, "/data", If_Match=etag, **RANGE)[0].status == 206
    assert get(server.url, "/data", If_Match='"other"', **RANGE)[0].status == 412
    assert get(server.url, "/data", If_Range='"other"', **RANGE)[0].status == 200
    assert get(server.url, "/data", Range="bytes=99999-")[0].status == 416
    assert get(server.url, "/nothing")[0].status == 404


def test_a_connection_serves_many_requests(server: Server) -> None:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    for number in range(50):
        connection.request("GET", "/data", headers={"Range": f"bytes={number}-{number}"})
        assert connection.getresponse().read() == BODY[number : number + 1]
    assert len(server.connections) == 1
    connection.close()
    assert [request.number for request in server.requests] == [*range(50)]


def test_requests_in_flight_are_counted(server: Server) -> None:
    server.delay = 0.1
    threads = [threading.Thread(target=get, args=(server.url, "/data")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.max_in_flight > 1
    assert becomes_true(lambda: server.in_flight == 0)


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Status(503, retry_after=0), 503),
        (Reset(), ConnectionResetError),
        (ResetInBody(), ConnectionResetError),
        (Truncate(), http.client.IncompleteRead),
        (Truncate(0), http.client.IncompleteRead),
        (Short(), BODY[100:1099]),
        (Trickle(0.05), BODY[100:1100]),
        (WrongRange(), bytes(4) + BODY[100:1096]),
        (OtherObject(), bytes(1000)),
        (ErrorPage(), 200),
    ],
    ids=lambda value: type(value).__name__,
)
def test_faults(server: Server, fault: Fault, outcome: int | bytes | type[Exception]) -> None:
    server.plan = first_attempts(fault)
    if isinstance(outcome, type):
        with pytest.raises(outcome):
            get(server.url, "/data", **RANGE)
    else:
        answer, body = get(server.url, "/data", **RANGE)
        assert outcome in {answer.status, body}
    assert get(server.url, "/data", **RANGE)[1] == BODY[100:1100]
    assert server.faults == {type(fault).__name__: 1}


def test_a_stalled_answer_does_not_hold_up_the_end(server: Server) -> None:
    server.plan = always(Stall())
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=0.1)
    connection.request("GET", "/data", headers=RANGE)
    answer = connection.getresponse()
    with pytest.raises(TimeoutError):
        answer.read()
    connection.close()


def test_a_plan_is_a_function_of_range_and_attempt() -> None:
    plan = seeded(1, 0.3)
    requests = [
        Request("GET", "/a", {"range": f"bytes={first}-{first + 9}"}, number=number, attempt=attempt)
        for number, (first, attempt) in enumerate((first, attempt) for first in range(500) for attempt in range(4))
    ]
    met = [plan(request) for request in requests]
    assert met == [plan(request) for request in requests]
    assert 400 < sum(fault is not None for fault in met) < 500
    assert not any(met[3::4])


def test_a_server_without_ranges(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(BODY)
    with Web(tmp_path) as web:
        answer, body = get(web.url, "/data", **RANGE)
    assert (answer.status, body) == (200, BODY)


def test_hub() -> None:
    with HuggingFace("hf_secret") as hub:
        hub.put("org/name", "data.rec", BODY)
        path = "/datasets/org/name/resolve/main/data.rec"
        assert get(hub.hub.url, path)[0].status == 401
        answer, _ = get(hub.hub.url, path, Authorization="Bearer hf_secret")
        assert (answer.status, answer.headers["X-Linked-Size"]) == (302, str(len(BODY)))
        target = answer.headers["Location"].removeprefix(hub.cdn.url)
        assert get(hub.cdn.url, target, **RANGE)[1] == BODY[100:1100]
        hub.expire()
        assert get(hub.cdn.url, target, **RANGE)[0].status == 403


def test_moto_through_a_proxy(s3: Bucket, moto: Moto) -> None:
    s3.put("a/data", BODY)
    s3.server.plan = first_attempts(Truncate())
    moto.put(s3.name, "b", b"")
    assert moto.keys(s3.name) == ["a/data", "b"]
    path = f"/{s3.name}/a/data"
    headers = {"Authorization": SIGNED}
    with pytest.raises(http.client.IncompleteRead):
        get(s3.server.url, path, **RANGE, **headers)
    assert get(s3.server.url, path, **RANGE, **headers)[1] == BODY[100:1100]
    s3.server.plan = no_faults
    head, _ = get(s3.server.url, path, "HEAD", **headers)
    assert head.headers["Content-Length"] == str(len(BODY))
    status = get(s3.server.url, path, If_Match='"other"', **RANGE, **headers)[0].status
    assert status == 412
