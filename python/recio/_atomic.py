"""Atomic writing: a file gets its name when it is complete and on the disk, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from recio import _recio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def check_parent(path: Path) -> None:
    """Raise `FileNotFoundError` if the folder of a file does not exist, before any work is done for the file."""
    if not path.parent.is_dir():
        reason = "; ".join(filter(None, [os.strerror(errno.ENOENT), _recio.remote_advice(path)]))
        raise FileNotFoundError(errno.ENOENT, reason, str(path.parent))


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing; it gets its name when the block ends, and is removed if the block fails.

    Temporary files that a killed process left for the same path are removed. An `OSError` without a file name gets this
    one's.
    """
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


def atomic_write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file atomically.

    Parameters
    ----------
    path : Path
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
