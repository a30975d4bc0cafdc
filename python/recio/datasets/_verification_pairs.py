"""``read_bin`` and ``write_bin``: InsightFace's files for face verification, which are pickles of (images, issame)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recio._atomic import atomic_write
from recio._recio import RecordError
from recio._util import as_bytes, open_regular
from recio.datasets._numpy_pickle import Array
from recio.datasets._safe_pickle import build

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from recio._util import BytesLike, StrPath


class VerificationPairs(NamedTuple):
    """Pairs of images with their labels: same person or not."""

    images: list[bytes]
    """Encoded images, two for each pair: pair i is at 2 i and 2 i + 1."""
    issame: NDArray[np.bool_]
    """Shape (pairs,)."""


WRITE_BIN = "images must be bytes and issame booleans or integers, as recio.datasets.write_bin writes them"


def read_bin(path: StrPath, *, max_bytes: int = 1 << 30) -> VerificationPairs:
    """Read a file of pairs for face verification, such as ``lfw.bin``.

    No code in the file is run. Pickles of Python 3 in any protocol, and of Python 2 in protocols 1 and 2, are read if
    they hold only bytes, lists, tuples, booleans and integers; `issame` may have NumPy's booleans or integers, or be an
    array of booleans. Other arrays are refused, also as images: such a file must be written again with their bytes.

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
        damage = RecordError(f"{os.fspath(path)}: not a file of images and booleans: {error}; {WRITE_BIN}")
        damage.path = os.fspath(path)
        raise damage from None


def _read(path: Path, max_bytes: int) -> bytes:
    with open_regular(path) as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise ValueError(f"it has more than max_bytes={max_bytes} bytes")
    return data


def _pairs(content: object) -> VerificationPairs:
    items: list[Any] = list(content) if isinstance(content, list | tuple) else []
    if [type(item) in (list, tuple, Array) for item in items] != [True, True] or type(items[0]) is not list:
        raise ValueError("not a pair of lists")
    images, issame = items
    if not all(isinstance(image, bytes) for image in images):
        raise ValueError("an image is not bytes")
    same = issame.values if type(issame) is Array else _flags(issame)
    if same is None or len(images) != 2 * len(same):
        raise ValueError(f"it has {len(images)} images for {0 if same is None else len(same)} pairs")
    return VerificationPairs(images, same)


def _flags(issame: Sequence[Any]) -> NDArray[np.bool_]:
    if not all(same in (0, 1) for same in issame):
        raise ValueError("a value of issame is neither true nor false")
    return np.array(issame, np.bool_)


def write_bin(path: StrPath, pairs: Iterable[Sequence[BytesLike]], same: Iterable[bool | np.bool_]) -> None:
    """Write a file of pairs for face verification, which `read_bin` and InsightFace's own code read.

    The file is a pickle of protocol 3 with only bytes and booleans. It is complete or not written at all.

    Parameters
    ----------
    path : path
        The file, such as ``lfw.bin``.
    pairs : iterable of (bytes-like, bytes-like)
        Two encoded images for each pair, usually JPEG or PNG.
    same : iterable of bool
        Whether the images of each pair show the same person.

    Raises
    ------
    TypeError
        If an image is not bytes-like, or a value of `same` is neither true nor false.
    ValueError
        If an item of `pairs` is not two images, an image is empty or larger than 4 GiB, or the numbers of `pairs` and
        `same` differ.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> write_bin("test.bin", [(first, second)], [True])  # doctest: +SKIP
    >>> images, issame = read_bin("lfw.bin")  # doctest: +SKIP
    >>> write_bin("half.bin", zip(images[:6000:2], images[1:6000:2]), issame[:3000])  # doctest: +SKIP
    """
    flags = [_flag(number, value) for number, value in enumerate(same)]
    with atomic_write(Path(path)) as file:
        # Two lists in a tuple; an item at a time, so that the images are not in memory together.
        file.write(_PROTOCOL_3 + _LIST + _MARK)
        count = 0
        for count, pair in enumerate(pairs, 1):
            for image in _two_images(count - 1, pair):
                file.write(_BYTES + len(image).to_bytes(4, "little") + image)
        if count != len(flags):
            raise ValueError(f"same must have a value for each of {count} pairs, got {len(flags)}")
        file.write(_APPENDS + _LIST + _MARK + b"".join(_BOOLEANS[flag] for flag in flags) + _APPENDS + _PAIR + _STOP)


_PROTOCOL_3, _LIST, _MARK, _BYTES, _APPENDS, _PAIR, _STOP = b"\x80\x03", b"]", b"(", b"B", b"e", b"\x86", b"."
_BOOLEANS = {False: b"\x89", True: b"\x88"}
"""Opcodes of a pickle."""

_MAX_IMAGE = 0xFFFF_FFFF


def _flag(number: int, value: object) -> bool:
    if isinstance(value, bool | int | np.bool_ | np.integer) and value in (0, 1):
        return bool(value)
    raise TypeError(f"same[{number}] must be True or False, got {value!r}")


def _two_images(number: int, pair: Sequence[BytesLike]) -> list[bytes]:
    images = [pair] if isinstance(pair, bytes | bytearray | memoryview | str) else list(pair)
    if len(images) != 2:  # noqa: PLR2004 a pair
        raise ValueError(f"pair {number} must be two images, got {len(images)}")
    return [_image(number, image) for image in images]


def _image(number: int, image: BytesLike) -> bytes:
    try:
        data = as_bytes(image)
    except TypeError:
        raise TypeError(f"the images of pair {number} must be bytes, got {type(image).__name__}") from None
    if not 0 < len(data) <= _MAX_IMAGE:
        raise ValueError(f"the images of pair {number} must have 1 to 2^32-1 bytes, got {len(data)}")
    return data
