"""Row R36: with ``on_error="skip"`` and no index, a damaged header costs its record, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from recio.io import ImageRecordIter
from tests.support.records import FIRST_ID, image_record, noise, write

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = 39
HEADER_BITS = 64


def ids(rec: Path) -> list[int]:
    """Return the ids of all samples of an epoch."""
    epoch = ImageRecordIter(path_imgrec=rec, data_shape=(3, 4, 4), batch_size=8, on_error="skip", preprocess_threads=1)
    return [int(id_) for batch in epoch for id_ in batch.index[: len(batch.index) - batch.pad]]


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_flipped_bit_of_a_header_costs_its_record_only(suffix: str, tmp_path: Path) -> None:
    """All 64 bits of the header of each record, one at a time."""
    images = [cv2.imencode(suffix, noise(4 + n % 5, 4 + n % 3, seed=n))[1].tobytes() for n in range(RECORDS)]
    records = [image_record(image, number) for number, image in enumerate(images)]
    rec = write(tmp_path / "a.rec", records)
    sound = rec.read_bytes()
    offsets = np.cumsum([0, *(8 + len(record) + -len(record) % 4 for record in records)])
    lost = 0
    for number, offset in enumerate(offsets[:-1]):
        others = {FIRST_ID + other for other in range(RECORDS) if other != number}
        for bit in range(HEADER_BITS):
            damaged = bytearray(sound)
            damaged[offset + bit // 8] ^= 1 << bit % 8
            rec.write_bytes(damaged)
            found = ids(rec)
            assert len(found) == len(set(found)), f"bit {bit} of record {number}"
            lost += len(others - set(found))
    print(f"R36: {RECORDS * HEADER_BITS} flips, {lost} neighbors lost")  # noqa: T201 the figure is the point
    assert lost == 0
