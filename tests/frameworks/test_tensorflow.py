"""TensorFlow: `recio.tensorflow.dataset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tensorflow as tf

import recio.tensorflow
from recio.io import ImageDetRecordIter, ImageMaskRecordIter, NDArrayIter
from tests.support.records import image_record, noise, open_iter, png, write_records

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.support.records import RecordFile

RECORDS, BATCHES = 22, 6


def labels(pairs: Iterable[Any]) -> list[list[float]]:
    return [y.numpy().tolist() for _, y in pairs]


def expected(file: RecordFile, epoch: int) -> list[list[float]]:
    batches = open_iter(file, shuffle=True, seed=5)
    batches.set_epoch(epoch)
    return [batch.label[0][: len(batch.label[0]) - batch.pad].tolist() for batch in batches]


def test_elements_are_the_batches_without_pad(tiny: RecordFile) -> None:
    data = recio.tensorflow.dataset(open_iter(tiny, dtype="float16"))
    assert data.element_spec == (tf.TensorSpec((None, 3, 8, 8), tf.float16), tf.TensorSpec((None,), tf.float32))
    assert len(data) == BATCHES
    for (x, y), batch in zip(data, open_iter(tiny, dtype="float16"), strict=True):
        np.testing.assert_array_equal(x, batch.data[0][: len(x)])
        np.testing.assert_array_equal(y, batch.label[0][: len(y)])
        assert len(x) == len(y) == 4 - batch.pad


def test_with_pad_all_elements_have_one_shape(tiny: RecordFile) -> None:
    data = recio.tensorflow.dataset(open_iter(tiny), drop_pad=False)
    assert data.element_spec[0] == tf.TensorSpec((4, 3, 8, 8), tf.uint8)
    assert [len(x) for x, _ in data] == [4] * BATCHES


def test_each_loop_is_an_epoch(tiny: RecordFile) -> None:
    data = recio.tensorflow.dataset(open_iter(tiny, shuffle=True, seed=5))
    assert [labels(data) for _ in range(3)] == [expected(tiny, epoch) for epoch in range(3)]
    assert labels(data.take(2)) == expected(tiny, 3)[:2]
    assert labels(data) == expected(tiny, 4)


def test_the_first_loop_is_over_the_epoch_of_the_iterator(tiny: RecordFile) -> None:
    batches = open_iter(tiny, shuffle=True, seed=5)
    batches.set_epoch(3)
    data = recio.tensorflow.dataset(batches)
    assert [labels(data) for _ in range(2)] == [expected(tiny, epoch) for epoch in (3, 4)]


def test_a_state_is_that_after_the_last_element(tiny: RecordFile) -> None:
    stopped, resumed = (open_iter(tiny, shuffle=True, seed=5) for _ in range(2))
    for _ in recio.tensorflow.dataset(stopped).take(3):
        pass
    resumed.load_state_dict(stopped.state_dict())
    assert [batch.label[0][: 4 - batch.pad].tolist() for batch in resumed] == expected(tiny, 0)[3:]
    assert labels(recio.tensorflow.dataset(resumed)) == expected(tiny, 1)


def test_tensors_share_the_memory_of_the_batches_and_keep_it(tiny: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = open_iter(tiny, random_h=90, seed=1, dtype="float32")
    addresses, copies = [], []
    make = type(batches).next

    def spied(self: Any) -> Any:  # noqa: ANN401 an iterator and its batch
        batch = make(self)
        addresses.append(batch.data[0].ctypes.data)
        copies.append(batch.data[0].copy())
        return batch

    monkeypatch.setattr(type(batches), "next", spied)
    data = recio.tensorflow.dataset(batches, drop_pad=False)
    kept = [x for _ in range(5) for x, _ in data]
    assert [np.from_dlpack(x).ctypes.data for x in kept] == addresses
    assert len(set(addresses)) == len(kept) == 5 * BATCHES
    np.testing.assert_array_equal(kept, copies)


def test_masks_are_labels(tmp_path: Path) -> None:
    images = write_records(tmp_path, [image_record(png(noise(8, 8)), n) for n in range(3)], "images")
    masks = write_records(tmp_path, [image_record(png(noise(8, 8, 1, n)), n) for n in range(3)], "masks")
    batches = ImageMaskRecordIter(path_imgrec=images.rec, path_maskrec=masks.rec, data_shape=(3, 8, 8), batch_size=3)
    ((_, y),) = recio.tensorflow.dataset(batches)
    assert y.dtype == tf.uint8
    np.testing.assert_array_equal(y, [noise(8, 8, 1, n)[..., 0] for n in range(3)])


def test_detection_labels_are_rows(tmp_path: Path) -> None:
    label = [2, 5, 1, 0.25, 0.25, 0.5, 0.75]
    file = write_records(tmp_path, [image_record(png(noise(8, 8)), n, label) for n in range(3)])
    batches = ImageDetRecordIter(path_imgrec=file.rec, data_shape=(3, 8, 8), batch_size=3)
    ((_, y),) = recio.tensorflow.dataset(batches)
    np.testing.assert_array_equal(y, [[3, 8, 8, 7, *label]] * 3)


def test_skipped_records_may_leave_fewer_batches(tmp_path: Path) -> None:
    images = [png(noise(8, 8))] * 4 + [b"no image"]
    file = write_records(tmp_path, [image_record(image, number) for number, image in enumerate(images)])
    data = recio.tensorflow.dataset(open_iter(file, on_error="skip"))
    assert [labels(data) for _ in range(2)] == [[[0, 1, 2, 3]]] * 2
    assert data.cardinality() == tf.data.UNKNOWN_CARDINALITY


def test_damage_is_an_error_of_tensorflow_that_names_the_record(tmp_path: Path) -> None:
    file = write_records(tmp_path, [image_record(b"no image", 0)])
    with pytest.raises(tf.errors.OpError, match="record 0"):
        list(recio.tensorflow.dataset(open_iter(file, batch_size=1)))


def test_wrong_arguments(tiny: RecordFile) -> None:
    with pytest.raises(TypeError, match="batches must be an iterator of recio, got list"):
        recio.tensorflow.dataset([])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="batches must have one array of data and one of labels, got 1 and 0"):
        recio.tensorflow.dataset(NDArrayIter(np.zeros(4), batch_size=2))
    with pytest.raises(TypeError, match="drop_pad"):
        recio.tensorflow.dataset(open_iter(tiny), drop_pad="yes")  # type: ignore[arg-type]
