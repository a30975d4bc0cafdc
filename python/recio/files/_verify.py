"""Verification of a record file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import one_file
from recio._storage import index_beside, storage
from recio._util import available_cores
from recio.files._results import Problem, VerifyReport
from recio.limits import FORMATS, format_list, limits_tuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recio._storage import AnyPath, StorageOptions
    from recio.limits import Limits


def verify(
    rec: AnyPath,
    idx: AnyPath | None = None,
    *,
    decode: bool = True,
    limits: Limits | None = None,
    formats: str | Sequence[str] = FORMATS,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> VerifyReport:
    """Check a record file: its framing, then the checksum, header and image of each record.

    Damage is reported in the result and raises no error; the check goes on with the next complete record. The index and
    the ``.rsum`` beside the file, if they exist, are compared with the records. Without checksums, damage that leaves
    framing and images valid is not found; it mostly changes pixels.

    Records without an image, as in face data sets, are no damage. Neither is a file in which no record has an image
    header: it does not hold image records. Images that recio does not support, or that exceed `limits`, are problems of
    their own kinds, as they may be undamaged. An empty file is not sound: readers refuse it.

    Parameters
    ----------
    rec : path
        The record file.
    idx : path, optional
        Its index; by default the ``.idx`` beside it, if there is one.
    decode : bool, default True
        Whether to decode all images completely. Then a JPEG with more than 16 bytes of data after its last
        pixel counts as damaged; the iterators accept it, as MXNet did. If not, the file is read once, at the speed
        of copying memory.
    limits : Limits, optional
        Limits on the images; by default those of the iterators.
    formats : str or sequence of str, default all
        The formats that are accepted.
    threads : int, optional
        Number of decoding threads, at least 1; by default one for each core that the process may use.
    progress : callable, optional
        Called about every 100 ms with the bytes done and all bytes. An exception that it raises stops the function.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    VerifyReport
        The problems; its ``ok`` is true if there are none.

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If `threads` is less than 1, or a format is unknown.

    Examples
    --------
    >>> verify("train.rec").ok  # doctest: +SKIP
    True
    """
    opened_with = storage(storage_options, filesystem)
    path, threads = one_file(opened_with.path(rec)), available_cores() if threads is None else threads
    if threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}")
    index = index_beside(path) if idx is None else opened_with.path(idx)
    fields = _recio.verify_file(
        path,
        index,
        decode,
        threads,
        limits_tuple(limits),
        format_list(formats),
        progress,
    )
    fields["problems"] = [Problem(*row) for row in fields["problems"]]
    return VerifyReport(path, **fields)
