"""Index files: from a record's key to its offset."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from recio import _recio
from recio._util import regular_file

if TYPE_CHECKING:
    from recio._util import StrPath

NATIVE_KEYS = range(1 << 64)
"""The integers that the native index can hold."""


class Offsets(Mapping[int, int]):
    """The native index as a mapping."""

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


class Grown(Mapping[Any, int]):
    """The native index of a file that is appended to, and what has been appended."""

    def __init__(self, before: Offsets, since: Mapping[Any, int]) -> None:
        self._before, self._since = before, since

    def __getitem__(self, key: Any) -> int:  # noqa: ANN401 anything may be asked for
        return self._since[key] if key in self._since else self._before[key]

    def __iter__(self) -> Iterator[Any]:
        return chain(self._before, self._since)

    def __len__(self) -> int:
        return len(self._before) + len(self._since)


def read_index(path: str, key_type: Callable[[Any], Any], rec_len: int) -> dict[Any, int]:
    """Read an index whose keys are not integers, as strictly as the native one reads others."""
    keys: dict[int, Any] = {}
    offsets: dict[Any, int] = {}
    with regular_file(path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            try:
                key, offset = _parse_line(line, key_type, rec_len)
                _add(keys, offset, key)
                _add(offsets, key, offset)
            except ValueError as error:
                damage = _recio.RecordError(f"{path}: line {number}: {error}")
                damage.path = path
                raise damage from None
    return offsets


def _parse_line(line: bytes, key_type: Callable[[Any], Any], rec_len: int) -> tuple[Any, int]:
    # Keys may hold spaces, so only a tab ends them.
    name, _, rest = line.decode().strip().partition("\t")
    key, offset = key_type(name), int(rest.split("\t")[0])
    if offset % 4 or not 0 <= offset < rec_len:
        raise ValueError(f"no record begins at the offset {offset} of a .rec file of {rec_len} bytes")
    return key, offset


def _add(mapping: dict[Any, Any], new: Any, value: Any) -> None:  # noqa: ANN401 keys are of any type
    if new in mapping:
        raise ValueError(f"{new} stands twice: with {mapping[new]} and with {value}")
    mapping[new] = value


def rec2idx(rec_path: StrPath, idx_path: StrPath) -> Literal["ids", "ordinals"]:
    """Rebuild the index of a record file.

    Parameters
    ----------
    rec_path : path
        The record file.
    idx_path : path
        The index file, which is written whole or not at all.

    Returns
    -------
    {'ids', 'ordinals'}
        What the keys are: the ids in the records' headers, if they all have one and all differ; else 0, 1, 2 …

    Raises
    ------
    recio.RecordError
        If the record file is damaged; then nothing is written.
    """
    if Path(rec_path).absolute() == Path(idx_path).absolute():
        raise ValueError(f"{rec_path} is the record file; the index would overwrite it")
    by_id = _recio.rebuild_index(os.fspath(rec_path), os.fspath(idx_path))
    return "ids" if by_id else "ordinals"
