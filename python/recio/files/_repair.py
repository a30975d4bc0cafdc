"""What is left of a damaged record file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio._util import index_path
from recio.files._results import RepairReport, SkippedRegion

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._util import StrPath


def repair(
    rec: StrPath,
    out: StrPath,
    *,
    idx: StrPath | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> RepairReport:
    """Copy all whole records of a damaged file into a new one, byte for byte and in their order.

    Every byte that is not copied is in a region of the result, with the reason. Where there is a ``.rsum`` beside the
    file, only records with the right checksum are copied, and the new file gets one too. The keys of the new index are
    the records' ids if these all differ; else those of the old index, if it lists all records that are copied; else
    their numbers.

    Without checksums, a record whose header is in order is taken to be whole, whatever happened to what is in it;
    `verify` tells which images can no longer be decoded.

    Parameters
    ----------
    rec : path
        The damaged file, which stays as it is.
    out : path
        The file to write, whose name ends in ``.rec``; its index gets the same name with ``.idx``. Both are there and
        complete at the end, or neither.
    idx : path, optional
        The damaged file's index; by default the ``.idx`` beside it, if there is one.
    progress : callable, optional
        Called about every 100 ms with the bytes done and all bytes. What it raises ends the repair, and nothing is
        written.

    Returns
    -------
    RepairReport
        The new file, and what was skipped.

    Raises
    ------
    ValueError
        If `out` is a file that is read, or if its name ends otherwise.
    OSError
        If a file cannot be read or written.
    """
    path, new = Path(rec), Path(out)
    found = _recio.repair_file(path, index_path(path, idx), new, progress)
    found["skipped"] = [SkippedRegion(*row) for row in found["skipped"]]
    return RepairReport(new, new.with_suffix(".idx"), **found)
