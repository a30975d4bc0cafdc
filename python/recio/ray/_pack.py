"""Packing images into shards, each by a task of Ray."""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ray.exceptions import LocalRayletDiedError

import ray
from recio import im2rec
from recio._atomic import check_parent
from recio._class_names import SUFFIX
from recio._loader import validate
from recio._manifest import Shard, manifest_of, remove_shard, shard_of, write_manifest
from recio._storage import read_bytes, storage
from recio.im2rec import _classes
from recio.im2rec._report import write_report
from recio.ray._staging import shards_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from recio._recio import RemotePath
    from recio._storage import AnyPath, StorageOptions
    from recio.files import Manifest
    from recio.im2rec import PackReport, SkippedLine

    File = Path | RemotePath
    Progress = Callable[[int, int, int], object]

OF_LISTS = frozenset({"exts", "recursive", "shuffle", "classes", "natural_sort"})
"""Options of `recio.im2rec.make_list`."""
NOT_OF_SHARDS = ("lst", "rec", "shards", "shard_size", "resume", "masks", "mask_ext", "num_thread", "filesystem")
"""Parameters of `recio.im2rec.pack` that are no options of shards."""
CANCELLED_WITHIN = 30
"""Seconds to wait for tasks that are cancelled."""


@dataclass(frozen=True, slots=True)
class PackedShards:
    """Result of `pack`.

    Attributes
    ----------
    manifest : Manifest
        The shards.
    report : Path or RemotePath
        The report of skipped lines, which does not exist if nothing was skipped.
    skipped : list of SkippedLine
        The skipped lines, in the order of the list.
    warnings : list of str
        Warnings about labels, as of `recio.im2rec.PackReport`.
    """

    manifest: Manifest
    report: File
    skipped: list[SkippedLine]
    warnings: list[str]


def pack(
    images: AnyPath,
    path: AnyPath,
    *,
    shards: int,
    root: AnyPath | None = None,
    num_cpus: int = 1,
    max_retries: int = 3,
    progress: Progress | None = None,
    storage_options: StorageOptions = None,
    **options: Any,  # noqa: ANN401 those of other functions
) -> PackedShards:
    """Pack images into shards on a cluster, with the bytes of ``im2rec --shards``.

    Each shard has the records of consecutive lines of the list, and is packed by a task. If a worker or its node fails,
    Ray repeats the task. The manifest ``PATH.recset.json`` is written when all shards are complete. If a task fails, or
    the packing is interrupted, the shards are removed. An older set of the same path is replaced.

    Parameters
    ----------
    images : path
        A folder of images, of which a list is made: ``PATH.lst``; or a list, whose name ends in ``.lst``.
    path : path
        Beginning of the paths: ``PATH_00000.rec``, ``PATH_00001.rec`` and so on, and ``PATH.recset.json``. Local paths,
        those of the images too, must be in a file system that all nodes share.
    shards : int
        Number of shards, from 1 to the number of lines. One of which no line can be packed is not written.
    root : path, optional
        Folder that the paths in a list are relative to. A folder of images needs none.
    num_cpus : int, default 1
        Cores for each task, which is also its number of threads.
    max_retries : int, default 3
        How often Ray repeats a task whose worker or node fails.
    progress : callable, optional
        Called after each shard with the lines done, all lines and the lines skipped. An exception that it raises stops
        the packing.
    storage_options
        As for `recio.io.ImageRecordIter`, for all paths. They are sent to the workers, with the credentials in them.
    **options
        Options of `recio.im2rec.pack`, except `resume`, `masks` and `num_thread`; for a folder also `exts`,
        `recursive`, `shuffle`, `classes` and `natural_sort` of `recio.im2rec.make_list`.

    Returns
    -------
    PackedShards
        The shards, and what was skipped. The lines are numbered as in the whole list. They are also in
        ``PATH.skipped.jsonl``.

    Warns
    -----
    UserWarning
        If labels look wrong, as from `recio.im2rec.pack`.

    Raises
    ------
    ValueError
        If an argument is invalid, or no line can be packed.
    RecordError
        If the list is not UTF-8.
    OSError
        If the list or a folder cannot be read, or a file cannot be written.
    """
    if validate.integer("shards", shards) < 1:
        raise ValueError(f"shards must be at least 1, got {shards}")
    _check_options(options)
    opened_with = storage(storage_options, None)
    prefix = _absolute(opened_with.path(path))
    check_parent(prefix)
    of_list = {name: options.pop(name) for name in OF_LISTS & options.keys()}
    if of_list.get("classes") is not None:
        of_list["classes"] = opened_with.path(of_list["classes"])
    lst, image_root = _list_of(
        opened_with.path(images), None if root is None else opened_with.path(root), prefix, of_list
    )
    # Options that are wrong are errors before anything is removed.
    _pack_apart([], image_root, options)
    lines = Lines.read(lst)
    if shards > max(1, len(lines.lines)):
        raise ValueError(f"shards must be from 1 to {len(lines.lines)}, the number of lines, got {shards}")
    repeated = lines.repeated()
    tasks = [
        Task(lines.part(number, shards, repeated), image_root, shard_of(prefix, number), options)
        for number in range(shards)
    ]
    old = shards_of(manifest_of(prefix), prefix)
    # A set of which shards are replaced is none.
    manifest_of(prefix).unlink(missing_ok=True)
    reports = _run_all(tasks, {"num_cpus": num_cpus, "max_retries": max_retries}, progress)
    try:
        return _finish(prefix, lst, reports, [*repeated.values()], old)
    except BaseException:
        _remove_all(tasks)
        raise


