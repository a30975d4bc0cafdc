"""Folder of a write in progress, whose shards become a set when all tasks have ended.

Each attempt of a task writes shards of its own names. When all tasks have ended, the shards whose names Ray returned
are kept, and all others are removed: those of attempts that were killed, and of attempts that Ray repeated.

A task may outlive the write, for example on a node that Ray has lost. Before and after it writes, it looks for the
mark of the folder, and removes its shards if there is none. Who ends the write removes the mark first and lists the
folder then, and so finds what a task has completed before it looked.
"""

from __future__ import annotations

import contextlib
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from recio._atomic import atomic_write_lines, check_parent
from recio._manifest import files_of, manifest_of, remove_shard, shard_of, shards_if_any, write_manifest
from recio._storage import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from recio._manifest import Manifest, Shard
    from recio._recio import RemotePath

    File = Path | RemotePath

T = TypeVar("T")

MARK = "in-progress"
"""The file that exists while the write is in progress."""
AT_ONCE = 16
"""Files that are renumbered or removed at once, where each waits for a store."""


class Staging:
    """Folder of a write in progress.

    That of local files is hidden; at the end the shards are renamed to ``PREFIX_00000.rec`` and so on, and it is
    removed. Objects cannot be renamed: they stay in ``PREFIX_ID/``.

    Parameters
    ----------
    prefix : Path or RemotePath
        Beginning of the paths of the shards and of the manifest.
    """

    def __init__(self, prefix: File) -> None:
        # Workers may be in another folder.
        self._prefix = prefix.absolute() if isinstance(prefix, Path) else prefix
        name = f"{prefix.name}_{uuid.uuid4().hex[:8]}"
        self._folder = self._prefix.with_name(f".{name}.tmp" if isinstance(prefix, Path) else name)

    @property
    def manifest(self) -> File:
        """The manifest of the set."""
        return manifest_of(self._prefix)

    def begin(self) -> None:
        """Create the folder."""
        check_parent(self._prefix)
        if isinstance(self._folder, Path):
            self._folder.mkdir()
        (self._folder / MARK).write_bytes(b"")

    def prefix_of(self, task: int) -> File:
        """Return the beginning of the paths of the shards of a new attempt of a task."""
        return self._folder / f"{task:06}-{uuid.uuid4().hex[:8]}"

    def check(self) -> None:
        """Check that the write is in progress.

        Raises
        ------
        RuntimeError
            If it has ended, or the folder is not visible here.
        """
        if not (self._folder / MARK).exists():
            raise RuntimeError(
                f"{self._folder} is not there: the write has ended, or this node has another file system; local paths"
                " must be in a file system that all nodes share"
            )

    def discard(self) -> None:
        """Remove the folder and all that is in it."""
        _remove_all_but([], self._folder)
        _remove_folder(self._folder)

    def commit(self, shards: Iterable[Shard], classes: Sequence[str] | None) -> Manifest:
        """Make a set of the shards of the attempts that count, in the order of the tasks; remove all others.

        Raises
        ------
        ValueError
            If there are no shards.
        OSError
            If a shard is not visible here, or a file cannot be written.
        """
        ordered = sorted(shards, key=lambda shard: shard.rec.name)
        if not ordered:
            raise ValueError(f"{self._prefix}: the data set has no rows; a set of shards has at least one record")
        _remove_all_but([shard.rec for shard in ordered], self._folder)
        _renumber_all(ordered)
        old = shards_of(self.manifest, self._prefix)
        if isinstance(self._prefix, Path):
            ordered = self._rename(ordered)
        manifest = write_manifest(self.manifest, ordered, classes)
        _at_once(remove_shard, set(old) - {shard.rec for shard in ordered})
        return manifest

    def _rename(self, shards: Sequence[Shard]) -> list[Shard]:
        """Rename local shards to their final names, after the manifest of an older set of this name is removed."""
        self.manifest.unlink(missing_ok=True)
        renamed = [replace(shard, rec=shard_of(self._prefix, number)) for number, shard in enumerate(shards)]
        done = []
        try:
            for shard, new in zip(shards, renamed, strict=True):
                done.append(new.rec)
                _rename_shard(shard.rec, new.rec)
        except BaseException:
            _at_once(remove_shard, done)
            raise
        _remove_folder(self._folder)
        return renamed


def _rename_shard(rec: File, target: File) -> None:
    remove_shard(target)
    for old, new in [*zip(files_of(rec), files_of(target), strict=True)][::-1]:
        # There may be no checksums.
        with contextlib.suppress(FileNotFoundError) if old.suffix == ".rsum" else contextlib.nullcontext():
            Path(str(old)).rename(str(new))


def _remove_all_but(recs: Iterable[File], folder: File) -> None:
    """End a write: remove the mark, then all files of the folder but those of some shards."""
    (folder / MARK).unlink(missing_ok=True)
    kept = {file.name for rec in recs for file in files_of(rec)}
    names = [path.name for path in folder.glob("*")] if isinstance(folder, Path) else folder.list()
    _at_once(lambda name: (folder / name).unlink(missing_ok=True), set(names) - kept)


def _remove_folder(folder: File) -> None:
    """Remove a local folder; stores have none."""
    if isinstance(folder, Path):
        shutil.rmtree(folder, ignore_errors=True)


def _renumber_all(shards: Iterable[Shard]) -> None:
    """Make the keys of all shards consecutive."""
    first, changes = 0, []
    for shard in shards:
        if first:
            changes.append((shard.idx, first))
        first += shard.records
    _at_once(lambda change: _renumber(*change), changes)


def _renumber(idx: File, first: int) -> None:
    """Replace the keys of an index by consecutive ones."""
    offsets = [line.split(b"\t")[1].decode() for line in read_bytes(idx).splitlines()]
    atomic_write_lines(idx, (f"{first + number}\t{offset}\n" for number, offset in enumerate(offsets)))


def shards_of(manifest: File, prefix: File) -> list[File]:
    """Return the shards of an older set whose names begin with the prefix, as those of this module do."""
    return [shard.rec for shard in shards_if_any(manifest) if str(shard.rec).startswith(f"{prefix}_")]


def _at_once(function: Callable[[T], object], values: Iterable[T]) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in pool.map(function, values):
            pass
