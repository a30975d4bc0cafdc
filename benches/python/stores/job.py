"""What a reader of the storage benchmark has to read."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "records"
CREDENTIALS = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "aws_region": "us-east-1"}


@dataclass(frozen=True)
class Job:
    """A record file in a bucket whose server has a latency."""

    folder: Path
    """Where the same files are locally."""
    endpoint: str
    delay: int
    """Milliseconds before each answer."""
    in_flight: int
    """Requests at a time."""

    @property
    def bucket(self) -> str:
        """The bucket, whose name is an order to the server."""
        return f"delay-{self.delay}"

    @property
    def prefix(self) -> str:
        """The URL of the files without their extensions."""
        return f"s3://{self.bucket}/{NAME}"

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of `object_store`."""
        return {name.upper(): value for name, value in self.options.items()}

    @property
    def options(self) -> dict[str, str]:
        """Options of `object_store`."""
        return {**CREDENTIALS, "aws_endpoint_url": self.endpoint, "aws_allow_http": "true"}

    def ranges(self) -> Iterator[tuple[int, int]]:
        """Yield the ends of all records in random order, epoch after epoch."""
        offsets = [int(line.split()[1]) for line in (self.folder / f"{NAME}.idx").read_text().splitlines()]
        ends = list(itertools.pairwise([*offsets, (self.folder / f"{NAME}.rec").stat().st_size]))
        shuffled = random.Random(0)
        while True:
            shuffled.shuffle(ends)
            yield from ends
