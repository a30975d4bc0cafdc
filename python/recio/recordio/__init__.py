"""Reading and writing single records: ``mx.recordio``.

A RecordIO file (``.rec``) is a sequence of records, each of up to 2**29 - 1 arbitrary bytes. An index file (``.idx``)
maps keys to their offsets. An image record begins with a header (`IRHeader`) that holds its labels and its id.
"""

from recio.recordio._header import IRHeader, pack, pack_img, unpack, unpack_img
from recio.recordio._index import rec2idx
from recio.recordio._record_io import MXIndexedRecordIO, MXRecordIO

__all__ = [
    "IRHeader",
    "IndexedRecordIO",
    "MXIndexedRecordIO",
    "MXRecordIO",
    "RecordIO",
    "pack",
    "pack_img",
    "rec2idx",
    "unpack",
    "unpack_img",
]

RecordIO = MXRecordIO
IndexedRecordIO = MXIndexedRecordIO
