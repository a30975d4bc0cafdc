"""`ImageRecordIter` of recio: besides reading it decodes, and fills batches."""

from __future__ import annotations

import os
from itertools import repeat
from typing import TYPE_CHECKING, Any

from recio.io import ImageRecordIter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stores.job import Job


def read(job: Job) -> Iterator[int]:
    """Read batches of 64."""
    os.environ.update(job.environment)
    yield from batches(job.prefix, read_ahead=job.in_flight)


def batches(prefix: str, epochs: int | None = None, **options: Any) -> Iterator[int]:  # noqa: ANN401
    """Read some epochs of a record file, or epochs without an end."""
    with ImageRecordIter(
        path_imgrec=f"{prefix}.rec",
        path_imgidx=f"{prefix}.idx",
        data_shape=(3, 8, 8),
        batch_size=64,
        dtype="uint8",
        shuffle=True,
        preprocess_threads=2,
        **options,
    ) as reader:
        for _ in repeat(None) if epochs is None else range(epochs):
            for batch in reader:
                yield len(batch.data[0]) - (batch.pad or 0)
            reader.reset()
