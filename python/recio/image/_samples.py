"""The samples of `ImageIter` as attributes for subclasses: ``seq``, ``cur``, ``imglist``, ``imgrec``, as in MXNet."""

from __future__ import annotations

import random
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from recio._loader import validate
from recio._recio import Index, Reader
from recio.image._sources import ImageFiles, ImageList, RecordFiles
from recio.recordio import MXIndexedRecordIO, MXRecordIO, unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from recio._loader.options import LastBatch
    from recio._recio import ImagePipeline
    from recio._util import StrPath
    from recio.image._sources import Source


class _Keys(list[Any]):
    """List that knows whether it was changed: comparing millions of keys for each batch takes too long."""

    is_changed = False


class _Listing(dict[Any, Any]):
    """Dict that knows whether it was changed."""

    is_changed = False


def _marking(method: Callable[..., Any]) -> Any:  # noqa: ANN401 a method
    def change(self: _Keys | _Listing, *args: Any, **options: Any) -> Any:  # noqa: ANN401 as of the method
        self.is_changed = True
        return method(self, *args, **options)

    return change


for _name in [
    "__setitem__",
    "__delitem__",
    "__iadd__",
    "__imul__",
    "append",
    "clear",
    "extend",
    "insert",
    "pop",
    "remove",
    "reverse",
    "sort",
]:
    setattr(_Keys, _name, _marking(getattr(list, _name)))
for _name in ["__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update"]:
    setattr(_Listing, _name, _marking(getattr(dict, _name)))


_FIXED = {
    "batch_size": "batch_size",
    "data_shape": "data_shape",
    "dtype": "dtype",
    "imgrec": "path_imgrec",
    "label_width": "label_width",
    "last_batch_handle": "last_batch_handle",
    "path_root": "path_root",
    "shuffle": "shuffle",
}
"""Attributes that an open iterator does not follow, and the arguments of the constructor for them."""


