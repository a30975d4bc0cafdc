"""Labels and ids on disk, so that the next process need not read all headers again.

The file belongs to one state of one record file: it holds a fingerprint of both files' sizes and times and of the keys,
and counts for nothing where that differs. It is a NumPy archive, read without pickle.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._atomic import atomic_write
from recio.datasets._labels import from_flat, to_flat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.datasets._record_file import ImageRecordFile

_MEMBERS = {"recio_labels", "ids", "widths", "values"}
"""The first holds the fingerprint, and makes known whose file it is."""


def fingerprint(file: ImageRecordFile, keys: NDArray[np.uint64]) -> bytes:
    """Give what changes when the files or the choice of records do, 32 bytes."""
    sha = hashlib.sha256(keys.tobytes())
    for path in filter(None, (file.path, file.path_imgidx)):
        stat = Path(path).stat()
        sha.update(f"{stat.st_size} {stat.st_mtime_ns};".encode())
    return sha.digest()


def load(path: Path, expected: bytes) -> tuple[NDArray[np.uint64], NDArray[Any]] | None:
    """Read ids and labels.

    Returns
    -------
    (ids, labels) or None
        ``None`` if there is no such file, or it is of other record files.

    Raises
    ------
    ValueError
        If the file is anything else: it would be overwritten.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in _MEMBERS}
        same = columns["recio_labels"].tobytes() == expected
        return (columns["ids"], from_flat(columns["widths"], columns["values"])) if same else None
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not, or not a whole, cache of labels; remove it or name another file") from error


def save(path: Path, own: bytes, ids: NDArray[np.uint64], labels: NDArray[Any]) -> None:
    """Write ids and labels, whole or not at all: several processes may do so at once."""
    widths, values = to_flat(labels)
    mine = np.frombuffer(own, np.uint8)
    with atomic_write(path) as file:
        np.savez(file, recio_labels=mine, ids=ids, widths=widths, values=values)
