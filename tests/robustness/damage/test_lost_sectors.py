"""How much of what checksums would find `recio.verify` finds without: photographs of which a sector was lost.

A lost sector reads as zeros, which are code like any other: a fifth of such images decode to the end. But then their
data seldom ends with the last pixel. Row R3 has what checksums find, which is all.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

import recio
from tests.support.records import PHOTOS, write_images

if TYPE_CHECKING:
    from pathlib import Path

TRIALS = 20


def lose(photo: bytes, sector: int, place: random.Random) -> bytes:
    """Fill a sector of the photograph's scan with zeros."""
    first = photo.rindex(b"\xff\xda") + 14
    at = place.randrange(first, len(photo) - sector - 2)
    return photo[:at] + bytes(sector) + photo[at + sector :]


@pytest.mark.parametrize(("sector", "least"), [(512, 0.92), (4096, 0.97)])
def test_most_lost_sectors_are_detected(sector: int, least: float, tmp_path: Path) -> None:
    place = random.Random(sector)
    photos = [path.read_bytes() for path in PHOTOS for _ in range(TRIALS)]
    file = write_images(tmp_path, [lose(photo, sector, place) for photo in photos])
    noticed = recio.verify(file.rec).total / len(photos)
    print(f"R3: of {len(photos)} photographs without a sector of {sector} bytes {noticed:.1%} noticed")  # noqa: T201
    assert noticed >= least
