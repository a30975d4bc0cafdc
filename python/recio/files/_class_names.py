"""Names of classes of copied record files: ``PREFIX.classes.txt`` beside the files that are read and written."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from recio import _recio
from recio._atomic import atomic_write
from recio._class_names import SUFFIX, names_of
from recio._recio import RemotePath
from recio._storage import read_bytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def copy_names(recs: Sequence[Path | RemotePath], outs: Sequence[Path | RemotePath]) -> None:
    """Write the file of names beside each output, if those of the inputs are the same; otherwise warn.

    Without a file of names beside any input nothing is written.
    """
    contents = [_read_if_exists(rec.with_suffix(SUFFIX)) for rec in recs]
    names = {None if content is None else content.replace(b"\r\n", b"\n").rstrip(b"\n") for content in contents}
    if names == {None}:
        return
    reason = _why_not_copied(recs, len(names))
    for out in outs:
        path = out.with_suffix(SUFFIX)
        if reason is None:
            with atomic_write(path) as file:
                file.write(contents[0] or b"")
        else:
            path.unlink(missing_ok=True)
            warnings.warn(f"{path} was not written: {reason}", stacklevel=3)


def names_beside(rec: Path | RemotePath) -> list[str] | None:
    """Return the names of the classes beside a record file; ``None`` if there are none."""
    content = _read_if_exists(rec.with_suffix(SUFFIX))
    return None if content is None else names_of(content.decode(errors="replace").rstrip("\r\n"))


def _read_if_exists(path: Path | RemotePath) -> bytes | None:
    is_file = path.exists() if isinstance(path, RemotePath) else path.is_file()
    return read_bytes(path) if is_file else None


def _why_not_copied(recs: Sequence[Path | RemotePath], different: int) -> str | None:
    if len(recs) > 1 and any(_recio.face_property(rec) for rec in recs):
        return "the identities of face data sets were renumbered, and their names are not"
    if different > 1:
        listed = ", ".join(str(rec.with_suffix(SUFFIX)) for rec in recs)
        return f"the names of the classes of the merged files differ, or only some have names ({listed})"
    return None
