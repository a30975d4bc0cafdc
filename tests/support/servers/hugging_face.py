"""The Hugging Face Hub's way to serve files of data sets: large ones by a redirect to signed URLs on another host.

Facts: https://huggingface.co/docs/huggingface_hub (`HF_ENDPOINT`, `HF_TOKEN`, `hf_hub_url`, `get_hf_file_metadata`).
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from .messages import Response
from .objects import Objects
from .server import Server

if TYPE_CHECKING:
    from .messages import Request

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HuggingFace:
    """The Hub and its CDN, which are two servers.

    Parameters
    ----------
    token : str, optional
        What requests to the Hub must have in `Authorization: Bearer`; data sets are public without. It can be set at
        any time.
    """

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self._files = Objects()
        self._signature = secrets.token_hex(8)
        self._stack = ExitStack()
        self.hub, self.cdn = Server(self._resolve), Server(self._serve)

    def __enter__(self) -> Self:
        self._stack.enter_context(self.hub)
        self._stack.enter_context(self.cdn)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def signature(self) -> str:
        """The secret in the URLs of the CDN."""
        return self._signature

    def put(self, dataset: str, name: str, body: bytes, revision: str = "main") -> None:
        """Store a file of a data set."""
        self._files.put(f"/datasets/{dataset}/resolve/{revision}/{name}", body)

    def expire(self) -> None:
        """Let the CDN refuse all URLs that were handed out."""
        self._signature = secrets.token_hex(8)

    def _resolve(self, request: Request) -> Response:
        """Answer for the Hub."""
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return Response(401, {"X-Error-Code": "RepoNotFound"}, b"Invalid username or password.")
        stored = self._files.objects.get(request.path)
        if stored is None:
            return Response(404, {"X-Error-Code": "EntryNotFound"}, b"" if request.method == "HEAD" else b"not found")
        headers = {
            "Location": f"{self.cdn.url}{request.path}?Expires=1&X-Amz-Signature={self._signature}",
            "X-Repo-Commit": COMMIT,
            "X-Linked-Size": str(len(stored.body)),
            "X-Linked-Etag": stored.etag,
            "ETag": '"the-pointer"',
        }
        return Response(302, headers)

    def _serve(self, request: Request) -> Response:
        """Answer for the CDN, which has no use for tokens."""
        if not request.target.endswith(f"X-Amz-Signature={self._signature}"):
            return Response(403, body=b"<Error><Code>AccessDenied</Code><Message>Expired</Message></Error>")
        return self._files(request)
