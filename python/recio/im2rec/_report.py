"""Report of a packed list: what was written, and the lines that were skipped."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from recio._atomic import atomic_write_lines
from recio._storage import read_bytes
from recio._util import json_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recio._manifest import Manifest
    from recio._recio import RemotePath


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """Line of a list that was skipped.

    Attributes
    ----------
    line : int
        The line's number, from 1.
    index : int or None
        The image's index; ``None`` if the line cannot be read.
    path : str or None
        The image's path in the list; ``None`` if the line cannot be read.
    reason : str
        Why it was skipped.
    """

    line: int
    index: int | None
    path: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PackReport:
    """Result of `pack`.

    Attributes
    ----------
    rec, idx, report : Path or RemotePath
        The record file, its index and the report of skipped lines; with shards, the record file and index of the first.
        The first two do not exist if there are no records, the report does not exist if nothing was skipped.
    records : int
        Number of records, of all shards.
    bytes : int
        Size of the record file, or of those of all shards.
    skipped : list of SkippedLine
        The skipped lines, in the order of the list.
    mask_rec, mask_idx : Path, RemotePath or None
        The record file of the masks and its index, which do not exist if there are no records; ``None`` without masks.
    kept : bool
        Whether an earlier run had packed the list, so that nothing was written.
    warnings : list of str
        Warnings about labels: the first line of which labels are dropped, as `pack_label` is false; and the first
        detection label with boxes in pixels, or with boxes that are not left, top, right, bottom.
    manifest, mask_manifest : Manifest or None
        The shards, and those of the masks; ``None`` without shards, or without records.
    crc32c : int or None
        CRC32C of the record file; ``None`` with shards, or if it is not known.
    """

    rec: Path | RemotePath
    idx: Path | RemotePath
    report: Path | RemotePath
    records: int
    bytes: int
    skipped: list[SkippedLine]
    mask_rec: Path | RemotePath | None = None
    mask_idx: Path | RemotePath | None = None
    kept: bool = False
    warnings: list[str] = field(default_factory=list)
    manifest: Manifest | None = None
    mask_manifest: Manifest | None = None
    crc32c: int | None = None


def read_report(path: Path | RemotePath) -> list[SkippedLine] | None:
    """Read the report of skipped lines: empty if there is none, ``None`` if it is incomplete."""
    try:
        rows = [json.loads(line) for line in read_bytes(path).decode().split("\n") if line]
        skipped = [SkippedLine(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        return None
    return skipped if all(isinstance(entry.line, int) and 0 < entry.line < 1 << 63 for entry in skipped) else None


def write_report(path: Path | RemotePath, skipped: Sequence[SkippedLine]) -> None:
    """Write the report of skipped lines; if there are none, remove the report of an earlier run."""
    if skipped:
        atomic_write_lines(path, (f"{json_line(asdict(entry))}\n" for entry in skipped))
    else:
        path.unlink(missing_ok=True)
