"""Bytes-like objects of any kind, as bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

BytesLike: TypeAlias = "bytes | bytearray | memoryview | NDArray[Any]"


def as_bytes(data: BytesLike) -> bytes:
    """Give the bytes of ``data``, copied only if it is not ``bytes`` already.

    Raises
    ------
    TypeError
        If it is not bytes-like.
    """
    if isinstance(data, bytes):
        return data
    return memoryview(data).tobytes()  # type: ignore[arg-type]  # an ndarray is a buffer too
