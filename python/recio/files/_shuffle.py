"""A record file in another order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio.files._results import CopyReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._util import StrPath


def shuffle(
    rec: StrPath,
    out: StrPath,
    *,
    seed: int,
    checksum: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> CopyReport:
    """Copy the records of a file into another, in random order: for readers that shuffle little or not at all.

    The bytes of a record and its key stay the same, and each is checked on the way.

    Parameters
    ----------
    rec : path
        The record file.
    out : path
        The file to write, whose name ends in ``.rec``; its index gets the same name with ``.idx``. Both are there and
        complete at the end, or neither.
    seed : int
        From 0 to 2**64 - 1. The order depends on it and the number of records alone; each is as likely as any other.
    checksum : bool, default False
        Whether to write a ``.rsum`` too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the records done and all records. What it raises ends the copying.

    Returns
    -------
    CopyReport
        The file.

    Raises
    ------
    ValueError
        If `out` is `rec`, or if its name ends otherwise.
    OverflowError
        If `seed` is out of its range.
    RecordError
        If a record is damaged, or the index lists only some of the records; then nothing is written.
    OSError
        If a file cannot be read or written.
    """
    target = Path(out)
    return CopyReport.of(target, *_recio.shuffle_file(Path(rec), target, seed, checksum, progress))
