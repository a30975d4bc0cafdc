"""``path_imgrec`` and ``path_imgidx`` as lists of files.

By MXNet's rules, with their edge cases fixed: ``'a.rec;b.rec'`` is several files, a folder is its record files (sorted
by name, not in directory order), a last component that is no file is a regular expression, and ``'a.rec#cache'`` names
a file in which a copy is kept. Folders and regular expressions are of local files only.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from recio._atomic import atomic_write
from recio._recio import RemotePath
from recio._storage import LOCAL, is_url, size_and_version
from recio._util import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def record_files(value: Paths, name: str = "path_imgrec", storage: Storage = LOCAL) -> list[Located]:
    """Return the record files that a keyword, ``path_imgrec`` or another, names.

    Raises
    ------
    ValueError
        If it names none.
    """
    sources, cache = _split_cache(value)
    files = [
        file
        for path in located_paths(sources, storage)
        for file in _expand(path)
        if cache is None or not _is_same(file, cache)
    ]
    if not files:
        raise ValueError(f"{name}={value!r} names no file" if value else f"{name} names no file")
    return files if cache is None else [_cached(files, Path(cache))]


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


def _expand(located: Located) -> list[Located]:
    return [located] if isinstance(located, RemotePath) else [*_expand_local(located)]


def _expand_local(text: str) -> list[str]:
    path = Path(text)
    if path.is_dir():
        return sorted(
            str(file) for file in path.iterdir() if file.suffix == ".rec" and file.is_file() and file.stat().st_size
        )
    if path.exists() or not path.parent.is_dir():
        return [text]
    try:
        pattern = re.compile(path.name)
    except re.error:
        return [text]
    matches = sorted(str(file) for file in path.parent.iterdir() if pattern.fullmatch(file.name) and file.is_file())
    return matches or [text]


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
