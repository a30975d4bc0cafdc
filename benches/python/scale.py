"""What sets of 10⁶ to 10¹⁰ records cost on 1, 10 and 1,000 machines, computed from measured figures.

::

    python benches/python/scale.py                 # the tables of docs/scale.md
    python benches/python/scale.py --measure       # the figures of opening a set, on this machine

The tables take the throughput of task A and the bytes of a record from RESULTS.md, and assume that it grows with the
cores. Prices are list prices of AWS in us-east-1 as of 2026; `--request-price` and `--core-price` replace them.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from process import peak_mb, resident_mb
from recio.io import ImageRecordIter

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDS = [10**6, 10**7, 10**8, 10**9, 10**10]
MACHINES = [1, 10, 1000]
CORES = 32
"""vCPUs of a machine."""
SHARD_BYTES = 1 << 30
JOINED_BYTES = 1 << 20
"""Neighbors in a file that are read together, where records are read in order."""


@dataclass(frozen=True)
class Figures:
    """Measured figures, on 2 cores."""

    images_per_core_s: float = 1822
    """Task A: 3,644 images/s with 2 threads."""
    record_bytes: float = 66_000
    """Photographs of the bench set."""
    index_bytes: float = 18.7
    """A line of an index, of a set of 10⁷ records."""
    open_ns: float = 40
    """Time to read the index of a record from the page cache, with 2 threads."""
    memory_bytes: float = 4
    """Memory of a record in a process."""
    peak_bytes: float = 12
    """Memory of a record in a process while a set is opened."""
    request_ms: float = 20
    """Time until a store answers."""
    opened_at_once: int = 64
    """Indexes that are read from a store at a time."""
    network_gbit: float = 10
    """Network of a machine in Gbit/s."""


@dataclass(frozen=True)
class Prices:
    """Prices in US dollars."""

    request: float = 0.4e-6
    """A GET request to S3."""
    core_hour: float = 0.0446
    """A vCPU of a c7i instance."""


def set_rows(figures: Figures) -> Iterator[list[str]]:
    """Yield what it takes to open a set, for each number of records."""
    yield ["records", "size", "shards", "indexes", "open, local", "open, store", "memory", "peak"]
    for records in RECORDS:
        size = records * figures.record_bytes
        shards = -(-int(size) // SHARD_BYTES)
        parsing = records * figures.open_ns / 1e9
        index = records * figures.index_bytes
        waiting = (1 + shards / figures.opened_at_once) * figures.request_ms / 1e3
        transfer = index * 8 / figures.network_gbit / 1e9
        yield [
            f"10^{len(str(records)) - 1}",
            in_bytes(size),
            f"{shards:,}",
            in_bytes(index),
            in_time(parsing),
            in_time(waiting + max(parsing, transfer)),
            in_bytes(records * figures.memory_bytes),
            in_bytes(records * figures.peak_bytes),
        ]


def epoch_rows(figures: Figures, prices: Prices) -> Iterator[list[str]]:
    """Yield what an epoch takes, for each number of records."""
    machines = [f"{count:,} machine{'s' * (count > 1)}" for count in MACHINES]
    yield ["records", *machines, "vCPUs", "requests, shuffled", "price", "in order", "price"]
    joined = max(1, JOINED_BYTES // figures.record_bytes)
    for records in RECORDS:
        cores_s = records / figures.images_per_core_s
        yield [
            f"10^{len(str(records)) - 1}",
            *(in_time(cores_s / CORES / count) for count in MACHINES),
            in_dollars(cores_s / 3600 * prices.core_hour),
            in_count(records),
            in_dollars(records * prices.request),
            in_count(records / joined),
            in_dollars(records / joined * prices.request),
        ]


def in_bytes(count: float) -> str:
    """Format a number of bytes."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.3g} TB" if count < 1000 else f"{count:,.0f} TB"


def in_time(seconds: float) -> str:
    """Format a duration."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"


def in_count(count: float) -> str:
    """Format a number of requests."""
    for unit, size in (("billion", 1e9), ("million", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:,.0f}"


def in_dollars(price: float) -> str:
    """Format a price."""
    return f"${price:,.0f}" if price >= 10 else f"${price:.2g}"


def table(rows: Iterator[list[str]]) -> list[str]:
    """Format rows as a table of Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [lines[0], f"|{'---|' * lines[0].count(' | ')}---|", *lines[1:]]


def measure(records: int, shards: int) -> None:
    """Open a set of empty files with indexes, and print what that takes."""
    with TemporaryDirectory() as folder:
        index_bytes = write_set(Path(folder), records, shards)
        before, start = resident_mb(), perf_counter()
        batches = ImageRecordIter(
            path_imgrec=Path(folder) / "set.recset.json", data_shape=(3, 8, 8), batch_size=4, shuffle=True
        )
        took = perf_counter() - start
        held, peak = resident_mb() - before, peak_mb() - before
        batches.close()
        print(f"{records:,} records in {shards} shards; {index_bytes / records:.1f} bytes of index a record")
        print(f"open: {took:.2f} s, {took / records * 1e9:.0f} ns a record")
        print(f"memory a record: {held * 2**20 / records:.1f} bytes, at most {peak * 2**20 / records:.1f}")


def write_set(folder: Path, records: int, shards: int) -> int:
    """Write indexes and their manifest beside record files that are only as long as they say; return their bytes."""
    spacing, each = 65_536, records // shards
    entries, length = [], 0
    for shard in range(shards):
        rec = folder / f"set_{shard:05}.rec"
        lines = (f"{shard * each + i}\t{i * spacing}\n" for i in range(each))
        length += rec.with_suffix(".idx").write_text("".join(lines))
        with rec.open("wb") as file:
            file.truncate(each * spacing)
        entries.append({"rec": rec.name, "records": each, "bytes": each * spacing, "crc32c": None})
    totals = {"recset": 1, "records": each * shards, "bytes": each * shards * spacing}
    (folder / "set.recset.json").write_text(json.dumps({**totals, "shards": entries}))
    return length


def main() -> None:
    """Print the tables, or measure."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--records", type=int, default=10**7, help="records of the set that is measured")
    parser.add_argument("--request-price", type=float, default=Prices.request)
    parser.add_argument("--core-price", type=float, default=Prices.core_hour)
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.records, 100)
        return
    prices = Prices(arguments.request_price, arguments.core_price)
    tables = table(set_rows(Figures())), table(epoch_rows(Figures(), prices))
    sys.stdout.writelines(f"{line}\n" for lines in tables for line in [*lines, ""])


if __name__ == "__main__":
    main()
