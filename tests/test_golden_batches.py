"""`ImageRecordIter` against batches that MXNet 1.9.1 made of the same files with the same settings.

``data/golden/batches.json`` has the settings, ``batches.npz`` the batches: all records in one, made with
``preprocess_threads=1`` by MXNet's wheel, whose decoder is libjpeg-turbo. Decoders of JPEG agree on the luminance, but
not quite on where the colours of subsampled images are; so the bound is tight where there is no subsampling.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.io import ImageRecordIter
from recio.recordio import MXRecordIO, unpack

from .records import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

GOLDEN = DATA / "golden"
SETTINGS: dict[str, dict[str, Any]] = json.loads((GOLDEN / "batches.json").read_text())
RECORDS = 26

FRAME_HEADERS = {0xC0, 0xC1, 0xC2}
ANYWHERE = 4
"""Levels by which a sample of an image without subsampled colour may differ."""
ON_AVERAGE = 1.0
"""Levels by which the samples of another image may differ, on average."""


@pytest.fixture(scope="module")
def golden() -> dict[str, NDArray[Any]]:
    with np.load(GOLDEN / "batches.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def subsampled() -> NDArray[np.bool_]:
    """Which records are JPEGs with fewer colour samples than pixels."""
    with MXRecordIO(GOLDEN / "images.rec", "r") as records:
        return np.array([is_subsampled(unpack(record)[1]) for record in records])


def segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the marker and the content of each segment before the scan."""
    at = 2
    while jpeg[at + 1] != 0xDA:
        length = int.from_bytes(jpeg[at + 2 : at + 4], "big")
        yield jpeg[at + 1], jpeg[at + 4 : at + 2 + length]
        at += 2 + length


def is_subsampled(image: bytes) -> bool:
    if not image.startswith(b"\xff\xd8"):
        return False
    frame = next(content for marker, content in segments(image) if marker in FRAME_HEADERS)
    components = frame[5]
    return len(set(frame[7::3][:components])) > 1


def one_batch(name: str, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 settings are of many types
    return ImageRecordIter(path_imgrec=GOLDEN / name, batch_size=RECORDS, preprocess_threads=2, **settings)


def in_levels(difference: NDArray[Any], settings: dict[str, Any]) -> NDArray[Any]:
    """Undo the normalisation of a difference between normalised images."""
    std = [settings.get(f"std_{channel}", 1.0) for channel in "rgb"][: difference.shape[1]]
    levels: NDArray[Any] = difference * np.reshape(std, (1, -1, 1, 1)) / settings.get("scale", 1.0)
    return levels


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_batches_are_those_of_mxnet(name: str, golden: dict[str, NDArray[Any]], subsampled: NDArray[np.bool_]) -> None:
    settings = SETTINGS[name]
    batch = one_batch("images.rec", **settings).next()
    expected = golden[name]
    assert batch.data[0].dtype == expected.dtype
    assert batch.label is not None
    np.testing.assert_array_equal(batch.label[0], golden[f"{name}_label"])

    difference = np.abs(in_levels(batch.data[0].astype(float) - expected, settings))
    anywhere, average = difference.max(axis=(1, 2, 3)), difference.mean(axis=(1, 2, 3))
    print(  # noqa: T201 the measured figures, for pytest -s
        f"{name}: full colour at most {anywhere[~subsampled].max():.2f} anywhere; "
        f"subsampled {average[subsampled].max():.3f} on average, {anywhere[subsampled].max():.2f} anywhere"
    )
    assert anywhere[~subsampled].max() <= ANYWHERE + 1e-3
    assert average[subsampled].max() <= ON_AVERAGE


def test_the_files_have_images_of_both_kinds(subsampled: NDArray[np.bool_]) -> None:
    assert subsampled.sum() >= 16
    assert (~subsampled).sum() >= 4


def test_several_labels_are_those_of_mxnet(golden: dict[str, NDArray[Any]]) -> None:
    batch = one_batch("multilabel.rec", data_shape=(3, 32, 32), resize=40, dtype="uint8", label_width=3).next()
    assert batch.label is not None
    np.testing.assert_array_equal(batch.label[0], golden["multi_label"])
    difference = np.abs(batch.data[0].astype(float) - golden["multi"]).mean(axis=(1, 2, 3))
    assert difference.max() <= ON_AVERAGE


def test_the_index_gives_the_same_batch() -> None:
    settings = {"data_shape": (3, 64, 64), "dtype": "uint8"}
    plain = one_batch("images.rec", **settings).next()
    indexed = one_batch("images.rec", path_imgidx=GOLDEN / "images.idx", **settings).next()
    np.testing.assert_array_equal(plain.data[0], indexed.data[0])
    assert plain.index is not None
    assert plain.index.tolist() == list(range(1000, 1000 + RECORDS))
