"""Paths as users pass them: of local files, URLs of objects in stores, and paths in file systems of the caller's.

A URL is never made a `pathlib.Path`, which collapses its slashes.
"""

from __future__ import annotations

import errno
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias
from urllib.parse import unquote_to_bytes

from recio import _file_systems, _util
from recio._recio import RemotePath

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from recio._util import StrPath

AnyPath: TypeAlias = "StrPath | RemotePath"
"""What users pass, and what reports have."""
Located: TypeAlias = "str | RemotePath"
"""A path of a local file as text, or the path of an object."""
StorageOptions: TypeAlias = "Mapping[str, str | bool | float] | None"

_URL = re.compile(r"[a-z][a-z0-9+.-]+://")
_COLLAPSED_URL = re.compile(r"[a-z][a-z0-9+.-]+:/(?!/)")
_FILE = "file://"


@dataclass(frozen=True, repr=False)
class Storage:
    """The keywords with which paths are opened: `storage_options`, `filesystem`, `cache_dir` and `cache_bytes`."""

    storage_options: tuple[tuple[str, str], ...] = ()
    filesystem: _file_systems.FileSystem | None = None
    cache: tuple[str, int] | None = None

    def locate(self, path: AnyPath) -> Located:
        """Return where a file is: the path of a local file, which is not changed, or that of an object.

        Raises
        ------
        FileNotFoundError
            If the path was a URL before pathlib changed it.
        ValueError
            If it is the URL of a file of another host, or a URL that is passed with an obstore store.
        """
        if isinstance(path, RemotePath):
            return path
        text = os.fspath(path)
        if text.startswith(_FILE):
            return _local_path(text)
        if self.filesystem is not None:
            return RemotePath(self.filesystem.check(text), filesystem=self.filesystem, cache=self.cache)
        if is_url(text):
            return RemotePath(text, self.storage_options, cache=self.cache)
        if isinstance(path, os.PathLike) and _COLLAPSED_URL.match(text) and not os.path.lexists(text):
            reason = f"{os.strerror(errno.ENOENT)}; pass a URL as a string: a pathlib.Path loses a slash"
            raise FileNotFoundError(errno.ENOENT, reason, text)
        return text

    def path(self, path: AnyPath) -> Path | RemotePath:
        """Return where a file is as an object with the methods of paths."""
        located = self.locate(path)
        return located if isinstance(located, RemotePath) else Path(located)

    def locate_all(self, paths: Sequence[AnyPath]) -> list[Located]:
        """Return where files are."""
        return [self.locate(path) for path in paths]


CACHE_BYTES = 64 << 30
"""Bytes of a cache of objects, unless the caller chooses."""

LOCAL = Storage()
"""Without keywords: local files, and URLs with the options of the environment."""


def storage(
    storage_options: StorageOptions,
    filesystem: object,
    cache_dir: StrPath | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Storage:
    """Check the keywords.

    Raises
    ------
    TypeError
        If `storage_options` is no mapping, or has other values than strings, numbers and booleans, or `filesystem` is
        neither of obstore nor of fsspec.
    ValueError
        If both are given, `cache_bytes` is negative, or `cache_dir` is a URL.
    """
    if storage_options and filesystem is not None:
        raise ValueError("storage_options and filesystem exclude each other: pass the options to the file system")
    if cache_bytes < 0:
        raise ValueError(f"cache_bytes must be at least 0, got {cache_bytes}")
    # Workers may be in another folder.
    cache = None if cache_dir is None else (str(local_path("cache_dir", cache_dir).absolute()), cache_bytes)
    if filesystem is not None:
        return Storage(filesystem=_file_systems.adapt(filesystem), cache=cache)
    return Storage(_texts_of_options(storage_options), cache=cache)


def _texts_of_options(storage_options: StorageOptions) -> tuple[tuple[str, str], ...]:
    if not storage_options:
        return ()
    if not hasattr(storage_options, "items"):
        raise TypeError(f"storage_options must be a dict, got {type(storage_options).__name__}")
    return tuple(sorted((name, _text_of_option(name, value)) for name, value in storage_options.items()))


def _text_of_option(name: str, value: str | bool | float) -> str:
    # Values may be secret: they are not shown.
    if not isinstance(name, str) or not isinstance(value, str | bool | int | float):
        raise TypeError(f"storage_options must be strings, numbers or booleans, got {name!r}: {type(value).__name__}")
    return str(value).lower() if isinstance(value, bool) else str(value)


def local_path(name: str, path: StrPath) -> Path:
    """Return the path that a keyword names, which has to be local.

    Raises
    ------
    ValueError
        If it is a URL.
    """
    located = LOCAL.locate(path)
    if isinstance(located, RemotePath):
        raise ValueError(f"{name} must be a local path, got {located}")  # noqa: TRY004 its type is right
    return Path(located)


def is_url(path: object) -> bool:
    """Return whether a path is text that begins with a scheme, such as ``s3://``."""
    return isinstance(path, str) and _URL.match(path) is not None


def _local_path(url: str) -> str:
    host, slash, path = url.removeprefix(_FILE).partition("/")
    if host not in ("", "localhost") or not slash:
        raise ValueError(f"the URL of a local file must have the form file:///PATH, got {url}")
    return os.fsdecode(unquote_to_bytes(f"/{path}"))


def open_bytes(path: Located | Path) -> BinaryIO:
    """Open a file for reading bytes; an object is read into memory.

    Raises
    ------
    OSError
        If there is no such file, it is not a regular file, or it cannot be read.
    """
    return io.BytesIO(path.read_bytes()) if isinstance(path, RemotePath) else _util.open_regular(path)


def read_bytes(path: Located | Path) -> bytes:
    """Read a file.

    Raises
    ------
    OSError
        As from `open_bytes`.
    """
    return path.read_bytes() if isinstance(path, RemotePath) else _util.read_bytes(path)


def size_and_version(path: Located | Path) -> tuple[int, int | str | None]:
    """Return the size of a file, and what changes if it is replaced.

    That is the time of a local file, in nanoseconds, and the identity of an object; ``None`` if it has none.
    """
    if isinstance(path, RemotePath):
        return path.stat()
    state = Path(path).stat()
    return state.st_size, state.st_mtime_ns


def index_beside(rec: Path | RemotePath) -> Path | RemotePath | None:
    """Return the ``.idx`` beside a record file; ``None`` if there is none."""
    idx = rec.with_suffix(".idx")
    return idx if idx.exists() else None
