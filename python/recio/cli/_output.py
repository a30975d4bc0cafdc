"""What the command ``recio`` says of a result: lines for people, or an object of JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from recio.files import CopyReport, Info, Problem, RepairReport, SkippedRegion, VerifyReport

SHOWN = 20
"""How many problems are shown of a file; JSON has them all."""


def say(lines: Iterable[str]) -> None:
    """Write lines to standard output."""
    for line in lines:
        click.echo(line)


def say_json(result: Any, **more: Any) -> None:  # noqa: ANN401 any dataclass, and any values
    """Write a result as an object of JSON, on a line of its own."""
    click.echo(json.dumps({**plain(dataclasses.asdict(result)), **more}, allow_nan=False))


def plain(value: Any) -> Any:  # noqa: ANN401 whatever a result holds
    """Give it as JSON knows it: paths are texts, and so are numbers that are none."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value


def verified(found: VerifyReport) -> Iterator[str]:
    """Say whether a file is sound, and what is not."""
    state = "sound" if found.ok else f"damaged, {count(found.total, 'problem')}"
    yield f"{name(found.path)}: {state}; {count(found.records, 'record')}, {found.bytes} bytes, {compared(found)}"
    yield from (f"  {problem(one)}" for one in found.problems[:SHOWN])
    if found.total > SHOWN:
        yield f"  ... and {found.total - SHOWN} more"


def compared(found: VerifyReport) -> str:
    """Say what a file was compared with."""
    index = "index" if found.has_index else "no index"
    missing = f" (which lacks {count(found.unlisted, 'record')})" if found.unlisted else ""
    return f"{index}{missing}, {'checksums' if found.has_checksums else 'no checksums'}"


def problem(one: Problem) -> str:
    """Say what is wrong at a place."""
    place = [
        *([] if one.record is None else [f"record {one.record}"]),
        *([] if one.id is None else [f"(id {one.id})"]),
        *([] if one.offset is None else [f"at byte {one.offset}"]),
        *([] if one.end is None else [f"to {one.end}"]),
    ]
    return ": ".join(filter(None, [one.kind, " ".join(place), one.reason]))


def repaired(made: RepairReport) -> Iterator[str]:
    """Say what was saved, and what not."""
    if made.records:
        yield f"{name(made.rec)}: {count(made.records, 'record')}, {made.bytes} bytes; keys: {made.keys}"
    lost = sum(region.end - region.begin for region in made.skipped)
    yield f"{count(len(made.skipped), 'region')} skipped, {lost} of {made.bytes + lost} bytes"
    yield from (f"  {skipped(region)}" for region in made.skipped)
    yield from (f"not used: {reason}" for reason in made.unused)


def skipped(region: SkippedRegion) -> str:
    """Say what a region is, and why it was skipped."""
    return f"bytes {region.begin} to {region.end} ({region.end - region.begin}): {region.reason}"


def summary(found: Info) -> Iterator[str]:
    """Say what is in a file, a line for each kind of number."""
    yield f"{name(found.path)}"
    rows = {
        "records": str(found.records),
        "bytes": f"{found.bytes}, {found.damaged} of them damaged" if found.damaged else str(found.bytes),
        "index": "none" if found.indexed is None else count(found.indexed, "record"),
        "checksums": "yes" if found.has_checksums else "none",
        "ids": f"{between(found.ids)}, {'all different' if found.has_unique_ids else 'some the same'}",
        "labels": f"{between(found.labels)}, {shares(found.label_widths)} a record",
        "images": shares(found.formats),
        "widths": between(found.widths),
        "heights": between(found.heights),
        "image bytes": between(found.image_bytes),
    }
    yield from (f"  {what:12}{value}" for what, value in rows.items())


def between(ends: tuple[float, float] | None) -> str:
    """Say a range."""
    if ends is None:
        return "none"
    return f"{ends[0]:.9g} to {ends[1]:.9g}" if isinstance(ends[0], float) else f"{ends[0]} to {ends[1]}"


def shares(counts: Mapping[Any, int]) -> str:
    """Say how many there are of each kind: the number alone where all are of one."""
    if len(counts) == 1:
        return str(next(iter(counts)))
    return ", ".join(f"{kind} ({number})" for kind, number in counts.items()) or "none"


def copied(made: CopyReport) -> str:
    """Say what was written."""
    keys = "; its records have new keys, from 0" if made.renumbered else ""
    return f"{name(made.rec)}: {count(made.records, 'record')}, {made.bytes} bytes{keys}"


def count(number: int, what: str) -> str:
    """Say how many."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def name(path: Path) -> str:
    """Give a path that any terminal can show."""
    return click.format_filename(path)
