"""Atomic writing: a file gets its name when it is complete and on the disk, or not at all."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from recio import _recio
from recio._recio import RemotePath

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def check_parent(path: Path | RemotePath) -> None:
    """Raise `FileNotFoundError` if the folder of a file does not exist, before any work is done for the file.

    Stores have no folders.
    """
    if isinstance(path, Path) and not path.parent.is_dir():
        advice = _recio.remote_advice(path)
        folder = str(path.parent) if advice is None else str(path.parent).replace(":/", "://", 1)
        reason = "; ".join(filter(None, [os.strerror(errno.ENOENT), advice]))
        raise FileNotFoundError(errno.ENOENT, reason, folder)


@contextlib.contextmanager
def atomic_write(path: Path | RemotePath) -> Iterator[IO[bytes]]:
    """Open a file for writing; it gets its name when the block ends, and is removed if the block fails.

    Temporary files that a killed process left for the same path are removed. An `OSError` without a file name gets this
    one's. An object is kept in memory until the block ends.
    """
    if isinstance(path, RemotePath):
        yield (buffer := io.BytesIO())
        path.write_bytes(buffer.getvalue())
        return
    check_parent(path)
    atomic_file = _recio.AtomicFile(path)
    try:
        with Path(atomic_file.temporary_path).open("r+b") as file:
            yield file
        atomic_file.commit()
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    finally:
        atomic_file.discard()


def atomic_write_lines(path: Path | RemotePath, lines: Iterable[str]) -> None:
    """Write a text file atomically.

    Parameters
    ----------
    path : Path or RemotePath
        The file; an existing one is replaced.
    lines : iterable of str
        Its lines, with their line ends; written as UTF-8.

    Raises
    ------
    OSError
        If it cannot be written; an existing file stays as it was.
    """
    with atomic_write(path) as file:
        file.writelines(line.encode() for line in lines)
