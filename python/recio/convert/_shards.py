"""Dividing rows among the files of an output."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from recio.convert._row import Row

OVERHEAD = 64
"""Bytes that a row takes beside its image, about."""


def by_count(rows: Iterable[Row], total: int, shards: int) -> Iterator[Iterator[Row]]:
    """Divide rows into shards whose numbers of rows differ by one at most.

    Raises
    ------
    ValueError
        If there are fewer rows than shards, or more rows than the total.
    """
    if not 1 <= shards <= total:
        raise ValueError(f"shards must be from 1 to the number of images, {total}, got {shards}")
    rows = iter(rows)
    for number in range(shards):
        yield islice(rows, total * (number + 1) // shards - total * number // shards)
    # This also checks what follows the last row.
    if next(rows, None) is not None:
        raise ValueError(f"src changed while it was read: it had {total} images, and has more")


def by_size(rows: Iterable[Row], size: int) -> Iterator[Iterator[Row]]:
    """Divide rows into shards whose images have this size in bytes, about; a larger image has its own shard."""
    rows = iter(rows)
    while (first := next(rows, None)) is not None:
        shard = _Shard(first, rows, size)
        yield iter(shard)
        rows = shard.rest()


class _Shard:
    """Rows of one shard: as many as its size allows."""

    def __init__(self, first: Row, rows: Iterator[Row], size: int) -> None:
        self._first, self._rows, self._size = first, rows, size
        self._next: list[Row] = []

    def __iter__(self) -> Iterator[Row]:
        size = len(self._first.image) + OVERHEAD
        yield self._first
        for row in self._rows:
            size += len(row.image) + OVERHEAD
            if size > self._size:
                self._next = [row]
                return
            yield row

    def rest(self) -> Iterator[Row]:
        """Return the rows after those of the shard, which were read."""
        return chain(self._next, self._rows)
