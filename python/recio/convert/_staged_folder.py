"""Folder that appears when it is complete: until then it has a hidden name beside its own."""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from recio import _recio
from recio._atomic import check_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK, _FOLDER = ".tmp", ".folder"


@contextlib.contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """Make a folder that gets its name when the block ends, and is removed if the block fails.

    Beside it there is a locked file as long as it is written, as for a file that is written atomically. Without that, a
    folder was left by a killed process, and the next writer of the same path removes it.

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
        If the folder exists and is not empty.
    """
    check_parent(path)
    # A link stays, and leads to the new folder.
    path = path.resolve()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(errno.EEXIST, "it exists, and is no empty folder", str(path))
    lock = _recio.AtomicFile(path)
    try:
        _remove_leftovers(path)
        folder = Path(lock.temporary_path).with_suffix(_FOLDER)
        folder.mkdir()
        try:
            yield folder
            # One call for all files: to sync each takes milliseconds.
            os.sync()
            folder.rename(path)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    finally:
        lock.discard()
    _sync(path.parent)


def _remove_leftovers(path: Path) -> None:
    for folder in path.parent.glob(f".{glob.escape(path.name)}.??????{_FOLDER}"):
        if not folder.with_suffix(_LOCK).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
