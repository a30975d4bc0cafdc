"""`ImageRecordIter` against batches of MXNet 1.9.1 for the same files and settings.

``data/golden/batches.json`` has the settings, ``batches.npz`` the batches: all records in one batch, from MXNet's wheel
with ``preprocess_threads=1``. recio's batches are the same, bit for bit; for bicubic and Lanczos resampling, whose
arithmetic differs between builds of OpenCV, they differ by at most 1.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.io import ImageRecordIter
from tests.support.records import DATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = DATA / "golden"
SETTINGS: dict[str, dict[str, Any]] = json.loads((GOLDEN / "batches.json").read_text())
RECORDS = 26

CUBIC, LANCZOS = 2, 4
INEXACT = {CUBIC, LANCZOS}


@pytest.fixture(scope="module")
def golden() -> dict[str, NDArray[Any]]:
    with np.load(GOLDEN / "batches.npz") as arrays:
        return dict(arrays)


def one_batch(name: str, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 settings are of many types
    return ImageRecordIter(path_imgrec=GOLDEN / name, batch_size=RECORDS, preprocess_threads=2, **settings)


def denormalized(difference: NDArray[Any], settings: dict[str, Any]) -> NDArray[Any]:
    """Undo the normalization of a difference between normalized images."""
    std = [settings.get(f"std_{channel}", 1.0) for channel in "rgb"][: difference.shape[1]]
    pixel_difference: NDArray[Any] = difference * np.reshape(std, (1, -1, 1, 1)) / settings.get("scale", 1.0)
    return pixel_difference


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_batches_equal_mxnets(name: str, golden: dict[str, NDArray[Any]]) -> None:
    settings = SETTINGS[name]
    batch = one_batch("images.rec", **settings).next()
    expected = golden[name]
    assert batch.data[0].dtype == expected.dtype
    assert batch.label is not None
    np.testing.assert_array_equal(batch.label[0], golden[f"{name}_label"])
    if settings.get("inter_method") in INEXACT:
        difference = denormalized(batch.data[0].astype(float) - expected, settings)
        assert np.abs(difference).max() <= 1 + 1e-3
    else:
        np.testing.assert_array_equal(batch.data[0], expected)


def test_most_settings_are_compared_bit_for_bit() -> None:
    exact = [name for name, settings in SETTINGS.items() if settings.get("inter_method") not in INEXACT]
    assert len(exact) >= len(SETTINGS) - len(INEXACT)


def test_several_labels_equal_mxnets(golden: dict[str, NDArray[Any]]) -> None:
    batch = one_batch("multilabel.rec", data_shape=(3, 32, 32), resize=40, dtype="uint8", label_width=3).next()
    assert batch.label is not None
    np.testing.assert_array_equal(batch.label[0], golden["multi_label"])
    np.testing.assert_array_equal(batch.data[0], golden["multi"])


def test_index_file_gives_the_same_batch() -> None:
    settings = {"data_shape": (3, 64, 64), "dtype": "uint8"}
    plain = one_batch("images.rec", **settings).next()
    indexed = one_batch("images.rec", path_imgidx=GOLDEN / "images.idx", **settings).next()
    np.testing.assert_array_equal(plain.data[0], indexed.data[0])
    assert plain.index is not None
    assert plain.index.tolist() == list(range(1000, 1000 + RECORDS))
