"""How many images a second recio and its peers deliver, side by side on this machine.

::

    python benches/python/throughput.py                      # the photographs of the tests
    python benches/python/throughput.py --images DIR --task A C --threads 1 2
    python benches/python/throughput.py --peers pool dali --peer-python ~/venv/bin/python

Three tasks (`workload.Task`), batches of 64 images of 224 x 224: **A** trains (random
resized crop, flip, normalise, float32 NCHW, shuffled), **B** validates (resize, centre crop,
normalise, in order), **C** is A without normalising, as uint8 NHWC. The loaders stand in
`peers/`. Each measurement runs in a process of its own, and the loaders take turns (`runner.py`);
ratios are taken within a round. The figures' meanings stand in `measure.Measurement`; where
`foreign` is above 0.1, other programs held the cores and the rates are worth little. Linux only:
the costs are read from `/proc`.
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
from runner import find_programs, take_turns
from workload import Task, Workload

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"


def main() -> None:
    """Measure what the command line asks for; print tables and, if asked, write JSON."""
    options = parse_arguments()
    loaders = {loader: LOADERS[loader] for loader in ["recio", *options.peers]}
    programs = find_programs(loaders, options.peer_python)
    root = options.images or photographs(BUILD / "photographs")
    prefix = pack(root, BUILD)
    results = []
    for task, threads in product(options.task, options.threads):
        workload = Workload(task, threads, prefix, root)
        rounds = take_turns(programs, workload, options.rounds, options.epochs)
        results.append(Result(task, threads, rounds))
        print_result(results[-1])
    if options.json:
        report = {"machine": machine(), "results": [result.as_json() for result in results]}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def parse_arguments() -> Namespace:
    """Read the command line; a wrong one ends the program."""
    parser = ArgumentParser(description="Images a second of recio and its peers.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of JPEGs (default: the tests' photographs)")
    add("--task", type=Task, nargs="+", default=list(Task), help="A, B, C (default: all)")
    add("--threads", type=int, nargs="+", default=[os.cpu_count()], help="default: all cores")
    add("--epochs", type=int, default=3, help="timed epochs a measurement")
    add("--rounds", type=int, default=3, help="measurements a loader")
    add("--peers", nargs="+", default=["all"], help=f"all, none, or of: {' '.join(LOADERS)}")
    add("--peer-python", action="append", default=[], help="an interpreter that has peers")
    add("--json", type=Path, help="write every figure to this file")
    options = parser.parse_args()
    options.peers = choose_peers(options.peers, parser)
    return options


def choose_peers(names: list[str], parser: ArgumentParser) -> list[str]:
    """Resolve "all" and "none" and refuse unknown names."""
    peers = [name for name in LOADERS if name != "recio"]
    if names in (["all"], ["none"]):
        return peers if names == ["all"] else []
    for name in set(names) - set(peers):
        parser.error(f"no such peer: {name} (there are {', '.join(peers)})")
    return names


if __name__ == "__main__":
    main()
