"""Limits on the images that are decoded: what comes from a file may not ask for more than these.

Decoding is what untrusted bytes reach first. An image that claims to be larger is refused from its header, before
memory is taken for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FORMATS", "Limits"]

FORMATS = ("jpeg", "png", "webp", "bmp", "gif", "tiff")
"""The formats that can be decoded. Iterators admit the first two unless ``formats`` says otherwise."""

_ADMITTED = FORMATS[:2]


@dataclass(frozen=True)
class Limits:
    """The largest image that is decoded.

    Parameters
    ----------
    side : int, default 16384
        The longest side, in pixels.
    pixels : int, default 178956970
        Width times height: as many as 512 MiB hold in three channels of 8 bits.
    bytes : int, default 536870912
        The decoded size, and what decoding takes on the way, such as a progressive JPEG's coefficients.
    scans : int, default 100
        The scans of a progressive JPEG.

    Raises
    ------
    ValueError
        If one is not a whole number from 1 up.

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
        """Refuse what is no limit."""
        for name, value in vars(self).items():
            if not isinstance(value, int) or not 1 <= value < 1 << 48:
                raise ValueError(f"{name}={value!r}; it is a whole number from 1 to 2^48-1")


def numbers(limits: Limits | None) -> tuple[int, int, int, int]:
    """Give the native decoder's limits: side, pixels, bytes, scans."""
    if limits is None:
        limits = Limits()
    if not isinstance(limits, Limits):
        raise TypeError(f"limits={limits!r}; it is a recio.Limits")
    return limits.side, limits.pixels, limits.bytes, limits.scans


def names(formats: str | Sequence[str] | None) -> list[str]:
    """Give the formats that an iterator admits, by name; those of most data sets for ``None``."""
    if formats is None:
        return list(_ADMITTED)
    return [formats] if isinstance(formats, str) else list(formats)
