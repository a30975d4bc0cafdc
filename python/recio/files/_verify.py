"""Whether a record file is sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio._util import available_cores, index_path
from recio.files._results import Problem, VerifyReport
from recio.limits import FORMATS, names, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recio._util import StrPath
    from recio.limits import Limits


def verify(
    rec: StrPath,
    idx: StrPath | None = None,
    *,
    decode: bool = True,
    limits: Limits | None = None,
    formats: str | Sequence[str] = FORMATS,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> VerifyReport:
    """Look at all of a record file: its framing, then each record's checksum, header and image.

    Damage is no error, but a problem in the result; after it the next whole record is looked for. The index is compared
    with the records, and so are the checksums in the ``.rsum`` beside the file, if there is one. Without checksums,
    damage that leaves framing and image in order is not seen: other pixels, mostly.

    Records that have no image, as face data sets have them, are no damage, nor is it that none has a header: then these
    are no image records.

    Parameters
    ----------
    rec : path
        The record file.
    idx : path, optional
        Its index; by default the ``.idx`` beside it, if there is one.
    decode : bool, default True
        Whether to decode all images, completely. A JPEG with more than 16 bytes of data behind its last pixel counts as
        damaged then; the iterators take it, as MXNet did. Without, the file is read once, as fast as memory is copied.
    limits : Limits, optional
        How large an image may be; by default as for the iterators.
    formats : str or sequence of str, default all
        The formats that an image may be in.
    threads : int, optional
        The threads that decode; by default one for each core that the process may use.
    progress : callable, optional
        Called about every 100 ms with the bytes done and all bytes. What it raises ends the verification.

    Returns
    -------
    VerifyReport
        What was found; its ``ok`` tells whether all is well.

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
    path, threads = Path(rec), available_cores() if threads is None else threads
    if threads < 1:
        raise ValueError(f"threads={threads}; it is at least 1")
    found = _recio.verify_file(path, index_path(path, idx), decode, threads, numbers(limits), names(formats), progress)
    found["problems"] = [Problem(*row) for row in found["problems"]]
    return VerifyReport(path, **found)
