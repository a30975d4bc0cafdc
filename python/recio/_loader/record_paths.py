"""``path_imgrec`` and ``path_imgidx`` as lists of files.

By MXNet's rules, with their edge cases fixed: ``'a.rec;b.rec'`` is several files, a folder is its record files (sorted
by name, not in directory order), a last component that is no file is a regular expression, and ``'a.rec#cache'`` names
a file in which a copy is kept.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from recio._atomic import atomic_write
from recio._util import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recio._util import StrPath

    Paths: TypeAlias = StrPath | Sequence[StrPath] | None

# The first bytes of every record.
_MAGIC = bytes.fromhex("0a23d7ce")


def split_paths(value: Paths) -> list[str]:
    """Return the paths in ``"a.rec;b.rec"``, in a list of paths, or in one path-like object.

    A file or folder whose own path has a semicolon is not split.
    """
    if value is None:
        return []
    if isinstance(value, str):
        if ";" in value and Path(value).exists():
            return [value]
        return [path for path in value.split(";") if path]
    if isinstance(value, os.PathLike):
        return [os.fspath(value)]
    return [os.fspath(path) for path in value]


def record_files(value: Paths, name: str = "path_imgrec") -> list[str]:
    """Return the record files that a keyword, ``path_imgrec`` or another, names.

    Raises
    ------
    ValueError
        If it names none.
    """
    sources, cache = _split_cache(value)
    files = [
        file for path in split_paths(sources) for file in _expand(path) if cache is None or not _is_same(file, cache)
    ]
    if not files:
        raise ValueError(f"{name}={value!r} names no file" if value else f"{name} names no file")
    return files if cache is None else [_cached(files, Path(cache))]


def _split_cache(value: Paths) -> tuple[Paths, str | None]:
    """Split ``'a.rec#cache'``; a file whose own name has a ``#`` is not split."""
    if not isinstance(value, str) or "#" not in value or Path(value).exists():
        return value, None
    sources, _, cache = value.rpartition("#")
    return sources, cache or None


def _expand(text: str) -> list[str]:
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


def _is_same(file: str, other: str) -> bool:
    return Path(file).resolve() == Path(other).resolve()


def _cached(files: Sequence[str], cache: Path) -> str:
    """Copy the files, end to end, into the cache, unless it exists with their size and time.

    Its time is set to that of the newest of them: a file that replaces one of them has another.
    """
    states = [Path(file).stat() for file in files]
    time = max(state.st_mtime_ns for state in states)
    if cache.exists():
        present = cache.stat()
        if (present.st_size, present.st_mtime_ns) == (sum(state.st_size for state in states), time):
            return str(cache)
        with open_regular(cache) as file:
            if file.read(len(_MAGIC)) not in (_MAGIC, b""):
                raise ValueError(f"{cache} exists and is no record file: a cache of records does not overwrite it")
    _copy(files, cache, time)
    return str(cache)


def _copy(files: Iterable[str], target: Path, time: int) -> None:
    """Copy files, end to end, atomically; the copy gets a time, in nanoseconds."""
    with atomic_write(target) as copy:
        for file in files:
            with open_regular(file) as source:
                shutil.copyfileobj(source, copy)
        copy.flush()
        os.utime(copy.fileno(), ns=(time, time))
