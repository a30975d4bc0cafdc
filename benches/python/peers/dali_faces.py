"""NVIDIA DALI pipeline on the CPU that decodes and mirrors the images of a record file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from nvidia.dali import Pipeline, fn, types

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DTYPES = {"uint8": types.UINT8, "float32": types.FLOAT}


def dali_epoch(prefix: Path, batch_size: int, threads: int, dtype: str) -> Callable[[], object]:
    """Return a function that reads an epoch, in views of DALI's buffers."""
    pipeline = Pipeline(batch_size, threads, None, seed=1, prefetch_queue_depth=2)
    with pipeline:
        jpegs, _labels = fn.readers.mxnet(
            path=[str(prefix.with_suffix(".rec"))], index_path=[str(prefix.with_suffix(".idx"))], name="reader"
        )
        images = fn.decoders.image(jpegs, device="cpu", output_type=types.RGB)
        mirror = fn.random.coin_flip(probability=0.5)
        pipeline.set_outputs(fn.crop_mirror_normalize(images, mirror=mirror, dtype=DTYPES[dtype], output_layout="CHW"))
    pipeline.build()
    batches = -(-pipeline.epoch_size("reader") // batch_size)

    def epoch() -> None:
        for _ in range(batches):
            (pixels,) = pipeline.run()
            np.asarray(pixels.as_tensor())

    return epoch
