"""Packing a list into one record file, or into shards with a manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

from recio import _recio
from recio._manifest import Shard, manifest_of, remove_others, shard_of, shards_if_any, write_manifest
from recio._recio import RemotePath
from recio.files._class_names import names_beside
from recio.im2rec._report import PackReport, SkippedLine, read_report, write_report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    File = Path | RemotePath


@dataclass(frozen=True)
class Part:
    """Lines of a list in one record file, with the record file of their masks."""

    images: Shard
    masks: Shard | None
    end: int
    """Position of the first line that is not in it."""
    skipped: list[SkippedLine]
    warnings: list[str]
    kept: bool


class ListPacker:
    """Packer of the lines of a list.

    Parameters
    ----------
    lst, root : Path or RemotePath
        The list, and the folder that its paths are relative to.
    target : Path or RemotePath
        The record file, if there is one; the names of shards begin with its name without the suffix.
    settings : dict
        Options of the native part, but for masks.
    masks : (Path or RemotePath, str) or None
        Folder of the masks, and the end of their names.
    resume : bool
        Whether files that an earlier run has completed are kept.
    progress : callable, optional
        Called with the lines done, all lines, and the lines skipped.
    """

    def __init__(
        self,
        lst: File,
        root: File,
        target: File,
        settings: dict[str, Any],
        masks: tuple[File, str] | None,
        *,
        resume: bool,
        progress: Callable[[int, int, int], object] | None,
    ) -> None:
        self._lines = _recio.PackList(lst)
        self._root, self._target, self._settings, self._masks = root, target, settings, masks
        self._prefix = target.with_name(target.name.removesuffix(".rec"))
        self._mask_prefix = self._prefix.with_name(f"{self._prefix.name}_mask")
        self._report = target.with_suffix(".skipped.jsonl")
        self._previous = read_report(self._report) if resume else None
        self._progress = progress
        self._skipped: list[SkippedLine] = []

    def __len__(self) -> int:
        """Count the lines."""
        return len(self._lines)

    def pack_file(self) -> PackReport:
        """Pack all lines into one record file."""
        mask_rec = self._mask_prefix.with_name(f"{self._mask_prefix.name}.rec")
        part = self._pack(self._target, mask_rec, (0, len(self)))
        if not part.kept:
            write_report(self._report, part.skipped)
        return replace(self._report_of([part]), crc32c=part.images.crc32c)

    def pack_shards(self, shards: int | None, shard_size: int | None) -> PackReport:
        """Pack the lines into a number of shards, or into shards of at most a size; the manifest is written last.

        An older manifest is removed before the first of its shards is replaced.
        """
        manifest, mask_manifest = manifest_of(self._prefix), manifest_of(self._mask_prefix)
        manifests = [manifest] if self._masks is None else [manifest, mask_manifest]
        older = [shard.rec for path in manifests for shard in shards_if_any(path)]
        parts: list[Part] = []
        while (start := parts[-1].end if parts else 0) < len(self):
            number = len(parts)
            stop = len(self) if shards is None else len(self) * (number + 1) // shards
            names = shard_of(self._prefix, number), shard_of(self._mask_prefix, number)
            parts.append(self._pack(*names, (start, stop), shard_size, manifests))
            # For a run that resumes after this one was killed.
            if parts[-1].skipped:
                write_report(self._report, self._skipped)
        write_report(self._report, self._skipped)
        report = self._report_of(parts)
        if not report.records:
            return report
        self._remove_others(older, parts)
        names_of_classes = names_beside(self._target)
        images = [_with_checksum(part.images) for part in parts if part.images.records]
        masks = [_with_checksum(part.masks) for part in parts if part.masks and part.masks.records]
        # That of the images comes last: it shows that all files are complete.
        of_masks = write_manifest(mask_manifest, masks, names_of_classes) if masks else None
        return replace(report, manifest=write_manifest(manifest, images, names_of_classes), mask_manifest=of_masks)

    def _pack(
        self,
        rec: File,
        mask_rec: File,
        lines: tuple[int, int],
        max_bytes: int | None = None,
        older_manifests: Sequence[File] = (),
    ) -> Part:
        """Pack lines into a record file, unless an earlier run has."""
        masks = None if self._masks is None else (*self._masks, mask_rec)
        settings = {**self._settings, "masks": masks, "older_manifests": older_manifests}
        packed = kept = self._find(rec, lines, max_bytes, settings)
        if packed is None:
            packed = self._lines.pack(lines, max_bytes, self._root, rec, settings, self._progress_of(lines))
        records, images, of_masks, end, rows, warnings = packed
        skipped = self._skipped_in(lines[0], end) if kept else [SkippedLine(*row) for row in rows]
        self._skipped += skipped
        return Part(
            self._shard(rec, records, images),
            None if of_masks is None else self._shard(mask_rec, records, of_masks),
            end,
            skipped,
            warnings,
            kept is not None,
        )

    def _find(
        self, rec: File, lines: tuple[int, int], max_bytes: int | None, settings: dict[str, Any]
    ) -> _recio._Packed | None:
        if self._previous is None:
            return None
        return self._lines.find(lines, max_bytes, rec, [entry.line for entry in self._previous], settings)

    def _skipped_in(self, start: int, end: int) -> list[SkippedLine]:
        """Return the lines that an earlier run skipped, among those from one position to another."""
        first, after = self._lines.line_number(start), self._lines.line_number(end)
        numbers = range(first or 0, after or 1 << 63)
        return [entry for entry in self._previous or () if entry.line in numbers]

    def _shard(self, rec: File, records: int, packed: tuple[int, int | None]) -> Shard:
        return Shard(rec, records, *packed, has_checksums=self._settings["checksum"])

    def _progress_of(self, lines: tuple[int, int]) -> Callable[[int, int, int], object] | None:
        """Return a callback for a part that reports the progress of all lines."""
        progress, start, skipped = self._progress, lines[0], len(self._skipped)
        if progress is None or lines == (0, len(self)):
            return progress
        return lambda done, _, now: progress(start + done, len(self), skipped + now)

    def _remove_others(self, older: list[File], parts: list[Part]) -> None:
        """Remove the shards that an older set or an interrupted run has left, and those that would be empty."""
        shards = [shard for part in parts for shard in (part.images, part.masks) if shard]
        present = {str(shard.rec) for shard in shards if shard.records}
        for prefix in (self._prefix, self._mask_prefix) if self._masks else (self._prefix,):
            numbers = takewhile(lambda n, prefix=prefix: shard_of(prefix, n).exists(), count(len(parts)))  # type: ignore[misc]
            left = [shard_of(prefix, number) for number in [*range(len(parts)), *numbers]]
            remove_others(prefix, [*older, *left], present)

    def _report_of(self, parts: list[Part]) -> PackReport:
        first = next((part for part in parts if part.images.records), parts[0]) if parts else None
        images = first.images if first else Shard(self._target, 0, 0)
        mask_rec = first.masks.rec if first and first.masks else None
        return PackReport(
            images.rec,
            images.idx,
            self._report,
            sum(part.images.records for part in parts),
            sum(part.images.bytes for part in parts),
            self._skipped,
            mask_rec,
            mask_rec and mask_rec.with_suffix(".idx"),
            all(part.kept for part in parts),
            [*dict.fromkeys(warning for part in parts for warning in part.warnings)],
        )


def _with_checksum(shard: Shard) -> Shard:
    """Return a shard with the CRC32C that is not known of one that an earlier run has written, if it is local."""
    if shard.crc32c is not None or isinstance(shard.rec, RemotePath):
        return shard
    return replace(shard, crc32c=_recio.crc32c(shard.rec))
