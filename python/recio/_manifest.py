"""Manifests: ``NAME.recset.json``, the list of the shards of a data set.

A manifest makes many record files one data set. It is written after its shards, so its existence shows that all of them
are complete. It is JSON::

    {"recset": 1, "records": 500, "bytes": 61234, "shards": [
      {"rec": "train_00000.rec", "records": 250, "bytes": 30600, "crc32c": "8ad3f0c2"},
      {"rec": "train_00001.rec", "records": 250, "bytes": 30634, "crc32c": "01b7e655"}
    ], "classes": ["cat", "dog"]}

``rec`` is relative to the folder of the manifest; the index of each shard is beside it. ``crc32c`` is that of all bytes
of the record file, ``null`` if it is not known. ``classes`` are the names of the labels 0, 1, 2 …; they may be absent.
``"rsum": true`` says that there is a ``.rsum`` beside a shard. A shard of a face data set (InsightFace's layout) has
``identities`` too, the number of its identity records, which count among ``records``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self, TypeVar

from recio._atomic import atomic_write_lines
from recio._recio import RemotePath
from recio._storage import read_bytes, storage

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

    from recio._storage import AnyPath, Located, StorageOptions

    File = Path | RemotePath

T = TypeVar("T")

SUFFIX = ".recset.json"
_VERSION = 1
_CRC32C = re.compile("[0-9a-f]{8}")
_WIDTH = 5


@dataclass(frozen=True, slots=True)
class Shard:
    """Record file of a data set of many.

    Attributes
    ----------
    rec : Path
        The record file. Its index is beside it, with the suffix ``.idx``.
    records : int
        Number of records.
    bytes : int
        Size of the record file.
    crc32c : int or None
        CRC32C of the record file; ``None`` if it is not known.
    identities : int or None
        Number of identity records, if it is a face data set.
    has_checksums : bool
        Whether there is a ``.rsum`` beside it.
    """

    rec: Path | RemotePath
    records: int
    bytes: int
    crc32c: int | None = None
    identities: int | None = None
    has_checksums: bool = False

    @property
    def idx(self) -> Path | RemotePath:
        """The index."""
        return self.rec.with_suffix(".idx")

    def located(self) -> Located:
        """Return where the record file is, with what the manifest states: readers compare the file with it."""
        stated = self.bytes, self.records, self.has_checksums, self.identities is not None
        return self.rec.of_shard(stated) if isinstance(self.rec, RemotePath) else ShardPath(self.rec, stated)


class ShardPath(str):
    """Path of a local shard, with what its manifest states: size, records, whether it has checksums and identities."""

    __slots__ = ("shard",)
    shard: tuple[int, int, bool, bool]

    def __new__(cls, path: Path, shard: tuple[int, int, bool, bool]) -> Self:
        """Make the text of a path."""
        self = super().__new__(cls, path)
        self.shard = shard
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the text and what is stated."""
        return type(self), (Path(self), self.shard)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The shards of a data set, and the names of its classes.

    Attributes
    ----------
    path : Path
        The manifest.
    shards : list of Shard
        The shards, in the order of their records.
    classes : list of str or None
        The names of the labels 0, 1, 2 …
    """

    path: Path | RemotePath
    shards: list[Shard]
    classes: list[str] | None = None

    @property
    def records(self) -> int:
        """Number of records of all shards."""
        return sum(shard.records for shard in self.shards)

    @property
    def bytes(self) -> int:
        """Size of all record files."""
        return sum(shard.bytes for shard in self.shards)


def write_manifest(
    path: AnyPath,
    shards: Iterable[Shard],
    classes: Sequence[str] | None = None,
    *,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> Manifest:
    """Write the manifest of shards, atomically.

    Parameters
    ----------
    path : path
        The manifest, whose name ends in ``.recset.json``; an existing one is replaced.
    shards : iterable of Shard
        The shards, which are in the folder of the manifest or below it.
    classes : sequence of str, optional
        The names of the labels 0, 1, 2 …
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`.

    Returns
    -------
    Manifest
        What was written.

    Raises
    ------
    ValueError
        If there are no shards, one is outside the folder or named twice, or the name of the manifest is another.
    OSError
        If the file cannot be written.
    """
    target = storage(storage_options, filesystem).path(path)
    if isinstance(classes, str):
        raise ValueError(f"{target}: classes must be a list of strings, got {classes!r:.60}")  # noqa: TRY004
    manifest = Manifest(target, list(shards), None if classes is None else list(classes))
    entries = [_entry(target, shard) for shard in manifest.shards]
    content: dict[str, Any] = {"recset": _VERSION, "records": manifest.records, "bytes": manifest.bytes}
    # What is written can be read.
    _parse(target, {**content, "shards": entries, "classes": manifest.classes})
    rest = "" if manifest.classes is None else f', "classes": {_json(manifest.classes)}'
    lines = ",\n".join(f"  {_json(entry)}" for entry in entries)
    atomic_write_lines(target, [json.dumps(content)[:-1], f', "shards": [\n{lines}\n]{rest}}}\n'])
    return manifest


def _json(value: object) -> str:
    """Return JSON as readable text, or in ASCII if a name has bytes that are not UTF-8."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def _entry(manifest: File, shard: Shard) -> dict[str, Any]:
    entry = {
        "rec": _relative(manifest, shard.rec),
        "records": shard.records,
        "bytes": shard.bytes,
        "crc32c": f"{shard.crc32c:08x}" if isinstance(shard.crc32c, int) else shard.crc32c,
    }
    if shard.identities is not None:
        entry["identities"] = shard.identities
    return {**entry, "rsum": True} if shard.has_checksums else entry


def _relative(manifest: File, rec: File) -> str:
    if isinstance(manifest, RemotePath) or isinstance(rec, RemotePath):
        folder, text = f"{str(manifest.parent).rstrip('/')}/", str(rec)
        relative = text.removeprefix(folder) if text.startswith(folder) else None
    else:
        here, there = manifest.parent.absolute(), rec.absolute()
        relative = there.relative_to(here).as_posix() if there.is_relative_to(here) else None
    if relative is None:
        raise ValueError(f"{rec}: a shard must be in the folder of its manifest {manifest}, or below it")
    return relative


def _check_names(path: File, names: Sequence[str]) -> None:
    if not is_manifest(path):
        raise ValueError(f"{path}: the name of a manifest must end in {SUFFIX}")
    if not names:
        raise ValueError(f"{path}: a manifest must have at least one shard, got 0")
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"{path}: the shard {name} is there twice")
        seen.add(name)


def read_manifest(path: AnyPath, *, storage_options: StorageOptions = None, filesystem: object = None) -> Manifest:
    """Read a manifest.

    Parameters
    ----------
    path : path
        The manifest.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`.

    Raises
    ------
    ValueError
        If it is no manifest, or contradicts itself; the message names what is wrong.
    OSError
        If it cannot be read.
    """
    return load_manifest(storage(storage_options, filesystem).path(path))


def load_manifest(path: File) -> Manifest:
    """Read the manifest at a path that is located already, as `read_manifest` does."""
    try:
        content = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: this is no manifest of a record set: {error}") from None
    return _parse(path, content)


def _parse(path: File, content: object) -> Manifest:
    """Check the content of a manifest."""
    if not isinstance(content, dict) or "recset" not in content:
        raise ValueError(f"{path}: this is no manifest of a record set: it has no field 'recset'")
    if content["recset"] != _VERSION:
        raise ValueError(f"{path}: the manifest has version {content['recset']!r}; this recio reads version {_VERSION}")
    entries = _field(path, content, "shards", list)
    shards = [_shard(path, number, entry) for number, entry in enumerate(entries)]
    _check_names(path, [entry["rec"] for entry in entries])
    manifest = Manifest(path, shards, _classes(path, content))
    for name in ("records", "bytes"):
        total, stated = getattr(manifest, name), _field(path, content, name, int)
        if total != stated:
            raise ValueError(f"{path}: {name} is {stated}, but the shards have {total}")
    return manifest


def _field(path: File, content: dict[str, Any], name: str, kind: type[T], where: str = "") -> T:
    value = content.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) or (isinstance(value, int) and value < 0):
        noun = {int: "an integer of at least 0", str: "a string", list: "a list"}[kind]
        raise ValueError(f"{path}: {where}{name} must be {noun}, got {value!r:.60}")
    return value


def _shard(path: File, number: int, entry: object) -> Shard:
    where = f"shards[{number}]."
    if not isinstance(entry, dict):
        raise ValueError(f"{path}: shards[{number}] must be an object, got {entry!r:.60}")  # noqa: TRY004 of the file
    name, crc32c = _field(path, entry, "rec", str, where), entry.get("crc32c")
    parts = PurePosixPath(name).parts
    if not name.endswith(".rec") or "\\" in name or name != "/".join(parts) or {"..", "/"} & {*parts}:
        raise ValueError(
            f"{path}: {where}rec must be the relative path of a .rec file below the manifest, got {name!r}"
        )
    if crc32c is not None and not (isinstance(crc32c, str) and _CRC32C.fullmatch(crc32c)):
        raise ValueError(f"{path}: {where}crc32c must be eight hexadecimal digits or null, got {crc32c!r:.60}")
    return Shard(
        path.parent / name,
        _field(path, entry, "records", int, where),
        _field(path, entry, "bytes", int, where),
        None if crc32c is None else int(crc32c, 16),
        _field(path, entry, "identities", int, where) if "identities" in entry else None,
        entry.get("rsum") is True,
    )


def _classes(path: File, content: dict[str, Any]) -> list[str] | None:
    classes = content.get("classes")
    if classes is None:
        return None
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise ValueError(f"{path}: classes must be a list of strings, got {classes!r:.60}")
    return classes


def is_manifest(path: File) -> bool:
    """Return whether a path is that of a manifest, by its name."""
    return path.name.endswith(SUFFIX)


def record_files(path: File) -> list[File]:
    """Return the shards that a manifest names, or the record file itself."""
    return [shard.rec for shard in load_manifest(path).shards] if is_manifest(path) else [path]


def one_file(path: File) -> File:
    """Return the path of a record file.

    Raises
    ------
    ValueError
        If it is a manifest.
    """
    if is_manifest(path):
        raise ValueError(f"{path}: a manifest names many record files: pass one of them, or merge them first")
    return path


def shards_if_any(path: File) -> list[Shard]:
    """Return the shards of a manifest; none if there is no valid one."""
    try:
        return load_manifest(path).shards
    except (FileNotFoundError, ValueError):
        return []


def remove_others(prefix: File, older: Iterable[File], present: Container[str]) -> None:
    """Remove the shards ``PREFIX_NUMBER.rec`` among `older` that are not `present`, but no files of other names."""
    name = re.compile(re.escape(prefix.name) + r"_[0-9]+\.rec")
    for rec in older:
        is_own = name.fullmatch(rec.name) and str(rec.parent) == str(prefix.parent)
        if is_own and str(rec) not in present:
            remove_shard(rec)


def files_of(rec: File) -> tuple[File, File, File]:
    """Return the files of a shard, its index first: no reader finds a record file with an index of another one."""
    return rec.with_suffix(".idx"), rec.with_suffix(".rsum"), rec


def remove_shard(rec: File) -> None:
    """Remove the files of a shard, as far as they exist."""
    for file in files_of(rec):
        file.unlink(missing_ok=True)


def manifest_of(prefix: File) -> File:
    """Return the path of the manifest of the shards with a prefix."""
    return prefix.with_name(f"{prefix.name}{SUFFIX}")


def shard_of(prefix: File, number: int) -> File:
    """Return the path of a shard."""
    return prefix.with_name(f"{prefix.name}_{number:0{_WIDTH}}.rec")
