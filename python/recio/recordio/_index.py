"""Index files: mappings from keys to offsets."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from recio import _recio
from recio._recio import RemotePath
from recio._storage import open_bytes, storage
from recio._util import printable

if TYPE_CHECKING:
    from recio._storage import AnyPath, Located, StorageOptions

NATIVE_KEYS = range(1 << 64)
"""The integers that the native index can hold."""

_IDENTIFYING_BYTES = 512
_RECORDS = "a record file (.rec)"
_PAST_END = "is past the end of the .rec file"
_PLAIN = {"text", "an index (.idx)", "a list (.lst)"}
"""Kinds of text that an index with keys of text may look like."""


class NativeIndex(Mapping[int, int]):
    """Mapping of an index with integer keys, stored natively."""

    def __init__(self, index: _recio.Index) -> None:
        self._index = index

    def __getitem__(self, key: Any) -> int:  # noqa: ANN401 anything may be asked for
        try:
            number = operator.index(key)
        except TypeError:
            number = -1
        if number not in NATIVE_KEYS:
            raise KeyError(f"no record has the key {key}")
        return self._index.offset(number)

    def __iter__(self) -> Iterator[int]:
        return iter(self._index.keys().tolist())

    def __len__(self) -> int:
        return len(self._index)


class AppendedIndex(Mapping[Any, int]):
    """Mapping of a native index together with the records appended since it was loaded."""

    def __init__(self, stored: NativeIndex, appended: Mapping[Any, int]) -> None:
        self._stored, self._appended = stored, appended

    def __getitem__(self, key: Any) -> int:  # noqa: ANN401 anything may be asked for
        return self._appended[key] if key in self._appended else self._stored[key]

    def __iter__(self) -> Iterator[Any]:
        return chain(self._stored, self._appended)

    def __len__(self) -> int:
        return len(self._stored) + len(self._appended)


def read_index(path: Located, key_type: Callable[[Any], Any], rec: Located, rec_len: int) -> dict[Any, int]:
    """Read an index whose keys are not integers, with the checks of the native index."""
    keys: dict[int, Any] = {}
    offsets: dict[Any, int] = {}
    with _open_index(path, rec) as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            try:
                key, offset = _parse_line(line, key_type, rec_len)
                _add(keys, offset, key)
                _add(offsets, key, offset)
            except ValueError as error:
                raise _damage(path, rec, f"line {number}: {error}") from None
    return offsets


def _open_index(path: Located, rec: Located) -> BinaryIO:
    try:
        return open_bytes(path)
    except FileNotFoundError as error:
        error.strerror = f"{error.strerror}; `recio index` writes it from {printable(rec)}"
        raise


def _damage(path: Located, rec: Located, reason: str) -> _recio.RecordError:
    """Make the error of a damaged index, which may be another kind of file."""
    for wrong, purpose in ((rec, "a record file"), (path, f"the index of {printable(rec)}")):
        with open_bytes(wrong) as file:
            content = _recio.identify(file.read(_IDENTIFYING_BYTES))
        if content is not None and not (wrong == rec and content[0] == _RECORDS) and content[0] not in _PLAIN:
            reason = f"this is {content[0]}, not {purpose}: {reason}; {content[1] or '`recio index` writes one'}"
            break
    else:
        reason = f"{reason}; {_advice(reason, printable(rec))}"
    error = _recio.RecordError(f"{printable(path)}: {printable(reason)}")
    error.path, error.reason = str(path), printable(reason)
    return error


def _advice(reason: str, rec: str) -> str:
    if _PAST_END not in reason:
        return f"`recio index` rebuilds it from {rec}"
    return (
        f"was {rec} cut short, or is this the index of another file? `recio verify` compares them, "
        "`recio repair` saves the complete records, `recio index` rebuilds the index"
    )


def _parse_line(line: bytes, key_type: Callable[[Any], Any], rec_len: int) -> tuple[Any, int]:
    # Keys may contain spaces; only a tab ends them.
    name, _, rest = line.decode().strip().partition("\t")
    key, offset = key_type(name), int(rest.split("\t")[0])
    if offset >= rec_len:
        raise ValueError(f"the offset {offset} {_PAST_END} ({rec_len} bytes)")
    if offset % 4 or offset < 0:
        raise ValueError(f"no record begins at the offset {offset} of a .rec file of {rec_len} bytes")
    return key, offset


def _add(mapping: dict[Any, Any], new: Any, value: Any) -> None:  # noqa: ANN401 keys are of any type
    if new in mapping:
        raise ValueError(f"{new} occurs twice: with {mapping[new]} and with {value}")
    mapping[new] = value


def rec2idx(
    rec_path: AnyPath,
    idx_path: AnyPath,
    *,
    images_only: bool = False,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> Literal["ids", "ordinals"]:
    """Rebuild the index of a record file.

    Parameters
    ----------
    rec_path : path
        The record file.
    idx_path : path
        The index file; it is complete or not written at all.
    images_only : bool, default False
        Whether to list only the records with an image: of a face data set (InsightFace's layout), not the header record
        and the identity records.
    storage_options, filesystem
        As for `recio.recordio.MXRecordIO`.

    Returns
    -------
    {'ids', 'ordinals'}
        Kind of the keys: the ids in the records' headers, if all records have one and all differ; else 0, 1, 2 … in
        the order of the file or, of a face data set, that of its layout: header record, images, identity records.

    Raises
    ------
    recio.RecordError
        If the record file is damaged or, with `images_only`, no record has an image; then nothing is written.
    ValueError
        If both paths are the same.
    """
    opened_with = storage(storage_options, filesystem)
    rec, idx = opened_with.locate(rec_path), opened_with.locate(idx_path)
    if _is_same(rec, idx):
        raise ValueError(f"{rec} is the record file; the index would overwrite it")
    by_id = _recio.rebuild_index(rec, idx, images_only)
    return "ids" if by_id else "ordinals"


def _is_same(path: Located, other: Located) -> bool:
    if isinstance(path, RemotePath) or isinstance(other, RemotePath):
        return path == other
    return Path(path).absolute() == Path(other).absolute()
