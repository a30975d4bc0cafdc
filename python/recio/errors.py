"""The exceptions that are recio's own; both are kinds of ``ValueError``.

Each has the attributes ``path`` (str), ``record`` (int, the record's number in its file, from 0), ``id`` (int, the
record's own id) and ``offset`` (int, in bytes from the file's beginning); what is not known is ``None``.

Other mistakes raise Python's own: a missing file ``FileNotFoundError``, a key that no record has ``KeyError``, an
argument that makes no sense ``ValueError``.
"""

from recio._recio import DecodeError, RecordError

for _kind in (DecodeError, RecordError):
    for _name in ("path", "record", "id", "offset"):
        setattr(_kind, _name, None)

__all__ = ["DecodeError", "RecordError"]
