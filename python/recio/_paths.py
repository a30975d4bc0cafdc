"""What may stand for a path, and what may be read behind one."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TypeAlias

StrPath: TypeAlias = str | os.PathLike[str]


def regular(path: StrPath) -> Path:
    """Give the path of a file to be read; not of a pipe, which whoever opens waits for, nor of a device.

    Raises
    ------
    OSError
        If there is none, or it is no regular file.
    """
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(errno.EINVAL, "this is no regular file", os.fspath(path))
    return Path(path)
