"""Works without an end, to be interrupted: loaders that are fast, that keep their reader waiting, and im2rec.

`fault_runner.py` does them; `test_interrupts.py` judges. The record files are `test_interrupts.py`'s.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio.im2rec import pack
from recio.io import ImageRecordIter

if TYPE_CHECKING:
    from pathlib import Path


def load(folder: Path, name: str, **settings: Any) -> None:  # noqa: ANN401 settings are of many types
    """Make iterators, read two epochs of each."""
    rec = folder.parent / "inputs" / f"{name}.rec"
    while True:
        with ImageRecordIter(path_imgrec=rec, batch_size=4, preprocess_threads=2, shuffle=True, **settings) as batches:
            for _ in range(2):
                for batch in batches:
                    batch.data[0].sum()
                batches.reset()


def pack_endlessly(folder: Path) -> None:
    """Pack a list that takes minutes."""
    inputs = folder.parent / "inputs"
    pack(folder / "a.lst", inputs / "images", resize=300, encoding=".png", num_thread=2)


LOOPS = {
    "a loader": lambda folder: load(folder, "one", data_shape=(3, 8, 8)),
    "a loader that waits": lambda folder: load(folder, "slow", data_shape=(3, 16, 16), resize=16),
    "a packing": pack_endlessly,
}
