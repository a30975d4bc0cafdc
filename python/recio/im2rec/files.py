"""Text files that are there whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._staged import staged

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


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
