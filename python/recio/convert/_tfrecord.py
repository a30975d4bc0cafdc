"""TFRecord: files of TensorFlow's `Example`, each with its length and two checksums."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, BinaryIO

import numpy as np

from recio import _recio
from recio._util import open_regular
from recio.convert._example import decode_example, encode_example
from recio.convert._row import FORMATS, MAX_KEY, Row, damage, file_name
from recio.convert._source import FileSource, TextNames, label_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from recio.convert._example import Value
    from recio.convert._source import ReadOptions
    from recio.convert._survey import Survey

_LENGTH, _CRC = struct.Struct("<Q"), struct.Struct("<I")
_HEAD = _LENGTH.size + _CRC.size
_MASK_DELTA = 0xA282EAD8

IMAGES = ("image/encoded", "image", "image_raw", "jpeg", "png")
LABELS = ("image/class/label", "label", "labels")
NAMES = ("image/filename", "file_name", "filename")
TEXT = "image/class/text"


def write(file: IO[bytes], rows: Iterable[Row], survey: Survey, classes: Sequence[str] | None) -> None:
    """Write rows as a TFRecord file with the features of TF-Slim."""
    for row in rows:
        example = encode_example(_features(row, survey, classes))
        length = _LENGTH.pack(len(example))
        file.writelines((length, _masked_crc(length), example, _masked_crc(example)))


def _features(row: Row, survey: Survey, classes: Sequence[str] | None) -> dict[str, Value]:
    name = file_name(row)
    suffix = name.rpartition(".")[2]
    features: dict[str, Value] = {
        "image/encoded": [row.image],
        "image/format": [FORMATS.get(suffix, suffix).encode()],
        "image/filename": [name.encode()],
        "image/class/label": [int(row.labels[0])] if survey.is_whole else row.labels,
        "id": [row.id],
    }
    if classes is not None and survey.is_whole:
        features[TEXT] = [classes[int(row.labels[0])].encode()]
    if row.rest is not None:
        features["recio"] = [row.rest.encode()]
    return features


def _masked_crc(data: bytes) -> bytes:
    """Return the checksum of bytes as TFRecord has it: rotated, and with a constant added."""
    crc = _recio.crc32c_of_bytes(data)
    return _CRC.pack(((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF)


def _examples(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    """Read the examples of a file: number, offset and bytes.

    Raises
    ------
    RecordError
        If a checksum differs, or the file ends within an example.
    """
    size = file.seek(0, 2)
    file.seek(0)
    offset = number = 0
    while offset < size:
        head = file.read(_HEAD)
        if len(head) < _HEAD:
            raise damage(path, f"the file ends after {len(head)} of {_HEAD} bytes of a length", number, offset)
        length = _LENGTH.unpack_from(head)[0]
        if _masked_crc(head[: _LENGTH.size]) != head[_LENGTH.size :]:
            raise damage(path, _why_no_length(head, number), number, offset)
        if length > size - offset - _HEAD - _CRC.size:
            raise damage(path, f"the file ends within an example of {length} bytes", number, offset)
        example, crc = file.read(length), file.read(_CRC.size)
        if _masked_crc(example) != crc:
            raise damage(path, "the checksum differs: the example is damaged", number, offset)
        yield number, offset, example
        offset, number = offset + _HEAD + length + _CRC.size, number + 1


def _why_no_length(head: bytes, number: int) -> str:
    if number == 0 and head.startswith((b"\x1f\x8b", b"\x78")):
        return "the file is compressed; decompress it first"
    return "the checksum of a length differs: " + ("this is no TFRecord file" if number == 0 else "it is damaged")


class TFRecordSource(FileSource):
    """TFRecord files as a source of rows."""

    def __init__(self, files: Sequence[Path], options: ReadOptions, names: list[str] | None) -> None:
        super().__init__(files, options, names)
        self._labels = label_reader(options, names)
        self._texts = TextNames()

    def classes(self) -> list[str] | None:
        """Return the names of the caller, those beside the files, or those that the examples state."""
        return self._options.classes or self._names or self._texts.all()

    def rows(self) -> Iterator[Row]:
        """Read all examples."""
        numbering = self._options.numbering()
        for path in self._paths:
            with open_regular(path) as file:
                for number, offset, example in _examples(path, file):
                    try:
                        features = decode_example(example)
                        key = numbering.key(_text(features, NAMES))
                        yield self._row(key, features)
                    except ValueError as error:
                        raise damage(path, str(error), number, offset) from None

    def _row(self, key: int, features: dict[str, Value]) -> Row:
        image = features[_choose(features, self._options.image, IMAGES, "image")]
        if isinstance(image, np.ndarray) or len(image) != 1 or not isinstance(image[0], bytes):
            raise ValueError(f"the image must be one bytes value, got {_kind(image)}")
        labels = self._label(features)
        text = _text(features, (TEXT,))
        if text is not None and len(labels) == 1 and float(labels[0]).is_integer():
            self._texts.add(float(labels[0]), text)
        id_ = features.get("id")
        is_id = isinstance(id_, list) and len(id_) == 1 and isinstance(id_[0], int)
        return Row(key, id_[0] & MAX_KEY if is_id else key, labels, image[0], _text(features, ("recio",)))  # type: ignore[index,operator]

    def _label(self, features: dict[str, Value]) -> NDArray[np.float32]:
        value = features[_choose(features, self._options.label, LABELS, "label")]
        if isinstance(value, np.ndarray) or not value or isinstance(value[0], int):
            return self._labels.read(value)
        return self._labels.read([self._labels.number(text.decode()) for text in value])


def _choose(features: dict[str, Value], named: str | None, usual: Sequence[str], noun: str) -> str:
    """Return the name of a feature: that of the caller, or the first usual one."""
    name = next((name for name in ([named] if named else usual) if name in features), None)
    if name is None:
        listed = ", ".join(map(repr, sorted(features)))
        wanted = repr(named) if named else " or ".join(map(repr, usual[:2]))
        option = f"--{noun}-column ({noun}_column=)"
        raise ValueError(f"the example has no feature {wanted}, but {listed}; {option} names that of the {noun}")
    return name


def _text(features: dict[str, Value], names: Sequence[str]) -> str | None:
    """Return the text of the first of these features that has one."""
    for name in names:
        value = features.get(name)
        if isinstance(value, list) and len(value) == 1 and isinstance(value[0], bytes):
            return value[0].decode(errors="replace")
    return None


def _kind(value: Value) -> str:
    if isinstance(value, np.ndarray):
        return f"{len(value)} floats"
    return f"{len(value)} {'integers' if value and isinstance(value[0], int) else 'bytes values'}"
