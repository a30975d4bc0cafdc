"""The index that belongs to a record file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recio._paths import StrPath


def index_of(rec: Path, idx: StrPath | None) -> Path | None:
    """Give the index that was asked for, or else the one beside the file, if there is one."""
    if idx is not None:
        return Path(idx)
    beside = rec.with_suffix(".idx")
    return beside if beside.exists() else None
