"""Data sets in InsightFace's format, laid out as by its ``RecBuilder``. Independent of pytest."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from recio.recordio import IRHeader, MXIndexedRecordIO, pack
from tests.support.records import PHOTOS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class FaceSet:
    """Folder with ``train.rec``, ``train.idx`` and ``property``, and its contents."""

    root: Path
    images: list[bytes]
    identities: list[int]
    """Identity of each image."""


def write_face_set(root: Path, counts: Sequence[int] = (3, 1, 2), images: list[bytes] | None = None) -> FaceSet:
    """Write a set with `counts` images of each identity; the default images are photographs.

    The images come first, then the identity records, and record 0 last.
    """
    identities = [identity for identity, count in enumerate(counts) for _ in range(count)]
    images = images or [PHOTOS[n % len(PHOTOS)].read_bytes() for n in range(len(identities))]
    first = len(images) + 1
    ends = [1 + sum(counts[: n + 1]) for n in range(len(counts))]
    ranges = zip([1, *ends], ends, strict=False)
    write_keyed(
        root,
        [
            *((n, identity, image) for n, (identity, image) in enumerate(zip(identities, images, strict=True), 1)),
            *((first + n, range_, b"") for n, range_ in enumerate(ranges)),
            (0, (first, first + len(counts)), b""),
        ],
    )
    (root / "property").write_text(f"{len(counts)},112,112\n")
    return FaceSet(root, images, identities)


def face_images(counts: Sequence[int]) -> list[bytes]:
    """Return JPEGs of 112 by 112 pixels: regions of one photograph for each identity."""
    rng = np.random.default_rng(1)
    images = []
    for identity, count in enumerate(counts):
        # Neighbors are similar: photographs of one folder.
        photograph = cv2.imread(str(PHOTOS[7 * identity % len(PHOTOS)]))
        assert photograph is not None
        photograph = cv2.resize(photograph, (144, 144))
        for y, x in rng.integers(0, 32, (count, 2)):
            images.append(cv2.imencode(".jpg", photograph[y : y + 112, x : x + 112])[1].tobytes())
    return images


def write_keyed(root: Path, records: Iterable[tuple[int, float | Sequence[float], bytes]]) -> None:
    """Write records from keys, which are also the ids, labels and images."""
    with MXIndexedRecordIO(root / "train.idx", root / "train.rec", "w") as writer:
        for key, label, image in records:
            writer.write_idx(key, pack(IRHeader(0, label, key, 0), image))


def write_bin(path: Path, images: Sequence[bytes], issame: Sequence[bool], protocol: int = 4) -> Path:
    """Write a file of verification pairs."""
    path.write_bytes(pickle.dumps((list(images), list(issame)), protocol))
    return path
