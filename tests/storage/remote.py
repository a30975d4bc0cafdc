"""Record files in a bucket, and how they are read; independent of pytest."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.records import RecordFile, noise, open_iter, png, write_images, write_records

if TYPE_CHECKING:
    from pathlib import Path

    from recio.io import ImageRecordIter
    from tests.support.servers.buckets import Bucket

SIDE = 40
"""Pixels of an image: its record has 5 KB."""
IMAGES = 120


@dataclass(frozen=True)
class RemoteFile:
    """A record file and its index by URL, and the same files locally."""

    rec: str
    idx: str
    local: RecordFile

    def open_iter(self, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 they are of many types
        """Open an iterator over the images."""
        return open_images(self.local, **{"path_imgrec": self.rec, "path_imgidx": self.idx, **settings})

    def open_indexed(self, **settings: Any) -> MXIndexedRecordIO:  # noqa: ANN401
        """Open a reader of records by key."""
        return MXIndexedRecordIO(self.idx, self.rec, "r", **settings)

    def read_all(self, **settings: Any) -> list[bytes]:  # noqa: ANN401
        """Read the records one after another."""
        with MXRecordIO(self.rec, "r", **settings) as reader:
            return list(reader)


def open_images(file: RecordFile, **settings: Any) -> ImageRecordIter:  # noqa: ANN401
    """Open an iterator over the images of `write_pictures`."""
    return open_iter(file, **{"data_shape": (3, SIDE, SIDE), "batch_size": 8, **settings})


def upload(bucket: Bucket, file: RecordFile, key: str = "folder/data") -> RemoteFile:
    """Store a record file and its index."""
    rec = bucket.put_file(f"{key}.rec", file.rec)
    idx = bucket.put_file(f"{key}.idx", file.idx)
    return RemoteFile(rec, idx, file)


def write_pictures(folder: Path, count: int = IMAGES) -> RecordFile:
    """Write images of noise, no two alike."""
    return write_images(folder, [png(noise(SIDE, SIDE, seed=seed)) for seed in range(count)], "pictures")


def write_random(folder: Path, count: int = 300) -> RecordFile:
    """Write records of random bytes, of 0 to 12 KB."""
    random_bytes = random.Random(0)
    return write_records(folder, [random_bytes.randbytes(random_bytes.randrange(12_000)) for _ in range(count)])


def read_local(file: RecordFile) -> list[bytes]:
    """Read the records of a local file."""
    with MXRecordIO(file.rec, "r") as reader:
        return list(reader)
