"""Results of the command ``recio`` as lines of text, or as an object of JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recio._recio import RemotePath

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recio.files import CopyReport, Info, Manifest, Problem, RepairReport, SkippedRegion, VerifyReport

MAX_PROBLEMS = 20
"""Maximum number of problems that are printed for a file; JSON has them all."""


def to_json(result: Any, **more: Any) -> str:  # noqa: ANN401 any dataclass, and any values
    """Return a result as an object of JSON, on one line."""
    return json.dumps({**_json_value(dataclasses.asdict(result)), **more}, allow_nan=False)


def _json_value(value: Any) -> Any:  # noqa: ANN401 whatever a result holds
    """Replace paths and non-finite numbers, which JSON lacks, by strings."""
    if isinstance(value, dict):
        return {key: _json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_value(item) for item in value]
    if isinstance(value, Path | RemotePath) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value


def manifest_lines(manifest: Manifest) -> Iterator[str]:
    """Format the size of a set of shards, and the shards."""
    shards = _count(len(manifest.shards), "shard")
    yield f"{manifest.path}: {shards}, {_count(manifest.records, 'record')}, {manifest.bytes} bytes"
    if manifest.classes is not None:
        yield f"  classes:       {len(manifest.classes)}"
    shown = manifest.shards[:MAX_PROBLEMS]
    yield from (f"  {shard.rec.name}: {_count(shard.records, 'record')}, {shard.bytes} bytes" for shard in shown)
    if len(manifest.shards) > len(shown):
        yield f"  ... and {len(manifest.shards) - len(shown)} more"


def verify_lines(report: VerifyReport) -> Iterator[str]:
    """Format whether a file is sound, then its first problems."""
    size = f"{_count(report.records, 'record')}, {report.bytes} bytes"
    yield f"{report.path}: {_state(report)}; {size}, {_sidecars(report)}"
    yield from (f"  {_problem(problem)}" for problem in report.problems[:MAX_PROBLEMS])
    if report.total > MAX_PROBLEMS:
        yield f"  ... and {report.total - MAX_PROBLEMS} more"


def _state(report: VerifyReport) -> str:
    """Return whether there is damage, and how many images could not be checked."""
    parts = [f"damaged, {_count(report.damaged, 'problem')}"] if report.damaged else []
    parts += [
        f"{_count(report.counts[kind], 'image')} {reason}"
        for kind, reason in (("unsupported", "not supported"), ("limit", "over a limit"))
        if kind in report.counts
    ]
    return "; ".join(parts) or "sound"


def _sidecars(report: VerifyReport) -> str:
    index = "index" if report.has_index else "an unusable index" if "index" in report.counts else "no index"
    missing = f" (which lacks {_count(report.unlisted, 'record')})" if report.unlisted else ""
    faces = (
        "" if report.identities is None else f", a face data set with {_count(report.identities, 'identity record')}"
    )
    return f"{index}{missing}, {'checksums' if report.has_checksums else 'no checksums'}{faces}"


def _problem(problem: Problem) -> str:
    location = [
        *([] if problem.record is None else [f"record {problem.record}"]),
        *([] if problem.id is None else [f"(id {problem.id})"]),
        *([] if problem.offset is None else [f"at byte {problem.offset}"]),
        *([] if problem.end is None else [f"to {problem.end}"]),
    ]
    return ": ".join(filter(None, [problem.kind, " ".join(location), problem.reason]))


def repair_lines(report: RepairReport) -> Iterator[str]:
    """Format what was copied, then what was skipped."""
    if report.records:
        yield f"{report.rec}: {_count(report.records, 'record')}, {report.bytes} bytes; keys: {report.keys}"
    skipped = sum(region.end - region.begin for region in report.skipped)
    yield f"{_count(len(report.skipped), 'region')} skipped, {skipped} of {report.bytes + skipped} bytes"
    yield from (f"  {_region(region)}" for region in report.skipped)
    yield from (f"not used: {reason}" for reason in report.unused)


def _region(region: SkippedRegion) -> str:
    return f"bytes {region.begin} to {region.end} ({region.end - region.begin}): {region.reason}"


def info_lines(info: Info) -> Iterator[str]:
    """Format the summary of a file, a line for each kind of number."""
    yield f"{info.path}" + (f": {info.no_records}" if info.no_records else "")
    if not info.records:
        return
    rows = {
        "records": str(info.records),
        "bytes": f"{info.bytes}, {info.damaged} of them damaged" if info.damaged else str(info.bytes),
        "index": _index(info),
        **({} if info.identities is None else {"face set": _count(info.identities, "identity record")}),
        "checksums": "yes" if info.has_checksums else "none",
        "ids": f"{format_range(info.ids)}, {'all different' if info.has_unique_ids else 'some the same'}",
        "labels": f"{format_range(info.labels)}, {format_counts(info.label_widths)} a record",
        "images": format_counts(info.formats),
        "widths": format_range(info.widths),
        "heights": format_range(info.heights),
        "image bytes": format_range(info.image_bytes),
    }
    yield from (f"  {name:12}{value}" for name, value in rows.items())


def _index(info: Info) -> str:
    if info.indexed is not None:
        return _count(info.indexed, "record")
    return "not usable; `recio verify` states why" if info.path.with_suffix(".idx").exists() else "none"


def copy_line(report: CopyReport) -> str:
    """Format a file that was written."""
    if report.identities is not None:
        keys = f"; a face data set with {_count(report.identities, 'identity record')}"
    else:
        keys = "; its records have new keys, from 0" if report.renumbered else ""
    return f"{report.rec}: {_count(report.records, 'record')}, {report.bytes} bytes{keys}"


def format_range(limits: tuple[float, float] | None) -> str:
    """Format a range, or ``none``."""
    if limits is None:
        return "none"
    return f"{limits[0]:.9g} to {limits[1]:.9g}" if isinstance(limits[0], float) else f"{limits[0]} to {limits[1]}"


def format_counts(counts: Mapping[Any, int]) -> str:
    """Format how many there are of each kind; only the kind if there is one."""
    if len(counts) == 1:
        return str(next(iter(counts)))
    return ", ".join(f"{kind} ({number})" for kind, number in counts.items()) or "none"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
