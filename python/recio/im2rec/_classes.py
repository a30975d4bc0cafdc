"""Names of classes: ``PREFIX.classes.txt`` beside a list, one name a line; the first is of label 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._atomic import atomic_write_lines
from recio._storage import read_bytes
from recio._util import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recio._recio import RemotePath


def save(path: Path | RemotePath, folders: Sequence[str]) -> None:
    """Write the names of folders in the order of their labels; without folders, remove an older file."""
    if folders:
        atomic_write_lines(path, [f"{printable(folder)}\n" for folder in folders])
    else:
        path.unlink(missing_ok=True)


def load(path: Path | RemotePath) -> list[str]:
    """Read the names of classes in the order of their labels.

    Raises
    ------
    ValueError
        If the file is not UTF-8, has no name or an empty line, or repeats a name.
    OSError
        If it cannot be read.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: the file of classes is not UTF-8") from None
    names = [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]
    numbers: dict[str, int] = {}
    for number, name in enumerate(names, 1):
        if not name.strip():
            raise ValueError(f"{path}: line {number} is empty; a line is the name of a class")
        if numbers.setdefault(name, number) < number:
            raise ValueError(f"{path}: line {number} repeats the class {name!r} of line {numbers[name]}")
    return names
