"""Iterators over batches: ``mx.io``.

`ImageRecordIter` is the fast one. `DataIter` is what to subclass for an iterator of one's own; `DataBatch` is what
iterators give, `DataDesc` how they describe it.
"""

from recio.io._base import DataBatch, DataDesc, DataIter
from recio.io._record import ImageRecordIter

__all__ = ["DataBatch", "DataDesc", "DataIter", "ImageRecordIter"]
