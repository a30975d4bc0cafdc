"""Files that appear under their name when they are whole and on the disk, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from recio import _recio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def check_folder(path: Path) -> None:
    """Raise if there is no folder for a file, before work is done that would be lost."""
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


@contextlib.contextmanager
def staged(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be written; it gets its name when the block ends, and is removed if the block fails.

    What a killed process has left of the same file is removed. An error of the operating system that names no file is
    taken to be about this one.
    """
    check_folder(path)
    whole = _recio.StagedFile(path)
    try:
        with Path(whole.temporary).open("r+b") as file:
            yield file
        whole.commit()
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise
    finally:
        whole.discard()


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
    with staged(path) as file:
        file.writelines(line.encode() for line in lines)
