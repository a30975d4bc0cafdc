"""How many JPEGs a second recio and libjpeg-turbo's bindings decode, whole and a random region of each.

::

    python benches/python/decoding.py --images DIR --threads 2 --peer-python ~/venv/bin/python \
        --turbojpeg ~/libjpeg-turbo-3/libturbojpeg.so

Nothing is read, resized or batched meanwhile: the files are in memory, and a pool of threads decodes them. The regions
are the random resized crops of training (`workload.AREA`, `workload.ASPECT`), the same for all. As in `throughput.py`,
each measurement runs in a process of its own, the decoders take turns, and ratios are taken within a round.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from imageset import pack, photographs
from report import Result, machine, print_result
from workload import Task, Workload

if TYPE_CHECKING:
    from report import Figures

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"

DECODERS = {
    "whole": {
        "recio": "whole_recio",
        "simplejpeg": "simplejpeg_decode",
        "pyturbojpeg": "whole_pyturbojpeg",
        "cv2": "whole_opencv",
        "turbojpeg3": "whole_turbojpeg3",
    },
    "region": {
        "recio": "region_recio",
        "turbojpeg3": "region_turbojpeg3",
        "simplejpeg": "region_simplejpeg",
    },
}
"""What is decoded, the decoder's name in the tables, and its module in `peers/`."""


def main() -> None:
    """Measure what the command line asks for; print tables and, if asked, write JSON."""
    options = parse_arguments()
    if options.turbojpeg:
        os.environ["TURBOJPEG"] = str(options.turbojpeg)  # of the measuring processes
    root = options.images or photographs(BUILD / "photographs")
    # Task A: its crops are the regions.
    workload = Workload(Task.A, options.threads, pack(root, BUILD), root)
    results = [measure(what, workload, options) for what in options.what]
    if options.json:
        report = {"machine": machine(), "results": [result.as_json() for result in results]}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def parse_arguments() -> Namespace:
    """Read the command line; a wrong one ends the program."""
    parser = ArgumentParser(description="JPEGs a second of recio's decoder and of libjpeg-turbo.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of JPEGs (default: the tests' photographs)")
    add("--what", nargs="+", choices=DECODERS, default=list(DECODERS), help="default: both")
    add("--threads", type=int, default=2)
    add("--epochs", type=int, default=3, help="timed epochs a measurement")
    add("--rounds", type=int, default=5, help="measurements a decoder")
    add("--peer-python", action="append", default=[], help="an interpreter that has peers")
    add("--turbojpeg", type=Path, help="the path of a libturbojpeg.so of version 3 or later")
    add("--json", type=Path, help="write every figure to this file")
    return parser.parse_args()


def measure(what: str, workload: Workload, options: Namespace) -> Result:
    """Let the decoders take turns, and print the table."""
    programs = find_programs(DECODERS[what], [sys.executable, *options.peer_python])
    rounds = [
        {decoder: run(program, workload, options.epochs) for decoder, program in programs.items()}
        for _ in range(options.rounds)
    ]
    result = Result(what, workload.threads, rounds)
    print_result(result)
    return result


def find_programs(modules: dict[str, str], pythons: list[str]) -> dict[str, list[str]]:
    """Give for each decoder the command that measures it, by the first interpreter that has what it needs."""
    found = {}
    for decoder, module in modules.items():
        able = (python for python in pythons if can_import(python, module))
        if python := next(able, None):
            found[decoder] = [python, "-W", "ignore", str(HERE / "measure.py"), module]
        else:
            print(f"{decoder}: not installed")
    return found


def can_import(python: str, module: str) -> bool:
    """Try to import the decoder's module, as `measure.py` will."""
    trial = f"import sys; sys.path.insert(0, {str(HERE)!r}); import peers.{module}"
    command = [python, "-W", "ignore", "-c", trial]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def run(program: list[str], workload: Workload, epochs: int) -> Figures:
    """Measure one decoder in a process of its own; its failure ends the bench."""
    arguments = [workload.task, workload.threads, workload.prefix, workload.root, epochs]
    command = [*program, *map(str, arguments)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    figures: Figures = json.loads(output)
    return figures


if __name__ == "__main__":
    main()
