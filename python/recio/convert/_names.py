"""Names of classes beside files of any format: ``PREFIX.classes.txt``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from recio._atomic import atomic_write_lines
from recio._class_names import SUFFIX, names_of
from recio._storage import read_bytes
from recio._util import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recio._recio import RemotePath

_OF_SHARDS = re.compile(r"[_-][0-9]+(-of-[0-9]+)?$")


def load(path: Path | RemotePath) -> list[str]:
    """Read the names of classes in a file.

    Raises
    ------
    ValueError
        If it is not UTF-8.
    OSError
        If it cannot be read.
    """
    try:
        return names_of(read_bytes(path).decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: the names of classes must be UTF-8: {error}") from None


def beside(file: Path) -> list[str] | None:
    """Return the names beside a file: those of its name, or of the name of its shards; ``None`` if there are none."""
    for prefix in (file.stem, _OF_SHARDS.sub("", file.stem)):
        path = file.with_name(f"{prefix}{SUFFIX}")
        if path.is_file():
            return load(path)
    return None


def save(path: Path | RemotePath, names: Sequence[str] | None) -> None:
    """Write a file of names, unless it has them already; without names, remove an older one."""
    if names is None:
        path.unlink(missing_ok=True)
        return
    lines = [f"{printable(name)}\n" for name in names]
    if not (path.exists() and read_bytes(path) == "".join(lines).encode()):
        atomic_write_lines(path, lines)
