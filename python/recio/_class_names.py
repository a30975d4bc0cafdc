"""Files of the names of classes: ``PREFIX.classes.txt``, one name a line; the first is of label 0."""

from __future__ import annotations

SUFFIX = ".classes.txt"


def names_of(text: str) -> list[str]:
    """Return the names in a file; only line feeds end lines, as names may have all other characters."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    return lines[:-1] if lines[-1] == "" else lines
