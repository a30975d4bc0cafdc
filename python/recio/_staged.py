"""Files that appear under their name when they are whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_folder(path: Path) -> None:
    """Raise if there is no folder for a file, before work is done that would be lost."""
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


@contextlib.contextmanager
def staged(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be written; it gets its name when the block ends, and is removed if the block fails.

    Its permissions are those of any new file; `tempfile` would make it the owner's alone.
    """
    check_folder(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
