"""CPU time of single functions and small iterators, compared with what users would call instead.

::

    python benches/python/compare.py [SUBJECT ...] [--only WORDS] [--rounds 7]

The subjects are the modules of `comparisons/`. In each round both sides of a case run alternately, each
for at least 50 ms; the figure is the ratio of the medians of the rounds. CPU time is that of the
process with all its threads. Needs OpenCV (`opencv-python-headless`); subjects say what else they need.
Cases with MXNet need `MXNET_PYTHON`, the path of an interpreter that has it.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from importlib import import_module
from pathlib import Path
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from comparisons.case import Remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from comparisons.case import Case

FOLDER = Path(__file__).with_name("comparisons")
SUBJECTS = [path.stem for path in sorted(FOLDER.glob("[!_]*.py")) if path.stem != "case"]

MIN_SECONDS = 0.05
"""CPU time that one side of a case runs for in a round, at least."""


def main() -> None:
    """Measure the cases that the command line names, and print a row of a Markdown table for each."""
    arguments = parse_arguments()
    print("| case | compared with | µs | its µs | ratio | goal | |\n|---|---|---|---|---|---|---|")
    for case in find_cases(arguments.subjects or SUBJECTS, arguments.only):
        print(measure(case, arguments.rounds), flush=True)


def parse_arguments() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("subjects", nargs="*", choices=[[], *SUBJECTS], help="modules of comparisons/; default: all")
    parser.add_argument("--only", default="", help="cases whose names contain this")
    parser.add_argument("--rounds", type=int, default=7)
    return parser.parse_args()


def find_cases(subjects: list[str], only: str) -> Iterator[Case]:
    """Yield the cases of some subjects whose names contain `only`."""
    for subject in subjects:
        cases: Iterator[Case] = import_module(f"comparisons.{subject}").cases()
        yield from (case for case in cases if only in case.name)


def measure(case: Case, rounds: int) -> str:
    """Return the row of a case."""
    calls = [calls_per_round(run) for run in (case.recio, case.other)]
    times = [[time(case.recio, calls[0]), time(case.other, calls[1])] for _ in range(rounds)]
    own, other = (median(column) for column in zip(*times, strict=True))
    ratio = own / other
    verdict = "" if ratio <= case.goal else "**above**"
    return f"| {case.name} | {case.other_name} | {own:,.1f} | {other:,.1f} | {ratio:.2f} | {case.goal} | {verdict} |"


def calls_per_round(run: Callable[[], object]) -> int:
    """Return how often to call a function in a round, after a first call that is not counted."""
    run()
    return max(1, round(MIN_SECONDS * 1e6 / max(time(run, 1), 1.0)))


def time(run: Callable[[], object], calls: int) -> float:
    """Return the CPU time of one call in microseconds, the mean of `calls` calls."""
    if isinstance(run, Remote):
        return run.time(calls)
    start = process_time()
    for _ in range(calls):
        run()
    return 1e6 * (process_time() - start) / calls


if __name__ == "__main__":
    main()
