"""``CSVIter`` and ``LibSVMIter``: the lines of text files as batches, dense and sparse.

What a line means is known here; where lines are, in ``_text_lines``.
"""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import checkpoint, record_paths, validate
from recio._loader.base import BatchIter, DataBatch, DataDesc
from recio.io._text_lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import DTypeLike, NDArray

    from recio._loader.record_paths import Paths


class _TextIter(BatchIter):
    """Batches of one sample a line, in the order of the lines.

    A subclass has the shapes and the type of data and labels, and ``_read``, which gives those of some lines, filled up
    to a batch with zeros.
    """

    def __init__(
        self, lines: Lines, labels: Lines | None, batch_size: int, round_batch: bool, part: tuple[int, int] = (1, 0)
    ) -> None:
        super().__init__(validate.positive("batch_size", batch_size))
        if labels is not None and len(labels) != len(lines):
            raise ValueError(f"{labels} has {len(labels)} lines of labels for the {len(lines)} of {lines}")
        self._lines = lines
        self._labels = labels
        self._round_batch = round_batch
        self._parts = part
        self._part = validate.shard(len(lines), *part)
        self._next = self._part.start

    provide_data: list[DataDesc]
    provide_label: list[DataDesc]
    _data_shape: tuple[int, ...]
    _label_shape: tuple[int, ...]
    _dtype: np.dtype[Any]

    def reset(self) -> None:
        """Begin a new epoch from its first line, at any time."""
        self._batch = None
        self._next = self._part.start

    def state_dict(self) -> dict[str, Any]:
        """Tell where it is; see `DataIter.state_dict`."""
        return checkpoint.make(type(self).__name__, {"next": self._next - self._part.start}, self._settings())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where a state was taken; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings())
        self._next = self._part.start + checkpoint.number(position, "next", len(self._part) + self.batch_size)
        self._batch = None

    def _settings(self) -> dict[str, Any]:
        """Give what the batches depend on."""
        num_parts, part_index = self._parts
        return {
            "data": self._lines.fingerprint,
            "label": self._labels and self._labels.fingerprint,
            "batch_size": self.batch_size,
            "round_batch": bool(self._round_batch),
            "num_parts": num_parts,
            "part_index": part_index,
            "data_shape": self._data_shape,
            "label_shape": self._label_shape,
            "dtype": self._dtype.name,
        }

    def _read(self, numbers: list[int]) -> tuple[Any, Any]:
        raise NotImplementedError

    def _make_batch(self) -> DataBatch | None:
        numbers = [*range(self._next, min(self._next + self.batch_size, self._part.stop))]
        if not numbers:
            return None
        # Before anything is read: after an error, the next batch is the one after it.
        self._next += self.batch_size
        pad = self.batch_size - len(numbers)
        if self._round_batch:
            numbers += [self._part[place % len(self._part)] for place in range(pad)]
        # A number beyond float32's is infinite, as it is for NumPy's parser.
        with np.errstate(over="ignore"):
            data, label = self._read(numbers)
        index = np.zeros(self.batch_size, np.uint64)
        index[: len(numbers)] = numbers
        return DataBatch([data], [label], pad, index, provide_data=self.provide_data, provide_label=self.provide_label)


