"""Record files with known images, and helpers to read and check batches.

The images are encoded by OpenCV, not by recio, as PNG unless a test is about JPEG, so that their pixels are preserved.
Independent of pytest.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from recio import RecordError
from recio.io import ImageRecordIter
from recio.recordio import IRHeader, MXIndexedRecordIO, MXRecordIO, pack

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from recio.io import DataBatch

DATA = Path(__file__).parents[1] / "data"
PHOTOS = sorted((DATA / "photos").glob("*/*.jpg"))
ODD = DATA / "odd-images"

FIRST_ID = 100
"""Id of the first record in the files written here; a record's id differs from its number."""


@dataclass(frozen=True)
class RecordFile:
    """A record file and its index."""

    rec: Path
    idx: Path

    @property
    def offsets(self) -> list[int]:
        """Byte offsets of the records."""
        return [int(line.split()[1]) for line in self.idx.read_text().splitlines()]


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a gray, RGB or RGBA image as PNG."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
    return cv2.imencode(".png", pixels[..., order])[1].tobytes()


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """Return an image of random pixels."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


def coordinates(height: int, width: int) -> NDArray[np.uint8]:
    """Return an image whose red is the column and whose green is the row."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([columns, rows, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def write_records(folder: Path, records: Iterable[bytes], name: str = "some") -> RecordFile:
    """Write records unchanged, indexed by their numbers."""
    file = RecordFile(folder / f"{name}.rec", folder / f"{name}.idx")
    with MXIndexedRecordIO(file.idx, file.rec, "w") as writer:
        for number, record in enumerate(records):
            writer.write_idx(number, record)
    return file


def write(path: Path, records: list[bytes]) -> Path:
    """Write records without an index."""
    with MXRecordIO(path, "w") as writer:
        for record in records:
            writer.write(record)
    return path


def read_all(path: Path) -> tuple[list[bytes], RecordError | None]:
    """Read up to the end or the first error."""
    found: list[bytes] = []
    with MXRecordIO(path, "r") as reader:
        try:
            while (record := reader.read()) is not None:
                found.append(record)
        except RecordError as error:
            return found, error
    return found, None


def image_record(image: bytes, number: int, label: float | Sequence[float] | None = None) -> bytes:
    """Pack an image with the header of record `number`, whose label defaults to the number."""
    return pack(IRHeader(0, float(number) if label is None else label, FIRST_ID + number, 0), image)


def write_images(folder: Path, images: Iterable[bytes], name: str = "some") -> RecordFile:
    """Write images, labeled by their numbers."""
    return write_records(folder, (image_record(image, number) for number, image in enumerate(images)), name)


def write_tiny(folder: Path, count: int, name: str = "tiny") -> RecordFile:
    """Write `count` images of 8 by 8 pixels."""
    return write_images(folder, [png(noise(8, 8))] * count, name)


def write_photos(folder: Path, count: int = len(PHOTOS)) -> RecordFile:
    """Write `count` photographs."""
    return write_images(folder, [PHOTOS[i % len(PHOTOS)].read_bytes() for i in range(count)], "photos")


def open_iter(file: RecordFile, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 they are of many types
    """Open an iterator over small uint8 images with batches of 4; `settings` override the defaults."""
    defaults = {
        "path_imgrec": file.rec,
        "data_shape": (3, 8, 8),
        "batch_size": 4,
        "dtype": "uint8",
        "preprocess_threads": 2,
    }
    return ImageRecordIter(**{**defaults, **settings})


def images(batches: Iterable[DataBatch]) -> NDArray[Any]:
    """Return all images of the batches, without padding."""
    return np.concatenate([batch.data[0][: len(batch.data[0]) - (batch.pad or 0)] for batch in batches])


def numbers(batches: Iterable[DataBatch]) -> list[int]:
    """Return the numbers of all records in the batches, without padding."""
    return [n for batch in batches for n in in_batch(batch)[: len(batch.data[0]) - (batch.pad or 0)]]


def in_batch(batch: DataBatch) -> list[int]:
    """Return the numbers of the records in a batch, including padding."""
    assert batch.index is not None
    return [int(n) - FIRST_ID for n in batch.index]


def labels(batch: DataBatch) -> list[Any]:
    """Return the labels of a batch."""
    assert batch.label is not None
    values: list[Any] = batch.label[0].tolist()
    return values


def epochs(batches: ImageRecordIter, count: int) -> Iterator[list[DataBatch]]:
    """Read complete epochs."""
    for _ in range(count):
        yield list(batches)
        batches.reset()


def stream(batches: ImageRecordIter, count: int) -> Iterator[DataBatch]:
    """Read complete epochs batch by batch, without keeping batches."""
    for _ in range(count):
        for batch in batches:  # noqa: UP028 `yield from` would close the iterator of a reader that stops early
            yield batch
        batches.reset()


def digest(batches: Iterable[DataBatch]) -> str:
    """Return a hash of the data, labels, index and pad of the batches."""
    sha = hashlib.sha256()
    for batch in batches:
        assert batch.index is not None
        assert batch.label is not None
        for array in (*batch.data, *batch.label, batch.index, np.array(batch.pad)):
            sha.update(array.tobytes())
    return sha.hexdigest()


_earlier_threads: set[int] = set()
"""Threads of recio that were running when the current test started: those of iterators of other tests."""


def _recio_threads() -> dict[int, str]:
    """Return the ids and names of recio's threads in this process."""
    names = {}
    for task in Path("/proc/self/task").iterdir():
        # A thread may end between listing and reading.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names[int(task.name)] = (task / "comm").read_text().strip()
    return {task: name for task, name in names.items() if name.startswith("recio-")}


def start_counting_threads() -> None:
    """Let `threads` return only threads that start from now on."""
    _earlier_threads.clear()
    _earlier_threads.update(_recio_threads())


def threads() -> list[str]:
    """Return the names of recio's threads of the current test, after a garbage collection."""
    gc.collect()
    return sorted(name for task, name in _recio_threads().items() if task not in _earlier_threads)


def assert_uniform(counts: Sequence[int] | NDArray[np.int64], constraints: int = 1) -> None:
    """Check by a chi-square test, at 0.1 %, that all counts are equally likely; the samples have fixed seeds.

    The quantile is the approximation of Wilson and Hilferty.
    """
    counts = np.asarray(counts).ravel()
    expected = counts.sum() / counts.size
    assert expected >= 5, "too few samples for the test"
    freedom = counts.size - constraints
    spread = 2 / (9 * freedom)
    limit = freedom * (1 - spread + 3.09 * math.sqrt(spread)) ** 3
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    assert chi_square < limit, f"chi-square {chi_square:.1f}, {freedom} degrees of freedom: {counts}"
