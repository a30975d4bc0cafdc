"""A handler that forwards requests to another server: with it, `Server` is a proxy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .messages import Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .messages import Request

HOP_BY_HOP = {"connection", "keep-alive", "expect", "transfer-encoding"}
USUAL = {name.lower(): name for name in ("Content-Length", "Content-Range", "ETag", "Location")}
"""The names that `Response` and the faults use."""


def forward(port: int) -> Callable[[Request], Awaitable[Response]]:
    """Return the handler that forwards to a port of this machine, over a connection for each request."""

    async def handler(request: Request) -> Response:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            # A server of HTTP/1.0 ends its answer by closing the connection, and sends no chunks.
            headers = [f"{k}: {v}" for k, v in request.headers.items() if k not in HOP_BY_HOP]
            lines = [f"{request.method} {request.target} HTTP/1.0", *headers, "", ""]
            writer.write("\r\n".join(lines).encode("latin-1") + request.body)
            return parse(await reader.read(), is_head=request.method == "HEAD")
        finally:
            writer.close()

    return handler


def parse(answer: bytes, *, is_head: bool) -> Response:
    """Parse a complete response."""
    head, _, body = answer.partition(b"\r\n\r\n")
    line, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    unwanted = HOP_BY_HOP if is_head else HOP_BY_HOP | {"content-length"}
    for name, _, value in (header.partition(":") for header in lines):
        if name.lower() not in unwanted:
            headers[USUAL.get(name.lower(), name)] = value.strip()
    return Response(int(line.split(" ")[1]), headers, body)
