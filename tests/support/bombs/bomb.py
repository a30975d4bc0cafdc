"""A bomb: a small file that asks for much memory or time. What the makers of bombs share; knows nothing of pytest."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SIDE = 16_384
"""The longest side that the default limits admit, in pixels."""
MOST_BYTES = 512 << 20
"""The largest picture that they admit, in bytes."""

PIECE = 1 << 20
"""Bytes that are compressed at once, and then repeated."""


@dataclass(frozen=True)
class Bomb:
    """What a file tries, and how it is made."""

    name: str
    tries: str
    make: Callable[[], bytes]
    refused: str | None = None
    """What the error says, if it must be one; else a picture is as good."""
    seconds: float = 2.0
    """The most CPU time that it may take on a machine of the reference, as `measure` counts it."""

    def __str__(self) -> str:
        """Return the name, for test ids."""
        return self.name


def deflated_zeros(count: int) -> bytes:
    """Compress so many zeros, 1,000 to 1, in no time: one piece, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = packer.compress(bytes(PIECE)) + packer.flush(zlib.Z_FULL_FLUSH)
    pieces, rest = divmod(count, PIECE)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    end = packer.compress(bytes(rest)) + packer.flush()
    # Adler-32 of zeros: the sum of bytes is 1, and the sum of sums the count.
    checksum = (count % 65_521 << 16 | 1).to_bytes(4, "big")
    return b"\x78\xda" + piece * pieces + end + checksum
