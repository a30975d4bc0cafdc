"""HTTP/1.1 server in a thread: what it answers is a function of the request, how is a plan of faults.

Independent of pytest. It answers some thousand requests a second, so that it is not what a test waits for.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from .messages import Request, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .faults import Fault

    Handler = Callable[[Request], Response | Awaitable[Response]]
    Plan = Callable[[Request], Fault | None]

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LINGER_NOT = struct.pack("ii", 1, 0)
"""Closing a socket with this option resets the connection."""


def no_faults(_request: Request) -> None:
    """Answer every request as the handler does."""


class Server:
    """A server on a free port of the loopback interface, from `with` to its end.

    `plan` and `delay`, seconds before each answer, can be set at any time, as can the handler.
    """

    def __init__(self, handler: Handler, plan: Plan = no_faults, delay: float = 0) -> None:
        self.handler, self.plan, self.delay = handler, plan, delay
        self.requests: list[Request] = []
        self.faults: Counter[str] = Counter()
        """How often each kind of fault was injected."""
        self.sent = 0
        """Bytes of all bodies that were sent."""
        self.in_flight = 0
        self.max_in_flight = 0
        self.connections: set[Connection] = set()
        self._attempts: Counter[tuple[str, ...]] = Counter()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="test-server", daemon=True)
        self._ready = threading.Event()

    @property
    def port(self) -> int:
        """The port."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """The address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        listener = self._loop.run_until_complete(self._loop.create_server(lambda: Connection(self), sock=self._socket))
        self._ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end(listener))
        self._loop.close()

    async def _end(self, listener: asyncio.Server) -> None:
        # Connections that were just accepted are made by tasks of the loop, which need the
        # listener.
        self._loop.remove_reader(self._socket)
        for _ in range(5):
            await asyncio.sleep(0)
        listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _ in range(5):
            await asyncio.sleep(0)
            for connection in list(self.connections):
                connection.reset()

    def receive(self, request: Request) -> Request:
        """Record a request; return it with its numbers."""
        request = replace(request, number=len(self.requests), attempt=self._attempts[key(request)])
        self.requests.append(request)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return request

    def choose(self, request: Request) -> Fault | None:
        """Return the fault that a request meets, and record it."""
        fault = self.plan(request)
        if fault is None:
            self._attempts.pop(key(request), None)
        else:
            self._attempts[key(request)] += 1
            self.faults[type(fault).__name__] += 1
        return fault


def key(request: Request) -> tuple[str, ...]:
    """Return what makes two requests equal."""
    return request.method, request.target, request.headers.get("range", "")


class Connection(asyncio.Protocol):
    """A connection of a client: requests one after another."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = bytearray()
        self._busy = False
        self._transport: asyncio.Transport
        self._writable = asyncio.Event()
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._transport = transport
        self._writable.set()
        self._server.connections.add(self)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._server.connections.discard(self)
        self._writable.set()
        self.closed.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._busy:
            self._next()

    def _next(self) -> None:
        """Answer the next request, if it has arrived."""
        if (request := self._take()) is None:
            return
        self._busy = True
        request = self._server.receive(request)
        fault = self._server.choose(request)
        if fault is None and not self._server.delay:
            response = self._server.handler(request)
            if isinstance(response, Response):
                self.write(response.head + response.body)
                self._done(request)
                return
            task = self._answer(request, None, response)
        else:
            task = self._answer(request, fault, None)
        # The loop keeps a weak reference only.
        self._task = asyncio.get_running_loop().create_task(task)

    def _take(self) -> Request | None:
        """Return the next request, if all its bytes have arrived."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        request = Request.parse(bytes(self._received[:end]))
        size = end + 4 + int(request.headers.get("content-length", 0))
        if len(self._received) < size:
            if request.headers.get("expect") and len(self._received) == end + 4:
                self._transport.write(CONTINUE)
            return None
        request = replace(request, body=bytes(self._received[end + 4 : size]))
        del self._received[:size]
        return request

    async def _answer(self, request: Request, fault: Fault | None, answer: Awaitable[Response] | None) -> None:
        """Answer a request that takes its time."""
        if self._server.delay:
            await asyncio.sleep(self._server.delay)
        try:
            if fault is not None:
                await fault.send(self, lambda: self._response(request, answer))
            else:
                response = await self._response(request, answer)
                self.write(response.head + response.body)
                await self.flush()
        finally:
            self._done(request)

    async def _response(self, request: Request, answer: Awaitable[Response] | None) -> Response:
        response = answer or self._server.handler(request)
        return response if isinstance(response, Response) else await response

    def _done(self, request: Request) -> None:
        """Go on to the next request, or close the connection."""
        self._server.in_flight -= 1
        self._busy = False
        if request.headers.get("connection", "").lower() == "close":
            self.close()
        elif not self._transport.is_closing():
            self._next()

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._server.sent += len(data)
        self._transport.write(data)

    async def flush(self) -> None:
        """Wait until the client has taken most of what was sent."""
        await self._writable.wait()

    def close(self) -> None:
        """Close the connection after what was sent."""
        self._transport.close()

    def reset(self) -> None:
        """Reset the connection."""
        with suppress(OSError):
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        self._transport.abort()
