"""Several record files as one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio.files._results import CopyReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from recio._util import StrPath


def merge(
    files: Iterable[StrPath],
    out: StrPath,
    *,
    checksum: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> CopyReport:
    """Copy the records of several files, one file behind another, into one.

    The bytes of a record stay the same, and each is checked on the way. Records keep the keys that the ``.idx`` beside
    their file gives them (without one: their ids, or if some have none or share one, their numbers), unless two of all
    records have the same: then all are numbered from 0.

    Parameters
    ----------
    files : iterable of path
        The record files, in the order of their records.
    out : path
        The file to write, whose name ends in ``.rec``; its index gets the same name with ``.idx``. Both are there and
        complete at the end, or neither.
    checksum : bool, default False
        Whether to write a ``.rsum`` too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the records done and all records. What it raises ends the copying.

    Returns
    -------
    CopyReport
        The file, and whether its records got new keys.

    Raises
    ------
    ValueError
        If there are no files, if `out` is one of them, or if its name ends otherwise.
    RecordError
        If a record is damaged, or an index lists only some of the records; then nothing is written.
    OSError
        If a file cannot be read or written.
    """
    rec = Path(out)
    records, length, renumbered = _recio.merge_files([Path(file) for file in files], rec, checksum, progress)
    return CopyReport.of(rec, records, length, renumbered=renumbered)
