"""Train, evaluate and predict with a model of Keras 3, on the backend in KERAS_BACKEND.

The argument is a record file with 22 records, labeled by their numbers. Counts of samples are printed as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import keras
import numpy as np

from recio.io import ImageRecordIter

FILE = sys.argv[1]
BATCH = 4


def open_batches(**settings: Any) -> ImageRecordIter:  # noqa: ANN401 settings of many types
    return ImageRecordIter(path_imgrec=FILE, data_shape=(3, 8, 8), batch_size=BATCH, layout="NHWC", **settings)


def dataset(**settings: Any) -> Any:  # noqa: ANN401 settings of many types
    if keras.config.backend() == "tensorflow":
        from recio.tensorflow import dataset  # noqa: PLC0415 of this backend

        return dataset(open_batches(**settings))
    from recio.keras import PyDataset  # noqa: PLC0415 of the other ones

    return PyDataset(open_batches(**settings))


class Seen(keras.metrics.Metric):  # type: ignore[misc] # Keras has no types
    """How often each record was seen in an epoch: 101 if each was seen once."""

    def __init__(self) -> None:
        super().__init__(name="seen")
        self.total = self.add_variable((22,), initializer="zeros", name="total")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # noqa: ANN401, ARG002
        """Count the labels of a batch."""
        self.total.assign_add(keras.ops.sum(keras.ops.one_hot(keras.ops.cast(y_true, "int32"), 22), axis=0))

    def result(self) -> Any:  # noqa: ANN401 a tensor
        """Return the largest count times 100, plus the smallest one."""
        return keras.ops.max(self.total) * 100 + keras.ops.min(self.total)


def model() -> Any:  # noqa: ANN401 Keras has no types
    made = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(22)])
    made.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[Seen()])
    return made


data, validation = dataset(shuffle=True, seed=5), dataset()
trained = model()
history = trained.fit(data, validation_data=validation, epochs=3, verbose=0, shuffle=False).history
counts = {
    "fit": [float(count) for count in history["seen"]],
    "validation": [float(count) for count in history["val_seen"]],
    "evaluate": float(trained.evaluate(dataset(), verbose=0, return_dict=True)["seen"]),
    "predict": len(trained.predict(dataset(), verbose=0)),
    "finite": bool(np.isfinite(history["loss"]).all()),
}
print(json.dumps(counts))  # noqa: T201 the result
