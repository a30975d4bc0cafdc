"""Slow storage: a process in which each read of a record file takes some time, as on a network file system.

``slow_storage.c`` delays the reads. Needs a C compiler, as building recio does.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any, Self

from tests.support.faults import ROOT, compile_shim

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class SlowStorage:
    """A process with slow storage, which calls functions of test modules.

    Parameters
    ----------
    folder : Path
        Folder for the library, and for the file with the delay.
    suffixes : sequence of str
        Ends of the names of the files that are read slowly.
    """

    def __init__(self, folder: Path, *suffixes: str) -> None:
        self._delay = folder / "delay"
        self.set_delay(0)
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(compile_shim(folder, "slow_storage")),
            "RECIO_SLOW_FILE": str(self._delay),
            "RECIO_SLOW_SUFFIXES": ":".join(suffixes or (".rec",)),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.slow_storage"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self.environment,
            cwd=ROOT,
        )

    def set_delay(self, seconds: float) -> None:
        """Set the time that each read takes from now on."""
        new = self._delay.with_suffix(".new")
        new.write_text(str(round(seconds * 1e6)))
        new.replace(self._delay)

    def call(self, work: Callable[..., Any], *args: object, **settings: object) -> Any:  # noqa: ANN401 the function's
        """Call a function of a module in the process; return its result."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        pickle.dump((work, args, settings), self._process.stdin)
        self._process.stdin.flush()
        is_result, value = pickle.load(self._process.stdout)  # noqa: S301 from a process of ours
        assert is_result, value
        return value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def _serve() -> None:
    """Call functions until there are no more."""
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while True:
        try:
            work, args, settings = pickle.load(sys.stdin.buffer)  # noqa: S301 from a process of ours
        except EOFError:
            return
        try:
            outcome = True, work(*args, **settings)
        except BaseException:  # noqa: BLE001 the test reports it
            outcome = False, traceback.format_exc()
        pickle.dump(outcome, results)
        results.flush()


if __name__ == "__main__":
    _serve()
