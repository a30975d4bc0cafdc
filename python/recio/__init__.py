"""RecordIO image data as NumPy batches.

Reads and writes the ``.rec``, ``.idx`` and ``.lst`` files of MXNet, with MXNet's names and results, and with nothing to
install but NumPy. ``import recio as mx`` is the line that a script on ``mx.recordio``, ``mx.io`` or ``mx.image`` changes.

============== ==========================================================
recio.recordio records and their headers, one by one
recio.image    single images: decode, encode, resize, crop
recio.io       iterators over batches; ``ImageRecordIter`` is the fast one
recio.im2rec   folders of images to record files
recio.errors   the exceptions that are recio's own
============== ==========================================================
"""

from recio import errors, image, io, recordio
from recio._recio import __version__
from recio.errors import DecodeError, RecordError

__all__ = ["DecodeError", "RecordError", "__version__", "errors", "image", "io", "recordio"]
