"""The messages that the page on object stores quotes are those that recio raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recio.recordio import MXRecordIO
from tests.support.records import open_iter, stream
from tests.support.servers.faults import Stall, always
from tests.support.servers.messages import Response
from tests.support.servers.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.faults import Answer
    from tests.support.servers.server import Connection

PAGE = (Path(__file__).parents[2] / "docs" / "object-stores.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Refusal:
    """A status with a code of S3."""

    status: int
    code: str

    async def send(self, connection: Connection, answer: Answer) -> None:
        """Send the status in place of the answer."""
        del answer
        response = Response(self.status, body=f"<Error><Code>{self.code}</Code></Error>".encode())
        connection.write(response.head + response.body)


def without_numbers(text: str) -> str:
    """Return a text without the numbers that differ from run to run."""
    text = re.sub(r"record \d+ at byte \d+", "record N at byte N", text)
    text = re.sub(r"after \d+ tries in [\d.]+ s", "after N tries in N s", text)
    return re.sub(r"progress for [\d.]+ s", "progress for N s", text)


def open_images(s3: Bucket, photos: RecordFile, **settings: Any) -> Any:  # noqa: ANN401 an iterator
    """Open an iterator over the photographs in a bucket."""
    rec, idx = s3.put_file("pets.rec", photos.rec), s3.put_file("pets.idx", photos.idx)
    limits = {"timeout": 1, "max_retries": 1}
    settings = {"shuffle": True, "batch_size": 4, "storage_options": limits, **settings}
    return open_iter(photos, path_imgrec=rec, path_imgidx=idx, **settings)


def replaced(s3: Bucket, photos: RecordFile) -> None:
    batches = open_images(s3, photos, prefetch_buffer=1, read_ahead=4)
    batches.next()
    s3.put("pets.rec", photos.rec.read_bytes()[:-4])
    list(stream(batches, 3))


def failing(s3: Bucket, photos: RecordFile) -> None:
    batches = open_images(s3, photos, batch_size=1, read_ahead=1)
    s3.server.plan = always(Refusal(503, "SlowDown"))
    list(stream(batches, 3))


def refusing(s3: Bucket, photos: RecordFile) -> None:
    s3.server.plan = always(Refusal(403, "AccessDenied"))
    open_images(s3, photos)


def stalled(s3: Bucket, photos: RecordFile) -> None:
    s3.server.plan = always(Stall())
    open_images(s3, photos)


def without_ranges(_: Bucket, photos: RecordFile) -> None:
    with Web(photos.rec.parent) as web:
        MXRecordIO(f"{web.url}/{photos.rec.name}", "r").read()


class Nameless:
    """File system that knows neither an ETag nor a time."""

    def info(self, path: str) -> dict[str, Any]:
        """Return the size of a file."""
        return {"size": Path(path).stat().st_size, "type": "file"}

    def cat_file(self, path: str, start: int, end: int) -> bytes:
        """Read a range of a file."""
        return Path(path).read_bytes()[start:end]


def nameless(_: Bucket, photos: RecordFile) -> None:
    open_iter(photos, filesystem=Nameless(), cache_dir=photos.rec.parent / "cache")


CASES: dict[str, Callable[[Bucket, RecordFile], object]] = {
    "replaced": replaced,
    "failing": failing,
    "no object": lambda s3, _: MXRecordIO(s3.url("none.rec"), "r"),
    "no bucket": lambda *_: MXRecordIO("s3://none/pets.rec", "r"),
    "no access": refusing,
    "no connection": lambda *_: MXRecordIO("http://127.0.0.1:1/pets.rec", "r"),
    "no progress": stalled,
    "no ranges": without_ranges,
    "no identity": nameless,
    "another scheme": lambda *_: MXRecordIO("ftp://host/pets.rec", "r"),
}


@pytest.mark.parametrize("name", CASES)
def test_messages_are_those_of_the_page(s3: Bucket, photos: RecordFile, name: str) -> None:
    with pytest.raises((OSError, ValueError)) as caught:
        CASES[name](s3, photos)
    error: Any = caught.value
    message = without_numbers(getattr(error, "strerror", None) or str(error)).replace(s3.name, "bucket")
    row = re.search(rf"^\| {name} \| `(\w+)` \| `(.+)` \|$", PAGE, re.MULTILINE)
    if row is None:
        message = message.removeprefix(f"{photos.rec}: ")
        assert message in without_numbers(PAGE)
        return
    assert any(kind.__name__ == row[1] for kind in type(error).__mro__)
    assert message.endswith(without_numbers(row[2]))
