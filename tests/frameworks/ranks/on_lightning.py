"""A rank of Lightning: FOLDER REC. It trains three epochs, and once more from checkpoints of rank 0."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tests.frameworks.lightning_runs import Recorder, every_batch, every_epoch, fit
from tests.frameworks.torchrun import write

EPOCHS = 3
OPTIONS: dict[str, Any] = {"devices": 2, "strategy": "ddp"}


def main(folder: str, rec: str) -> None:
    saved = Path(folder, "checkpoints")
    whole = fit(Recorder(rec, rec), EPOCHS, callbacks=[every_batch(saved), every_epoch(saved)], **OPTIONS)
    resumed = {
        name: fit(Recorder(rec), EPOCHS, checkpoint=saved / f"{name}.ckpt", **OPTIONS).batches
        for name in ("2", "3", "5", "epoch-0")
    }
    write(folder, {"batches": whole.batches, "validated": whole.validated, "resumed": resumed})


if __name__ == "__main__":
    main(*sys.argv[1:])
