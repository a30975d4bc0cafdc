"""Helpers shared by several packages: buffers, paths, threads, lazy imports, closing and stopping."""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
import time
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, Self, TypeAlias

from recio import _recio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from io import FileIO
    from types import TracebackType

    from numpy.typing import NDArray

FLOAT32_EXACT = 1 << 24
"""float32 represents all integers up to this one."""

BytesLike: TypeAlias = "bytes | bytearray | memoryview | NDArray[Any]"
StrPath: TypeAlias = str | os.PathLike[str]
OnDamage: TypeAlias = Literal["error", "fill"]
"""Handling of damage in the image data of a JPEG."""


def as_bytes(data: BytesLike) -> bytes:
    """Return ``data`` as bytes; copied only if it is not ``bytes`` already.

    Raises
    ------
    TypeError
        If it is not bytes-like.
    """
    if isinstance(data, bytes):
        return data
    return memoryview(data).tobytes()  # type: ignore[arg-type]  # an ndarray is a buffer too


def fills_damage(on_damage: OnDamage) -> bool:
    """Return whether damage is filled.

    Raises
    ------
    ValueError
        If `on_damage` is neither 'error' nor 'fill'.
    """
    if on_damage not in ("error", "fill"):
        raise ValueError(f"on_damage must be 'error' or 'fill', got {on_damage!r}")
    return on_damage == "fill"


def open_regular(path: StrPath) -> BinaryIO:
    """Open a regular file for reading bytes.

    Opening a pipe blocks until somebody writes to it, and a device may have no end.

    Raises
    ------
    OSError
        If there is no such file, or it is not a regular file.
    """
    return open(_recio.open_regular(path), "rb")  # noqa: PTH123 a descriptor, which the caller closes


def read_bytes(path: StrPath) -> bytes:
    """Read a regular file.

    Raises
    ------
    OSError
        As from `open_regular`.
    """
    with open_regular(path) as file:
        return file.read()


def open_append(path: StrPath) -> FileIO:
    """Open a file for appending bytes, without a buffer. It is no pipe: nobody might read it.

    Raises
    ------
    OSError
        If it cannot be opened or created, or is a pipe.
    """
    return open(_recio.open_append(path), "ab", buffering=0)  # noqa: PTH123 a descriptor, which the caller closes


def json_line(value: object) -> str:
    """Return a value as JSON on one line, for logs: control characters are escaped, all else is readable."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isascii() and text.isprintable():
        return text
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def printable(text: object) -> str:
    """Escape control characters in text of files and names, for messages, terminals and logs.

    Parameters
    ----------
    text : object
        A path, or any other object, which is converted to a string.

    Returns
    -------
    str
        The text on one line, without escape sequences for terminals and without characters that change the direction
        of writing. Bytes of file names that are not text are escaped too.
    """
    string = os.fsdecode(text) if isinstance(text, bytes | os.PathLike) else str(text)
    return _recio.printable(string.encode("utf-8", "backslashreplace").decode())


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lazy_imports(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose modules are imported on first use.

    Parameters
    ----------
    package : str
        The package's name.
    modules : mapping of str to sequence of str
        From a module's name, relative to the package (``'._module'``), to the names that the package takes from it.

    Returns
    -------
    getattr : callable
        Imports the module of a name, and stores the name in the package.
    dir : callable
        Lists all names, imported or not.
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:  # noqa: ANN401 whatever has the name
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(module_of[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *module_of})

    return get, names


@contextmanager
def explains_missing(message: str, *modules: str) -> Iterator[None]:
    """Explain in a ``with`` block what to install if one of these modules is missing.

    Parameters
    ----------
    message : str
        The message of the error, in which ``{module}`` is the module that is missing.
    *modules : str
        The modules that the block imports, and those that these need.

    Raises
    ------
    ModuleNotFoundError
        If one of them is missing. That of another module is raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in modules:
            raise
        raise ModuleNotFoundError(message.format(module=error.name), name=error.name) from None


class Closeable:
    """Base of classes that a ``with`` block closes at its end."""

    def close(self) -> None:
        """Close it; a second call does nothing."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def cannot_start_thread(cause: Exception) -> OSError:
    """Make the error for a thread that cannot be started, as the native part words it."""
    return OSError(
        f"cannot start a thread: {cause}; the limit on threads, processes or memory is reached (ulimit -u, ulimit -v, "
        "the pids limit of the container): raise it, or use fewer threads"
    )


class Stoppable(Protocol):
    """Object with threads that can be stopped."""

    def stop(self) -> None:
        """Stop the threads without waiting for them."""

    def join(self, seconds: float) -> None:
        """Wait until the threads have ended, but not longer."""


EXIT_PATIENCE = 5.0
"""Seconds that the end of the process waits for threads that are in a function of the caller's."""

# Not `weakref.finalize`: its callback is Python code, and a Ctrl-C that arrives while it runs is
# lost. Here no code runs when an object is deleted.
_stoppables: list[weakref.ref[Stoppable]] = []


def stop_at_exit(stoppable: Stoppable) -> None:
    """Stop an object's threads when the interpreter ends, if the object still exists then.

    For threads that may call Python functions.
    """
    _stoppables[:] = [*(ref for ref in _stoppables if ref() is not None), weakref.ref(stoppable)]


@atexit.register
def _stop_all() -> None:
    _recio.begin_process_end()
    stoppables = [stoppable for ref in _stoppables if (stoppable := ref()) is not None]
    for stoppable in stoppables:
        stoppable.stop()
    deadline = time.monotonic() + EXIT_PATIENCE
    for stoppable in stoppables:
        stoppable.join(max(0.0, deadline - time.monotonic()))