class SampleSequence:
    """Base of `ImageIter` with the attributes of MXNet's that subclasses read, and may change.

    While nobody changes `seq` or `cur`, the native pipeline reads the samples. Otherwise `next_sample` reads those that
    they name.
    """

    _source: Source
    _pipeline: ImagePipeline
    last_batch_handle: LastBatch
    dtype: np.dtype[Any]
    cur: int
    """Number of samples of the epoch that were read."""
    _uses_seq = False
    """Whether the samples are those that `seq` and `cur` name."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set an attribute, unless it would have no effect."""
        if name not in _FIXED or "_opened_with" not in self.__dict__ or self._makes_batches_itself():
            super().__setattr__(name, value)
        elif not self._has_value(name, value):
            kind = type(self).__name__
            raise AttributeError(
                f"{name} of an {kind} cannot be changed, got {value!r}: pass {_FIXED[name]} to the constructor"
            )

    def _makes_batches_itself(self) -> bool:
        """Return whether the caller's subclass makes the batches."""
        return not type(self).next.__module__.startswith("recio.")  # type: ignore[attr-defined]

    def _has_value(self, name: str, value: object) -> bool:
        """Return whether an attribute has a value already."""
        now = self.__dict__.get(name)
        value = tuple(value) if isinstance(value, list) else value
        return value is now or (type(value) is type(now) and bool(value == now)) or (name == "dtype" and now == value)

    def _init_samples(self, shuffle: bool, path_root: StrPath | None) -> None:
        self.shuffle, self.path_root = validate.truth("shuffle", shuffle), path_root
        self.cur = self._counted = 0

    @staticmethod
    def _seed_or_random(seed: int | None, shard: str) -> int:
        if seed is not None:
            return seed
        if shard == "global":
            raise ValueError("seed must be given with shard='global': all ranks need the same")
        return random.getrandbits(64)

    @property
    def imglist(self) -> dict[Any, tuple[NDArray[Any], str]] | None:
        """Labels and path of each image of a list, by the keys in `seq`; None for records without a list."""
        return self._listed

    @imglist.setter
    def imglist(self, listed: dict[Any, tuple[NDArray[Any], str]] | None) -> None:
        """Replace labels and paths; `seq` is then read by its keys."""
        if listed is not None and not isinstance(listed, dict):
            raise TypeError(f"imglist must be a dict of (label, path) by the keys of seq, got {type(listed).__name__}")
        keys = self.seq
        self._listed = listed
        # Not that of the pipeline any more.
        self.seq = keys

    @cached_property
    def _listed(self) -> dict[Any, tuple[NDArray[Any], str]] | None:
        listed = self._source.listed(self.dtype)
        if listed is None:
            return None
        for labels, _ in listed.values():
            # The pipeline would not see a change of a label in place.
            labels.flags.writeable = False
        self._listed_keys = [*listed]
        return _Listing(listed)

    @cached_property
    def imgrec(self) -> MXRecordIO | None:
        """Reader of the record file; None for image files, and for several record files."""
        source = self._source
        if not isinstance(source, RecordFiles) or len(source.files) != 1:
            return None
        if source.indexes:
            return MXIndexedRecordIO(source.indexes[0], source.files[0], "r")
        return MXRecordIO(source.files[0], "r")

    @property
    def seq(self) -> list[Any] | None:
        """Keys of the samples of the epoch in order; None for records without an index, or in several files.

        They are the keys of the index, those of the list or, for `imglist`, ``'1'``, ``'2'`` ...
        """
        if self._seq is None:
            keys = self._all_keys
            order = None if keys is None else self._pipeline.epoch_order()
            self._seq = None if keys is None or order is None else _Keys(keys[number] for number in order)
        return self._seq

    @seq.setter
    def seq(self, keys: list[Any] | None) -> None:
        """Replace the samples."""
        self._seq = None if keys is None else [*keys]

    _seq: list[Any] | None = None
    """Keys, once `seq` was read; of another class if it was set."""

    def _is_seq_changed(self) -> bool:
        return self._seq is not None and (not isinstance(self._seq, _Keys) or self._seq.is_changed)

    @property
    def num_image(self) -> int | None:
        """Number of samples of an epoch; None if `seq` is."""
        return None if self.seq is None else len(self.seq)

    @num_image.setter
    def num_image(self, number: int) -> None:
        """Keep the first keys of `seq` only."""
        keys, count = self.seq or [], validate.natural("num_image", number)
        if count > len(keys):
            raise ValueError(f"num_image must be at most {len(keys)}, the number of keys in seq, got {count}")
        self.seq = keys[:count]

    @cached_property
    def _all_keys(self) -> list[Any] | None:
        """Keys of the samples of all shards, in the order of the files."""
        source = self._source
        if isinstance(source, ImageList | ImageFiles):
            return self._listed_keys if self.imglist is not None else []
        if not isinstance(source, RecordFiles) or len(source.files) != 1 or not source.indexes:
            return None
        reader = Reader(source.files[0])
        index = Index(source.indexes[0], reader)
        keys, layout = index.keys(), reader.face_set(index)
        # The pipeline's order is that of the file, and the other records of a face data set have no
        # image.
        return (keys[np.isin(keys, layout[0])] if isinstance(layout, tuple) else keys).tolist()  # type: ignore[no-any-return]

    def _follow_seq(self, hooks: Collection[str]) -> None:
        """Read the samples that `seq` and `cur` name from now on, if the caller changed one of them."""
        if "next_sample" not in hooks:
            self._uses_seq = (
                self._uses_seq
                or self.cur != self._counted
                or self._is_seq_changed()
                or getattr(self.__dict__.get("_listed"), "is_changed", False)
            )

    def _count(self, samples: int) -> None:
        """Count samples that the pipeline read."""
        self.cur = self._counted = self.cur + samples

    def _restart_samples(self) -> None:
        """Go to the beginning of an epoch."""
        self.cur = self._counted = 0
        if not self._is_seq_changed():
            # Read again, in the order of the epoch.
            self._seq = None
            self._uses_seq = False
        elif self.shuffle and self._seq is not None:
            random.shuffle(self._seq)

    def _sample_of_seq(self) -> tuple[Any, bytes]:
        """Read the sample that `seq` and `cur` name, as MXNet does."""
        keys = self.seq
        if keys is None:
            raise ValueError("cur can only be changed if there is a seq: pass path_imgidx, and one record file")
        if self.cur >= len(keys):
            if self.last_batch_handle != "discard":
                self.cur = 0
            raise StopIteration
        key = keys[self.cur]
        self.cur += 1
        reader, listed = self.imgrec, self.imglist
        if isinstance(reader, MXIndexedRecordIO):
            header, image = unpack(reader.read_idx(key))
            return (header.label if listed is None else _entry(listed, key)[0]), image
        label, path = _entry(listed or {}, key)
        return label, self.read_image(path)

    def read_image(self, fname: str) -> bytes:
        """Read an image file."""
        raise NotImplementedError


def _entry(listed: dict[Any, Any], key: object) -> tuple[Any, str]:
    """Return label and path of a key of `seq`."""
    if key not in listed:
        raise KeyError(f"imglist has no entry for {key!r}, which is in seq")
    entry = listed[key]
    if not isinstance(entry, list | tuple) or len(entry) != 2:  # noqa: PLR2004 a pair
        raise ValueError(f"imglist[{key!r}] must be (label, path), got {entry!r}")
    return cast("tuple[Any, str]", entry)
