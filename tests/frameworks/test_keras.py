"""Keras 3: `recio.keras.PyDataset`, and `recio.tensorflow.dataset` for its backend TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np
import pytest

from recio.io import NDArrayIter
from recio.keras import PyDataset
from tests.support.records import image_record, in_batch, noise, open_iter, png, threads, write_records

if TYPE_CHECKING:
    from recio.io import ImageRecordIter
    from tests.support.records import RecordFile

RECORDS, BATCHES = 22, 6


def open_shuffled(file: RecordFile, **settings: Any) -> ImageRecordIter:  # noqa: ANN401 settings of many types
    return open_iter(file, shuffle=True, seed=5, layout="NHWC", dtype="float32", **settings)


def expected(file: RecordFile, epoch: int) -> list[list[int]]:
    batches = open_shuffled(file)
    batches.set_epoch(epoch)
    return [in_batch(batch)[: 4 - batch.pad] for batch in batches]


class Labels(keras.losses.Loss):  # type: ignore[misc] # Keras has no types
    """Loss that records the labels of each step: the numbers of the records."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[list[int]] = []

    def call(self, y_true: Any, y_pred: Any) -> Any:  # noqa: ANN401 tensors
        jax.debug.callback(lambda y: self.steps.append(y.astype(int).tolist()), y_true, ordered=True)
        return keras.ops.mean(y_pred)


def compiled() -> tuple[Any, list[list[int]]]:
    """Return a model that is not built, and the list of the labels of its steps."""
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    loss = Labels()
    model.compile("sgd", loss)
    return model, loss.steps


def test_each_epoch_has_its_batches_in_order(tiny: RecordFile) -> None:
    model, steps = compiled()
    model.fit(PyDataset(open_shuffled(tiny)), epochs=3, verbose=0)
    assert steps == [batch for epoch in range(3) for batch in expected(tiny, epoch)]


def test_a_batch_ahead_as_on_accelerators_changes_nothing(tiny: RecordFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    model, steps = compiled()
    data = PyDataset(open_shuffled(tiny))
    model.fit(data, epochs=2, verbose=0)
    model.fit(data, verbose=0)
    assert steps == [batch for epoch in range(3) for batch in expected(tiny, epoch)]


def test_validation_has_all_samples_after_each_epoch(tiny: RecordFile) -> None:
    model, steps = compiled()
    validation = PyDataset(open_iter(tiny, layout="NHWC"))
    model.fit(PyDataset(open_shuffled(tiny)), validation_data=validation, epochs=2, verbose=0)
    in_file = [list(range(n, min(n + 4, RECORDS))) for n in range(0, RECORDS, 4)]
    assert steps == [*expected(tiny, 0), *in_file, *expected(tiny, 1), *in_file]


def test_a_second_fit_continues_with_the_next_epoch(tiny: RecordFile) -> None:
    data = PyDataset(open_shuffled(tiny))
    for epoch in range(2):
        model, steps = compiled()
        model.fit(data, verbose=0, class_weight=dict.fromkeys(range(RECORDS), 1.0))
        assert steps == expected(tiny, epoch)
        assert data.epoch == epoch


def test_initial_epoch_resumes_with_the_same_batches(tiny: RecordFile) -> None:
    model, steps = compiled()
    data = PyDataset(open_shuffled(tiny))
    data.set_epoch(5)
    model.fit(data, initial_epoch=5, epochs=7, verbose=0)
    assert steps == [*expected(tiny, 5), *expected(tiny, 6)]


def test_a_training_that_was_stopped_is_followed_by_the_next_epoch(tiny: RecordFile) -> None:
    class Stop(keras.callbacks.Callback):  # type: ignore[misc] # Keras has no types
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:  # noqa: ARG002
            self.model.stop_training = batch == 4

    model, steps = compiled()
    data = PyDataset(open_shuffled(tiny))
    model.fit(data, epochs=9, verbose=0, callbacks=[Stop()])
    assert steps == expected(tiny, 0)[:5]
    model.fit(data, verbose=0)
    assert steps[5:] == expected(tiny, 1)


def test_evaluate_and_predict_count_each_sample_once(tiny: RecordFile) -> None:
    model, steps = compiled()
    data = PyDataset(open_iter(tiny, layout="NHWC"))
    model.evaluate(data, verbose=0)
    assert [n for step in steps for n in step] == list(range(RECORDS))
    assert len(model.predict(data, verbose=0)) == RECORDS
    padded = PyDataset(open_iter(tiny, layout="NHWC"), drop_pad=False)
    assert len(model.predict(padded, verbose=0)) == 4 * BATCHES


def test_skipped_records_are_replaced_by_a_batch_of_the_next_epoch(tmp_path: Path) -> None:
    images = [png(noise(8, 8))] * 12 + [b"no image"]
    file = write_records(tmp_path, [image_record(image, number) for number, image in enumerate(images)])
    model, steps = compiled()
    model.fit(PyDataset(open_iter(file, layout="NHWC", on_error="skip")), epochs=2, verbose=0)
    epoch = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert steps == [*epoch, epoch[0], *epoch, epoch[0]]


def test_loops_without_keras_are_epochs(tiny: RecordFile) -> None:
    data = PyDataset(open_shuffled(tiny))
    assert [[y.tolist() for _, y in data] for _ in range(3)] == [expected(tiny, epoch) for epoch in range(3)]
    assert data.num_batches == BATCHES


def test_close_stops_the_threads(tiny: RecordFile) -> None:
    data = PyDataset(open_shuffled(tiny))
    assert threads()
    data.close()
    assert threads() == []


def test_wrong_arguments(tiny: RecordFile) -> None:
    with pytest.raises(TypeError, match="batches must be an iterator of recio, got list"):
        PyDataset([])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="batches must have one array of data and one of labels, got 1 and 0"):
        PyDataset(NDArrayIter(np.zeros(4), batch_size=2))
    with pytest.raises(TypeError, match="drop_pad"):
        PyDataset(open_iter(tiny), drop_pad="yes")  # type: ignore[arg-type]


@pytest.mark.parametrize(("backend", "module"), [("torch", "torch"), ("tensorflow", "tensorflow")])
def test_other_backends(tiny: RecordFile, backend: str, module: str) -> None:
    pytest.importorskip(module)
    script = Path(__file__).with_name("keras_epochs.py")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        [sys.executable, script, tiny.rec], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    once = 101.0
    assert json.loads(done.stdout) == {
        "fit": [once] * 3,
        "validation": [once] * 3,
        "evaluate": once,
        "predict": RECORDS,
        "finite": True,
    }


def test_the_backend_tensorflow_is_refused() -> None:
    code = "import recio.io, recio.keras, sys; recio.keras.PyDataset(recio.io.NDArrayIter([1.0], [1.0]))"
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    message = "RuntimeError: with the backend TensorFlow, pass recio.tensorflow.dataset(batches) to the model"
    assert done.stderr.splitlines()[-1] == message
