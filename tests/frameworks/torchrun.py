"""Scripts with several ranks, started by torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.processes import start

RANKS = 2
SECONDS = 100
"""Time that a script may take: each rank imports PyTorch, on a machine that may be busy."""


def run(script: str, folder: Path, *arguments: object, ranks: int = RANKS) -> list[Any]:
    """Run a script of `tests.frameworks.ranks` in some processes; return what each has passed to `write`."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    command = [*launcher, str(Path(__file__).parent / "ranks" / script), str(folder), *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with start(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, output
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(ranks)]


def write(folder: str, found: object) -> None:
    """Write the result of this rank."""
    Path(folder, f"{os.environ['RANK']}.json").write_text(json.dumps(found))
