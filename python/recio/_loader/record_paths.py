"""``path_imgrec`` and ``path_imgidx`` as lists of files.

By MXNet's rules, with their edge cases fixed: ``'a.rec;b.rec'`` is several files, a folder is its record files (sorted
by name, not in directory order), a last component that is no file is a regular expression, and ``'a.rec#cache'`` names
a file in which a copy is kept.

Beyond MXNet's: a manifest (``NAME.recset.json``) is its shards, a last component with ``*`` or ``[`` is a pattern of
the shell, and a URL that ends with a slash is the record files in that folder. Of these, the indexes beside the files
are used.
"""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from recio._atomic import atomic_write
from recio._manifest import is_manifest, load_manifest
from recio._recio import RemotePath
from recio._storage import LOCAL, is_url, size_and_version
from recio._util import open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from recio._storage import AnyPath, Located, Storage

    Paths: TypeAlias = AnyPath | Sequence[AnyPath] | None

# The first bytes of every record.
_MAGIC = bytes.fromhex("0a23d7ce")

_TIMES = 10**18
"""Times before this one, in nanoseconds, are before the year 2002."""


def split_paths(value: Paths) -> list[str]:
    """Return the paths in ``"a.rec;b.rec"``, in a list of paths, or in one path-like object.

    A file or folder whose own path has a semicolon is not split.
    """
    return [str(path) if isinstance(path, RemotePath) else os.fspath(path) for path in _split(value)]


def _split(value: Paths) -> Sequence[AnyPath]:
    if value is None:
        return []
    if isinstance(value, str):
        if ";" in value and _is_local_file(value):
            return [value]
        return [path for path in value.split(";") if path]
    return [value] if isinstance(value, os.PathLike | RemotePath) else value


def located_paths(value: Paths, storage: Storage) -> list[Located]:
    """Return where the files are that a keyword names, as `split_paths` splits it."""
    return storage.locate_all(_split(value))


class RecordPath(NamedTuple):
    """A record file, and its index if that is to be used although the caller does not name it."""

    rec: Located
    idx: Located | None = None


def record_files(
    value: Paths, indexes: Paths = None, name: str = "path_imgrec", storage: Storage = LOCAL
) -> tuple[list[Located], list[Located]]:
    """Return the record files that a keyword, ``path_imgrec`` or another, names, and their indexes.

    Raises
    ------
    ValueError
        If it names none, or indexes are named although those beside the files are used.
    """
    sources, cache = _split_cache(value)
    found = [path for located in located_paths(sources, storage) for path in expand(located)]
    files = [path for path in found if cache is None or not _is_same(path.rec, cache)]
    if not files:
        raise ValueError(f"{name}={value!r} names no file" if value else f"{name} names no file")
    if cache is None:
        return [path.rec for path in files], _indexes(files, indexes, name, storage)
    return [_cached([path.rec for path in files], Path(cache))], located_paths(indexes, storage)


def _indexes(files: Sequence[RecordPath], given: Paths, name: str, storage: Storage) -> list[Located]:
    """Return the indexes of record files: those of the caller, those beside the files, or none."""
    named = located_paths(given, storage)
    without = [path.rec for path in files if path.idx is None]
    if len(without) == len(files):
        return named
    if named:
        raise ValueError(
            f"the indexes of a manifest, a pattern or a URL of a folder are beside it, got others for {name}"
        )
    if without:
        raise ValueError(
            f"{name} has files with an index beside them, of a manifest or a pattern, and others without, such as "
            f"{without[0]}: name all in one way"
        )
    return [path.idx for path in files if path.idx is not None]


def _is_local_file(value: str) -> bool:
    return not is_url(value) and Path(value).exists()


def _split_cache(value: Paths) -> tuple[Paths, str | None]:
    """Split ``'a.rec#cache'``; a file whose own name has a ``#`` is not split."""
    if not isinstance(value, str) or "#" not in value or _is_local_file(value):
        return value, None
    sources, _, cache = value.rpartition("#")
    if is_url(cache):
        raise ValueError(f"the cache after # must be a local file, got {cache}")
    return sources, cache or None


def expand(located: Located) -> list[RecordPath]:
    """Return the record files that one path stands for."""
    path = LOCAL.path(located)
    if is_manifest(path):
        return [RecordPath(shard.located(), _as_located(shard.idx)) for shard in load_manifest(path).shards]
    if isinstance(located, RemotePath):
        return _expand_remote(located)
    return _expand_local(located)


