"""accelerate: `prepare` leaves a loader as it is, and checkpoints have its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.frameworks.loaders import epochs
from tests.frameworks.torchrun import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile


def test_two_ranks(tiny: RecordFile, tmp_path: Path) -> None:
    found = run("on_accelerate.py", tmp_path, tiny.rec)
    for rank, result in enumerate(found):
        expected = epochs(tiny.rec, 4, num_parts=2, part_index=rank)
        assert result["epochs"] == expected[:2]
        assert result["resumed"] == expected[2][2:]
        assert result["next"] == expected[3:4] * 2
    for epoch in range(2):
        ids = {number for result in found for batch in result["epochs"][epoch] for number in batch}
        assert ids == set(range(22))
