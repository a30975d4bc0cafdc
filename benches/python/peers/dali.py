"""NVIDIA DALI pipeline on the CPU, reading the same .rec file with `readers.mxnet`.

As its documentation recommends, the decoder decodes only the region of the random crop, and crop,
mirror, normalization and layout are one operator. It shuffles within a buffer of 1,024 images and
drops the last partial batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from nvidia.dali import Pipeline, fn, types

from workload import AREA, ASPECT, BATCH, MEAN, SHORTER_SIDE, SIDE, STD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from nvidia.dali.data_node import DataNode

    from workload import Loader, Task, Workload

NORMALIZE = {"dtype": types.FLOAT, "output_layout": "CHW", "mean": list(MEAN), "std": list(STD)}


def batches(workload: Workload) -> DataNode:
    """Build the graph of the task."""
    jpegs, _labels = fn.readers.mxnet(
        path=[workload.rec],
        index_path=[workload.idx],
        random_shuffle=workload.task.random,
        initial_fill=1024,
        name="reader",
    )
    return augment(jpegs, workload.task) if workload.task.random else center(jpegs)


def augment(jpegs: DataNode, task: Task) -> DataNode:
    """Decode a random region, resize, flip and, if the task requires it, normalize it."""
    crops = fn.decoders.image_random_crop(
        jpegs,
        device="cpu",
        output_type=types.RGB,
        random_area=list(AREA),
        random_aspect_ratio=list(ASPECT),
    )
    crops = fn.resize(crops, size=(SIDE, SIDE), interp_type=types.INTERP_LINEAR)
    mirror = fn.random.coin_flip(probability=0.5)
    if not task.normalized:
        return fn.flip(crops, horizontal=mirror)
    return fn.crop_mirror_normalize(crops, mirror=mirror, **NORMALIZE)


def center(jpegs: DataNode) -> DataNode:
    """Decode, resize the shorter side to 256, crop the center and normalize."""
    images = fn.decoders.image(jpegs, device="cpu", output_type=types.RGB)
    images = fn.resize(images, resize_shorter=SHORTER_SIDE, interp_type=types.INTERP_LINEAR)
    return fn.crop_mirror_normalize(images, crop=(SIDE, SIDE), **NORMALIZE)


class DaliLoader:
    """A pipeline that is used for all epochs."""

    def __init__(self, workload: Workload) -> None:
        self._pipeline = Pipeline(BATCH, workload.threads, None, seed=1, prefetch_queue_depth=2)
        with self._pipeline:
            self._pipeline.set_outputs(batches(workload))
        self._pipeline.build()
        self._batches = self._pipeline.epoch_size("reader") // BATCH

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield views of DALI's buffers, valid until the next batch."""
        for _ in range(self._batches):
            (pixels,) = self._pipeline.run()
            yield np.asarray(pixels.as_tensor())


def open_loader(workload: Workload) -> Loader:
    """Build the pipeline."""
    return DaliLoader(workload)
