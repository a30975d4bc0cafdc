"""JPEG decoding speed of recio and of bindings of libjpeg-turbo: full images and random regions.

::

    python benches/python/decoding.py --images DIR --threads 2 --peer-python ~/venv/bin/python \
        --turbojpeg ~/libjpeg-turbo-3/libturbojpeg.so

The files are in memory and a pool of threads decodes them; nothing is read, resized or batched. The
regions are the random resized crops of training (`workload.AREA`, `workload.ASPECT`), the same for all
decoders. As in `throughput.py`, each measurement runs in a separate process, all decoders run once per
round, and ratios are computed within a round.
"""

from __future__ import annotations

import json
import os
from argparse import ArgumentParser, Namespace
from pathlib import Path

from dataset import pack, photographs
from report import Result, machine, print_result
from runner import find_commands, run_rounds
from workload import Task, Workload

BUILD = Path(__file__).parents[2] / "build" / "bench"

DECODERS = {
    "full": {
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
"""For each mode, the decoders: name in the tables and module in `peers/`."""


def main() -> None:
    """Run the requested measurements, print tables and write JSON if requested."""
    options = parse_arguments()
    if options.turbojpeg:
        os.environ["TURBOJPEG"] = str(options.turbojpeg)  # read by the measuring processes
    root = options.images or photographs(BUILD / "photographs")
    # Task A: its crops are the regions.
    workload = Workload(Task.A, options.threads, pack(root, BUILD), root)
    results = [measure(mode, workload, options) for mode in options.mode]
    if options.json:
        report = {"machine": machine(), "results": [result.as_json() for result in results]}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def parse_arguments() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(description="Compare the speed of JPEG decoders.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of JPEGs (default: the tests' photographs)")
    add("--mode", nargs="+", choices=DECODERS, default=list(DECODERS), help="default: both")
    add("--threads", type=int, default=2)
    add("--epochs", type=int, default=3, help="timed epochs per measurement")
    add("--rounds", type=int, default=5, help="measurements per decoder")
    add("--peer-python", action="append", default=[], help="a Python interpreter with peers installed")
    add("--turbojpeg", type=Path, help="path of libturbojpeg.so, version 3 or later")
    add("--json", type=Path, help="write all figures to this file")
    return parser.parse_args()


def measure(mode: str, workload: Workload, options: Namespace) -> Result:
    """Measure the decoders of a mode and print the table."""
    commands = find_commands(DECODERS[mode], options.peer_python)
    rounds = run_rounds(commands, workload, options.rounds, options.epochs)
    result = Result(mode, workload.threads, rounds)
    print_result(result)
    return result


if __name__ == "__main__":
    main()