def _expand_remote(path: RemotePath) -> list[RecordPath]:
    text = str(path)
    if text.endswith("/"):
        folder, pattern = path, "*.rec"
    elif not _is_pattern(path.name) or text.startswith(("http://", "https://")):
        return [RecordPath(path)]
    else:
        folder, pattern = path.parent, path.name
    matches = _matches_of_shell(folder, {name for name in folder.list() if "/" not in name}, pattern)
    if not matches:
        raise FileNotFoundError(errno.ENOENT, "no record file there has such a name", text)
    return matches


def _matches_of_shell(folder: Path | RemotePath, names: Collection[str], pattern: str) -> list[RecordPath]:
    """Return the record files of a folder that match a pattern, with their indexes if each has one."""
    matches = sorted(name for name in names if name.endswith(".rec") and fnmatch.fnmatchcase(name, pattern))
    with_index = {f"{name.removesuffix('.rec')}.idx" for name in matches} <= {*names}
    recs = [folder / name for name in matches]
    return [RecordPath(_as_located(rec), _as_located(rec.with_suffix(".idx")) if with_index else None) for rec in recs]


def _as_located(path: Path | RemotePath) -> Located:
    return path if isinstance(path, RemotePath) else str(path)


_OF_REGEX = re.compile(r"[\\+(){}|^$]|\.[*?]")
"""What names of files do not have, and regular expressions have."""


def _is_pattern(name: str) -> bool:
    """Return whether a name is a pattern of the shell."""
    return not _OF_REGEX.search(name) and ("*" in name or "[" in name)


def _expand_local(text: str) -> list[RecordPath]:
    path = Path(text)
    if path.is_dir():
        files = [file for file in path.iterdir() if file.suffix == ".rec" and file.is_file() and file.stat().st_size]
        return [RecordPath(str(file)) for file in sorted(files, key=str)]
    if path.exists() or not path.parent.is_dir():
        return [RecordPath(text)]
    names = sorted(file.name for file in path.parent.iterdir() if file.is_file())
    if _is_pattern(path.name) and (found := _matches_of_shell(path.parent, names, path.name)):
        return found
    return [RecordPath(str(path.with_name(name))) for name in _matches(path.name, names)] or [RecordPath(text)]


def _matches(pattern: str, names: list[str]) -> list[str]:
    """Return the names that match a regular expression; none if it is none."""
    try:
        expression = re.compile(pattern)
    except re.error:
        return []
    return [name for name in names if expression.fullmatch(name)]


def _is_same(file: Located, other: str) -> bool:
    return not isinstance(file, RemotePath) and Path(file).resolve() == Path(other).resolve()


def _cached(files: Sequence[Located], cache: Path) -> str:
    """Copy the files, end to end, into the cache, unless it exists with their size and time."""
    if cache.exists():
        present = cache.stat()
        if (present.st_size, present.st_mtime_ns) == _size_and_time([size_and_version(file) for file in files]):
            return str(cache)
        with open_regular(cache) as file:
            if file.read(len(_MAGIC)) not in (_MAGIC, b""):
                raise ValueError(f"{cache} exists and is no record file: a cache of records does not overwrite it")
    _copy(files, cache)
    return str(cache)


def _size_and_time(states: Sequence[tuple[int, int | str | None]]) -> tuple[int, int | None]:
    """Return the size and the time that the copy of files has.

    Its time is that of the newest of them: a file that replaces one of them has another. Among objects, it is a number
    that depends on their identities. If one has no identity, there is no time: nobody knows whether it is replaced.
    """
    times = [time for _, time in states]
    size = sum(size for size, _ in states)
    if None in times:
        return size, None
    numbers = [time for time in times if isinstance(time, int)]
    if len(numbers) == len(times):
        return size, max(numbers)
    digest = hashlib.sha256(repr(list(states)).encode()).digest()
    return size, int.from_bytes(digest[:8], "big") % _TIMES


def _copy(files: Iterable[Located], target: Path) -> None:
    """Copy files, end to end, atomically."""
    states: list[tuple[int, int | str | None]] = []
    with atomic_write(target) as copy:
        for file in files:
            if isinstance(file, RemotePath):
                copy.flush()
                states.append(file.download(copy.name, copy.tell()))
                copy.seek(0, os.SEEK_END)
            else:
                states.append(size_and_version(file))
                with open_regular(file) as source:
                    shutil.copyfileobj(source, copy)
        copy.flush()
        _, time = _size_and_time(states)
        if time is not None:
            os.utime(copy.fileno(), ns=(time, time))
