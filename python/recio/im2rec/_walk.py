"""Folders of images: each real folder once, in MXNet's order or a natural one.

MXNet follows links and lists every folder that it meets. That is also done here, except for folders that are met twice,
which have no end if they link to each other, and for those that hold no data of the user.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAC_ARCHIVE = "__MACOSX"
"""Folder of metadata that macOS adds to ZIP archives."""
SYSTEM_FOLDERS = {
    MAC_ARCHIVE: "metadata of macOS",
    "@eaDir": "thumbnails and metadata of a Synology NAS",
    "#recycle": "the trash of a Synology NAS",
    "#snapshot": "snapshots of a Synology NAS",
    "@Recycle": "the trash of a QNAP NAS",
    "@Recently-Snapshot": "snapshots of a QNAP NAS",
    "$RECYCLE.BIN": "the trash of Windows",
    "RECYCLER": "the trash of Windows",
    "System Volume Information": "metadata of Windows",
    "lost+found": "files that a check of the file system recovered",
}
"""Folders that operating systems and network storage add, and what they hold."""
MAC_METADATA = "._"
"""Beginning of the names of metadata files that macOS writes to other file systems and into archives."""


class Folder(NamedTuple):
    """Folder that was read.

    Attributes
    ----------
    path : str
        Path relative to the root, which is '.'.
    files, subfolders : list of str
        Names, sorted.
    """

    path: str
    files: list[str]
    subfolders: list[str]


class Skipped(NamedTuple):
    """Folder that was skipped.

    Attributes
    ----------
    path : str
        Path relative to the root.
    reason : str
        Why it was skipped.
    is_expected : bool
        Whether it holds no data of the user, so that the list is complete without it.
    """

    path: str
    reason: str
    is_expected: bool


def natural_key(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key by which ``'2.jpg'`` comes before ``'10.jpg'``."""
    runs = re.findall(r"[0-9]+|[^0-9]+", name)
    return [(0, int(run), "") if run[0] in "0123456789" else (1, 0, run) for run in runs], name


def walk(
    root: str, skipped: list[Skipped], *, recursive: bool, key: Callable[[str], Any] | None = None
) -> Iterator[Folder]:
    """Iterate over a folder and its subfolders, each before its subfolders.

    Parameters
    ----------
    root : path
        The folder.
    skipped : list of Skipped
        Where the skipped folders are appended.
    recursive : bool
        Whether to read subfolders.
    key : callable, optional
        Sort key of names; by default their code points, as in MXNet.

    Yields
    ------
    Folder
        Each real folder once.
    """
    real_root = os.path.realpath(root)
    visited: set[tuple[int, int]] = set()
    # A stack, as folders may be deeper than Python's calls.
    pending = ["."]
    while pending:
        path = pending.pop()
        reason = _why_skipped(root, path, real_root, visited)
        if reason is not None:
            skipped.append(reason)
            continue
        try:
            folder = _read(root, path, key)
        except OSError as error:
            skipped.append(Skipped(path, error.strerror or str(error), is_expected=False))
            continue
        yield folder
        if recursive:
            pending += [_join(path, name) for name in reversed(folder.subfolders)]


def _join(path: str, name: str) -> str:
    return name if path == "." else f"{path}/{name}"


def _why_skipped(root: str, path: str, real_root: str, visited: set[tuple[int, int]]) -> Skipped | None:
    """Return why a folder is skipped; otherwise note that it was visited."""
    name = path.rpartition("/")[2]
    if path != "." and _is_no_class(name):
        return Skipped(path, SYSTEM_FOLDERS.get(name, "a hidden folder"), is_expected=True)
    full_path = os.path.join(root, path)  # noqa: PTH118 a Path would be slower
    try:
        status = os.stat(full_path)  # noqa: PTH116
    except OSError as error:
        return Skipped(path, error.strerror or str(error), is_expected=False)
    is_link = path != "." and os.path.islink(full_path)  # noqa: PTH114
    if is_link and _is_met_again(os.path.realpath(full_path), real_root):
        return Skipped(path, "a link to a folder of the root, which is listed by its own name", is_expected=False)
    if (status.st_dev, status.st_ino) in visited:
        return Skipped(path, "a folder that is listed by another path", is_expected=False)
    visited.add((status.st_dev, status.st_ino))
    return None


def _is_met_again(path: str, root: str) -> bool:
    """Return whether a folder is the root, above it, or one that is read below it."""
    inside = path.removeprefix(_with_slash(root))
    if inside == path:
        return _with_slash(root).startswith(_with_slash(path))
    return not any(map(_is_no_class, inside.split("/")))


def _is_no_class(name: str) -> bool:
    return name.startswith(".") or name in SYSTEM_FOLDERS


def _with_slash(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _read(root: str, path: str, key: Callable[[str], Any] | None) -> Folder:
    files: list[str] = []
    subfolders: list[str] = []
    with os.scandir(os.path.join(root, path)) as entries:  # noqa: PTH118
        for entry in entries:
            (subfolders if _is_folder(entry) else files).append(entry.name)
    return Folder(path, sorted(files, key=key), sorted(subfolders, key=key))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
