"""How many images a second recio and its peers deliver, side by side on this machine.

::

    python benches/python/throughput.py                      # the photographs of the tests
    python benches/python/throughput.py --images DIR --task A C --threads 1 2
    python benches/python/throughput.py --peers pool dali --peer-python ~/venv/bin/python

Three tasks (`workload.Task`), batches of 64 images of 224 x 224: **A** trains (random
resized crop, flip, normalise, float32 NCHW, shuffled), **B** validates (resize, centre crop,
normalise, in order), **C** is A without normalising, as uint8 NHWC. The loaders stand in
`peers/`. Each measurement runs in a process of its own, and the loaders take turns over the
rounds, so the machine's noise hits all alike; ratios are taken within a round. The figures'
meanings stand in `measure.Measurement`; where `foreign` is above 0.1, other programs held the
cores and the rates are worth little. Linux only: the costs are read from `/proc`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from imageset import pack, photographs
from peers import LOADERS
from report import Result, machine, print_result
from workload import Task, Workload

if TYPE_CHECKING:
    from collections.abc import Iterable

    from report import Figures

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"


def main() -> None:
    """Measure what the command line asks for; print tables and, if asked, write JSON."""
    options = parse_arguments()
    pythons = find_pythons(["recio", *options.peers], [sys.executable, *options.peer_python])
    root = options.images or photographs(BUILD / "photographs")
    prefix = pack(root, BUILD)
    results = []
    for task, threads in product(options.task, options.threads):
        workload = Workload(task, threads, prefix, root)
        rounds = [run_round(pythons, workload, options.epochs) for _ in range(options.rounds)]
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


def find_pythons(loaders: Iterable[str], pythons: list[str]) -> dict[str, str]:
    """Find for each loader the first interpreter that can import it; name those that none can."""
    found = {}
    for loader in loaders:
        able = (python for python in pythons if has_loader(python, loader))
        if python := next(able, None):
            found[loader] = python
        else:
            print(f"{loader}: not installed")
    return found


def has_loader(python: str, loader: str) -> bool:
    """Try to import the loader's module, as `measure.py` will."""
    trial = f"import sys; sys.path.insert(0, {str(HERE)!r}); import peers.{LOADERS[loader]}"
    command = [python, "-W", "ignore", "-c", trial]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run_round(pythons: dict[str, str], workload: Workload, epochs: int) -> dict[str, Figures]:
    """Measure each loader once, one after the other."""
    return {loader: run(python, loader, workload, epochs) for loader, python in pythons.items()}


def run(python: str, loader: str, workload: Workload, epochs: int) -> Figures:
    """Measure one loader in a process of its own; its failure ends the bench."""
    arguments = [workload.task, workload.threads, workload.prefix, workload.root, epochs]
    program = [python, "-W", "ignore", HERE / "measure.py", LOADERS[loader]]
    command = [str(word) for word in (*program, *arguments)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    figures: Figures = json.loads(output.splitlines()[-1])  # a loader may print before
    return figures


if __name__ == "__main__":
    main()
