"""Text files that are there whole or not at all."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file under a temporary name, sync it, and only then give it its own.

    Parameters
    ----------
    path : Path
        The file; one that is there already is replaced.
    lines : iterable of str
        What it is to hold, line ends included; written as UTF-8.

    Raises
    ------
    OSError
        If it cannot be written; then there is no new file, and an older one is as it was.
    """
    with _temporary_beside(path) as temporary:
        with temporary.open("x", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    _sync_folder(path.parent)


@contextmanager
def _temporary_beside(path: Path) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last. Only Unix lets a folder be opened for that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
