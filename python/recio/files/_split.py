"""One record file as several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio.files._results import CopyReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._util import StrPath


def split(
    rec: StrPath,
    parts: int,
    out: StrPath | None = None,
    *,
    checksum: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> list[CopyReport]:
    """Copy the records of a file into several: ``train.rec`` becomes ``train_0.rec``, ``train_1.rec`` and so on.

    Each part has records that stand together; merged in their order they are the same file again. The bytes of a record
    and its key stay the same, and each is checked on the way.

    Parameters
    ----------
    rec : path
        The record file.
    parts : int
        The number of files to write, from 1 to the number of records. They differ by one record at most.
    out : path, optional
        The beginning of their paths, before ``_0.rec``. By default that of `rec`.
    checksum : bool, default False
        Whether to write a ``.rsum`` beside each too: a checksum of each record.
    progress : callable, optional
        Called about every 100 ms with the records done and all records. What it raises ends the copying.

    Returns
    -------
    list of CopyReport
        The files, which are all there and complete at the end, or none is.

    Raises
    ------
    ValueError
        If there would be parts without records.
    RecordError
        If a record is damaged, or the index lists only some of the records; then nothing is written.
    OSError
        If a file cannot be read or written.
    """
    begin = Path(rec).with_suffix("") if out is None else Path(out)
    outs = [begin.with_name(f"{begin.name}_{number}.rec") for number in range(parts)]
    written = _recio.split_file(Path(rec), outs, checksum, progress)
    return [CopyReport.of(part, records, length) for part, (records, length) in zip(outs, written, strict=True)]
