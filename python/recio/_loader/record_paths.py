"""What ``path_imgrec`` and ``path_imgidx`` may be, as lists of files.

MXNet's rules, with their edges mended: ``'a.rec;b.rec'`` are several files, a folder is its record files (by name, not
in the order of the disk), a last part that is no file is a regular expression, and ``'a.rec#cache'`` names a file
that a copy is kept in.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from recio._atomic import atomic_write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from recio._util import StrPath

    Paths: TypeAlias = StrPath | Sequence[StrPath] | None

# What every record begins with.
_MAGIC = bytes.fromhex("0a23d7ce")


def paths(value: Paths) -> list[str]:
    """Give the paths in ``"a.rec;b.rec"``, in a list of paths, or in one path-like object."""
    if value is None:
        return []
    if isinstance(value, str):
        return [path for path in value.split(";") if path]
    if isinstance(value, os.PathLike):
        return [os.fspath(value)]
    return [os.fspath(path) for path in value]


def record_files(value: Paths, name: str = "path_imgrec") -> list[str]:
    """Give the record files that a keyword, ``path_imgrec`` or another, names.

    Raises
    ------
    ValueError
        If it names none.
    """
    whole, cache = _without_cache(value)
    files = [file for path in paths(whole) for file in _expand(path) if cache is None or not _same(file, cache)]
    if not files:
        raise ValueError(f"{name}={value!r} names no file" if value else f"{name} names no file")
    return files if cache is None else [_cached(files, Path(cache))]


def _without_cache(value: Paths) -> tuple[Paths, str | None]:
    """Split ``'a.rec#cache'``; a file whose own name has a ``#`` is not split."""
    if not isinstance(value, str) or "#" not in value or Path(value).exists():
        return value, None
    whole, _, cache = value.rpartition("#")
    return whole, cache or None


def _expand(path: str) -> list[str]:
    place = Path(path)
    if place.is_dir():
        return sorted(
            str(file) for file in place.iterdir() if file.suffix == ".rec" and file.is_file() and file.stat().st_size
        )
    if place.exists() or not place.parent.is_dir():
        return [path]
    try:
        pattern = re.compile(place.name)
    except re.error:
        return [path]
    found = sorted(str(file) for file in place.parent.iterdir() if pattern.fullmatch(file.name) and file.is_file())
    return found or [path]


def _same(file: str, other: str) -> bool:
    return Path(file).resolve() == Path(other).resolve()


def _cached(files: Sequence[str], cache: Path) -> str:
    """Copy the files, end to end, into the cache, unless it is there, as large, and of their time.

    Its time is set to that of the youngest of them: a file put in place of one of them has another.
    """
    states = [Path(file).stat() for file in files]
    time = max(state.st_mtime_ns for state in states)
    if cache.exists():
        present = cache.stat()
        if (present.st_size, present.st_mtime_ns) == (sum(state.st_size for state in states), time):
            return str(cache)
        with cache.open("rb") as file:
            if file.read(len(_MAGIC)) not in (_MAGIC, b""):
                raise ValueError(f"{cache}: it is no record file; a cache of records does not take its place")
    _copy(files, cache, time)
    return str(cache)


def _copy(files: Iterable[str], target: Path, time: int) -> None:
    """Copy files, end to end, whole or not at all; the copy is of that time, in nanoseconds."""
    with atomic_write(target) as copy:
        for file in files:
            with Path(file).open("rb") as source:
                shutil.copyfileobj(source, copy)
        copy.flush()
        os.utime(copy.fileno(), ns=(time, time))
