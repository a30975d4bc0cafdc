"""Merging record files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import record_files
from recio._recio import RemotePath
from recio._storage import storage
from recio.files._class_names import copy_names
from recio.files._results import CopyReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from recio._storage import AnyPath, StorageOptions


def merge(
    files: AnyPath | Iterable[AnyPath],
    out: AnyPath,
    *,
    checksum: bool = False,
    progress: Callable[[int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> CopyReport:
    """Copy the records of several files, one file after another, into one.

    Records are copied byte for byte, and each is checked. They keep their keys: those in the ``.idx`` beside their file
    (without one: their ids or, if some have none or two have the same, their numbers). If two of all records have the
    same key, all are numbered from 0.

    Face data sets (InsightFace's layout) become one face data set: its images have the keys 1, 2 … and these as ids,
    and the identities of each file are numbered after those of the files before it. The header record and the identity
    records are written anew from the labels, and the file ``property`` beside `out` has the number of identities. Files
    with the same ``property``, such as the shards that `split` writes, share their identities. Record files without a
    header record that each have another ``property`` are merged likewise, and get none. If the folder of `out` has the
    ``property`` of another data set, that of ``out.rec`` is ``out.property``. If the images have several labels, those
    that are equal to the first one in all images of all files are numbered like it; the others stay the same.

    The names of the classes, in ``PREFIX.classes.txt`` beside the files, are written beside `out` if all files have the
    same.

    Parameters
    ----------
    files : path or iterable of path
        The record files, or manifests, in the order of their records; or one of them.
    out : path
        The file to write, whose name ends in ``.rec``; its index gets the same name with ``.idx``. Both are complete,
        or neither is written.
    checksum : bool, default False
        Whether to write a ``.rsum`` too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the records done and all records. An exception that it raises stops the function.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    CopyReport
        The new file, and whether its records have new keys.

    Warns
    -----
    UserWarning
        If the files have different names of classes, or face data sets have some, so that none were written.

    Raises
    ------
    ValueError
        If there are no files, if `out` is one of them, or if its name does not end in ``.rec``. If some files are face
        data sets and others are not, or their images have different sizes.
    RecordError
        If a record is damaged, an index lists only some of the records, or the header record of a face data set
        contradicts its records; then nothing is written.
    OSError
        If a file cannot be read or written.
    """
    opened_with = storage(storage_options, filesystem)
    sources = [files] if isinstance(files, str | os.PathLike | RemotePath) else files
    rec, paths = opened_with.path(out), [path for file in sources for path in record_files(opened_with.path(file))]
    report = CopyReport.of(rec, _recio.merge_files(paths, rec, checksum, progress))
    copy_names(paths, [rec])
    return report
