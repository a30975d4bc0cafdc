"""Shuffling the records of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import one_file
from recio._storage import storage
from recio.files._class_names import copy_names
from recio.files._results import CopyReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._storage import AnyPath, StorageOptions


def shuffle(
    rec: AnyPath,
    out: AnyPath,
    *,
    seed: int,
    checksum: bool = False,
    progress: Callable[[int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> CopyReport:
    """Copy the records of a file into another in random order, for readers that shuffle little or not at all.

    Records are copied byte for byte, and each is checked. They keep their keys. Of a face data set (InsightFace's
    layout), the images are shuffled; its header record and identity records follow them, and ``property`` is copied.
    The names of the classes, in ``PREFIX.classes.txt`` beside `rec`, are written beside `out`.

    Windows of 256 MiB of `out`, or of one larger record, are gathered in memory, so `rec` is read once for each window.
    Each record takes about 30 bytes of memory besides.

    Parameters
    ----------
    rec : path
        The record file.
    out : path
        The file to write, whose name ends in ``.rec``; its index gets the same name with ``.idx``. Both are complete,
        or neither is written.
    seed : int
        Seed of the order, from 0 to 2**64 - 1. The order depends only on it and on the number of records; all orders
        are equally likely.
    checksum : bool, default False
        Whether to write a ``.rsum`` too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the records done and all records. An exception that it raises stops the function.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    CopyReport
        The new file.

    Raises
    ------
    ValueError
        If `out` is `rec`, or if its name does not end in ``.rec``.
    OverflowError
        If `seed` is not from 0 to 2**64 - 1.
    RecordError
        If a record is damaged, or the index lists only some of the records; then nothing is written.
    OSError
        If a file cannot be read or written.
    """
    opened_with = storage(storage_options, filesystem)
    path, new = one_file(opened_with.path(rec)), opened_with.path(out)
    report = CopyReport.of(new, _recio.shuffle_file(path, new, seed, checksum, progress))
    copy_names([path], [new])
    return report
