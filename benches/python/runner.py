"""Measurements in processes of their own, which take turns: what the benches of whole programs have in common."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from report import Figures
    from workload import Workload

HERE = Path(__file__).parent

Programs = dict[str, list[str]]
"""For each loader that is installed the command that measures it."""


def find_programs(modules: dict[str, str], pythons: Iterable[str]) -> Programs:
    """Find for each loader's module the first interpreter that can import it; name those that none can."""
    pythons = [sys.executable, *pythons]
    found = {}
    for loader, module in modules.items():
        able = (python for python in pythons if _can_import(python, module))
        if python := next(able, None):
            # Quiet: some loaders warn of their own dependencies.
            found[loader] = [python, "-W", "ignore", str(HERE / "measure.py"), module]
        else:
            print(f"{loader}: not installed")
    return found


def take_turns(programs: Programs, workload: Workload, rounds: int, epochs: int) -> list[dict[str, Figures]]:
    """Measure each loader once a round, one after the other, so that the machine's noise hits all alike."""
    return [{loader: _run(program, workload, epochs) for loader, program in programs.items()} for _ in range(rounds)]


def _can_import(python: str, module: str) -> bool:
    """Try to import the loader's module, as `measure.py` will."""
    trial = f"import sys; sys.path.insert(0, {str(HERE)!r}); import peers.{module}"
    command = [python, "-W", "ignore", "-c", trial]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(program: list[str], workload: Workload, epochs: int) -> Figures:
    """Measure one loader in a process of its own; its failure ends the bench."""
    arguments = [workload.task, workload.threads, workload.prefix, workload.root, epochs]
    command = [*program, *map(str, arguments)]
    output = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    figures: Figures = json.loads(output.splitlines()[-1])  # a loader may print before
    return figures
