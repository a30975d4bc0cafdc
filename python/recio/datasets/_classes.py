"""Names of classes: ``PREFIX.classes.txt`` beside a record file or a list, one name a line; the first is of label 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._class_names import SUFFIX, names_of
from recio._storage import LOCAL, read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from recio._recio import RemotePath
    from recio._storage import Located


def read(recs: Sequence[Located]) -> list[str] | None:
    """Return the names of the classes of record files; ``None`` if none of them has a file of names.

    Raises
    ------
    ValueError
        If the files of names differ, only some record files have one, or one is not UTF-8.
    """
    paths = [LOCAL.path(rec).with_suffix(SUFFIX) for rec in recs]
    names = {path: _lines(path) for path in paths}
    first = names[paths[0]]
    present = next((path for path in paths if names[path] is not None), None)
    for rec, path in zip(recs, paths, strict=True):
        if present is not None and names[path] is None:
            raise ValueError(
                f"{rec} has no file of names {path}, but there is {present}: labels of both files are one set, so copy "
                "it if the names are the same"
            )
    for path, other in names.items():
        if other != first:
            raise ValueError(f"{paths[0]} and {path} must have the same names: labels of both files are one set")
    return first


def _lines(path: Path | RemotePath) -> list[str] | None:
    try:
        text = read_bytes(path).decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} must be UTF-8: {error}") from None
    return names_of(text)
