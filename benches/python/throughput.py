"""Images per second of recio and of other loaders on this machine.

::

    python benches/python/throughput.py                      # the photographs of the tests
    python benches/python/throughput.py --images DIR --task A C --threads 1 2
    python benches/python/throughput.py --peers pool dali --peer-python ~/venv/bin/python

Three tasks (`workload.Task`) in batches of 64 images of 224 x 224: **A** is training (random
resized crop, flip, normalize, float32 NCHW, shuffled), **B** is validation (resize, center crop,
normalize, in order), **C** is A without normalization, as uint8 NHWC. The loaders are in `peers/`.
Each measurement runs in a separate process and all loaders run once per round (`runner.py`); ratios
are computed within a round. `measure.Measurement` defines the figures. Where `other` is above 0.1,
other programs used the cores and the rates are unreliable. Linux only: costs are read from `/proc`.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from itertools import product
from pathlib import Path

from dataset import pack, photographs
from peers import LOADERS
from report import Result, machine, print_result
from runner import find_commands, run_rounds
from workload import Task, Workload

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"


def main() -> None:
    """Run the requested measurements, print tables and write JSON if requested."""
    options = parse_arguments()
    loaders = {loader: LOADERS[loader] for loader in ["recio", *options.peers]}
    commands = find_commands(loaders, options.peer_python)
    root = options.images or photographs(BUILD / "photographs")
    prefix = pack(root, BUILD)
    results = []
    for task, threads in product(options.task, options.threads):
        workload = Workload(task, threads, prefix, root)
        rounds = run_rounds(commands, workload, options.rounds, options.epochs)
        results.append(Result(task, threads, rounds))
        print_result(results[-1])
    if options.json:
        report = {"machine": machine(), "results": [result.as_json() for result in results]}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def parse_arguments() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(description="Compare the throughput of recio and other loaders.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of JPEGs (default: the tests' photographs)")
    add("--task", type=Task, nargs="+", default=list(Task), help="A, B, C (default: all)")
    add("--threads", type=int, nargs="+", default=[os.cpu_count()], help="default: all cores")
    add("--epochs", type=int, default=3, help="timed epochs per measurement")
    add("--rounds", type=int, default=3, help="measurements per loader")
    add("--peers", nargs="+", default=["all"], help=f"all, none, or some of: {' '.join(LOADERS)}")
    add("--peer-python", action="append", default=[], help="a Python interpreter with peers installed")
    add("--json", type=Path, help="write all figures to this file")
    options = parser.parse_args()
    options.peers = choose_peers(options.peers, parser)
    return options


def choose_peers(names: list[str], parser: ArgumentParser) -> list[str]:
    """Resolve "all" and "none" and reject unknown names."""
    peers = [name for name in LOADERS if name != "recio"]
    if names in (["all"], ["none"]):
        return peers if names == ["all"] else []
    for name in set(names) - set(peers):
        parser.error(f"unknown peer {name!r}, expected one of {', '.join(peers)}")
    return names


if __name__ == "__main__":
    main()
