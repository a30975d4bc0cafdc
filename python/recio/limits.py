"""Limits on decoded images, and the formats that can be decoded.

The bytes of a file may be hostile, and decoding is the first step that reads them. An image whose header claims more
than a limit is refused before memory is allocated for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FORMATS", "Limits"]

FORMATS = ("jpeg", "png", "webp", "bmp", "gif", "tiff")
"""The formats that can be decoded. Iterators accept JPEG and PNG by default."""

_ITERATOR_FORMATS = FORMATS[:2]


@dataclass(frozen=True)
class Limits:
    """Upper limits for one image.

    Parameters
    ----------
    side : int, default 16384
        Longer side, in pixels.
    pixels : int, default 178956970
        Width times height. The default fits in 512 MiB with three channels of 8 bits.
    bytes : int, default 536870912
        Size of the decoded image, and of temporary buffers such as the coefficients of a progressive JPEG.
    scans : int, default 100
        Number of scans of a progressive JPEG.

    Raises
    ------
    ValueError
        If a limit is not an integer from 1 to 2**48 - 1.

    Examples
    --------
    >>> Limits(side=40_000, pixels=10**9, bytes=4 * 10**9).side
    40000
    """

    side: int = 16_384
    pixels: int = 178_956_970
    bytes: int = 512 << 20
    scans: int = 100

    def __post_init__(self) -> None:
        """Check the values."""
        for name, value in vars(self).items():
            if not isinstance(value, int) or not 1 <= value < 1 << 48:
                raise ValueError(f"{name} must be an integer from 1 to 2^48-1, got {value!r}")


def limits_tuple(limits: Limits | None) -> tuple[int, int, int, int]:
    """Return the limits as the native decoder takes them: side, pixels, bytes, scans; by default those of `Limits`."""
    if limits is None:
        limits = Limits()
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be a recio.Limits, got {limits!r}")
    return limits.side, limits.pixels, limits.bytes, limits.scans


def format_list(formats: str | Sequence[str] | None) -> list[str]:
    """Return the names of the formats that an iterator accepts; by default JPEG and PNG."""
    if formats is None:
        return list(_ITERATOR_FORMATS)
    return [formats] if isinstance(formats, str) else list(formats)
