"""``read_bin``: the ``.bin`` files that InsightFace verifies faces on: pickles of (images, issame)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recio._recio import RecordError
from recio._util import regular_file
from recio.datasets._safe_pickle import build

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._util import StrPath


class VerificationPairs(NamedTuple):
    """Pairs of images, and whether they show the same person."""

    images: list[bytes]
    """Image files' bytes, two for each pair: that of pair i are at 2 i and 2 i + 1."""
    issame: NDArray[np.bool_]
    """Shape (pairs,)."""


def read_bin(path: StrPath, *, max_bytes: int = 1 << 30) -> VerificationPairs:
    """Read a file of pairs for face verification, such as ``lfw.bin``.

    Nothing that is in the file is run. Pickles of Python 3 in any protocol are read, and those of Python 2 in protocols
    1 and 2, if they hold nothing but bytes, lists, tuples, truth values and whole numbers. NumPy's arrays are refused:
    a file with some has to be made anew from their bytes.

    Parameters
    ----------
    path : path
        The file.
    max_bytes : int, default 2**30
        Its largest size, in bytes; more is not read. Those of InsightFace have about 100 MB.

    Returns
    -------
    images : list of bytes
        Image files' bytes, not decoded (`recio.image.imdecode` does that): twice as many as pairs.
    issame : ndarray, shape (pairs,), bool
        Whether the images at 2 i and 2 i + 1 show the same person.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    recio.RecordError
        If it is larger than `max_bytes`, damaged, or holds anything else; the message says what, and at which byte.

    Examples
    --------
    >>> images, issame = read_bin("lfw.bin")  # doctest: +SKIP
    >>> len(images), len(issame)  # doctest: +SKIP
    (12000, 6000)
    """
    try:
        return _pairs(build(_read(Path(path), max_bytes)))
    except ValueError as error:
        damage = RecordError(f"{os.fspath(path)}: not a file of images and truth values: {error}")
        damage.path = os.fspath(path)
        raise damage from None


def _read(path: Path, max_bytes: int) -> bytes:
    with regular_file(path).open("rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"it has more than max_bytes={max_bytes} bytes")
    return data


def _pairs(content: object) -> VerificationPairs:
    if not isinstance(content, list | tuple) or [type(part) for part in content] != [list, list]:
        raise ValueError("it is no pair of lists")
    images, issame = content
    if not all(isinstance(image, bytes) for image in images):
        raise ValueError("an image is not bytes")
    if not all(same in (0, 1) for same in issame):
        raise ValueError("whether a pair is the same is neither true nor false")
    if len(images) != 2 * len(issame):
        raise ValueError(f"it has {len(images)} images for {len(issame)} pairs")
    return VerificationPairs(images, np.array(issame, np.bool_))
