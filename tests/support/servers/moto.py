"""S3 as moto serves it, in a process.

``python -m tests.support.servers.moto`` is the server; it prints its port. Independent of pytest.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

if TYPE_CHECKING:
    from pathlib import Path

ACCESS_KEY = "AKIATESTACCESSKEY"
SECRET_KEY = "test-secret-access-key"  # noqa: S105 no secret
REGION = "us-east-1"
SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20261201/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
"""moto refuses to read without a signature, and does not check it."""


class Moto:
    """The process of the server, and its buckets as the tests fill and look at them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.servers.moto"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "moto did not start"
        self.port = int(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @property
    def url(self) -> str:
        """The endpoint, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request; return the status and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body, {"Authorization": SIGNED})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def create_bucket(self, bucket: str) -> None:
        """Create a bucket."""
        assert self.request("PUT", f"/{bucket}")[0] == 200

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Store an object."""
        assert self.request("PUT", f"/{bucket}/{quote(key)}", body)[0] == 200

    def put_file(self, bucket: str, key: str, file: Path) -> None:
        """Store a copy of a file."""
        self.put(bucket, key, file.read_bytes())

    def get(self, bucket: str, key: str) -> bytes:
        """Return the bytes of an object."""
        status, body = self.request("GET", f"/{bucket}/{quote(key)}")
        assert status == 200, key
        return body

    def keys(self, bucket: str) -> list[str]:
        """Return the names of all objects in a bucket, in order."""
        status, body = self.request("GET", f"/{bucket}?list-type=2")
        assert status == 200
        return sorted(re.findall(r"<Key>(.*?)</Key>", body.decode()))

    def uploads(self, bucket: str) -> list[str]:
        """Return the names of objects whose upload in several pieces is not finished."""
        status, body = self.request("GET", f"/{bucket}?uploads")
        assert status == 200
        return sorted(re.findall(r"<Key>(.*?)</Key>", body.decode()))


def main() -> None:
    """Serve until the process is killed."""
    import logging  # noqa: PLC0415 not where the class is imported

    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    application = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
    print(server.server_port, flush=True)  # noqa: T201 read by the process that started this one
    server.serve_forever()


if __name__ == "__main__":
    main()
