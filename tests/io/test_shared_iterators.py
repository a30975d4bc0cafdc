"""Row R28: one iterator used by many threads: each batch goes to exactly one of them."""

from __future__ import annotations

import gzip
import struct
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import ImageDetIter, ImageIter
from recio.io import (
    CSVIter,
    ImageDetRecordIter,
    LibSVMIter,
    MNISTIter,
    NDArrayIter,
    PrefetchingIter,
    ResizeIter,
)
from recio.recordio import IRHeader, pack
from tests.support.records import FIRST_ID, RecordFile, noise, open_iter, png, write_records, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SAMPLES = 600
THREADS = 32
EPOCHS = 4


class ImageHook(ImageIter):
    """Iterator with a hook that native threads call."""

    def check_valid_image(self, data: Any) -> None:  # noqa: ANN401 a list of arrays
        super().check_valid_image(data)


class ReadingHook(ImageIter):
    """Iterator with a hook that the calling thread calls."""

    def read_image(self, fname: str) -> bytes:
        return super().read_image(fname)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    return write_tiny(tmp_path_factory.mktemp("shared"), SAMPLES)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    label = [2, 5, 1, 0.1, 0.1, 0.9, 0.9]
    image = png(noise(8, 8))
    records = (pack(IRHeader(0, label, FIRST_ID + number, 0), image) for number in range(SAMPLES))
    return write_records(tmp_path_factory.mktemp("objects"), records)


def arrays(**settings: Any) -> NDArrayIter:  # noqa: ANN401 they are of many types
    return NDArrayIter(np.arange(SAMPLES), batch_size=1, **settings)


def csv(folder: Path) -> CSVIter:
    (folder / "a.csv").write_text("".join(f"{number}\n" for number in range(SAMPLES)))
    return CSVIter(data_csv=folder / "a.csv", data_shape=1, batch_size=1)


def libsvm(folder: Path) -> LibSVMIter:
    (folder / "a.t").write_text("".join(f"{number} 0:1\n" for number in range(SAMPLES)))
    return LibSVMIter(data_libsvm=folder / "a.t", data_shape=1, batch_size=1)


def mnist(folder: Path) -> MNISTIter:
    image = struct.pack(">4I", 0x803, SAMPLES, 1, 1) + bytes(SAMPLES)
    (folder / "image").write_bytes(gzip.compress(image))
    (folder / "label").write_bytes(struct.pack(">2I", 0x801, SAMPLES) + bytes(SAMPLES))
    return MNISTIter(image=folder / "image", label=folder / "label", batch_size=1, shuffle=False)


def image_iter(kind: type[ImageIter], file: RecordFile) -> ImageIter:
    return kind(1, (3, 8, 8), path_imgrec=file.rec, preprocess_threads=2)


KINDS: dict[str, Callable[[Path, RecordFile, RecordFile], Any]] = {
    "ImageRecordIter": lambda _, tiny, __: open_iter(tiny, batch_size=1),
    "ImageDetRecordIter": lambda _, __, objects: ImageDetRecordIter(
        path_imgrec=objects.rec, data_shape=(3, 8, 8), batch_size=1
    ),
    "ImageIter": lambda _, tiny, __: image_iter(ImageIter, tiny),
    "ImageIter with a hook": lambda _, tiny, __: image_iter(ImageHook, tiny),
    "ImageIter with a reading hook": lambda _, tiny, __: image_iter(ReadingHook, tiny),
    "ImageDetIter": lambda _, __, objects: ImageDetIter(1, (3, 8, 8), path_imgrec=objects.rec),
    "NDArrayIter": lambda *_: arrays(),
    "CSVIter": lambda folder, *_: csv(folder),
    "LibSVMIter": lambda folder, *_: libsvm(folder),
    "MNISTIter": lambda folder, *_: mnist(folder),
    "ResizeIter": lambda *_: ResizeIter(arrays(), SAMPLES),
    "ResizeIter of ImageRecordIter": lambda _, tiny, __: ResizeIter(open_iter(tiny, batch_size=1), SAMPLES),
    "PrefetchingIter": lambda *_: PrefetchingIter(arrays()),
    "PrefetchingIter of ImageRecordIter": lambda _, tiny, __: PrefetchingIter(open_iter(tiny, batch_size=1)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_batch_goes_to_one_thread(tmp_path: Path, tiny: RecordFile, objects: RecordFile, kind: str) -> None:
    batches = KINDS[kind](tmp_path, tiny, objects)
    for _ in range(EPOCHS):
        taken: list[int] = []
        errors: list[BaseException] = []

        def read(taken: list[int] = taken, errors: list[BaseException] = errors) -> None:
            try:
                taken.extend(int(batch.index[0]) for batch in batches)
            except BaseException as error:  # noqa: BLE001 reported by the test
                errors.append(error)

        threads = [threading.Thread(target=read) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        first = min(taken)
        assert sorted(taken) == list(range(first, first + SAMPLES))
        batches.reset()
    getattr(batches, "close", lambda: None)()
