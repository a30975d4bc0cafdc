"""Damaged files that NumPy reads are a ValueError that names them, whatever is wrong."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING

import numpy as np

from recio.datasets import RecordDataset
from recio.io import ImageRecordIter
from tests.support.records import write_tiny

if TYPE_CHECKING:
    from pathlib import Path


def changed(data: bytes, seed: int) -> bytes:
    """Return bytes with some overwritten, or the end removed."""
    generator, result = random.Random(seed), bytearray(data)
    if seed % 3 == 0:
        return bytes(result[: generator.randrange(len(result))])
    for _ in range(generator.randrange(1, 8)):
        result[generator.randrange(min(len(result), 300))] = generator.randrange(256)
    return bytes(result)


def test_mean_image(tmp_path: Path) -> None:
    file, mean = write_tiny(tmp_path, 1), tmp_path / "mean.npy"
    out = io.BytesIO()
    np.save(out, np.zeros((3, 8, 8), np.float32))
    messages = []
    for seed in range(300):
        mean.write_bytes(changed(out.getvalue(), seed))
        try:
            ImageRecordIter(path_imgrec=file.rec, data_shape=(3, 8, 8), batch_size=1, mean_img=mean)
        except ValueError as error:
            messages.append(str(error))
    assert len(messages) > 100
    assert all("mean.npy" in message for message in messages)


def test_cache_of_labels(tmp_path: Path) -> None:
    file, cache = write_tiny(tmp_path, 3), tmp_path / "labels.npz"
    RecordDataset(file.rec, cache=cache).labels()
    sound = cache.read_bytes()
    messages = []
    for seed in range(300):
        cache.write_bytes(changed(sound, seed))
        try:
            labels = RecordDataset(file.rec, cache=cache).labels()
        except ValueError as error:
            messages.append(str(error))
        else:
            assert labels.tolist() == [0, 1, 2]
    assert len(messages) > 100
    assert all("labels.npz" in message for message in messages)
