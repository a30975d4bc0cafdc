"""Exceptions of recio; all are subclasses of ``ValueError``.

`RecordError` and `DecodeError` have the attributes ``path`` (str), ``record`` (int, number of the record in its file,
from 0), ``id`` (int, id in the record's header), ``offset`` (int, in bytes from the start of the file), each ``None``
if unknown, and ``reason`` (str, the message without the location).

Other errors are Python's: ``FileNotFoundError`` for a missing file, ``KeyError`` for an unknown key, ``ValueError`` for
an invalid argument.
"""

from recio._recio import DecodeError, RecordError

for _kind in (DecodeError, RecordError):
    for _name in ("path", "record", "id", "offset"):
        setattr(_kind, _name, None)
    _kind.reason = ""


class TooManyErrors(ValueError):  # noqa: N818 the plural already means errors
    """More samples were skipped than ``max_errors`` allows."""


__all__ = ["DecodeError", "RecordError", "TooManyErrors"]
