"""Apache MXNet 1.9.1's own `ImageRecordIter`, as shipped, on the packed set.

As shipped it caps `preprocess_threads` at half the processors that OpenMP sees, and has no
NHWC layout: the pixels of task C are yielded as a transposed view, which costs it nothing.
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
    """One iterator, reset from epoch to epoch."""

    def __init__(self, workload: Workload) -> None:
        self._images = len(workload.files())
        self._normalised = workload.task.normalised
        make = mx.io.ImageRecordIter if self._normalised else mx.io.ImageRecordUInt8Iter
        # With round_batch, MXNet's epochs differ in length: the next starts after the fill-in.
        options = record_options(workload) | {"round_batch": False, "verbose": False}
        self._iterator = make(**options)

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the batches' pixels, without the padding of the last."""
        left = self._images
        for batch in self._iterator:
            # Without round_batch, the last batch says `pad` 0 and ends in stale rows.
            pixels = batch.data[0].asnumpy()[:left]
            left -= len(pixels)
            yield pixels if self._normalised else pixels.transpose(0, 2, 3, 1)
        self._iterator.reset()


def open_loader(workload: Workload) -> Loader:
    """Open MXNet's iterator."""
    return MxnetLoader(workload)
