"""Results of the functions on record files. Paths of objects in stores are `RemotePath`, whose text is the URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from recio._manifest import Shard

if TYPE_CHECKING:
    from pathlib import Path

    from recio._recio import RemotePath


@dataclass(frozen=True, slots=True)
class Problem:
    """One damaged record or region of a file, found by `verify`.

    Attributes
    ----------
    kind : {'framing', 'index', 'checksum', 'header', 'image', 'unsupported', 'limit'}
        The check that failed. ``'unsupported'`` is an image of a kind that recio does not decode or that `formats`
        excludes, ``'limit'`` one that exceeds the limits: these images may be undamaged.
    reason : str
        What is wrong.
    record : int or None
        The record's number, from 0: among those that the index lists or, without an index, among the complete ones.
    id : int or None
        The record's id.
    offset, end : int or None
        Where the record or region begins and ends in the file, in bytes.
    """

    kind: Literal["framing", "index", "checksum", "header", "image", "unsupported", "limit"]
    reason: str
    record: int | None
    id: int | None
    offset: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """Result of `verify`.

    Attributes
    ----------
    path : Path
        The record file.
    records : int
        Number of complete records.
    bytes : int
        Size of the file.
    has_index, has_checksums : bool
        Whether there is an index, and a ``.rsum``, that the file was compared with.
    unlisted : int
        Number of records that the index does not list; this is no damage, but they cannot be read by key.
    identities : int or None
        Number of identity records of a face data set (InsightFace's layout); ``None`` for other files.
    problems : list of Problem
        The problems in the order of the file, at most 100,000.
    counts : dict of str to int
        From a kind of problem to the number of such problems, including those that are not in the list.
    """

    path: Path | RemotePath
    records: int
    bytes: int
    has_index: bool
    has_checksums: bool
    unlisted: int
    identities: int | None
    problems: list[Problem]
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """Number of problems, including those that are not in the list."""
        return sum(self.counts.values())

    @property
    def damaged(self) -> int:
        """Number of problems that are damage: all but unsupported images and those over a limit."""
        return self.total - self.counts.get("unsupported", 0) - self.counts.get("limit", 0)

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return self.total == 0


@dataclass(frozen=True, slots=True)
class SkippedRegion:
    """Bytes of a file that belong to no complete record.

    Attributes
    ----------
    begin, end : int
        Offset of the first byte, and of the first byte after the region.
    reason : str
        Why no complete record begins there.
    """

    begin: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class RepairReport:
    """Result of `repair`.

    Attributes
    ----------
    rec, idx : Path
        The new record file and its index. They do not exist if no record was copied.
    records : int
        Number of records copied.
    bytes : int
        Size of the new record file: that of the damaged file minus the skipped bytes.
    keys : {'ids', 'index', 'ordinals'}
        The keys of the new index: the ids of the records, those of the old index, or 0, 1, 2 …
    skipped : list of SkippedRegion
        The regions that were not copied, in the order of the damaged file.
    unused : list of str
        What is wrong with the old index or the ``.rsum``, if it was not used for that reason.
    """

    rec: Path | RemotePath
    idx: Path | RemotePath
    records: int
    bytes: int
    keys: Literal["ids", "index", "ordinals"]
    skipped: list[SkippedRegion]
    unused: list[str]


@dataclass(frozen=True, slots=True)
class Info:
    """Summary of a record file. Ranges are pairs of minimum and maximum, ``None`` if there are no values.

    Attributes
    ----------
    path : Path
        The record file.
    records : int
        Number of complete records.
    bytes : int
        Size of the file.
    damaged : int
        Number of bytes that belong to no complete record.
    no_records : str or None
        Why the file has no complete record, if it has none: what it is instead, such as an HTML page, or its damage.
    indexed : int or None
        Number of records that the index lists; ``None`` without an index.
    identities : int or None
        Number of identity records of a face data set (InsightFace's layout); ``None`` for other files. The labels of
        its header record and its identity records are not among `labels` and `label_widths`.
    has_checksums : bool
        Whether there is a ``.rsum``.
    ids : tuple of int or None
        Range of the ids.
    has_unique_ids : bool
        Whether all ids differ.
    label_widths : dict of int to int
        From a number of labels to the number of records that have it.
    labels : tuple of float or None
        Range of all labels, without NaN.
    formats : dict of str to int
        From an image format to the number of images. ``'none'`` counts records without an image, ``'unknown'`` other
        bytes.
    widths, heights : tuple of int or None
        Ranges of the images' widths and heights in pixels, upright, of the images within the default limits.
    image_bytes : tuple of int or None
        Range of the sizes of the encoded images.
    """

    path: Path | RemotePath
    records: int
    bytes: int
    damaged: int
    no_records: str | None
    indexed: int | None
    identities: int | None
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
    """Record file written by `merge`, `split` or `shuffle`.

    Attributes
    ----------
    rec, idx : Path
        The record file and its index.
    records : int
        Number of records.
    bytes : int
        Size of the record file.
    crc32c : int
        CRC32C of the record file.
    renumbered : bool
        Whether the records have new keys: 0, 1, 2 …, because two had the same, or those of a face data set.
    identities : int or None
        Number of identity records, if it is a face data set.
    """

    rec: Path | RemotePath
    idx: Path | RemotePath
    records: int
    bytes: int
    crc32c: int
    renumbered: bool = False
    identities: int | None = None

    @classmethod
    def of(cls, rec: Path | RemotePath, result: tuple[int, int, int, bool, int | None]) -> CopyReport:
        """Make the report of a record file whose index is beside it."""
        return cls(rec, rec.with_suffix(".idx"), *result)

    def shard(self, *, has_checksums: bool = False) -> Shard:
        """Return the entry of the record file in a manifest.

        Parameters
        ----------
        has_checksums : bool, default False
            Whether there is a ``.rsum`` beside it.
        """
        return Shard(self.rec, self.records, self.bytes, self.crc32c, self.identities, has_checksums)
