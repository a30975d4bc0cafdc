"""What `merge`, `split` and `shuffle` give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Copied:
    """A record file that was written.

    Attributes
    ----------
    rec, idx : Path
        The record file and its index.
    records : int
        The number of records.
    bytes : int
        The length of the record file.
    renumbered : bool
        Whether the records have new keys, 0, 1, 2 …, because two of them had the same.
    """

    rec: Path
    idx: Path
    records: int
    bytes: int
    renumbered: bool = False

    @classmethod
    def of(cls, rec: Path, records: int, length: int, *, renumbered: bool = False) -> Copied:
        """Make one, of a record file's path."""
        return cls(rec, rec.with_suffix(".idx"), records, length, renumbered)
