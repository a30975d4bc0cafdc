"""Downloading first: one request for each file, then recio reads the local copies."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

from stores.job import NAME
from stores.recio_iter import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.job import Job

BLOCK = 1 << 20


def read(job: Job) -> Iterator[int]:
    """Read one epoch in batches of 64, once both files are complete."""
    with tempfile.TemporaryDirectory() as folder:
        for extension in ("idx", "rec"):
            name = f"{NAME}.{extension}"
            url = f"{job.endpoint}/{job.bucket}/{name}"
            with urlopen(url) as answer, Path(folder, name).open("wb") as file:  # noqa: S310 it is http
                shutil.copyfileobj(answer, file, BLOCK)
        yield from batches(f"{folder}/{NAME}", epochs=1)
