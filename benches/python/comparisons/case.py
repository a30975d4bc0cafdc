"""A case of `compare.py`: two ways to do the same thing, and the ratio of their costs that is the goal."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

MXNET_PYTHON = os.environ.get("MXNET_PYTHON", "")
"""Interpreter with MXNet 1.9.1, for `Remote`; without it, cases that need it are left out."""

LOOP = """
import sys, time
for line in sys.stdin:
    start = time.process_time()
    for _ in range(int(line)):
        run()
    print(1e6 * (time.process_time() - start) / int(line), flush=True)
"""
"""Code that calls a function as often as a line says, and prints the CPU time of a call in microseconds."""


@dataclass(frozen=True)
class Case:
    """Two ways to do the same thing. Each call does it once, with inputs made beforehand."""

    name: str
    """What is done, and on what: `imdecode, 12 MP JPEG`."""
    other_name: str
    """What users would call instead: `cv2.imdecode`."""
    recio: Callable[[], object]
    other: Callable[[], object]
    goal: float
    """Greatest acceptable CPU time of recio, divided by the other's."""


class Remote:
    """Function in another interpreter, which has what cannot be installed beside recio.

    Parameters
    ----------
    interpreter : str
        Path of the interpreter.
    code : str
        Definition of the function ``run``.
    """

    def __init__(self, interpreter: str, code: str) -> None:
        self._command = [interpreter, "-c", code + LOOP]

    def __call__(self) -> None:
        """Call the function."""
        self.time(1)

    def time(self, calls: int) -> float:
        """Call the function, and return the CPU time of one call in microseconds, of all threads."""
        stdin, stdout = self._process.stdin, self._process.stdout
        print(calls, file=stdin, flush=True)
        return float(stdout.readline())

    @cached_property
    def _process(self) -> Any:  # noqa: ANN401 a process with both pipes
        pipe = subprocess.PIPE
        return subprocess.Popen(self._command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def __del__(self) -> None:
        """End the interpreter, which reads to the end of its input."""
        if "_process" in self.__dict__:
            self._process.communicate()
