"""Reading and writing single records: ``mx.recordio``.

A RecordIO file (``.rec``) is a sequence of records, each of up to 2**29 - 1 arbitrary bytes. An index file (``.idx``)
maps keys to their offsets. An image record begins with a header (`IRHeader`) that holds its labels and its id.
`records` and `frame` read and write records of streams and buffers.
"""

from recio.recordio._header import IRHeader, pack, pack_img, unpack, unpack_img
from recio.recordio._index import rec2idx
from recio.recordio._record_io import MXIndexedRecordIO, MXRecordIO
from recio.recordio._stream import frame, records

__all__ = [
    "IRHeader",
    "IndexedRecordIO",
    "MXIndexedRecordIO",
    "MXRecordIO",
    "RecordIO",
    "frame",
    "pack",
    "pack_img",
    "rec2idx",
    "records",
    "unpack",
    "unpack_img",
]

RecordIO = MXRecordIO
IndexedRecordIO = MXIndexedRecordIO
