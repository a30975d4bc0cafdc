"""Names of classes: ``PREFIX.classes.txt`` beside a list, one name a line; the first is of label 0."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recio._atomic import atomic_write_lines
from recio._util import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recio._util import StrPath

SUFFIX = ".classes.txt"


def save(path: Path, folders: Sequence[str]) -> None:
    """Write the names of folders in the order of their labels; without folders, remove an older file."""
    if folders:
        atomic_write_lines(path, [f"{printable(folder)}\n" for folder in folders])
    else:
        path.unlink(missing_ok=True)


def load(path: StrPath) -> list[str]:
    """Read the names of classes in the order of their labels.

    Raises
    ------
    ValueError
        If the file is not UTF-8, has no name or an empty line, or repeats a name.
    OSError
        If it cannot be read.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
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
