"""TensorFlow's `Example`, a protocol buffer: a map from names to lists of bytes, float32 or int64.

::

    message Example  { Features features = 1; }
    message Features { map<string, Feature> feature = 1; }      // an entry: key = 1, value = 2
    message Feature  { oneof kind { BytesList bytes_list = 1; FloatList float_list = 2; Int64List int64_list = 3; } }
    message BytesList { repeated bytes value = 1; }             // of the other two, the numbers may be packed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Value: TypeAlias = "list[bytes] | NDArray[np.float32] | list[int]"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3
_MAX_SHIFT = 63


def encode_example(features: Mapping[str, Value]) -> bytes:
    """Encode an `Example`; its features are sorted by name, so that equal ones are equal bytes."""
    entries = [_field(1, _field(1, name.encode()) + _field(2, _feature(features[name]))) for name in sorted(features)]
    return _field(1, b"".join(entries))


def _feature(value: Value) -> bytes:
    if isinstance(value, np.ndarray):
        return _field(_FLOAT_LIST, _field(1, value.astype("<f4", copy=False).tobytes()))
    if value and isinstance(value[0], int):
        return _field(_INT64_LIST, _field(1, b"".join(_varint(int(number) % (1 << 64)) for number in value)))
    return _field(_BYTES_LIST, b"".join(_field(1, item) for item in value))  # type: ignore[arg-type]


def _field(number: int, content: bytes) -> bytes:
    return b"".join((_varint(number << 3 | _BYTES), _varint(len(content)), content))


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > 0x7F:  # noqa: PLR2004 seven bits
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def decode_example(data: bytes) -> dict[str, Value]:
    """Decode an `Example`.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return {
            name: value
            for features in _messages(memoryview(data), 1)
            for entry in _messages(features, 1)
            for name, value in [_entry(entry)]
        }
    except (IndexError, UnicodeDecodeError) as error:
        raise ValueError(f"this is no Example of TensorFlow: {error}") from None


def _entry(entry: memoryview) -> tuple[str, Value]:
    name, value = b"", memoryview(b"")
    for number, _, content in _fields(entry):
        if number == 1:
            name = bytes(content)
        elif number == 2:  # noqa: PLR2004 the value of a map's entry
            value = content
    return name.decode(), _value(value)


def _value(feature: memoryview) -> Value:
    """Decode a feature; without a kind, it is an empty list."""
    found: Value = []
    for kind, _, content in _fields(feature):
        if kind == _BYTES_LIST:
            found = [bytes(item) for item in _messages(content, 1)]
        elif kind == _FLOAT_LIST:
            found = np.frombuffer(b"".join(map(bytes, _numbers(content, _FIXED32))), "<f4")
        elif kind == _INT64_LIST:
            found = [number for packed in _numbers(content, _VARINT) for number in _int64s(packed)]
    return found


def _messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    """Iterate over the fields of a number, which have a length."""
    for number, wire, content in _fields(data):
        if number == wanted:
            if wire != _BYTES:
                raise ValueError(f"this is no Example of TensorFlow: field {number} has the wire type {wire}")
            yield content


def _numbers(data: memoryview, unpacked: int) -> Iterator[memoryview]:
    """Iterate over the values of a list of numbers: packed ones, and single ones."""
    for number, wire, content in _fields(data):
        if number == 1:
            if wire not in (_BYTES, unpacked) or (unpacked == _FIXED32 and len(content) % 4):
                raise ValueError("this is no Example of TensorFlow: a list of numbers is damaged")
            yield content


def _int64s(packed: memoryview) -> Iterator[int]:
    at = 0
    while at < len(packed):
        number, at = _read_varint(packed, at)
        yield number - (1 << 64) if number >> _MAX_SHIFT else number


def _fields(data: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Iterate over number, wire type and content of the fields of a message."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        start = at
        wire = tag & 7
        if wire == _VARINT:
            _, at = _read_varint(data, at)
        elif wire == _BYTES:
            length, start = _read_varint(data, at)
            at = start + length
        elif wire in (_FIXED32, _FIXED64):
            at += 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"this is no Example of TensorFlow: the wire type {wire}")
        if at > len(data):
            raise ValueError("this is no Example of TensorFlow: a field is longer than its message")
        yield tag >> 3, wire, data[start:at]


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 the last of the groups of seven bits
            break
        shift += 7
        if shift > _MAX_SHIFT:
            raise ValueError("this is no Example of TensorFlow: a number has more than 64 bits")
    return number & ((1 << 64) - 1), at
