"""The exceptions that are recio's own; all are kinds of ``ValueError``.

`RecordError` and `DecodeError` have the attributes ``path`` (str), ``record`` (int, the record's number in its file,
from 0), ``id`` (int, the record's own id), ``offset`` (int, in bytes from the file's beginning), ``None`` where not
known, and ``reason`` (str, what is wrong, without the place).

Other mistakes raise Python's own: a missing file ``FileNotFoundError``, a key that no record has ``KeyError``, an
argument that makes no sense ``ValueError``.
"""

from recio._recio import DecodeError, RecordError

for _kind in (DecodeError, RecordError):
    for _name in ("path", "record", "id", "offset"):
        setattr(_kind, _name, None)
    _kind.reason = ""


class TooManyErrors(ValueError):  # noqa: N818 it says what happened
    """More samples were passed over than ``max_errors`` allows."""


__all__ = ["DecodeError", "RecordError", "TooManyErrors"]
