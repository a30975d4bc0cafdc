"""Results of the functions on record files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of a file.

    Attributes
    ----------
    kind : {'framing', 'index', 'checksum', 'header', 'image'}
        In which respect.
    reason : str
        What it is.
    record : int or None
        The record's number, from 0: among those that the index lists or, without an index, among the whole ones.
    id : int or None
        The record's id.
    offset, end : int or None
        Where it begins and ends in the file, in bytes.
    """

    kind: Literal["framing", "index", "checksum", "header", "image"]
    reason: str
    record: int | None
    id: int | None
    offset: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found.

    Attributes
    ----------
    path : Path
        The record file.
    records : int
        The whole records in it.
    bytes : int
        Its length.
    has_index, has_checksums : bool
        Whether there was an index, and a ``.rsum``, that could be compared with the file.
    unlisted : int
        The records that the index does not list; no damage, but they are not read by key.
    problems : list of Problem
        What is wrong, in the order of the file; a hundred thousand at most.
    total : int
        How many problems there are, listed or not.
    """

    path: Path
    records: int
    bytes: int
    has_index: bool
    has_checksums: bool
    unlisted: int
    problems: list[Problem]
    total: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.total == 0


@dataclass(frozen=True, slots=True)
class SkippedRegion:
    """Bytes of a file that are of no whole record.

    Attributes
    ----------
    begin, end : int
        The first byte and the one behind the last.
    reason : str
        Why no whole record begins there.
    """

    begin: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class RepairReport:
    """What `repair` wrote.

    Attributes
    ----------
    rec, idx : Path
        The new record file and its index. If no record was saved, they are not there.
    records : int
        The records in it.
    bytes : int
        Its length: that of the damaged file, less the bytes that were skipped.
    keys : {'ids', 'index', 'ordinals'}
        What the new index has for keys: the records' ids; those of the old index; or 0, 1, 2 …
    skipped : list of SkippedRegion
        What was left out, in the order of the damaged file.
    unused : list of str
        What is wrong with the old index or the ``.rsum``, if that was left aside for it.
    """

    rec: Path
    idx: Path
    records: int
    bytes: int
    keys: Literal["ids", "index", "ordinals"]
    skipped: list[SkippedRegion]
    unused: list[str]


@dataclass(frozen=True, slots=True)
class Info:
    """A record file in numbers. Ranges are the least and the greatest, ``None`` where there is nothing to count.

    Attributes
    ----------
    path : Path
        The record file.
    records : int
        The whole records in it.
    bytes : int
        Its length.
    damaged : int
        The bytes in it that are of no whole record.
    indexed : int or None
        The records that the index lists; ``None`` if there is none.
    has_checksums : bool
        Whether there is a ``.rsum``.
    ids : tuple of int or None
        The range of the ids.
    has_unique_ids : bool
        Whether all ids differ.
    label_widths : dict of int to int
        How many records have so many labels.
    labels : tuple of float or None
        The range of all labels, NaN left out.
    formats : dict of str to int
        How many images are of a format; ``'none'`` counts records without an image, ``'unknown'`` other bytes.
    widths, heights : tuple of int or None
        The ranges of the images' sides, in pixels, upright, as far as they are within the default limits.
    image_bytes : tuple of int or None
        The range of the images' lengths.
    """

    path: Path
    records: int
    bytes: int
    damaged: int
    indexed: int | None
    has_checksums: bool
    ids: tuple[int, int] | None
    has_unique_ids: bool
    label_widths: dict[int, int]
    labels: tuple[float, float] | None
    formats: dict[str, int]
    widths: tuple[int, int] | None
    heights: tuple[int, int] | None
    image_bytes: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class CopyReport:
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
    def of(cls, rec: Path, records: int, length: int, *, renumbered: bool = False) -> CopyReport:
        """Make one, of a record file's path."""
        return cls(rec, rec.with_suffix(".idx"), records, length, renumbered)
