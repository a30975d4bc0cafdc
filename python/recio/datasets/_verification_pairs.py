"""``read_bin``: InsightFace's ``.bin`` files for face verification, which are pickles of (images, issame)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recio._recio import RecordError
from recio._util import open_regular
from recio.datasets._safe_pickle import build

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._util import StrPath


class VerificationPairs(NamedTuple):
    """Pairs of images with their labels: same person or not."""

    images: list[bytes]
    """Encoded images, two for each pair: pair i is at 2 i and 2 i + 1."""
    issame: NDArray[np.bool_]
    """Shape (pairs,)."""


def read_bin(path: StrPath, *, max_bytes: int = 1 << 30) -> VerificationPairs:
    """Read a file of pairs for face verification, such as ``lfw.bin``.

    No code in the file is run. Pickles of Python 3 in any protocol, and of Python 2 in protocols 1 and 2, are read if
    they hold only bytes, lists, tuples, booleans and integers. NumPy arrays are refused: such a file must be written
    again with their bytes.

    Parameters
    ----------
    path : path
        The file.
    max_bytes : int, default 2**30
        Maximum size of the file in bytes. InsightFace's files have about 100 MB.

    Returns
    -------
    images : list of bytes
        Encoded images, two for each pair; `recio.image.imdecode` decodes them.
    issame : ndarray, shape (pairs,), bool
        Whether the images at 2 i and 2 i + 1 show the same person.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    recio.RecordError
        If the file is larger than `max_bytes`, damaged, or holds anything else; the message names it and its offset.

    Examples
    --------
    >>> images, issame = read_bin("lfw.bin")  # doctest: +SKIP
    >>> len(images), len(issame)  # doctest: +SKIP
    (12000, 6000)
    """
    try:
        return _pairs(build(_read(Path(path), max_bytes)))
    except ValueError as error:
        damage = RecordError(f"{os.fspath(path)}: not a file of images and booleans: {error}")
        damage.path = os.fspath(path)
        raise damage from None


def _read(path: Path, max_bytes: int) -> bytes:
    with open_regular(path) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"it has more than max_bytes={max_bytes} bytes")
    return data


def _pairs(content: object) -> VerificationPairs:
    if not isinstance(content, list | tuple) or [type(item) for item in content] != [list, list]:
        raise ValueError("not a pair of lists")
    images, issame = content
    if not all(isinstance(image, bytes) for image in images):
        raise ValueError("an image is not bytes")
    if not all(same in (0, 1) for same in issame):
        raise ValueError("a value of issame is neither true nor false")
    if len(images) != 2 * len(issame):
        raise ValueError(f"it has {len(images)} images for {len(issame)} pairs")
    return VerificationPairs(images, np.array(issame, np.bool_))
