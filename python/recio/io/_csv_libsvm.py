"""``CSVIter`` and ``LibSVMIter``: batches of dense and sparse samples from text files."""

from __future__ import annotations

import functools
import inspect
import math
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import checkpoint, ranks, record_paths, validate
from recio._loader.base import DataBatch, DataDesc, EpochIter, MXDataIter
from recio._loader.labels import check_float32
from recio.io._text_lines import Lines, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from recio._loader.ranks import Parts
    from recio._loader.record_paths import Paths


class _TextIter(MXDataIter, EpochIter):
    """Base of iterators over text files with one sample in each line, in the order of the lines.

    A subclass defines the shapes and the type of data and labels, and ``_read``, which returns the data and labels of
    some lines, and the number of the lines.
    """

    def __init__(
        self, lines: Lines, labels: Lines | None, batch_size: int, round_batch: bool, shard: tuple[Parts, int] = (1, 0)
    ) -> None:
        super().__init__(validate.positive("batch_size", batch_size))
        if labels is not None and len(labels) != len(lines):
            raise ValueError(f"{labels} has {len(labels)} lines of labels, but {lines} has {len(lines)} lines")
        self._lines = lines
        self._labels = labels
        self._round_batch = validate.flag("round_batch", round_batch)
        self._shards = ranks.shard_of(*shard)
        self._start = validate.shard(0, *self._shards).start
        if self._shards[0] > 1:
            self._start = self._shard.start
            for each in filter(None, (lines, labels)):
                each.set_origin(self._start)
        self._next = self._start

    provide_data: list[DataDesc]
    provide_label: list[DataDesc]
    _data_shape: tuple[int, ...]
    _label_shape: tuple[int, ...]
    _dtype: np.dtype[Any]

    @property
    def _shard(self) -> range:
        """Numbers of the lines of the shard; counts the lines."""
        return validate.shard(len(self._lines), *self._shards)

    @property
    def _end(self) -> int | None:
        """Number after that of the last line of the shard, if it is known."""
        return self._lines.end if self._shards[0] == 1 else self._shard.stop

    def _is_begun(self) -> bool:
        return self._next != self._start

    def _rewind(self) -> None:
        self._next = self._start

    def state_dict(self) -> dict[str, Any]:
        """Return the position; see `DataIter.state_dict`."""
        with self._turn:
            if self._state_before is not None:
                return self._state_before
            position = {"epoch": self._epoch, "next": self._next - self._start}
        return checkpoint.make(type(self).__name__, position, self._settings())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings())
        step = self.batch_size
        following = checkpoint.number(position, "next", -(-len(self._shard) // step) * step, step)
        epoch = checkpoint.number({"epoch": 0, **position}, "epoch", validate.MAX_EPOCH)
        with self._turn:
            self._go_to(epoch)
            self._forget(at_start=False)
            self._next = self._start + following

    def _settings(self) -> dict[str, Any]:
        """Return the settings that the batches depend on."""
        num_parts, part_index = self._shards
        return {
            "data": self._lines.fingerprint,
            "label": self._labels and self._labels.fingerprint,
            "batch_size": self.batch_size,
            "round_batch": self._round_batch,
            "num_parts": num_parts,
            # Shards of one length are equally far after as many batches.
            **({"part_index": part_index} if num_parts > 1 and len(self._lines) % num_parts else {}),
            "data_shape": self._data_shape,
            "label_shape": self._label_shape,
            "dtype": self._dtype.name,
        }

    def _read(self, span: Span) -> tuple[Any, Any, int]:
        raise NotImplementedError

    def _make_batch(self) -> DataBatch | None:
        first, end = self._next, self._end
        lines = self.batch_size if end is None else min(self.batch_size, end - first)
        if lines <= 0:
            return None
        # Advanced before reading: after an error, the next batch is the following one.
        self._next += self.batch_size
        data, label, lines = self._read(Span(first, lines, self.batch_size, self._fill_lines))
        if lines == 0:
            self._next = first
            return None
        index = self._index(first, lines)
        pad = self.batch_size - lines
        return DataBatch([data], [label], pad, index, provide_data=self.provide_data, provide_label=self.provide_label)

    @property
    def _fill_lines(self) -> int:
        """Number of lines that may fill a batch: all of the shard, which may end where the files do."""
        if not self._round_batch:
            return 0
        return sys.maxsize if self._end is None else self._end - self._start

    def _index(self, first: int, lines: int) -> NDArray[np.uint64]:
        index = np.arange(first, first + self.batch_size, dtype=np.uint64)
        if lines < self.batch_size:
            fill = np.arange(self.batch_size - lines, dtype=np.uint64)
            index[lines:] = self._start + fill % np.uint64(self._fill_lines) if self._round_batch else 0
        return index


LABELS = "label_shape"
"""Keyword with the shape of labels."""


class CSVIter(_TextIter):
    """Batches of samples from files of comma-separated numbers, with one sample in each line.

    All parameters are keywords. Blank lines are ignored, as is a comma at the end of a line; every field must hold a
    number. The files are read batch by batch; with label files, they are also scanned at construction, and at the first
    `state_dict`.

    Parameters
    ----------
    data_csv : path, list of paths, or ``'a.csv;b.csv'``
        Files, read as one; a folder stands for all its files, sorted by name.
    data_shape : tuple of int, or int
        Shape of a sample; the last axis varies fastest within a line.
    label_csv : likewise, optional
        Files of labels, with as many lines. ``None`` or ``'NULL'``: all labels are 0.
    label_shape : tuple of int, or int, default (1,)
        Shape of a label; with (1,) the labels of a batch are a vector.
    batch_size : int
        Number of samples in a batch.
    round_batch : bool, default True
        Whether an incomplete last batch is filled with samples from the start of the epoch, or with zeros.
        ``batch.pad`` is their number in both cases, and ``batch.index`` holds the numbers of the samples, from 0.
    dtype : {'float32', 'int32', 'int64'}, default 'float32'
        Type of data and labels. With an integer type, a number that is no integer or out of range is an error; so is a
        label above 2**24 that float32 cannot represent.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    prefetch_buffer, ctx
        Accepted for compatibility, without effect: a batch is read when `next` is called. `PrefetchingIter` reads
        ahead.

    Raises
    ------
    TypeError
        If a keyword does not exist (the message suggests the nearest one), or a value has the wrong type.
    ValueError
        If a value is out of range, or data and labels have different numbers of lines. From `next`, if a line is not a
        sample: the message names the file and the line, and the following `next` returns the batch after it.
    FileNotFoundError
        If a file does not exist.

    Notes
    -----
    MXNet 1.9.1 differs in these points: after a filled batch, the next epoch started after the samples that filled it;
    instead of zeros, values of an earlier batch remained; empty fields were skipped, 1.5 and 3000000000 truncated to
    integers, surplus labels ignored; and without label files, the labels were a vector whatever `label_shape`.
    """

    def __init__(
        self,
        *,
        data_csv: Paths,
        data_shape: Sequence[int] | int,
        batch_size: int,
        label_csv: Paths = None,
        label_shape: Sequence[int] | int = (1,),
        round_batch: bool = True,
        dtype: DTypeLike | None = None,
        data_name: str = "data",
        label_name: str = "softmax_label",
        prefetch_buffer: int = 4,  # noqa: ARG002 MXNet's
        ctx: str = "cpu",  # noqa: ARG002 MXNet's
        **unknown: object,
    ) -> None:
        validate.refuse_unknown("CSVIter", unknown, inspect.signature(CSVIter).parameters)
        self._dtype = validate.dtype("float32", "int32", "int64")("dtype", dtype)
        self._data_shape = validate.sample_shape("data_shape", data_shape)
        self._label_shape = validate.sample_shape("label_shape", label_shape)
        lines, labels = _opened("data_csv", data_csv, label_csv)
        super().__init__(lines, labels, batch_size, round_batch)
        label_axes = () if self._label_shape == (1,) else self._label_shape
        self.provide_data = [_described(data_name, (self.batch_size, *self._data_shape), self._dtype)]
        self.provide_label = [_described(label_name, (self.batch_size, *label_axes), self._dtype)]

    def _read(self, span: Span) -> tuple[NDArray[Any], NDArray[Any], int]:
        data, lines = self._rows(self._lines, span, self._data_shape, "data_shape")
        label_shape = self.provide_label[0].shape
        if self._labels is None:
            label = np.zeros(label_shape, self._dtype)
        else:
            label = self._rows(self._labels, span, self._label_shape, LABELS)[0].reshape(label_shape)
        return data.reshape(self.provide_data[0].shape), label, lines

    def _rows(self, lines: Lines, span: Span, shape: tuple[int, ...], name: str) -> tuple[NDArray[Any], int]:
        width = math.prod(shape)
        parse = functools.partial(_parse_numbers, dtype=self._dtype, shape=shape, name=name)
        rows, count = lines.read_dense(span, width, self._dtype, name == LABELS, parse)
        return (self._filled(rows, width) if isinstance(rows, list) else rows), count

    def _filled(self, rows: list[list[Any]], width: int) -> NDArray[Any]:
        filled = np.zeros((self.batch_size, width), self._dtype)
        # A number beyond the range of float32 is infinite, as for the native parser.
        with np.errstate(over="ignore"):
            filled[: len(rows)] = rows
        return filled


class LibSVMIter(_TextIter):
    """Batches of sparse samples from files in LibSVM format, with one sample in each line.

    A line holds a label and ``index:value`` for each nonzero value, separated by spaces. Unlike in LibSVM's files,
    indices start at 0. A weight after the label (``1:0.5``), ``qid:`` and comments after ``#`` are ignored, as in
    MXNet. All parameters are keywords. The files are read batch by batch; with shards or label files, they are also
    scanned at construction, and at the first `state_dict`. Requires SciPy: ``pip install 'recio[scipy]'``.

    Parameters
    ----------
    data_libsvm : path, list of paths, or ``'a.t;b.t'``
        Files, read as one; a folder stands for all its files, sorted by name.
    data_shape : tuple of one int, or int
        Length of a sample.
    label_libsvm : likewise, optional
        Files of labels in the same format, with as many lines; the number at the start of a line is ignored. ``None``
        or ``'NULL'``: the labels are those in `data_libsvm`.
    label_shape : tuple of one int, or int, default (1,)
        Length of a label from `label_libsvm`, more than 1.
    num_parts, part_index : int, default 1 and 0
        Number of shards that the lines are divided into, and index of the shard that is read. Shards differ by at most
        one line. `num_parts` ``'auto'`` as for `ImageRecordIter`.
    batch_size : int
        Number of samples in a batch.
    round_batch : bool, default True
        Whether an incomplete last batch is filled with samples from the start of the epoch, or with empty ones.
        ``batch.pad`` is their number in both cases, and ``batch.index`` holds the numbers of the samples, from 0
        through all shards.
    dtype : {'float32'}, optional
        Type of data and labels.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    prefetch_buffer, ctx
        Accepted for compatibility, without effect: a batch is read when `next` is called. `PrefetchingIter` reads
        ahead.

    Raises
    ------
    ImportError
        If SciPy is not installed.
    TypeError
        If a keyword does not exist (the message suggests the nearest one), or a value has the wrong type.
    ValueError
        If a value is out of range, or data and labels have different numbers of lines. From `next`, if a line is not a
        sample, or an index is negative, too large or repeated: the message names the file and the line, and the
        following `next` returns the batch after it.
    FileNotFoundError
        If a file does not exist.

    Notes
    -----
    ``batch.data[0]`` is a ``scipy.sparse.csr_array`` of float32, shape (batch_size, data_shape[0]), with sorted
    indices. ``batch.label[0]`` is an ndarray of float32, shape (batch_size,), or also a ``csr_array``.

    MXNet 1.9.1 differs in these points: after a filled batch, the next epoch started after the samples that filled it;
    `round_batch` could only be True; an index that was too large overwrote other values, text that was no number became
    0; and shards were made by bytes, differently for data and labels.
    """

    def __init__(
        self,
        *,
        data_libsvm: Paths,
        data_shape: Sequence[int] | int,
        batch_size: int,
        label_libsvm: Paths = None,
        label_shape: Sequence[int] | int = (1,),
        num_parts: Parts = 1,
        part_index: int = 0,
        round_batch: bool = True,
        dtype: DTypeLike | None = None,
        data_name: str = "data",
        label_name: str = "softmax_label",
        prefetch_buffer: int = 4,  # noqa: ARG002 MXNet's
        ctx: str = "cpu",  # noqa: ARG002 MXNet's
        **unknown: object,
    ) -> None:
        validate.refuse_unknown("LibSVMIter", unknown, inspect.signature(LibSVMIter).parameters)
        self._csr = _csr_array()
        self._dtype = validate.dtype("float32")("dtype", dtype)
        self._data_shape = (self._width,) = (_length("data_shape", data_shape),)
        self._label_shape = (self._label_width,) = (_length("label_shape", label_shape),)
        lines, labels = _opened("data_libsvm", data_libsvm, label_libsvm, comment="#")
        if (self._label_width > 1) != (labels is not None):
            raise ValueError(f"label_shape must be more than 1 with label_libsvm, else 1, got {self._label_width}")
        super().__init__(lines, labels, batch_size, round_batch, (num_parts, part_index))
        label_axes = () if labels is None else (self._label_width,)
        self.provide_data = [_described(data_name, (self.batch_size, self._width), self._dtype)]
        self.provide_label = [_described(label_name, (self.batch_size, *label_axes), self._dtype)]

    def _read(self, span: Span) -> tuple[Any, Any, int]:
        label, data, lines = self._rows(self._lines, span, self._width)
        if self._labels is not None:
            _, label, _ = self._rows(self._labels, span, self._label_width)
        return data, label, lines

    def _rows(self, lines: Lines, span: Span, width: int) -> tuple[NDArray[Any], Any, int]:
        """Return numbers at the start of lines, a sparse matrix, and the number of lines."""
        rows, count = lines.read_sparse(span, width, functools.partial(_parse_sparse, width=width))
        labels, starts, columns, values = self._filled(rows) if isinstance(rows, list) else rows
        return labels, self._csr((values, columns, starts), shape=(self.batch_size, width)), count

    def _filled(self, rows: list[tuple[float, list[tuple[int, float]]]]) -> tuple[NDArray[Any], ...]:
        labels, lengths = np.zeros(self.batch_size, self._dtype), np.zeros(self.batch_size + 1, np.int64)
        labels[: len(rows)] = [label for label, _ in rows]
        lengths[1 : len(rows) + 1] = [len(features) for _, features in rows]
        columns = [column for _, features in rows for column, _ in features]
        # A number beyond the range of float32 is infinite, as for the native parser.
        with np.errstate(over="ignore"):
            values = np.array([value for _, features in rows for _, value in features], self._dtype)
        return labels, np.cumsum(lengths), np.array(columns, np.int64), values


def _csr_array() -> Callable[..., Any]:
    try:
        from scipy.sparse import csr_array  # noqa: PLC0415 optional
    except ImportError:
        raise ImportError("LibSVMIter needs SciPy: pip install 'recio[scipy]'") from None
    constructor: Callable[..., Any] = csr_array
    return constructor


def _opened(name: str, data: Paths, label: Paths, comment: str | None = None) -> tuple[Lines, Lines | None]:
    """Scan the data files and, if there are any, the label files."""
    if not record_paths.split_paths(data):
        raise ValueError(f"{name} names no file")
    labels = [] if label == "NULL" else record_paths.split_paths(label)
    return Lines(data, comment), Lines(labels, comment) if labels else None


def _described(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DataDesc:
    return DataDesc(name, shape, dtype.type, "NCHW"[: len(shape)])


def _length(name: str, value: Sequence[int] | int) -> int:
    shape = validate.sample_shape(name, value)
    if len(shape) != 1:
        raise ValueError(f"{name} must have one axis, got {shape}")
    return shape[0]


def _parse_numbers(text: str, dtype: np.dtype[Any], shape: tuple[int, ...], name: str) -> list[Any]:
    """Parse numbers separated by commas; one may follow the last number."""
    fields = text.removesuffix(",").split(",")
    if len(fields) != math.prod(shape):
        raise ValueError(f"{len(fields)} numbers, but {name}={shape} has {math.prod(shape)}")
    if dtype.kind == "f":
        numbers = [float(field) for field in fields]
        return [check_float32(number) for number in numbers] if name == LABELS else numbers
    limits = np.iinfo(dtype)
    values = [int(field) for field in fields]
    for value in values:
        if not limits.min <= value <= limits.max:
            raise ValueError(f"{value} is out of range for {dtype}")
    return values


def _parse_sparse(text: str, width: int) -> tuple[float, list[tuple[int, float]]]:
    """Parse a label and pairs of index and value; the pairs are sorted by index."""
    label, *fields = text.split()
    pairs = (field.partition(":") for field in fields if not field.startswith("qid:"))
    features = sorted((int(index), float(value)) for index, _, value in pairs)
    indices = [index for index, _ in features]
    for index in indices[:1] + indices[-1:]:
        if not 0 <= index < width:
            raise ValueError(f"an index must be from 0 to {width - 1}, got {index}")
    if len(set(indices)) < len(indices):
        raise ValueError("an index is repeated")
    return check_float32(float(label.partition(":")[0])), features
