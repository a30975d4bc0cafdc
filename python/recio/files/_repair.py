"""Repair of a damaged record file."""

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
    """Copy all complete records of a damaged file into a new one, byte for byte and in their order.

    Every byte that is not copied is in a region of the result, with the reason. With a ``.rsum`` beside the file, only
    records with the right checksum are copied, and the new file gets a ``.rsum`` too. The keys of the new index are the
    ids of the records if all differ; else those of the old index, if it lists all copied records; else their numbers.

    Without checksums, a record with valid framing is copied even if its payload is damaged; `verify` finds the images
    that can no longer be decoded.

    Parameters
    ----------
    rec : path
        The damaged file, which is not changed.
    out : path
        The file to write, whose name ends in ``.rec``; its index gets the same name with ``.idx``. Both are complete,
        or neither is written.
    idx : path, optional
        The damaged file's index; by default the ``.idx`` beside it, if there is one.
    progress : callable, optional
        Called about every 100 ms with the bytes done and all bytes. An exception that it raises stops the function, and
        nothing is written.

    Returns
    -------
    RepairReport
        The new file, and what was skipped.

    Raises
    ------
    ValueError
        If `out` is one of the files that are read, or if its name does not end in ``.rec``.
    OSError
        If a file cannot be read or written.
    """
    path, new = Path(rec), Path(out)
    fields = _recio.repair_file(path, index_path(path, idx), new, progress)
    fields["skipped"] = [SkippedRegion(*row) for row in fields["skipped"]]
    return RepairReport(new, new.with_suffix(".idx"), **fields)
