"""Splitting a record file into shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import manifest_of, one_file, remove_others, shards_if_any, write_manifest
from recio._storage import storage
from recio.files._class_names import copy_names, names_beside
from recio.files._results import CopyReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._storage import AnyPath, StorageOptions


def split(
    rec: AnyPath,
    parts: int,
    out: AnyPath | None = None,
    *,
    checksum: bool = False,
    progress: Callable[[int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> list[CopyReport]:
    """Copy the records of a file into several shards: ``train.rec`` becomes ``train_0.rec``, ``train_1.rec`` and so on.

    Numbers of more than ten shards have as many digits as the last one. The manifest of all, ``train.recset.json``, is
    written after them: readers take it in place of the list of shards.

    Each shard has consecutive records; `merge` of all shards in their order restores the file. Records are copied byte
    for byte, and each is checked. They keep their keys.

    The shards of a face data set (InsightFace's layout) are face data sets too: the images are divided in the order of
    their keys, and in each shard they get the keys 1, 2 … and these as ids. They keep their labels. Each shard has a
    header record and the records of its identities, and ``property`` beside the shards has the number of all; if there
    is that of another data set, it is ``train.property``.

    The names of the classes, in ``train.classes.txt``, are written beside each shard.

    Parameters
    ----------
    rec : path
        The record file.
    parts : int
        Number of shards, from 1 to the number of records, or of images of a face data set. Their sizes differ by one at
        most.
    out : path, optional
        Beginning of the shards' paths, before ``_0.rec``. By default that of `rec` without its suffix.
    checksum : bool, default False
        Whether to write a ``.rsum`` for each shard too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the records done and all records. An exception that it raises stops the function.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    list of CopyReport
        The shards. All are complete, or none is written.

    Raises
    ------
    ValueError
        If `parts` is not from 1 to the number of records.
    RecordError
        If a record is damaged, the index lists only some of the records, or the header record of a face data set
        contradicts its records; then nothing is written.
    OSError
        If a file cannot be read or written.
    """
    opened_with = storage(storage_options, filesystem)
    path = one_file(opened_with.path(rec))
    prefix = opened_with.path(path.with_suffix("") if out is None else out)
    width = len(str(parts - 1))
    shards = [prefix.with_name(f"{prefix.name}_{number:0{width}}.rec") for number in range(parts)]
    manifest = manifest_of(prefix)
    older = [shard.rec for shard in shards_if_any(manifest)]
    results = _recio.split_file(path, shards, manifest, checksum, progress)
    copy_names([path], shards)
    remove_others(prefix, older, {str(shard) for shard in shards})
    reports = [CopyReport.of(shard, result) for shard, result in zip(shards, results, strict=True)]
    write_manifest(manifest, [report.shard(has_checksums=checksum) for report in reports], names_beside(path))
    return reports
