"""`ImageRecordIter` of Apache MXNet 1.9.1 on the same .rec file.

It limits `preprocess_threads` to half of the processors that OpenMP reports and has no NHWC layout:
the pixels of task C are yielded as a transposed view, which takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mxnet as mx

from peers.record_options import record_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workload import Loader, Workload


class MxnetLoader:
    """An iterator that is reset after each epoch."""

    def __init__(self, workload: Workload) -> None:
        self._images = len(workload.files())
        self._normalized = workload.task.normalized
        make = mx.io.ImageRecordIter if self._normalized else mx.io.ImageRecordUInt8Iter
        # With round_batch the length of an epoch varies: the next starts after the padding.
        options = record_options(workload) | {"round_batch": False, "verbose": False}
        self._iterator = make(**options)

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the pixels of each batch, without the padding of the last."""
        remaining = self._images
        for batch in self._iterator:
            # Without round_batch the last batch has pad == 0 and ends with stale rows.
            pixels = batch.data[0].asnumpy()[:remaining]
            remaining -= len(pixels)
            yield pixels if self._normalized else pixels.transpose(0, 2, 3, 1)
        self._iterator.reset()


def open_loader(workload: Workload) -> Loader:
    """Open MXNet's iterator."""
    return MxnetLoader(workload)