def _check_options(options: dict[str, Any]) -> None:
    known = {*inspect.signature(im2rec.pack).parameters, *OF_LISTS} - {*NOT_OF_SHARDS}
    for name in options:
        if name not in known:
            raise TypeError(f"pack() got an unexpected keyword argument {name!r}")


def _absolute(path: File) -> File:
    """Return a path as workers open it, which may be in another folder."""
    return path.absolute() if isinstance(path, Path) else path


def _list_of(images: File, root: File | None, prefix: File, options: dict[str, Any]) -> tuple[File, File]:
    """Return the list and the folder that its paths are relative to; of a folder of images, the list is made."""
    if images.suffix == ".lst":
        if root is None:
            raise ValueError(f"{images} is a list: pass root, the folder that its paths are relative to")
        if options:
            raise ValueError(f"{images} is a list: {', '.join(sorted(options))} is for lists that are made of folders")
        return images, _absolute(root)
    if root is not None:
        raise ValueError(f"root must be given with a list only, and {images} does not end in .lst")
    # Not passed as options: both are located already.
    (lst,) = im2rec.make_list(prefix, images, **options).lists
    return lst, _absolute(images)


@dataclass(frozen=True)
class Lines:
    """Lines of a list that are not blank, each with its number from 1."""

    lines: list[tuple[int, bytes]]

    @classmethod
    def read(cls, lst: File) -> Lines:
        """Read a list."""
        numbered = enumerate(read_bytes(lst).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1)
        return cls([(number, line) for number, line in numbered if line.strip()])

    def repeated(self) -> dict[int, SkippedLine]:
        """Return the lines whose index an earlier line has, by their numbers, as im2rec reports them.

        im2rec decides what is a valid index: it packs the lines that may be concerned, without their images.
        """
        indices = [line.split(b"\t", 1)[0].strip().lstrip(b"+0") for _, line in self.lines]
        counts = Counter(indices)
        suspects = [line for line, index in zip(self.lines, indices, strict=True) if counts[index] > 1]
        if not suspects:
            return {}
        with tempfile.TemporaryDirectory() as empty:
            report = _pack_apart(suspects, Path(empty), {})
        return {line.line: line for line in report.skipped if line.reason.startswith("duplicate index ")}

    def part(self, number: int, parts: int, without: Container[int]) -> list[tuple[int, bytes]]:
        """Return the lines of a shard, without some."""
        start, stop = (len(self.lines) * bound // parts for bound in (number, number + 1))
        return [line for line in self.lines[start:stop] if line[0] not in without]


class Task(NamedTuple):
    """What a task packs."""

    lines: list[tuple[int, bytes]]
    root: File
    rec: File
    options: dict[str, Any]


def pack_shard(task: Task, threads: int) -> PackReport:
    """Pack a shard; it is complete or not written."""
    return _pack_lines(task.lines, task.root, task.rec, {"num_thread": threads, **task.options})


def _pack_lines(lines: list[tuple[int, bytes]], root: File, rec: File, options: dict[str, Any]) -> PackReport:
    """Pack lines of a list, which keep their numbers: all others are blank."""
    text, last = [], 0
    for number, line in lines:
        text.append(b"\n" * (number - last - 1) + line + b"\n")
        last = number
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # They are in the report.
        warnings.simplefilter("ignore")
        lst = Path(folder, "lines.lst")
        lst.write_bytes(b"".join(text))
        report = im2rec.pack(lst, root, rec=rec, **options)
    # The lines of all shards are reported together.
    report.report.unlink(missing_ok=True)
    return report


def _pack_apart(lines: list[tuple[int, bytes]], root: File, options: dict[str, Any]) -> PackReport:
    """Pack lines into a folder that is removed."""
    with tempfile.TemporaryDirectory() as folder:
        return _pack_lines(lines, root, Path(folder, "apart.rec"), options)


def _run_all(tasks: Sequence[Task], resources: dict[str, int], progress: Progress | None) -> list[PackReport]:
    """Run all tasks; if one fails, stop the others and remove what there is."""
    run = ray.remote(**resources)(pack_shard)
    running: dict[ray.ObjectRef, int] = {}

    def start(number: int) -> None:
        running[run.remote(tasks[number], resources["num_cpus"])] = number

    try:
        for number in range(len(tasks)):
            start(number)
        return _wait(tasks, running, start, resources["max_retries"], progress)
    except BaseException:
        for reference in running:
            ray.cancel(reference, force=True)
        # A task that ends may still write.
        if running:
            ray.wait([*running], num_returns=len(running), timeout=CANCELLED_WITHIN)
        _remove_all(tasks)
        raise


def _wait(
    tasks: Sequence[Task],
    running: dict[ray.ObjectRef, int],
    start: Callable[[int], None],
    max_retries: int,
    progress: Progress | None,
) -> list[PackReport]:
    """Wait for all tasks or the first that fails, and report the progress after each."""
    reports: dict[int, PackReport] = {}
    lost = Counter[int]()
    while running:
        (ready,), _ = ray.wait([*running], num_returns=1)
        number = running.pop(ready)
        try:
            reports[number] = ray.get(ready)
        except LocalRayletDiedError:
            # Ray does not always repeat a task whose node is lost.
            lost[number] += 1
            if lost[number] > max_retries:
                raise
            start(number)
            continue
        if progress is not None:
            done = sum(len(tasks[number].lines) for number in reports)
            progress(
                done, sum(len(task.lines) for task in tasks), sum(len(report.skipped) for report in reports.values())
            )
    return [reports[number] for number in range(len(tasks))]


def _remove_all(tasks: Sequence[Task]) -> None:
    """Remove shards, and what killed tasks have left of them."""
    for task in tasks:
        remove_shard(task.rec)
        if isinstance(task.rec, Path):
            for file in task.rec.parent.glob(f".{task.rec.stem}.*.tmp"):
                file.unlink(missing_ok=True)


def _shard_of(report: PackReport) -> Shard:
    has_checksums = report.rec.with_suffix(".rsum").exists()
    return Shard(report.rec, report.records, report.bytes, report.crc32c, has_checksums=has_checksums)


def _finish(
    prefix: File, lst: File, reports: Sequence[PackReport], repeated: Sequence[SkippedLine], old: Sequence[File]
) -> PackedShards:
    """Write the report of skipped lines and the manifest; remove shards of an older set."""
    skipped = sorted([*repeated, *(line for report in reports for line in report.skipped)], key=lambda line: line.line)
    messages = [message for report in reports for message in report.warnings]
    shards = [_shard_of(report) for report in reports if report.records]
    report = prefix.with_name(f"{prefix.name}.skipped.jsonl")
    write_report(report, skipped)
    if not shards:
        raise ValueError(f"{lst}: no image to pack")
    classes = lst.with_suffix(SUFFIX)
    names = _classes.load(classes) if classes.exists() else None
    for rec in {*old} - {shard.rec for shard in shards}:
        remove_shard(rec)
    for message in messages:
        warnings.warn(f"{lst}: {message}", stacklevel=3)
    return PackedShards(write_manifest(manifest_of(prefix), shards, names), report, skipped, messages)
