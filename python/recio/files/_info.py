"""What is in a record file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio.files._beside import index_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._paths import StrPath


@dataclass(frozen=True, slots=True)
class Info:
    """A record file in numbers. Ranges are the least and the greatest, ``None`` where there is nothing to count.

    Attributes
    ----------
    path : Path
        The record file.
    records : int
        The whole records in it.
    bytes : int
        Its length.
    damaged : int
        The bytes in it that are of no whole record.
    indexed : int or None
        The records that the index lists; ``None`` if there is none.
    has_checksums : bool
        Whether there is a ``.rsum``.
    ids : tuple of int or None
        The range of the ids.
    has_unique_ids : bool
        Whether all ids differ.
    label_widths : dict of int to int
        How many records have so many labels.
    labels : tuple of float or None
        The range of all labels, NaN left out.
    formats : dict of str to int
        How many images are of a format; ``'none'`` counts records without an image, ``'unknown'`` other bytes.
    widths, heights : tuple of int or None
        The ranges of the images' sides, in pixels, upright, as far as they are within the default limits.
    image_bytes : tuple of int or None
        The range of the images' lengths.
    """

    path: Path
    records: int
    bytes: int
    damaged: int
    indexed: int | None
    has_checksums: bool
    ids: tuple[int, int] | None
    has_unique_ids: bool
    label_widths: dict[int, int]
    labels: tuple[float, float] | None
    formats: dict[str, int]
    widths: tuple[int, int] | None
    heights: tuple[int, int] | None
    image_bytes: tuple[int, int] | None


def info(
    rec: StrPath,
    idx: StrPath | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
) -> Info:
    """Count what is in a record file, from the headers of its records and of their images.

    The file is read once; no image is decoded. Damage is counted, not an error.

    Parameters
    ----------
    rec : path
        The record file.
    idx : path, optional
        Its index; by default the ``.idx`` beside it, if there is one.
    progress : callable, optional
        Called about every 100 ms with the bytes done and all bytes. What it raises ends the counting.

    Returns
    -------
    Info
        The numbers.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    path = Path(rec)
    return Info(path, **_recio.info_of_file(path, index_of(path, idx), progress))
