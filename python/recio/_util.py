"""Small helpers that several packages share: arguments, lazy imports, closing and stopping."""

from __future__ import annotations

import atexit
import errno
import importlib
import os
import stat
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from numpy.typing import NDArray

BytesLike: TypeAlias = "bytes | bytearray | memoryview | NDArray[Any]"
StrPath: TypeAlias = str | os.PathLike[str]


def as_bytes(data: BytesLike) -> bytes:
    """Give the bytes of ``data``, copied only if it is not ``bytes`` already.

    Raises
    ------
    TypeError
        If it is not bytes-like.
    """
    if isinstance(data, bytes):
        return data
    return memoryview(data).tobytes()  # type: ignore[arg-type]  # an ndarray is a buffer too


def regular(path: StrPath) -> Path:
    """Give the path of a file to be read; not of a pipe, which whoever opens waits for, nor of a device.

    Raises
    ------
    OSError
        If there is none, or it is no regular file.
    """
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "this is no regular file", os.fspath(path))
    return Path(path)


def index_of(rec: Path, idx: StrPath | None) -> Path | None:
    """Give the index that was asked for, or else the one beside the file, if there is one."""
    if idx is not None:
        return Path(idx)
    beside = rec.with_suffix(".idx")
    return beside if beside.exists() else None


def cores() -> int:
    """Give the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lazily(package: str, modules: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Give a package's ``__getattr__`` and ``__dir__``.

    Parameters
    ----------
    package : str
        Its name.
    modules : mapping of str to sequence of str
        Its modules, and the names that each has for the package.

    Returns
    -------
    getattr : callable
        Imports the module of a name, and keeps the name in the package.
    dir : callable
        Lists the names, used or not.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:  # noqa: ANN401 whatever has the name
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *module_of})

    return get, names


class Closing:
    """The base of what is closed when a ``with`` block ends."""

    def close(self) -> None:
        """Close it; a second call does nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


class Stoppable(Protocol):
    """What has threads."""

    def stop(self) -> None:
        """Have them end."""


# `weakref.finalize` would do, but for its callback, which is Python: a Ctrl-C that arrives in it is lost. Here nothing
# is called when an object goes.
_alive: list[weakref.ref[Stoppable]] = []


def stop_at_exit(thing: Stoppable) -> None:
    """Stop it when the interpreter ends, if it is still there then."""
    _alive[:] = [*(ref for ref in _alive if ref() is not None), weakref.ref(thing)]


@atexit.register
def _stop_all() -> None:
    for ref in _alive:
        thing = ref()
        if thing is not None:
            thing.stop()
