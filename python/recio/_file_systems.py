"""File systems of the caller's: obstore stores and fsspec file systems, which the native part reads from.

They are recognized by their methods, and neither package is imported.
"""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any, Protocol

from recio._recio import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REPLACED = "the object was replaced while it was read"
_FSSPEC_IDENTITIES = ("ETag", "etag", "e_tag", "version_id", "blob_id", "md5Hash", "sha256")
_FSSPEC_TIMES = ("LastModified", "last_modified", "mtime", "modified", "updated", "created")


class FileSystem(Protocol):
    """What the native part calls, from any thread."""

    def check(self, path: str) -> str:
        """Return a path if it is one of this file system.

        Raises
        ------
        ValueError
            If it is not.
        """

    def stat(self, path: str) -> tuple[int, str | None]:
        """Return the size of a file, and what changes if it is replaced."""

    def read(self, path: str, start: int, stop: int, identity: str | None) -> bytes:
        """Read a range of bytes of a file."""


class ObstoreFileSystem:
    """Store of obstore.

    Its threads do not exist in a forked process, where it would wait for them for ever.
    """

    def __init__(self, store: Any) -> None:  # noqa: ANN401 nothing is imported for its type
        self._store = store
        self._owner: int | None = None

    def check(self, path: str) -> str:
        """Return a key; a URL is none."""
        if "://" in path:
            raise ValueError(f"filesystem is a store of obstore, in which a path is a key without a scheme, got {path}")
        return path

    def stat(self, path: str) -> tuple[int, str | None]:
        """Return the size and the etag of an object."""
        meta = self._in_process().head(path)
        return meta["size"], meta["e_tag"] or meta["version"]

    def read(self, path: str, start: int, stop: int, identity: str | None) -> bytes:
        """Read a range of an object that has an etag."""
        options = {"range": (start, stop)} | ({} if identity is None else {"if_match": identity})
        try:
            return bytes(self._in_process().get(path, options=options).bytes())
        except Exception as error:
            if type(error).__name__ != "PreconditionError":
                raise
            raise RecordError(_REPLACED) from None

    def _in_process(self) -> Any:  # noqa: ANN401 as in the constructor
        if self._owner is None:
            self._owner = os.getpid()
        if self._owner != os.getpid():
            raise OSError(
                "obstore does not work in a forked process: start workers by spawn or forkserver, or pass a URL "
                "instead of filesystem="
            )
        return self._store

    def __reduce__(self) -> tuple[Callable[[Any], ObstoreFileSystem], tuple[Any]]:
        """Pickle the store."""
        return type(self), (self._store,)


class FsspecFileSystem:
    """File system of fsspec. In a forked process it is made again: asynchronous ones have a thread."""

    def __init__(self, filesystem: Any) -> None:  # noqa: ANN401 nothing is imported for its type
        self._filesystem = filesystem
        self._owner = os.getpid()

    def check(self, path: str) -> str:
        """Return a path, which may have the file system's scheme."""
        return path

    def stat(self, path: str) -> tuple[int, str | None]:
        """Return the size of a file, and its etag or time."""
        info: Mapping[str, Any] = self._in_process().info(path)
        if info.get("type") == "directory":
            raise IsADirectoryError("it is a directory")
        size = info.get("size")
        if size is None:
            raise OSError("the file system does not know the size of the file")
        return int(size), _identity(info)

    def read(self, path: str, start: int, stop: int, identity: str | None) -> bytes:  # noqa: ARG002 fsspec has no condition
        """Read a range of bytes of a file."""
        content: bytes = self._in_process().cat_file(path, start=start, end=stop)
        return content

    def _in_process(self) -> Any:  # noqa: ANN401 as in the constructor
        if self._owner != os.getpid():
            self._filesystem = copy.copy(self._filesystem)
            self._owner = os.getpid()
        return self._filesystem

    def __reduce__(self) -> tuple[Callable[[Any], FsspecFileSystem], tuple[Any]]:
        """Pickle the file system."""
        return type(self), (self._filesystem,)


def _identity(info: Mapping[str, Any]) -> str | None:
    """Return what changes if a file is replaced; ``None`` if the file system does not know any such thing."""
    for name in (*_FSSPEC_IDENTITIES, *_FSSPEC_TIMES):
        if info.get(name):
            return str(info[name])
    return None


def adapt(filesystem: object) -> FileSystem:
    """Return what the native part calls for a store of obstore or a file system of fsspec.

    Raises
    ------
    TypeError
        If it is neither.
    """
    if isinstance(filesystem, ObstoreFileSystem | FsspecFileSystem):
        return filesystem
    if all(hasattr(filesystem, name) for name in ("head", "get_range", "get")):
        return ObstoreFileSystem(filesystem)
    if all(hasattr(filesystem, name) for name in ("info", "cat_file")) and not isinstance(filesystem, type):
        return FsspecFileSystem(filesystem)
    raise TypeError(
        f"filesystem must be a store of obstore or a file system of fsspec, got {type(filesystem).__name__}"
    )
