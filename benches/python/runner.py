"""Run each measurement in a separate process, all loaders once per round."""

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

Commands = dict[str, list[str]]
"""For each installed loader, the command that measures it."""


def find_commands(modules: dict[str, str], pythons: Iterable[str]) -> Commands:
    """Return the command of each loader, using the first interpreter that can import its module.

    Loaders that no interpreter can import are printed and omitted.
    """
    pythons = [sys.executable, *pythons]
    commands = {}
    for loader, module in modules.items():
        candidates = (python for python in pythons if _can_import(python, module))
        if python := next(candidates, None):
            # Some loaders emit warnings about their dependencies.
            commands[loader] = [python, "-W", "ignore", str(HERE / "measure.py"), module]
        else:
            print(f"{loader}: not installed")
    return commands


def run_rounds(commands: Commands, workload: Workload, rounds: int, epochs: int) -> list[dict[str, Figures]]:
    """Measure each loader once per round, so that noise affects all of them alike."""
    return [{loader: _run(command, workload, epochs) for loader, command in commands.items()} for _ in range(rounds)]


def _can_import(python: str, module: str) -> bool:
    """Return whether an interpreter can import a loader's module in the way `measure.py` does."""
    script = f"import sys; sys.path.insert(0, {str(HERE)!r}); import peers.{module}"
    command = [python, "-W", "ignore", "-c", script]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(command: list[str], workload: Workload, epochs: int) -> Figures:
    """Measure one loader in a new process; a failure ends the benchmark."""
    arguments = [workload.task, workload.threads, workload.prefix, workload.root, epochs]
    output = subprocess.run([*command, *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True).stdout
    figures: Figures = json.loads(output.splitlines()[-1])  # loaders may print other lines first
    return figures
