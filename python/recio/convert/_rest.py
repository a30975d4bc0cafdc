"""What a record file has beside images, labels and numbers, as JSON: with it, the way back restores each byte."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from typing import NamedTuple

_ENTRY = struct.Struct("<QI")
_MAX_BYTES = 1 << 28
"""Bytes of records without an image that are restored at most: text of a few kilobytes may ask for any number."""


class Rest(NamedTuple):
    """What else a record file has at a row.

    Attributes
    ----------
    header : bytes or None
        The header of the record, where labels and id do not determine it.
    before, after : tuple of (int, bytes)
        Keys and records without an image: those since the row before, and those after the last row.
    images : int or None
        The number of all images, at the last one, if there are such records: they may refer to the images by key.
    """

    header: bytes | None = None
    before: tuple[tuple[int, bytes], ...] = ()
    after: tuple[tuple[int, bytes], ...] = ()
    images: int | None = None

    def text(self) -> str | None:
        """Return the JSON; ``None`` if there is nothing to keep."""
        fields: dict[str, str | int] = {}
        if self.header is not None:
            fields["header"] = self.header.hex()
        fields |= {name: _encode(records) for name in ("before", "after") if (records := getattr(self, name))}
        if self.images is not None:
            fields["images"] = self.images
        return json.dumps(fields) if fields else None

    @classmethod
    def parse(cls, text: str) -> Rest:
        """Read the JSON.

        Raises
        ------
        ValueError
            If it is not what `text` returns.
        """
        try:
            fields = json.loads(text)
            header, images = fields.get("header"), fields.get("images")
            return cls(
                None if header is None else bytes.fromhex(header),
                _decode(fields.get("before", "")),
                _decode(fields.get("after", "")),
                None if images is None else int(images),
            )
        except (ValueError, TypeError, AttributeError, RecursionError, struct.error, zlib.error) as error:
            raise ValueError(f"the field recio must be what recio has written, got {text!r:.60}: {error}") from None


def _encode(records: tuple[tuple[int, bytes], ...]) -> str:
    joined = b"".join(_ENTRY.pack(key, len(record)) + record for key, record in records)
    return base64.b64encode(zlib.compress(joined)).decode()


def _decode(text: str) -> tuple[tuple[int, bytes], ...]:
    if not text:
        return ()
    decompressor = zlib.decompressobj()
    joined = decompressor.decompress(base64.b64decode(text, validate=True), _MAX_BYTES)
    if not decompressor.eof:
        raise ValueError(f"the records are incomplete, or have more than {_MAX_BYTES} bytes")
    records, at = [], 0
    while at < len(joined):
        key, length = _ENTRY.unpack_from(joined, at)
        at += _ENTRY.size + length
        if at > len(joined):
            raise ValueError("a record is longer than the bytes that are there")
        records.append((key, joined[at - length : at]))
    return tuple(records)
