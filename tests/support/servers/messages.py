"""Requests and responses of HTTP/1.1, as the tests' servers see and make them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """A request that a server has received."""

    method: str
    target: str
    """The path as sent, with the query."""
    headers: Mapping[str, str]
    """The headers; their names are in lower case."""
    body: bytes = b""
    number: int = 0
    """Number of the request among all that the server received."""
    attempt: int = 0
    """How many equal requests (method, target and range) met a fault since the last that did not."""
    moment: float = field(default_factory=time.monotonic)
    """When it had arrived, by the monotonic clock."""

    @property
    def path(self) -> str:
        """The path without the query, unquoted."""
        return unquote(self.target.partition("?")[0])

    @property
    def range(self) -> tuple[int, int] | None:
        """The first byte and the one after the last, if the request is for a range with both."""
        first, dash, last = self.headers.get("range", "").removeprefix("bytes=").partition("-")
        return (int(first), int(last) + 1) if dash and first and last else None

    @classmethod
    def parse(cls, head: bytes) -> Self:
        """Parse the bytes before the blank line."""
        line, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = line.split(" ")
        pairs = (header.partition(":") for header in lines)
        return cls(method, target, {name.lower(): value.strip() for name, _, value in pairs})


@dataclass(frozen=True, slots=True)
class Response:
    """A response. That to HEAD has the length of the body in its headers, and no body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def head(self) -> bytes:
        """The bytes before the body."""
        headers = {"Content-Length": str(len(self.body)), **self.headers}
        lines = [f"HTTP/1.1 {self.status} {phrase(self.status)}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def with_headers(self, **headers: str) -> Response:
        """Return the response with other headers; an underscore in a name is a hyphen."""
        return replace(self, headers={**self.headers, **{name.replace("_", "-"): v for name, v in headers.items()}})


def phrase(status: int) -> str:
    """Return the reason phrase of a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
