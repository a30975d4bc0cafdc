"""Records of files that are no local paths: of streams and buffers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from recio import _recio
from recio._util import BytesLike, as_bytes

CHUNK = 1 << 20
"""Bytes read at a time."""

Read = Callable[[int], bytes]


class Readable(Protocol):
    """Binary file object."""

    def read(self, size: int, /) -> bytes | None:
        """Read up to a number of bytes."""


def records(source: Readable | BytesLike) -> Iterator[bytes]:
    """Iterate over the records of a binary file object or a buffer.

    A file object is read from its position to its end, piece by piece and without seeking, so it may be a pipe, a
    socket or the body of a response. A record is returned when the header of the next one has arrived, or the end.

    Parameters
    ----------
    source : binary file object or bytes-like
        An object with the method ``read``, or bytes, a bytearray, a memoryview, an array, an mmap. The object is not
        closed.

    Yields
    ------
    bytes
        A record; `unpack` splits an image record.

    Raises
    ------
    recio.RecordError
        If the bytes are damaged, or end within a record; with the number of the record and its offset from where the
        reading began.
    TypeError
        If `source` is a path or a file object of text.
    BlockingIOError
        If a file object does not block and has no bytes yet.

    Examples
    --------
    >>> data = frame(b"first") + frame(b"second")
    >>> list(records(data))
    [b'first', b'second']
    """
    if isinstance(source, str | os.PathLike):
        raise TypeError(
            f"source must be a binary file object or bytes-like, got the path {os.fspath(source)!r}: open it"
        )
    name = getattr(source, "name", None)
    stream = _recio.RecordStream(name if isinstance(name, str) else None)
    return _parse(stream, _reader_of(source))


def _reader_of(source: Any) -> Read:  # noqa: ANN401 any file object, or any buffer
    """Return a function that reads up to a number of bytes: at least one, unless the end is reached."""
    read = getattr(source, "read1", None) or getattr(source, "read", None)
    # An mmap has the method `read`, but its position is not that of the buffer.
    try:
        view = memoryview(source).cast("B")
    except TypeError:
        if read is None:
            kind = type(source).__name__
            raise TypeError(f"source must be a binary file object or bytes-like, got {kind}") from None
        return _checked(read)
    position = 0

    def read_view(size: int) -> bytes:
        nonlocal position
        position += size
        return view[position - size : position].tobytes()

    return read_view


def _checked(read: Callable[[int], Any]) -> Read:
    def read_bytes(size: int) -> bytes:
        data = read(size)
        if isinstance(data, str):
            raise TypeError("source is a file object of text: open it in binary mode")
        if data is None:
            raise BlockingIOError("source has no bytes yet: it must be a file object that blocks")
        return as_bytes(data)

    return read_bytes


def _parse(stream: _recio.RecordStream, read: Read) -> Iterator[bytes]:
    while (parsed := stream.parse_next()) is not None:
        if isinstance(parsed, bytes):
            yield parsed
        elif data := read(max(parsed, CHUNK)):
            stream.feed(data)
        else:
            stream.finish()


def frame(payload: BytesLike) -> bytes:
    """Return the bytes of a record in a record file: its header, the payload, and padding to 4 bytes.

    Writing them to any stream appends the record.

    Parameters
    ----------
    payload : bytes-like
        The record, of at most 2**29 - 1 bytes; from `pack` or `pack_img`, or any other bytes.

    Returns
    -------
    bytes
        The frame.

    Raises
    ------
    recio.RecordError
        If the record is longer.

    Examples
    --------
    >>> frame(b"abcde").hex(" ", 4)
    '0a23d7ce 05000000 61626364 65000000'
    """
    return _recio.frame(as_bytes(payload))
