"""Cache of labels and ids on disk, which spares the next process reading all headers.

The cache is valid for one state of the record files: it holds a fingerprint of the sizes and times of the files and
their indexes and of the keys, and is ignored if that differs. It is a NumPy archive, read without pickle.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._atomic import atomic_write
from recio._storage import size_and_version
from recio._util import open_regular
from recio.datasets._labels import from_flat, to_flat

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.datasets._record_file import ImageRecords

_MEMBERS = {"recio_labels", "ids", "widths", "values"}
"""The first holds the fingerprint, and marks the file as a cache of recio's."""


def fingerprint(records: ImageRecords) -> bytes:
    """Return 32 bytes that change with the files and with the selection of records."""
    sha = hashlib.sha256(records.keys().tobytes())
    for file in records.files:
        paths = [file.located] if file.located_index is None else [file.located, file.located_index]
        for size, version in map(size_and_version, paths):
            sha.update(f"{size} {version};".encode())
    return sha.digest()


def load(path: Path, expected: bytes) -> tuple[NDArray[np.uint64], NDArray[Any]] | None:
    """Read ids and labels.

    Returns
    -------
    (ids, labels) or None
        ``None`` if there is no cache, or it is of other record files.

    Raises
    ------
    ValueError
        If the file is no cache: it would be overwritten.
    """
    try:
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            columns = {name: archive[name] for name in _MEMBERS}
        valid = columns["recio_labels"].tobytes() == expected
        return (columns["ids"], from_flat(columns["widths"], columns["values"])) if valid else None
    except FileNotFoundError:
        return None
    except OSError:
        raise
    except Exception as error:  # NumPy and zipfile raise many kinds for damaged files
        raise ValueError(f"{path} is not a complete cache of labels; remove it or name another file") from error


def save(path: Path, digest: bytes, ids: NDArray[np.uint64], labels: NDArray[Any]) -> None:
    """Write ids and labels atomically: several processes may do so at once."""
    widths, values = to_flat(labels)
    with atomic_write(path) as file:
        np.savez(file, recio_labels=np.frombuffer(digest, np.uint8), ids=ids, widths=widths, values=values)
