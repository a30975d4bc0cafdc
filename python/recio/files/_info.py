"""Summary of a record file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import one_file
from recio._storage import index_beside, storage
from recio.files._results import Info

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._storage import AnyPath, StorageOptions


def info(
    rec: AnyPath,
    idx: AnyPath | None = None,
    *,
    progress: Callable[[int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> Info:
    """Summarize a record file from the headers of its records and images.

    The file is read once; no image is decoded. Damage is counted, and raises no error; of a file without any complete
    record, the result says why.

    Parameters
    ----------
    rec : path
        The record file.
    idx : path, optional
        Its index; by default the ``.idx`` beside it, if there is one.
    progress : callable, optional
        Called about every 100 ms with the bytes done and all bytes. An exception that it raises stops the function.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    Info
        The summary.

    Raises
    ------
    OSError
        If a file cannot be read.
    """
    opened_with = storage(storage_options, filesystem)
    path = one_file(opened_with.path(rec))
    index = index_beside(path) if idx is None else opened_with.path(idx)
    return Info(path, **_recio.info_of_file(path, index, progress))
