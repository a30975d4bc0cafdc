"""Writings in which a system call goes wrong: the shim is compiled, the runner is started, given orders, and heard.

The other end is ``fault_runner.py``; what is written, ``writings.py``; what makes calls fail, ``faults.c``. Needs a C
compiler, as building recio does.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from itertools import count, cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.support.writings import WRITINGS, Writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def compile_shim(folder: Path, name: str = "faults") -> Path:
    """Compile ``faults.c``, or another library to be preloaded."""
    shim = folder / f"{name}.so"
    compiler = os.environ.get("CC") or shutil.which("cc") or "gcc"
    options = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *options, "-o", shim, HERE / f"{name}.c", "-ldl", "-lpthread"], check=True)
    return shim


@dataclass(frozen=True)
class Outcome:
    """What came of a writing in which a call went wrong."""

    ended: int
    """The exit code of the process, or the negative number of the signal that ended it."""
    sent: float = 0.0
    """When it was sent a signal, by the monotonic clock; of a process that was ended, the rest is not known."""
    began: float = 0.0
    """When the work began."""
    caught: float = 0.0
    """When the work was over."""
    error: str | None = None
    """The exception's type and text."""
    calls: list[str] = field(default_factory=list)
    """The calls that changed the folder, in order: name and path."""
    struck: int = 0
    """The number of the call that went wrong, from 1; 0 if none did."""
    unraised: list[str] = field(default_factory=list)
    """Exceptions that Python could only print."""
    leaked: list[str] = field(default_factory=list)
    """Files that were left open."""
    threads: list[str] = field(default_factory=list)
    """Threads that were left."""
    children: list[int] = field(default_factory=list)
    """Processes that were left."""

    @property
    def call(self) -> str:
        """The call that went wrong."""
        return self.calls[self.struck - 1] if self.struck else ""

    @property
    def left(self) -> list[str]:
        """What the process had let go of too late or not at all."""
        return [*self.leaked, *self.threads, *map(str, self.children), *self.unraised]


class Runner:
    """The warm process."""

    def __init__(self, folder: Path) -> None:
        shim = compile_shim(folder)
        # OpenBLAS's threads would not be in the children.
        environment = {**os.environ, "LD_PRELOAD": str(shim), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.support.fault_runner", str(shim)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def run(
        self,
        work: str,
        folder: Path,
        at: int = 0,
        way: str = "pass",
        error: int = errno.EIO,
        *,
        signal: int = 0,
        after: float = 0,
        limit: int | None = None,
    ) -> Outcome:
        """Do a work, a writing or a loop, in a folder.

        Call `at` goes wrong; or the process is sent a `signal`, `after` some seconds; or its files' lengths have a
        `limit`, in bytes.
        """
        order = {"work": work, "folder": str(folder), "at": at, "way": way, "errno": error}
        hindrance = {"signal": signal, "after": after, "limit": limit}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**order, **hindrance}) + "\n")
        self._process.stdin.flush()
        return Outcome(**json.loads(self._process.stdout.readline()))


class Trial:
    """A writing, the folder that it is tried in, and what should be there before and afterwards."""

    def __init__(self, runner: Runner, name: str, workshop: Path) -> None:
        self.name, self._runner = name, runner
        self.writing: Writing = WRITINGS[name]
        self.place, self.template = workshop / "place", workshop / f"before {name}"
        if not self.template.exists():
            self.template.mkdir()
            self.writing.prepare(self.template)
        self.before = contents(self.template)
        self.outcome = self.run()
        self.whole = contents(self.place)

    def lay_out(self) -> None:
        """Make the folder as it was at first."""
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.template, self.place)

    def run(self, at: int = 0, way: str = "pass", error: int = errno.EIO, **hindrance: Any) -> Outcome:  # noqa: ANN401
        """Try it in a folder as it was at first."""
        self.lay_out()
        return self._runner.run(self.name, self.place, at, way, error, **hindrance)

    def again(self) -> Outcome:
        """Try it, undisturbed, in the folder as it is."""
        return self._runner.run(self.name, self.place)

    def until_none_fires(self, way: str, errors: Sequence[int] = (0,)) -> Iterator[Outcome]:
        """Let the first call go wrong, the second, and so on, with the errors in turn; give those where one did."""
        for at, error in zip(count(1), cycle(errors)):
            outcome = self.run(at, way, error)
            if outcome.ended == 0 and at > len(outcome.calls):
                return
            if outcome.struck:
                yield outcome
            elif outcome.ended:
                # What it met is not known from itself.
                yield replace(outcome, struck=at, calls=self.outcome.calls)

    def complaints(self, outcome: Outcome, errors: Sequence[int]) -> Iterator[str]:
        """Return what is wrong after one of these errors: every guarantee that does not hold."""
        if outcome.ended:
            yield f"the process ended with {outcome.ended}"
            return
        yield from (f"left: {what}" for what in outcome.left + self.temporary())
        if outcome.error is None:
            if contents(self.place) != self.whole:
                yield "no exception, and the files are not complete"
            return
        if str(self.place) not in outcome.error:
            yield f"no path: {outcome.error}"
        if not any(os.strerror(error) in outcome.error for error in errors):
            yield f"no reason: {outcome.error}"
        yield from self.unsound()

    def unsound(self) -> Iterator[str]:
        """Return what is wrong with the folder after a failure.

        The final names are absent or complete, of the older writing or of the new one, and belong together. A file that
        grows under its name may be cut off anywhere, and holds nothing else than it should.
        """
        there = {name: data for name, data in contents(self.place).items() if not is_temporary(name)}
        for name, data in there.items():
            whole = self.whole.get(name, b"")
            if data not in (self.before.get(name), whole) and (self.writing.whole or not whole.startswith(data)):
                yield f"{name} is not complete, with {len(data)} bytes"
        for mark, described in self.writing.describes.items():
            pair = there.get(mark), there.get(described)
            if mark in there and pair not in [(v.get(mark), v.get(described)) for v in (self.before, self.whole)]:
                yield f"{mark} stands beside another {described}"

    def temporary(self) -> list[str]:
        """Return the temporary files in the folder."""
        return [name for name in contents(self.place) if is_temporary(name)]


def is_temporary(name: str) -> bool:
    """Return whether a file has a temporary name."""
    return name.startswith(".")  # also what lies in a folder of such a name


def contents(folder: Path) -> dict[str, bytes]:
    """Return the contents of all files in a folder and its subfolders, by their names."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
