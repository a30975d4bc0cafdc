"""A list to a record file, and a report of what was left out.

The work is done by recio-core; here its arguments are checked, and its answer is given a shape.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from recio import _recio
from recio._atomic import atomic_write_lines
from recio._util import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recio._util import StrPath

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SkippedLine:
    """A line of a list that was left out.

    Attributes
    ----------
    line : int
        Its number, from 1.
    index : int or None
        The image's index; ``None`` if the line cannot be read.
    path : str or None
        The image's path as the list has it; ``None`` if the line cannot be read.
    reason : str
        Why it was left out.
    """

    line: int
    index: int | None
    path: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class PackReport:
    """What `pack` wrote.

    Attributes
    ----------
    rec, idx, report : Path
        The record file, its index and the report of what was skipped. Without records there are
        neither of the first two, without anything skipped there is no report.
    records : int
        The number of records.
    bytes : int
        The length of the record file.
    skipped : list of SkippedLine
        What was left out, in the list's order.
    mask_rec, mask_idx : Path or None
        The record file of the masks and its index, not there without records either; ``None`` if
        no masks were asked for.
    kept : bool
        Whether an earlier run had packed the list, so that nothing was written.
    """

    rec: Path
    idx: Path
    report: Path
    records: int
    bytes: int
    skipped: list[SkippedLine]
    mask_rec: Path | None = None
    mask_idx: Path | None = None
    kept: bool = False


def pack(
    lst: StrPath,
    root: StrPath,
    *,
    pass_through: bool = False,
    resize: int = 0,
    center_crop: bool = False,
    quality: int = 95,
    color: Literal[-1, 0, 1] = 1,
    encoding: Literal[".jpg", ".png"] = ".jpg",
    seekable: bool = False,
    pack_label: bool = False,
    checksum: bool = False,
    resume: bool = False,
    num_thread: int | None = None,
    allow_outside: bool = False,
    masks: StrPath | None = None,
    mask_ext: str = ".png",
    progress: Callable[[int, int, int], object] | None = None,
) -> PackReport:
    """Pack the images of a list: ``train.lst`` becomes ``train.rec`` and ``train.idx`` beside it.

    Both are there and complete at the end, or neither: they get their names when all is written and
    on the disk. What a run that is killed leaves under other names (``.train.rec.*.tmp``) the next one for
    the same list removes. An image that cannot be packed is left out and reported, in the result and in
    ``train.skipped.jsonl`` (a JSON object a line, with the fields of `SkippedLine`). The records stand
    in the list's order, the same for any `num_thread`.

    With `masks`, each image's mask goes byte for byte to ``train_mask.rec`` and ``train_mask.idx``,
    with the same ids in the same order: a pair for `recio.io.ImageMaskRecordIter`. All four files
    are there at the end, or none, and a pair of which one cannot be packed is left out of both.

    Parameters
    ----------
    lst : path
        The list, whose name ends in ``.lst``.
    root : path
        The folder that the list's paths are relative to.
    pass_through : bool, default False
        Whether to pack the files' bytes as they are. The next five then do not matter.
    resize : int, default 0
        The length in pixels that the shorter side gets, bilinear; smaller images are enlarged. 0
        keeps the size.
    center_crop : bool, default False
        Whether to cut out the middle square, before resizing.
    quality : int in [1, 100], default 95
        The quality of a JPEG; for PNG the zlib level, at most 9.
    color : {1, 0, -1}, default 1
        1 packs colour, 0 grey, both upright; -1 what is stored: alpha (not in a JPEG), 16 bits (in
        a PNG of the same size), not turned.
    encoding : {'.jpg', '.png'}, default '.jpg'
        The format that images are packed in.
    seekable : bool, default False
        Whether to write JPEGs anew, with `pass_through` too, such that a crop of them is decoded
        sooner: with a restart marker behind each row of blocks, over which recio leaps, and Huffman
        tables made for the image. The pixels stay the same for every decoder, and so do EXIF and
        other metadata; what stands behind the end of a JPEG goes. One that would become larger, if it
        is progressive by more than a tenth, or that is damaged stays as it is.
    pack_label : bool, default False
        Whether to pack all labels of a line, or only the first.
    checksum : bool, default False
        Whether to write ``train.rsum`` too: a checksum of each record, by which readers find damage that
        the format itself does not show. Other software does not look at it. Without this an old one is
        removed, as it would be wrong.
    resume : bool, default False
        Whether to leave the files as they are if an earlier run has packed the list: if they are younger
        than the list, hold just its indices, less the lines reported as skipped, in its order, and end as they
        should. Not looked at are the images, and the other options of that run: resume with the same.
    num_thread : int, optional
        The threads to work with, at least 1; by default one for each core that the process may use.
    allow_outside : bool, default False
        Whether paths may leave `root`: be absolute, climb out with ``..``, or go through a link
        that leads out. It holds for `masks` too.
    masks : path, optional
        The folder of the masks, each at its image's path but for the suffix. A mask is a PNG of one
        channel and at most 8 bits, of the size of its image as that is displayed. Excludes `resize`
        and `center_crop`.
    mask_ext : str, default '.png'
        What a mask's name has in place of the image's suffix, such as ``'_mask.png'``; without a
        dot, one is put before it.
    progress : callable, optional
        Called about every 100 ms with the lines done, all lines, and those left out. What it raises
        ends the packing.

    Returns
    -------
    PackReport
        The files, their size, and what was left out.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    RecordError
        If the list is not UTF-8.
    OSError
        If the list or the root cannot be read or the files not be written, as when another run is writing
        them; then they are not there.
    """
    rec = _rec_of(Path(lst))
    mask_rec = None if masks is None else rec.with_name(f"{rec.stem}_mask.rec")
    if mask_rec and not pass_through and (resize or center_crop):
        raise ValueError("resize and center_crop change images, but masks stay as they are; give neither with masks")
    settings = {
        "pass_through": pass_through,
        "resize": _within("resize", resize, 0, 16_384),
        "center_crop": center_crop,
        "quality": _within("quality", quality, 1, 100),
        "color": _one_of("color", color, (-1, 0, 1)),
        "encoding": _one_of("encoding", encoding, (".jpg", ".png")),
        "seekable": seekable,
        "pack_label": pack_label,
        "checksum": checksum,
        "num_thread": available_cores() if num_thread is None else _within("num_thread", num_thread, 1, 1024),
        "allow_outside": allow_outside,
        "masks": mask_rec and (masks, mask_ext if "." in mask_ext else f".{mask_ext}", mask_rec),
    }
    report = rec.with_suffix(".skipped.jsonl")
    earlier = _packed_earlier(lst, rec, report, settings) if resume else None
    if earlier is None:
        records, length, rows = _recio.pack(lst, root, rec, settings, progress)
        skipped = [SkippedLine(*row) for row in rows]
        _write_report(report, skipped)
    else:
        records, length, skipped = earlier
    mask_idx = mask_rec and mask_rec.with_suffix(".idx")
    idx, kept = rec.with_suffix(".idx"), earlier is not None
    return PackReport(rec, idx, report, records, length, skipped, mask_rec, mask_idx, kept)


def _rec_of(lst: Path) -> Path:
    if lst.suffix != ".lst":
        raise ValueError(f"{lst}: the name of a list ends in .lst")
    return lst.with_suffix(".rec")


def _within(name: str, value: int, least: int, most: int) -> int:
    if not least <= value <= most:
        raise ValueError(f"{name}={value}; it is a whole number from {least} to {most}")
    return value


def _one_of(name: str, value: T, values: Sequence[T]) -> T:
    if value not in values:
        raise ValueError(f"{name}={value!r}; it is one of {', '.join(map(repr, values))}")
    return value


def _packed_earlier(
    lst: StrPath, rec: Path, report: Path, settings: dict[str, Any]
) -> tuple[int, int, list[SkippedLine]] | None:
    """Give the records, the bytes and what was skipped, if the list was packed by an earlier run."""
    skipped = _read_report(report)
    if skipped is None:
        return None
    found = _recio.packed_already(lst, rec, [entry.line for entry in skipped], settings)
    return found and (*found, skipped)


def _read_report(path: Path) -> list[SkippedLine] | None:
    """Read a report; there is none if nothing was skipped, and ``None`` is given if it is not whole."""
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        skipped = [SkippedLine(**row) for row in rows]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError):
        return None
    return skipped if all(isinstance(entry.line, int) and 0 < entry.line < 1 << 63 for entry in skipped) else None


def _write_report(path: Path, skipped: Sequence[SkippedLine]) -> None:
    """Write the report, or remove that of an earlier run, which would be wrong."""
    if skipped:
        atomic_write_lines(path, (json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in skipped))
    else:
        path.unlink(missing_ok=True)
