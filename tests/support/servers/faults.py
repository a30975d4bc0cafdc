"""Faults of servers and networks, and plans that say which request meets which."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from .messages import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .messages import Request
    from .server import Connection, Plan

    Answer = Callable[[], Awaitable[Response]]

CHUNK = 4096
ERROR_PAGE = b"<html><body>Please log in to this network.</body></html>"


class Fault(Protocol):
    """What happens to an answer."""

    async def send(self, connection: Connection, answer: Answer) -> None:
        """Send the answer with the fault, or do not."""


@dataclass(frozen=True)
class Delay:
    """The answer is late."""

    seconds: float = 0.05

    async def send(self, connection: Connection, answer: Answer) -> None:
        await asyncio.sleep(self.seconds)
        response = await answer()
        connection.write(response.head + response.body)


@dataclass(frozen=True)
class Status:
    """The server refuses, and may ask for a pause."""

    status: int = 503
    retry_after: int | None = None

    async def send(self, connection: Connection, answer: Answer) -> None:
        del answer
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        response = Response(self.status, headers, b"<Error><Code>Injected</Code></Error>")
        connection.write(response.head + response.body)


@dataclass(frozen=True)
class Reset:
    """The connection is reset before there is an answer."""

    async def send(self, connection: Connection, answer: Answer) -> None:
        del answer
        connection.reset()


@dataclass(frozen=True)
class ResetInBody:
    """The connection is reset after a fraction of the body."""

    fraction: float = 0.5

    async def send(self, connection: Connection, answer: Answer) -> None:
        send_some(connection, await answer(), self.fraction)
        await asyncio.sleep(0.01)  # a reset discards what the client has not received
        connection.reset()


@dataclass(frozen=True)
class Truncate:
    """The connection is closed after a fraction of the body."""

    fraction: float = 0.5

    async def send(self, connection: Connection, answer: Answer) -> None:
        send_some(connection, await answer(), self.fraction)
        connection.close()


@dataclass(frozen=True)
class Stall:
    """After a fraction of the body nothing comes any more; 0 is after the headers, less is before them."""

    fraction: float = 0.5

    async def send(self, connection: Connection, answer: Answer) -> None:
        response = await answer()
        if self.fraction >= 0:
            send_some(connection, response, self.fraction)
        await connection.closed.wait()


@dataclass(frozen=True)
class Trickle:
    """The body comes slowly, in so many pieces."""

    seconds: float = 0.3
    pieces: int = 10

    async def send(self, connection: Connection, answer: Answer) -> None:
        response = await answer()
        connection.write(response.head)
        step = max(1, -(-len(response.body) // self.pieces))
        for start in range(0, len(response.body), step):
            connection.write(response.body[start : start + step])
            await asyncio.sleep(self.seconds / self.pieces)


@dataclass(frozen=True)
class Short:
    """A complete answer that is shorter than the range, without its last bytes."""

    missing: int = 1

    async def send(self, connection: Connection, answer: Answer) -> None:
        response = await answer()
        response = replace(response, body=response.body[: max(0, len(response.body) - self.missing)])
        connection.write(response.head + response.body)


@dataclass(frozen=True)
class WrongRange:
    """The range of an answer is another than asked for."""

    shift: int = 4

    async def send(self, connection: Connection, answer: Answer) -> None:
        response = await answer()
        ends, _, total = response.headers.get("Content-Range", "bytes 0-0/1").removeprefix("bytes ").partition("/")
        first, last = (int(end) + self.shift for end in ends.split("-"))
        moved = response.with_headers(Content_Range=f"bytes {first}-{last}/{total}")
        moved = replace(moved, body=bytes(self.shift) + moved.body[: -self.shift])
        connection.write(moved.head + moved.body)


@dataclass(frozen=True)
class OtherObject:
    """The answer is of another object: another identity, other bytes, of a server that does not know If-Match."""

    etag: str = '"another"'

    async def send(self, connection: Connection, answer: Answer) -> None:
        response = (await answer()).with_headers(ETag=self.etag)
        connection.write(response.head + bytes(len(response.body)))


@dataclass(frozen=True)
class ErrorPage:
    """A page for people, with status 200, as of a hotel's network."""

    async def send(self, connection: Connection, answer: Answer) -> None:
        del answer
        response = Response(200, {"Content-Type": "text/html"}, ERROR_PAGE)
        connection.write(response.head + response.body)


def send_some(connection: Connection, response: Response, fraction: float) -> None:
    """Send the headers of a response and a fraction of its body."""
    connection.write(response.head + response.body[: int(len(response.body) * fraction)])


PASSING: tuple[Fault, ...] = (
    Status(500),
    Status(503),
    Status(429, retry_after=0),
    Reset(),
    ResetInBody(),
    Truncate(),
    Truncate(0),
    Short(),
    Delay(),
    Trickle(),
)
"""Faults after which another attempt may succeed; quick ones."""


def first_attempts(fault: Fault, count: int = 1) -> Plan:
    """Plan a fault for the first attempts of each request for a range."""
    return lambda request: fault if request.range and request.attempt < count else None


def always(fault: Fault) -> Plan:
    """Plan a fault for each request for a range."""
    return lambda request: fault if request.range else None


def for_range_at(offset: int, fault: Fault, attempts: int | None = None) -> Plan:
    """Plan a fault for the requests whose range contains the byte at an offset."""

    def plan(request: Request) -> Fault | None:
        ends = request.range
        hit = ends is not None and ends[0] <= offset < ends[1] and (attempts is None or request.attempt < attempts)
        return fault if hit else None

    return plan


def seeded(seed: int, rate: float, faults: Sequence[Fault] = PASSING, attempts: int = 3) -> Plan:
    """Plan faults for a share of the requests for ranges, but not after so many attempts.

    What a request meets is a function of the seed, its range and its attempt, whatever the order of requests.
    """

    def plan(request: Request) -> Fault | None:
        if request.range is None or request.attempt >= attempts:
            return None
        key = f"{seed} {request.path} {request.range} {request.attempt}".encode()
        number = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
        return faults[number % len(faults)] if (number >> 16) % 10_000 < rate * 10_000 else None

    return plan
