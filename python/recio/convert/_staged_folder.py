"""Folder that appears when it is complete: until then it has a hidden name beside its own."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import os
import secrets
import shutil
from typing import TYPE_CHECKING

from recio._atomic import check_parent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIX = ".folder"
"""End of a hidden name: ``.``, the name, ``.``, random characters and this suffix."""


@contextlib.contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Make a folder that gets its name when the block ends, and is removed if the block fails.

    It is locked until then. One without a lock was left by a killed process: the next writer of the same path removes
    it.

    Parameters
    ----------
    path : Path
        The folder; it does not exist, or is empty.

    Yields
    ------
    Path
        The hidden folder.

    Raises
    ------
    FileExistsError
        If the path exists and is no empty folder.
    """
    check_parent(path)
    # A link stays, and leads to the new folder.
    path = path.resolve()
    _remove_leftovers(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(errno.EEXIST, "it exists, and is no empty folder", str(path))
    folder, descriptor = _make_locked(path)
    try:
        yield folder
        # One call for all files: to sync each takes milliseconds.
        os.sync()
        folder.rename(path)
        _sync(path.parent)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        os.close(descriptor)


def _make_locked(path: Path) -> tuple[Path, int]:
    """Make a hidden folder for a path; return it, and the descriptor that holds its lock."""
    while True:
        folder = path.with_name(f".{path.name}.{secrets.token_hex(3)}{_SUFFIX}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            # Before it was locked, another process may have removed it as a leftover.
            if not _is_locked_by_other(descriptor) and folder.exists():
                return folder, descriptor
            os.close(descriptor)


def _is_locked_by_other(descriptor: int) -> bool:
    """Lock a folder, and return whether another process has locked it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # This file system has no locks.
        return False
    return False


def _remove_leftovers(path: Path) -> None:
    """Remove the hidden folders of a path whose writers no longer run; where that fails, they stay."""
    for folder in path.parent.glob(f".{glob.escape(path.name)}.??????{_SUFFIX}"):
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(descriptor)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
