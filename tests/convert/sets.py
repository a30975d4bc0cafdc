"""Record files with all that records can have, and how files are compared. Independent of pytest."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from recio.recordio import MXIndexedRecordIO
from tests.support.records import PHOTOS, RecordFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

IMAGES = [path.read_bytes() for path in PHOTOS[:6]]
MAGIC = bytes.fromhex("0a23d7ce")
OTHER_NAN = np.frombuffer(bytes.fromhex("0100c07f"), "<f4")
"""A NaN with other bits than the usual one."""


def record(id_: int, label: float, image: bytes, *, flag: int = 0, id2: int = 0, labels: Sequence[Any] = ()) -> bytes:
    """Return a record with any header."""
    return struct.pack("<IfQQ", flag, label, id_, id2) + np.asarray(labels, "<f4").tobytes() + image


def write(folder: Path, name: str, records: Iterable[tuple[int, bytes]]) -> RecordFile:
    """Write records under their keys."""
    file = RecordFile(folder / f"{name}.rec", folder / f"{name}.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        for key, content in records:
            writer.write_idx(key, content)
    return file


def labeled(labels: Sequence[float], images: Sequence[bytes] = IMAGES) -> list[tuple[int, bytes]]:
    """Return records with these labels, whose keys are their numbers."""
    return [(n, record(n, label, images[n % len(images)])) for n, label in enumerate(labels)]


SETS: dict[str, list[tuple[int, bytes]]] = {
    "of im2rec": labeled([0, 0, 1, 1, 2, 2]),
    "with new keys": [(n, record(100 - n, n, image)) for n, image in enumerate(IMAGES)],
    "in another order": [(7 - n, record(7 - n, n, image)) for n, image in enumerate(IMAGES)],
    "with several labels": [(n, record(n, 0, image, flag=3, labels=[n, 0.1, -0.0])) for n, image in enumerate(IMAGES)],
    "with more and more labels": [
        (n, record(n, 0, IMAGES[n], flag=n, labels=[5.0] * n)) if n > 1 else (n, record(n, 4, IMAGES[n]))
        for n in range(5)
    ],
    "with labels of float32": labeled([0.1, -0.0, 0.0, -2.5, 1e30, 1e-45]),
    "with labels that are no numbers": labeled([np.nan, np.inf, -np.inf]),
    "with large labels": labeled([2.0**24 + 2, 2.0**40, 2.0**62, -(2.0**63)]),
    "with large ids": [(n, record((1 << 64) - 1 - n, 1, image)) for n, image in enumerate(IMAGES)],
    "with large keys": [((1 << 64) - 1 - n, record((1 << 64) - 1 - n, 1, image)) for n, image in enumerate(IMAGES)],
    "with unusual headers": [
        (0, record(0, 0, IMAGES[0], flag=1, labels=[3])),
        (1, record(1, 2, IMAGES[1], id2=9)),
        (2, record(2, 5, IMAGES[2], flag=2, labels=[1, 2])),
        (3, record(3, 4, IMAGES[3])),
        (4, record(4, float(OTHER_NAN[0]), IMAGES[4])[:4] + OTHER_NAN.tobytes() + record(4, 0, IMAGES[4])[8:]),
        (5, record(5, 0, IMAGES[5], flag=2, labels=[*OTHER_NAN, 1])),
    ],
    "with the magic number": [(0, record(0, 1, MAGIC * 5)), (1, record(1, 1, b"abcd" + MAGIC + IMAGES[0]))],
    "with records without an image": [
        (0, record(0, 0, b"", flag=2, labels=[8, 9])),
        (1, record(1, 1, IMAGES[0])),
        (5, record(5, 3, b"")),
        (6, record(6, 2, IMAGES[1], id2=3)),
        (8, record(8, 0, b"", flag=2, labels=[1, 7])),
    ],
    "with images of no known format": [(0, record(0, 1, b"?")), (1, record(1, 1, b"\0" * 600))],
}
SUFFIX = {"folder": "", "tar": ".tar", "tfrecord": ".tfrecord", "parquet": ".parquet"}
"""The formats beside record files, and the ends of their names."""


def same(file: RecordFile, other: Path) -> bool:
    """Return whether a record file and its index are the same as others, byte for byte."""
    names = (file.rec, other.with_suffix(".rec")), (file.idx, other.with_suffix(".idx"))
    return all(a.read_bytes() == b.read_bytes() for a, b in names)


def tree(folder: Path) -> list[str]:
    """Return the paths of all files in a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
