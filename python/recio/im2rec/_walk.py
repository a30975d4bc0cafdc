"""Folders of images, local or of a store: each real folder once, in MXNet's order or a natural one.

MXNet follows links and lists every folder that it meets. That is also done here, except for folders that are met twice,
which have no end if they link to each other, and for those that hold no data of the user.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from recio._recio import RemotePath

SortKey: TypeAlias = "Callable[[str], Any] | None"
"""Sort key of names; by default their code points, as in MXNet."""

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


class Tree(Protocol):
    """Folders that are read: of the local file system, or of a store."""

    def why_skipped(self, path: str) -> Skipped | None:
        """Return why a folder is skipped; otherwise note that it was visited."""

    def read(self, path: str) -> Folder:
        """Read a folder.

        Raises
        ------
        OSError
            If it cannot be read.
        """

    def is_file(self, path: str) -> bool:
        """Return whether a path leads to a file."""


def walk(tree: Tree, skipped: list[Skipped], *, recursive: bool) -> Iterator[Folder]:
    """Iterate over a folder and its subfolders, each before its subfolders.

    Parameters
    ----------
    tree : Tree
        The folders.
    skipped : list of Skipped
        Where the skipped folders are appended.
    recursive : bool
        Whether to read subfolders.

    Yields
    ------
    Folder
        Each real folder once.
    """
    # A stack, as folders may be deeper than Python's calls.
    pending = ["."]
    while pending:
        path = pending.pop()
        reason = tree.why_skipped(path)
        if reason is not None:
            skipped.append(reason)
            continue
        try:
            folder = tree.read(path)
        except OSError as error:
            skipped.append(Skipped(path, error.strerror or str(error), is_expected=False))
            continue
        yield folder
        if recursive:
            pending += [_join(path, name) for name in reversed(folder.subfolders)]


class LocalTree:
    """Folders of the local file system.

    Parameters
    ----------
    root : str
        The folder.
    key : callable, optional
        Sort key of names; by default their code points, as in MXNet.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """

    def __init__(self, root: str, key: SortKey) -> None:
        self._root, self._key = root, key
        self._real_root = os.path.realpath(root)
        self._visited: set[tuple[int, int]] = set()
        if not Path(root).is_dir():
            raise FileNotFoundError(f"{root}: no such folder")

    def why_skipped(self, path: str) -> Skipped | None:
        """Return why a folder is skipped; otherwise note that it was visited."""
        if reason := _why_no_class(path):
            return reason
        full_path = os.path.join(self._root, path)  # noqa: PTH118 a Path would be slower
        try:
            status = os.stat(full_path)  # noqa: PTH116
        except OSError as error:
            return Skipped(path, error.strerror or str(error), is_expected=False)
        is_link = path != "." and os.path.islink(full_path)  # noqa: PTH114
        if is_link and _is_met_again(os.path.realpath(full_path), self._real_root):
            return Skipped(path, "a link to a folder of the root, which is listed by its own name", is_expected=False)
        if (status.st_dev, status.st_ino) in self._visited:
            return Skipped(path, "a folder that is listed by another path", is_expected=False)
        self._visited.add((status.st_dev, status.st_ino))
        return None

    def read(self, path: str) -> Folder:
        """Read a folder."""
        files: list[str] = []
        subfolders: list[str] = []
        with os.scandir(os.path.join(self._root, path)) as entries:  # noqa: PTH118
            for entry in entries:
                (subfolders if _is_folder(entry) else files).append(entry.name)
        return Folder(path, sorted(files, key=self._key), sorted(subfolders, key=self._key))

    def is_file(self, path: str) -> bool:
        """Return whether a path leads to a file."""
        return Path(self._root, path).is_file()


class StoreTree:
    """Folders of a store: the names of objects up to their slashes.

    Parameters
    ----------
    root : RemotePath
        The folder.
    key : callable, optional
        As for `LocalTree`.

    Raises
    ------
    FileNotFoundError
        If there is no object in the folder.
    """

    def __init__(self, root: RemotePath, key: SortKey) -> None:
        self._key = key
        self._folders: dict[str, tuple[list[str], set[str]]] = {}
        for path in root.list():
            self._add(path)
        if not self._folders:
            raise FileNotFoundError(f"{root}: no such folder")

    def _add(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        is_new = (folder or ".") not in self._folders
        files, _ = self._folders.setdefault(folder or ".", ([], set()))
        # Without a name, it is the mark of an empty folder.
        if name:
            files.append(name)
        while is_new and folder:
            folder, _, name = folder.rpartition("/")
            is_new = (folder or ".") not in self._folders
            self._folders.setdefault(folder or ".", ([], set()))[1].add(name)

    def why_skipped(self, path: str) -> Skipped | None:
        """Return why a folder is skipped."""
        if path.rpartition("/")[2] in ("", ".."):
            return Skipped(path, "a list cannot hold a path with // or ..", is_expected=False)
        return _why_no_class(path)

    def read(self, path: str) -> Folder:
        """Return a folder."""
        files, subfolders = self._folders[path]
        return Folder(path, sorted(files, key=self._key), sorted(subfolders, key=self._key))

    def is_file(self, path: str) -> bool:  # noqa: ARG002 of the protocol
        """Return true: all that is listed are objects."""
        return True


def _join(path: str, name: str) -> str:
    return name if path == "." else f"{path}/{name}"


def _why_no_class(path: str) -> Skipped | None:
    """Return why a folder holds no images of the user, by its name."""
    name = path.rpartition("/")[2]
    if path == "." or not _is_no_class(name):
        return None
    return Skipped(path, SYSTEM_FOLDERS.get(name, "a hidden folder"), is_expected=True)


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


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
