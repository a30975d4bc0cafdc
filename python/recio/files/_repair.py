"""Repair of a damaged record file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import one_file
from recio._storage import index_beside, storage
from recio.files._results import RepairReport, SkippedRegion

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._storage import AnyPath, StorageOptions


def repair(
    rec: AnyPath,
    out: AnyPath,
    *,
    idx: AnyPath | None = None,
    progress: Callable[[int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
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
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

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
    opened_with = storage(storage_options, filesystem)
    path, new = one_file(opened_with.path(rec)), opened_with.path(out)
    index = index_beside(path) if idx is None else opened_with.path(idx)
    fields = _recio.repair_file(path, index, new, progress)
    fields["skipped"] = [SkippedRegion(*row) for row in fields["skipped"]]
    return RepairReport(new, new.with_suffix(".idx"), **fields)
