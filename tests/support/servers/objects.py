"""Objects in memory, answered for as S3, Google Cloud Storage, Azure and web servers do.

All of them serve an object at a path by GET with ranges, and receive one by PUT. Signatures are not checked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .messages import Response

if TYPE_CHECKING:
    from pathlib import Path

    from .messages import Request

DATE = "Tue, 01 Dec 2026 00:00:00 GMT"


@dataclass(frozen=True)
class Object:
    """An object and its identity."""

    body: bytes
    etag: str


class Objects:
    """A handler of requests for objects.

    Parameters
    ----------
    ranges : bool
        Whether requests for ranges are answered with those, not with the object.
    etags : bool
        Whether objects have an identity in the answers.
    preconditions : bool
        Whether If-Match and If-Range are heeded.
    authorization : str, optional
        The header that a request must have.
    """

    def __init__(
        self, *, ranges: bool = True, etags: bool = True, preconditions: bool = True, authorization: str | None = None
    ) -> None:
        self.objects: dict[str, Object] = {}
        self._ranges, self._etags, self._preconditions = ranges, etags, preconditions
        self._authorization = authorization

    def put(self, path: str, body: bytes) -> None:
        """Store an object, in place of the one that may be there."""
        self.objects[path] = Object(body, f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"')

    def put_file(self, path: str, file: Path) -> None:
        """Store a copy of a file."""
        self.put(path, file.read_bytes())

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        if self._authorization not in {None, request.headers.get("authorization")}:
            return Response(403, body=b"<Error><Code>AccessDenied</Code></Error>")
        match request.method:
            case "PUT":
                self.put(request.path, request.body)
                return Response(201 if "x-ms-version" in request.headers else 200, self._headers(request.path))
            case "GET":
                return self._get(request)
            case "HEAD":
                response = self._get(request)
                return replace(response.with_headers(Content_Length=str(len(response.body))), body=b"")
            case _:
                return Response(405)

    def _headers(self, path: str) -> dict[str, str]:
        ranges = {"Accept-Ranges": "bytes"} if self._ranges else {}
        etag = {"ETag": self.objects[path].etag} if self._etags else {}
        return {"Last-Modified": DATE, "Content-Type": "application/octet-stream", **ranges, **etag}

    def _get(self, request: Request) -> Response:
        if (stored := self.objects.get(request.path)) is None:
            return Response(404, {"Content-Type": "application/xml"}, b"<Error><Code>NoSuchKey</Code></Error>")
        headers = self._headers(request.path)
        if self._preconditions and request.headers.get("if-match", stored.etag) != stored.etag:
            return Response(412, headers, b"<Error><Code>PreconditionFailed</Code></Error>")
        is_same = request.headers.get("if-range", stored.etag) == stored.etag or not self._preconditions
        if not self._ranges or "range" not in request.headers or not is_same:
            return Response(200, headers, stored.body)
        size = len(stored.body)
        start, end = ends(request.headers["range"], size)
        if start >= min(end, size):
            return Response(416, {**headers, "Content-Range": f"bytes */{size}"})
        ranged = {**headers, "Content-Range": f"bytes {start}-{min(end, size) - 1}/{size}"}
        return Response(206, ranged, stored.body[start:end])


def ends(header: str, size: int) -> tuple[int, int]:
    """Return the first byte of a range and the one after its last."""
    first, _, last = header.removeprefix("bytes=").partition("-")
    if not first:
        return max(0, size - int(last)), size
    return int(first), int(last) + 1 if last else size
