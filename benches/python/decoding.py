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
from argparse import ArgumentParser, Namespace
from pathlib import Path

from dataset import pack, photographs
from report import Result, machine, print_result
from runner import find_programs, take_turns
from workload import Task, Workload

BUILD = Path(__file__).parents[2] / "build" / "bench"

DECODERS = {
    "whole": {
        "recio": "decode_recio",
        "simplejpeg": "decode_simplejpeg",
        "pyturbojpeg": "decode_pyturbojpeg",
        "cv2": "decode_opencv",
        "turbojpeg3": "decode_turbojpeg3",
    },
    "region": {
        "recio": "decode_region_recio",
        "turbojpeg3": "decode_region_turbojpeg3",
        "simplejpeg": "decode_region_simplejpeg",
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
    programs = find_programs(DECODERS[what], options.peer_python)
    rounds = take_turns(programs, workload, options.rounds, options.epochs)
    result = Result(what, workload.threads, rounds)
    print_result(result)
    return result


if __name__ == "__main__":
    main()