class CSVIter(_TextIter):
    """Batches of samples from a file of comma-separated numbers, a sample a line.

    All parameters are keywords. Blank lines count for nothing, nor does a comma at a line's end; every field holds a
    number. The file is scanned at construction and read batch by batch.

    Parameters
    ----------
    data_csv : path, list of paths, or ``'a.csv;b.csv'``
        The files, read as one; of a directory, all its files in the order of their names.
    data_shape : tuple of int, or int
        Shape of a sample; its numbers stand in a line, the last axis running fastest.
    label_csv : likewise, optional
        Files of labels, with as many lines. ``None`` or ``'NULL'``: all labels are 0.
    label_shape : tuple of int, or int, default (1,)
        Shape of a label; of one number, the labels are a vector.
    batch_size : int
        Samples a batch.
    round_batch : bool, default True
        Whether an incomplete last batch is filled up with samples from the epoch's beginning, or with zeros. Either way
        ``batch.pad`` says how many, and ``batch.index`` has the samples' numbers, from 0.
    dtype : {'float32', 'int32', 'int64'}, default 'float32'
        Type of data and labels. For integers, a number that is not whole or is too large is an error.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    prefetch_buffer, ctx
        MXNet's. A batch is read when it is asked for; `PrefetchingIter` reads it ahead.

    Raises
    ------
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    ValueError
        For a value that makes no sense, or different numbers of lines. From `next` if a line of the batch is not a
        sample; the message names the file and the line, and the next `next` gives the batch after it.
    FileNotFoundError
        If a file is missing.

    Notes
    -----
    Not so in MXNet 1.9.1: its epochs after a filled-up batch began behind the samples that had filled it; instead of
    zeros, there was what an earlier batch had left; empty fields were left out, whole numbers cut from 1.5 and
    3000000000, surplus labels passed over; and without a file of labels, they were a vector whatever `label_shape`.
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

    def _read(self, numbers: list[int]) -> tuple[NDArray[Any], NDArray[Any]]:
        data = self._rows(self._lines, numbers, self._data_shape, "data_shape")
        label = self._rows(self._labels, numbers, self._label_shape, "label_shape")
        return data.reshape(self.provide_data[0].shape), label.reshape(self.provide_label[0].shape)

    def _rows(self, lines: Lines | None, numbers: list[int], shape: tuple[int, ...], name: str) -> NDArray[Any]:
        rows = np.zeros((self.batch_size, math.prod(shape)), self._dtype)
        if lines is not None:
            parsed = _parsed_at_once(lines.read(numbers), self._dtype)
            if parsed is None or parsed.shape != (len(numbers), rows.shape[1]):
                listed = lines.parse(numbers, lambda text: _numbers(text, self._dtype, shape, name))
                parsed = np.array(listed, self._dtype)
            rows[: len(numbers)] = parsed
        return rows


class LibSVMIter(_TextIter):
    """Batches of sparse samples from a file in LibSVM's format, a sample a line.

    A line is a label and, by spaces apart, ``index:value`` for what is not 0. Unlike in LibSVM's own files, indices
    count from 0. A weight behind the label (``1:0.5``), a ``qid:`` and comments behind ``#`` go nowhere, as in MXNet.
    All parameters are keywords. The file is scanned at construction and read batch by batch. Needs SciPy, which
    ``pip install 'recio[scipy]'`` brings.

    Parameters
    ----------
    data_libsvm : path, list of paths, or ``'a.t;b.t'``
        The files, read as one; of a directory, all its files in the order of their names.
    data_shape : tuple of one int, or int
        Length of a sample.
    label_libsvm : likewise, optional
        Files of labels in the same format, with as many lines; the number that begins a line goes nowhere. ``None`` or
        ``'NULL'``: the labels are those in `data_libsvm`.
    label_shape : tuple of one int, or int, default (1,)
        Length of a label from `label_libsvm`, more than 1.
    num_parts, part_index : int, default 1 and 0
        Into how many parts the lines are divided, and the part that is read. Parts differ by at most one line.
    batch_size : int
        Samples a batch.
    round_batch : bool, default True
        Whether an incomplete last batch is filled up with samples from the epoch's beginning, or with empty ones.
        Either way ``batch.pad`` says how many, and ``batch.index`` has the samples' numbers, from 0, in all parts.
    dtype : {'float32'}, optional
        Type of data and labels.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    prefetch_buffer, ctx
        MXNet's. A batch is read when it is asked for; `PrefetchingIter` reads it ahead.

    Raises
    ------
    ImportError
        If SciPy is missing.
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    ValueError
        For a value that makes no sense, or different numbers of lines. From `next` if a line of the batch is not a
        sample, or an index in it is negative, too large or there twice; the message names the file and the line, and
        the next `next` gives the batch after it.
    FileNotFoundError
        If a file is missing.

    Notes
    -----
    ``batch.data[0]`` is a ``scipy.sparse.csr_array`` of float32, shape (batch_size, data_shape[0]), with sorted
    indices. ``batch.label[0]`` is an ndarray of float32, shape (batch_size,), or a ``csr_array`` too.

    Not so in MXNet 1.9.1: its epochs after a filled-up batch began behind the samples that had filled it; `round_batch`
    could only be True; too large an index was written where it did not belong, what was no number was 0; and parts
    were made by bytes, of data and of labels differently.
    """

    def __init__(
        self,
        *,
        data_libsvm: Paths,
        data_shape: Sequence[int] | int,
        batch_size: int,
        label_libsvm: Paths = None,
        label_shape: Sequence[int] | int = (1,),
        num_parts: int = 1,
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
            raise ValueError(f"label_shape=({self._label_width},); it is more than 1 with label_libsvm, and only then")
        super().__init__(lines, labels, batch_size, round_batch, (num_parts, part_index))
        label_axes = () if labels is None else (self._label_width,)
        self.provide_data = [_described(data_name, (self.batch_size, self._width), self._dtype)]
        self.provide_label = [_described(label_name, (self.batch_size, *label_axes), self._dtype)]

    def _read(self, numbers: list[int]) -> tuple[Any, Any]:
        samples = self._lines.parse(numbers, lambda text: _sparse(text, self._width))
        data = self._rows([features for _, features in samples], self._width)
        if self._labels is not None:
            labels = self._labels.parse(numbers, lambda text: _sparse(text, self._label_width))
            return data, self._rows([features for _, features in labels], self._label_width)
        label = np.zeros(self.batch_size, self._dtype)
        label[: len(samples)] = [own for own, _ in samples]
        return data, label

    def _rows(self, rows: list[list[tuple[int, float]]], width: int) -> Any:  # noqa: ANN401 a sparse matrix
        ends = np.zeros(self.batch_size + 1, np.int64)
        ends[1 : len(rows) + 1] = [len(row) for row in rows]
        indices = [index for row in rows for index, _ in row]
        values = [value for row in rows for _, value in row]
        parts = np.array(values, self._dtype), np.array(indices, np.int64), np.cumsum(ends)
        return self._csr(parts, shape=(self.batch_size, width))


def _csr_array() -> Callable[..., Any]:
    try:
        from scipy.sparse import csr_array  # noqa: PLC0415 it is wanted here only
    except ImportError:
        raise ImportError("LibSVMIter gives SciPy's sparse arrays: pip install 'recio[scipy]'") from None
    made: Callable[..., Any] = csr_array
    return made


def _opened(name: str, data: Paths, label: Paths, comment: str | None = None) -> tuple[Lines, Lines | None]:
    """Scan the files of the data and, if there are any, of the labels."""
    if not record_paths.split_paths(data):
        raise ValueError(f"{name} names no file")
    labels = [] if label == "NULL" else record_paths.split_paths(label)
    return Lines(data, comment), Lines(labels, comment) if labels else None


def _described(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> DataDesc:
    return DataDesc(name, shape, dtype.type, "NCHW"[: len(shape)])


def _length(name: str, value: Sequence[int] | int) -> int:
    shape = validate.sample_shape(name, value)
    if len(shape) != 1:
        raise ValueError(f"{name}={shape}; it has one axis")
    return shape[0]


def _parsed_at_once(texts: list[str], dtype: np.dtype[Any]) -> NDArray[Any] | None:
    """Read lines of numbers by NumPy's parser, fast; ``None`` if it cannot, or not with the care that is wanted here.

    Of errors it does not know the line; and for integers, that of NumPy 1.26 takes 1.5, and 3000000000 for another.
    """
    if dtype.kind != "f":
        return None
    try:
        return np.loadtxt(texts, dtype, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None


def _numbers(text: str, dtype: np.dtype[Any], shape: tuple[int, ...], name: str) -> list[Any]:
    """Read numbers with commas between them, and perhaps after them."""
    fields = text.removesuffix(",").split(",")
    if len(fields) != math.prod(shape):
        raise ValueError(f"{len(fields)} numbers, but {name}={shape} has {math.prod(shape)}")
    if dtype.kind == "f":
        return [float(field) for field in fields]
    limits = np.iinfo(dtype)
    values = [int(field) for field in fields]
    for value in values:
        if not limits.min <= value <= limits.max:
            raise ValueError(f"{value} is too large for {dtype}")
    return values


def _sparse(text: str, width: int) -> tuple[float, list[tuple[int, float]]]:
    """Read a label, and what is not 0 in the order of its indices."""
    label, *fields = text.split()
    pairs = (field.partition(":") for field in fields if not field.startswith("qid:"))
    features = sorted((int(index), float(value)) for index, _, value in pairs)
    indices = [index for index, _ in features]
    for index in indices[:1] + indices[-1:]:
        if not 0 <= index < width:
            raise ValueError(f"index {index}; the indices of {width} numbers are from 0 to {width - 1}")
    if len(set(indices)) < len(indices):
        raise ValueError("an index is there twice")
    return float(label.partition(":")[0]), features
