"""Buckets of S3 with a server of the tests in front, and the settings to reach them."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

from .forward import forward
from .moto import ACCESS_KEY, REGION, SECRET_KEY, Moto
from .server import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .objects import Objects

_numbers = itertools.count()


class Bucket:
    """A bucket: requests for it go through `server`, which injects the faults.

    Its name is used once, so that nothing that was kept for another test belongs to it.
    """

    def __init__(self, server: Server, put: Callable[[str, bytes], None], name: str) -> None:
        self.server, self.name = server, name
        self._put = put

    def put(self, key: str, body: bytes) -> str:
        """Store an object, not through the server; return its URL."""
        self._put(key, body)
        return self.url(key)

    def put_file(self, key: str, file: Path) -> str:
        """Store a copy of a file; return the URL."""
        return self.put(key, file.read_bytes())

    def url(self, key: str) -> str:
        """Return the URL of an object."""
        return f"s3://{self.name}/{key}"

    def http_url(self, key: str) -> str:
        """Return the URL of an object as the web server has it that the server also is."""
        return f"{self.server.url}/{self.name}/{key}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables with which the bucket is found."""
        return {
            "AWS_ENDPOINT_URL": self.server.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    @property
    def storage_options(self) -> dict[str, str]:
        """The same settings as `storage_options`."""
        return {name.lower(): value for name, value in self.environment.items()}


def unique_name() -> str:
    """Return a name for a bucket."""
    return f"bucket-{os.getpid()}-{next(_numbers)}"


def bucket_in_memory(objects: Objects, server: Server) -> Bucket:
    """Return a bucket of objects in memory."""
    name = unique_name()
    return Bucket(server, lambda key, body: objects.put(f"/{name}/{key}", body), name)


def bucket_of_moto(moto: Moto, server: Server) -> Bucket:
    """Return a new bucket of moto's; `server` forwards to moto."""
    name = unique_name()
    moto.create_bucket(name)
    return Bucket(server, lambda key, body: moto.put(name, key, body), name)


def proxy(moto: Moto) -> Server:
    """Return a server that forwards to moto."""
    return Server(forward(moto.port))
