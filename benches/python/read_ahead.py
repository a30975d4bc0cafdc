"""Throughput from slow storage, compared with the page cache: task A, each read delayed by a preloaded library.

::

    python benches/python/read_ahead.py --images DIR --delays 5 20 100 --rounds 5

In each round every setting runs in a process of its own, one after another, and is compared with the same setting
without a delay in that round; the table has medians over the rounds. The reads wait without using the processor, as
from a network file system. Needs Linux and a C compiler.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from dataset import pack, photographs
from process import tree_cost
from recio.io import ImageRecordIter
from workload import MEAN, SIDE, STD

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"
LIBRARY = HERE.parents[1] / "tests" / "support" / "slow_storage.c"
FIELDS = ("first", "rate", "cpu_ms", "faults", "readers")


def measure(rec: str, settings: dict[str, Any], epochs: int) -> dict[str, float]:
    """Return images per second of the first epoch and of the others, and what an image of these takes."""
    keywords: dict[str, Any] = {"shuffle": True, "batch_size": 64, "verbose": False, **settings}
    for channel, mean, std in zip("rgb", MEAN, STD, strict=True):
        keywords |= {f"mean_{channel}": mean, f"std_{channel}": std}
    batches = ImageRecordIter(
        path_imgrec=rec,
        path_imgidx=Path(rec).with_suffix(".idx"),
        data_shape=(3, SIDE, SIDE),
        random_resized_crop=True,
        rand_mirror=True,
        **keywords,
    )

    def epoch() -> int:
        images = sum(len(batch.data[0]) - (batch.pad or 0) for batch in batches)
        batches.reset()
        return images

    start = perf_counter()
    first = epoch() / (perf_counter() - start)
    start, before = perf_counter(), tree_cost()
    images = sum(epoch() for _ in range(epochs))
    took, cost = perf_counter() - start, tree_cost() - before
    tasks = Path("/proc/self/task").iterdir()
    readers = sum((task / "comm").read_text() == "recio-reader\n" for task in tasks)
    values = (first, images / took, 1e3 * cost.cpu_s / images, cost.minor_faults / images, readers)
    return dict(zip(FIELDS, values, strict=True))


def run(library: Path, rec: Path, delay: float, settings: dict[str, Any], epochs: int) -> dict[str, float]:
    """Measure in a process whose reads of record files take `delay` ms more."""
    env = {**os.environ, "LD_PRELOAD": str(library), "RECIO_SLOW_MICROS": str(round(1000 * delay))}
    command = [sys.executable, __file__, "--child", json.dumps([str(rec), settings, epochs])]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def main() -> None:
    """Measure every delay and setting, and print a table."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=Path, help="folder of JPEGs; default: the photographs of the tests")
    parser.add_argument("--records", type=Path, help="record file with an index, in place of --images")
    parser.add_argument("--delays", type=float, nargs="+", default=[5, 20, 100], help="ms that each read takes")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64])
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--read-ahead", type=int, help="default: chosen by recio")
    parser.add_argument("--in-order", action="store_true", help="do not shuffle")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--child", help="used by this script itself")
    args = parser.parse_args()
    if args.child:
        sys.stdout.write(json.dumps(measure(*json.loads(args.child))))
        return
    rec = args.records or pack(args.images or photographs(BUILD / "photographs"), BUILD).with_suffix(".rec")
    common = {"preprocess_threads": args.threads, "read_ahead": args.read_ahead, "shuffle": not args.in_order}
    results: dict[tuple[int, float], list[dict[str, float]]] = {}
    with TemporaryDirectory() as folder:
        library = Path(folder) / "slow_storage.so"
        compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, LIBRARY, "-ldl"], check=True)
        for _ in range(args.rounds):
            for size in args.batch_sizes:
                for delay in (0.0, *args.delays):
                    settings = {**common, "batch_size": size}
                    results.setdefault((size, delay), []).append(run(library, rec, delay, settings, args.epochs))
    print("batch_size  delay ms  images/s  of no delay  first epoch  CPU ms  faults  readers")
    for (size, delay), rounds in results.items():
        base = results[size, 0.0]
        ratio, first = (median(r[f] / b[f] for r, b in zip(rounds, base, strict=True)) for f in ("rate", "first"))
        rate, cpu, faults, readers = (median(r[field] for r in rounds) for field in FIELDS[1:])
        row = f"{size:10}  {delay:8g}  {rate:8.0f}  {ratio:11.3f}  {first:11.3f}"
        print(f"{row}  {cpu:6.3f}  {faults:6.2f}  {readers:7.0f}")


if __name__ == "__main__":
    main()
