"""Records per second from an object store with a latency: recio, other clients, and downloading first.

::

    cargo build --release -p recio-benches --bin objects
    python benches/python/storage.py --peer-python PEERS/bin/python
    python benches/python/storage.py --delay 20 --in-flight 64 256 --rounds 1 --seconds 2
    python benches/python/storage.py --epochs --prefix PREFIX     # task A over S3 and locally

Records of 31 KB in random order, each by a request of its own. recio also decodes them, to images of 8 x 8, so that
what is measured is the reading. The server (`benches/servers/objects.rs`) uses the same cores. Each measurement runs
in a separate process, all readers once per round; the tables show
medians of records/s, and of CPU milliseconds a record in parentheses.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from recio.image import imencode
from recio.recordio import IRHeader, MXIndexedRecordIO, pack
from stores import STORES
from stores.job import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build" / "bench" / "storage"
RECORDS = 4000
RECORD_BYTES = 31_000
START_OF_IMAGE, COMMENT = b"\xff\xd8", b"\xff\xfe"

Figures = dict[str, float]


def main() -> None:
    """Run the requested measurements and print a table for each latency."""
    options = parse_arguments()
    folder = options.prefix.parent if options.epochs else records(BUILD)
    with server(options.server, folder) as endpoint:
        results = epochs(options, endpoint) if options.epochs else readers(options, folder, endpoint)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def parse_arguments() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(description="Compare readers of object stores.")
    add = parser.add_argument
    add("--delay", type=int, nargs="+", default=[0, 5, 20, 100], help="latencies in milliseconds")
    add("--in-flight", type=int, nargs="+", default=[1, 4, 16, 64, 256], help="requests at a time")
    add("--seconds", type=float, default=3, help="seconds of each measurement")
    add("--rounds", type=int, default=3, help="measurements per reader")
    add("--readers", nargs="+", default=list(STORES), choices=list(STORES), help="default: all")
    add("--peer-python", default=sys.executable, help="a Python interpreter with obstore and s3fs")
    add("--server", type=Path, default=ROOT / "target/release/objects", help="the server's program")
    add("--epochs", action="store_true", help="measure epochs of task A instead, over S3 and locally")
    add("--prefix", type=Path, help="with --epochs: path prefix of a packed data set")
    add(
        "--threads",
        type=int,
        default=os.cpu_count(),
        help="with --epochs: decoding threads; fewer leave cores to the server",
    )
    add("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    if options.epochs and not options.prefix:
        parser.error("--epochs needs --prefix")
    return options


def records(folder: Path) -> Path:
    """Write the record file, unless it exists: tiny JPEGs with long comments of noise."""
    if (folder / f"{NAME}.idx").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    jpeg, noise = imencode(np.zeros((8, 8, 3), np.uint8), ".jpg"), Random(0)
    length = (RECORD_BYTES + 2).to_bytes(2)
    partial = folder / f"{NAME}.idx.part"
    with MXIndexedRecordIO(partial, folder / f"{NAME}.rec", "w") as writer:
        for number in range(RECORDS):
            comment = COMMENT + length + noise.randbytes(RECORD_BYTES)
            image = START_OF_IMAGE + comment + jpeg.removeprefix(START_OF_IMAGE)
            writer.write_idx(number, pack(IRHeader(0, float(number), number, 0), image))
    partial.rename(folder / f"{NAME}.idx")
    return folder


@contextlib.contextmanager
def server(program: Path, folder: Path) -> Iterator[str]:
    """Start the server of the files of a folder; yield its endpoint."""
    with subprocess.Popen([program, folder], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 it is a pipe
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def readers(options: Namespace, folder: Path, endpoint: str) -> list[dict[str, Any]]:
    """Measure all readers at all latencies."""
    results = []
    for delay in options.delay:
        cells = [(name, count) for name in options.readers for count in counts(options, name)]
        rounds = [{cell: run(options, folder, endpoint, delay, *cell) for cell in cells} for _ in range(options.rounds)]
        print_table(delay, options.in_flight, rounds)
        results += [
            {"reader": name, "delay": delay, "in_flight": count, "rounds": [figures[name, count] for figures in rounds]}
            for name, count in cells
        ]
    return results


def counts(options: Namespace, name: str) -> list[int]:
    """Return the numbers of requests in flight to measure a reader with; to downloading they are nothing."""
    in_flight: list[int] = options.in_flight
    return in_flight[:1] if name == "download first" else in_flight


def print_table(delay: int, in_flight: list[int], rounds: list[dict[tuple[str, int], Figures]]) -> None:
    """Print the medians of all readers at a latency."""
    print(f"\n| {delay} ms, in flight | " + " | ".join(map(str, in_flight)) + " |")
    print("|---" * (len(in_flight) + 1) + "|")
    rows: dict[str, list[str]] = {}
    for cell in rounds[0]:
        rate, cpu = (median(figures[cell][key] for figures in rounds) for key in ("records_s", "cpu_ms_record"))
        rows.setdefault(cell[0], []).append(f"{rate:,.0f} ({cpu:.2f})")
    for name, row in rows.items():
        print(f"| {name} | " + " | ".join(row + [""] * (len(in_flight) - len(row))) + " |", flush=True)


def run(options: Namespace, folder: Path, endpoint: str, delay: int, name: str, in_flight: int) -> Figures:
    """Measure a reader in a process of its own."""
    python = options.peer_python if name.startswith(("obstore", "s3fs")) else sys.executable
    arguments = [STORES[name], folder, endpoint, delay, in_flight, options.seconds]
    return run_script(python, "storage_measure.py", arguments)


def run_script(python: str, script: str, arguments: list[object]) -> Figures:
    """Run a script that prints figures; a failure ends the benchmark."""
    command = [python, "-W", "ignore", str(HERE / script), *map(str, arguments)]
    figures: Figures = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
    return figures


def epochs(options: Namespace, endpoint: str) -> list[dict[str, Any]]:
    """Measure epochs of task A locally and over S3, in turn."""
    places = {
        "local": str(options.prefix),
        **{f"{d} ms": f"s3://delay-{d}/{options.prefix.name}" for d in options.delay},
    }
    rounds = [
        {
            place: run_script(sys.executable, "storage_epochs.py", [prefix, endpoint, options.seconds, options.threads])
            for place, prefix in places.items()
        }
        for _ in range(options.rounds)
    ]
    for place in places:
        rate, cpu = (median(figures[place][key] for figures in rounds) for key in ("records_s", "cpu_ms_record"))
        ratio = median(figures[place]["records_s"] / figures["local"]["records_s"] for figures in rounds)
        print(f"{place:10} {rate:8,.0f} images/s, CPU {cpu:.2f} ms an image, {ratio:.2f} x local", flush=True)
    return [{"epochs": figures} for figures in rounds]


if __name__ == "__main__":
    main()
