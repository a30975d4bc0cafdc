"""`ImageRecordIter` of recio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from peers.record_options import record_options
from recio.io import ImageRecordIter
from workload import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workload import Loader, Workload


class RecioLoader:
    """An iterator that is reset after each epoch; accepts more options of `ImageRecordIter`."""

    def __init__(self, workload: Workload, **options: Any) -> None:  # noqa: ANN401
        options = record_options(workload) | options
        if not workload.task.normalized:
            options |= {"dtype": "uint8", "layout": "NHWC"}
        self._iterator = ImageRecordIter(**options)

    def epoch(self) -> Iterator[NDArray[Any]]:
        """Yield the pixels of each batch, without the padding of the last."""
        for batch in self._iterator:
            yield batch.data[0][: BATCH - (batch.pad or 0)]
        self._iterator.reset()


def open_loader(workload: Workload) -> Loader:
    """Open recio's iterator."""
    return RecioLoader(workload)
