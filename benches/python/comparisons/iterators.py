"""An epoch of a batch iterator, compared with a thread pool that users would write.

Where DALI is installed (`nvidia-dali-cuda120`; no GPU is needed), it is compared with too.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import cv2

from comparisons.case import Case
from dataset import pack, photographs
from faces import BUILD, SIDE, pack_faces
from peers.face_pool import FacePool
from recio.image import (
    BrightnessJitterAug,
    CastAug,
    HorizontalFlipAug,
    HueJitterAug,
    ImageIter,
    RandomSizedCropAug,
    SequentialAug,
)
from recio.io import ImageRecordIter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import DTypeLike

    from recio.image import Augmenter

BATCH = 128
THREADS = 2

# Threads within OpenCV would compete with those of the pool.
cv2.setNumThreads(0)


def cases() -> Iterator[Case]:
    """Yield the cases."""
    yield from face_cases(pack_faces())
    yield from float_cases(pack(photographs(BUILD / "photographs"), BUILD))


def face_cases(prefix: Path) -> Iterator[Case]:
    """Yield the cases of faces: 112 x 112 pixels, mirrored at random, in the order of the file."""
    goals = {"uint8": 0.59, "float32": 0.6}
    for dtype, goal in goals.items():
        name = f"ImageRecordIter, 4,000 faces, {dtype}"
        yield Case(name, "cv2 in a thread pool", recio_epoch(prefix, dtype), pool_epoch(prefix, dtype), goal)
        if find_spec("nvidia"):
            dali = import_module("peers.dali_faces").dali_epoch(prefix, BATCH, THREADS, dtype)
            yield Case(name, "DALI", recio_epoch(prefix, dtype), dali, 0.43)


def float_cases(prefix: Path) -> Iterator[Case]:
    """Yield the cases of augmenters that make floats, compared with the same list without them."""
    geometry = [RandomSizedCropAug((224, 224), (0.08, 1.0), (3 / 4, 4 / 3), 2), HorizontalFlipAug(0.5)]
    plain = aug_list_epoch(prefix, [*geometry, CastAug()])
    added: dict[str, tuple[list[Augmenter], float]] = {
        "BrightnessJitterAug": ([*geometry, CastAug(), BrightnessJitterAug(0.4)], 1.1),
        "HueJitterAug": ([*geometry, CastAug(), HueJitterAug(0.1)], 1.1),
        "SequentialAug([flip, cast])": ([geometry[0], SequentialAug([geometry[1], CastAug()])], 1.02),
    }
    for name, (aug_list, goal) in added.items():
        yield Case(f"aug_list with {name}", "without", aug_list_epoch(prefix, aug_list), plain, goal)


def aug_list_epoch(prefix: Path, aug_list: list[Augmenter]) -> Callable[[], object]:
    """Return a function that reads an epoch with a list of augmenters."""
    iterator = ImageIter(
        batch_size=64,
        data_shape=(3, 224, 224),
        path_imgrec=str(prefix.with_suffix(".rec")),
        path_imgidx=str(prefix.with_suffix(".idx")),
        aug_list=aug_list,
        preprocess_threads=THREADS,
    )

    def epoch() -> None:
        iterator.reset()
        for _batch in iterator:
            pass

    return epoch


def recio_epoch(prefix: Path, dtype: str) -> Callable[[], object]:
    """Return a function that reads an epoch."""
    iterator = ImageRecordIter(
        path_imgrec=str(prefix.with_suffix(".rec")),
        path_imgidx=str(prefix.with_suffix(".idx")),
        data_shape=(3, SIDE, SIDE),
        batch_size=BATCH,
        rand_mirror=True,
        preprocess_threads=THREADS,
        dtype=dtype,
    )

    def epoch() -> None:
        iterator.reset()
        for batch in iterator:
            use(batch.data[0])

    return epoch


def pool_epoch(prefix: Path, dtype: DTypeLike) -> Callable[[], object]:
    """Return a function that reads an epoch with OpenCV."""
    pool = FacePool(prefix, SIDE, BATCH, THREADS, dtype)

    def epoch() -> None:
        for pixels in pool.epoch():
            use(pixels)

    return epoch


def use(pixels: Any) -> None:  # noqa: ANN401
    """Look at a batch."""
    assert pixels.shape[1:] == (3, SIDE, SIDE)  # noqa: S101
