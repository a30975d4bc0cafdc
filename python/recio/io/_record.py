"""``ImageRecordIter``: the native pipeline as an iterator."""

from __future__ import annotations

import inspect
import logging
import os
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np

from recio import _recio
from recio.io import _options
from recio.io._base import DataBatch, DataDesc, DataIter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from numpy.typing import DTypeLike, NDArray

    from recio._paths import StrPath
    from recio.io._options import Paths

_log = logging.getLogger("recio")


class ImageRecordIter(DataIter):
    """Batches of decoded and augmented images from record files, made by native threads.

    What is done to each image, in this order: decode; bring the shorter side to `resize`; add a border (`pad`); take a
    random resized crop, or else enlarge to cover `data_shape` and crop it; mirror; normalise,
    ``(x - mean) * scale / std``. The pixels are those that MXNet 1.9.1 gives.

    An epoch has every record of the part once. The batches depend on (`seed`, epoch) only: not on `preprocess_threads`,
    `prefetch_buffer` or time. Each is an array of its own: one that is kept is never overwritten, and when one is
    dropped, its memory serves a later batch. Beside those that are kept, `prefetch_buffer` batches are in memory at
    most.

    Parameters
    ----------
    path_imgrec : path, list of paths, or ``'a.rec;b.rec'``
        The record files, read as one.
    path_imgidx : path, list of paths, optional
        Their indexes: one for each, or one for all, whose offsets count through all files. Only the records that they
        list are read. Without, the files are scanned once.
    path_imglist : path, optional
        A list (``.lst``) whose labels, found by the records' ids, take the place of the records' own.
    data_shape : (int, int, int)
        Channels (3 RGB, 1 grey, 4 RGBA), height and width of the output, in pixels.
    batch_size : int
        Images a batch.
    label_width : int, default 1
        Labels that each record has; -1 for any number, padded to the largest with `label_pad_value`.
    label_pad_value : float, default 0
        What missing labels are, if `label_width` is -1.
    resize : int, default -1
        What the shorter side is brought to first, up or down, in pixels; the other keeps the ratio, rounded down.
        -1: not.
    rand_crop : bool, default False
        Whether the crop is at a random place, or in the middle.
    random_resized_crop : bool, default False
        Whether a region of random area and aspect ratio is cropped and resized to `data_shape`. Excludes `rand_crop`.
    min_random_area, max_random_area : float, optional
        Its area, as a fraction of the image's, in (0, 1]. Default 0.08 and 1.
    min_aspect_ratio, max_aspect_ratio : float, optional
        Its ratio of width to height. Default 3/4 and 4/3. A maximum m without a minimum means 1 - m to 1 + m.
    rand_mirror : bool, default False
        Whether half of the images are flipped left to right.
    mirror : bool, default False
        Whether all are.
    mean_r, mean_g, mean_b, mean_a : float, default 0
        Subtracted, in levels of 0 to 255; grey uses `mean_r`. With dtype int8 the rounded mean is subtracted, with
        uint8 none.
    std_r, std_g, std_b, std_a : float, default 1
        Divided by, with dtype float32 and float16; not 0.
    scale : float, default 1
        Multiplied by, with dtype float32 and float16.
    inter_method : int, default 1
        How images are resampled: 0 nearest, 1 bilinear, 2 bicubic, 3 area, 4 Lanczos, 9 by the sizes, 10 at random.
    pad : int, default 0
        Thickness of a border on all sides, in pixels.
    fill_value : int, default 255
        Its level, from 0 to 255.
    dtype : {'float32', 'float16', 'uint8', 'int8'}, default 'float32'
        Type of the data.
    layout : {'NCHW', 'NHWC'}, default 'NCHW'
        Order of its axes.
    shuffle : bool, default False
        Whether each epoch has an order of its own, a permutation of all records of the part.
    seed : int, default 0
        Seed of order and augmentation, from 0 to 2**64 - 1.
    num_parts, part_index : int, default 1 and 0
        Into how many parts the records are divided, and the part that is read. Parts differ by at most one record.
    round_batch : bool, default True
        Whether an incomplete last batch is filled up with images from the epoch's beginning, or with zeros. Either way
        ``batch.pad`` says how many.
    preprocess_threads : int, optional
        Threads that decode. Default: the cores that the process may use.
    prefetch_buffer : int, default 2
        Batches made ahead of need. Each takes memory: one of 64 images, 3x224x224, float32, 38.5 MB. (MXNet: default 4,
        another meaning.)
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    verbose : bool, default True
        Whether to log, at level INFO of the logger ``recio``, what was opened.

    Raises
    ------
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    NotImplementedError
        For a keyword of MXNet's that recio does not have yet.
    ValueError
        For a value that makes no sense.
    FileNotFoundError
        If a file is missing.
    recio.RecordError, recio.DecodeError
        From the constructor if an index, a list or a scanned file is damaged; from `next` if a record or its image is.
        The message names the file, the record's number and id, and the byte offset. The iterator can be used on: the
        next `next` gives the batch after it.

    Examples
    --------
    >>> batches = ImageRecordIter(  # doctest: +SKIP
    ...     path_imgrec="train.rec", data_shape=(3, 224, 224), batch_size=64,
    ...     shuffle=True, random_resized_crop=True, rand_mirror=True,
    ... )
    >>> for epoch in range(10):  # doctest: +SKIP
    ...     for batch in batches:
    ...         x, y = batch.data[0], batch.label[0]
    ...     batches.reset()
    """

    def __init__(
        self,
        *,
        path_imgrec: Paths = None,
        path_imgidx: Paths = None,
        path_imglist: StrPath | None = None,
        data_shape: Sequence[int],
        batch_size: int,
        label_width: int = 1,
        label_pad_value: float = 0.0,
        resize: int = -1,
        rand_crop: bool = False,
        random_resized_crop: bool = False,
        min_random_area: float | None = None,
        max_random_area: float | None = None,
        min_aspect_ratio: float | None = None,
        max_aspect_ratio: float | None = None,
        rand_mirror: bool = False,
        mirror: bool = False,
        mean_r: float = 0.0,
        mean_g: float = 0.0,
        mean_b: float = 0.0,
        mean_a: float = 0.0,
        std_r: float = 1.0,
        std_g: float = 1.0,
        std_b: float = 1.0,
        std_a: float = 1.0,
        scale: float = 1.0,
        inter_method: int = 1,
        pad: int = 0,
        fill_value: int = 255,
        dtype: DTypeLike = "float32",
        layout: Literal["NCHW", "NHWC"] = "NCHW",
        shuffle: bool = False,
        seed: int = 0,
        num_parts: int = 1,
        part_index: int = 0,
        round_batch: bool = True,
        preprocess_threads: int | None = None,
        prefetch_buffer: int = 2,
        data_name: str = "data",
        label_name: str = "softmax_label",
        verbose: bool = True,
        **unknown: object,
    ) -> None:
        _options.refuse(unknown, inspect.signature(ImageRecordIter).parameters)
        super().__init__(batch_size)
        self._names = data_name, label_name
        self._dtype = _options.dtype(dtype)
        self._layout = layout
        self._label_axes = 1 if label_width == 1 else 2
        self._shape = _options.shape(data_shape)
        self._batch: DataBatch | None = None
        files = _options.paths(path_imgrec)
        if not files:
            raise ValueError("path_imgrec names no file")
        if not isinstance(seed, int | np.integer) or not 0 <= seed < 1 << 64:
            raise ValueError(f"seed={seed!r}; it is a whole number from 0 to 2^64-1")
        threads = _options.cores() if preprocess_threads is None else preprocess_threads
        self._pipeline = _recio.ImagePipeline(
            files,
            _options.paths(path_imgidx),
            _options.checked(
                {
                    "data_shape": self._shape,
                    "batch_size": batch_size,
                    "label_width": label_width,
                    "path_imglist": os.fspath(path_imglist) if path_imglist else None,
                    "label_pad_value": label_pad_value,
                    "resize": resize,
                    "pad": pad,
                    "fill_value": fill_value,
                    "rand_crop": rand_crop,
                    "resized_crop": _options.resized_crop(
                        random_resized_crop,
                        rand_crop,
                        (min_random_area, max_random_area),
                        (min_aspect_ratio, max_aspect_ratio),
                    ),
                    "mirror": mirror,
                    "rand_mirror": rand_mirror,
                    "inter_method": inter_method,
                    "mean": (mean_r, mean_g, mean_b, mean_a),
                    "std": (std_r, std_g, std_b, std_a),
                    "scale": scale,
                    "dtype": self._dtype.name,
                    "layout": layout,
                    "shuffle": shuffle,
                    "seed": int(seed),
                    "num_parts": num_parts,
                    "part_index": part_index,
                    "round_batch": round_batch,
                    "preprocess_threads": threads,
                    "prefetch_buffer": prefetch_buffer,
                }
            ),
        )
        if verbose:
            _log.info("%s: %d batches of %d, %d threads", ";".join(files), len(self), batch_size, threads)

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return len(self._pipeline)

    def __bool__(self) -> bool:
        """Be true, with or without batches."""
        return True

    @property
    def provide_data(self) -> list[DataDesc]:
        """The name, shape, type and layout of a batch's data."""
        channels, height, width = self._shape
        sides = {"N": self.batch_size, "C": channels, "H": height, "W": width}
        shape = [sides[axis] for axis in self._layout]
        return [DataDesc(self._names[0], shape, self._dtype.type, self._layout)]

    @property
    def provide_label(self) -> list[DataDesc]:
        """The name, shape, type and layout of the labels: a row for each image or, of one label, a number."""
        shape = (self.batch_size, self._pipeline.label_width)[: self._label_axes]
        return [DataDesc(self._names[1], shape, np.float32, "NC"[: self._label_axes])]

    def iter_next(self) -> bool:
        """Move to the next batch, waiting for it; give whether there is one."""
        self._batch = None
        parts = self._pipeline.next()
        if parts is None:
            return False
        data, labels, ids, pad = parts
        labels = labels.reshape(self.provide_label[0].shape)
        self._batch = DataBatch(
            [data], [labels], pad, ids, provide_data=self.provide_data, provide_label=self.provide_label
        )
        return True

    def next(self) -> DataBatch:
        """Give the next batch, waiting for it.

        Returns
        -------
        DataBatch
            ``data[0]``: ndarray, shape (batch_size, channels, height, width) or, as `layout` says, (batch_size,
            height, width, channels), of `dtype`; C-contiguous and writable. ``label[0]``: ndarray, shape (batch_size,)
            or (batch_size, label_width), float32. ``index``: ndarray, shape (batch_size,), uint64, the records' ids.
            ``pad``: int, how many images at the end only fill the batch.

        Raises
        ------
        StopIteration
            At the end of the epoch, until `reset`.
        recio.RecordError, recio.DecodeError
            If a record of this batch is damaged.
        """
        if not self.iter_next():
            raise StopIteration
        batch, self._batch = self._present(), None
        return batch

    def reset(self) -> None:
        """Begin a new epoch from its first batch, at any time."""
        self._batch = None
        self._pipeline.reset()

    def close(self) -> None:
        """Stop the threads, close the files and free the memory. A second call does nothing.

        A generator that delegates to this iterator by ``yield from`` and is stopped early calls this too: that is
        Python's rule for whatever has a ``close``. A ``for`` loop does not.
        """
        self._batch = None
        self._pipeline.close()

    def getdata(self) -> list[NDArray[Any]]:
        """Give the data of the batch that `iter_next` moved to."""
        return list(self._present().data)

    def getlabel(self) -> list[NDArray[Any]] | None:
        """Give its labels."""
        return list(self._present().label or [])

    def getindex(self) -> NDArray[Any] | None:
        """Give the ids of its records."""
        return self._present().index

    def getpad(self) -> int | None:
        """Give how many of its images only fill it."""
        return self._present().pad

    def _present(self) -> DataBatch:
        if self._batch is None:
            raise ValueError("there is no present batch: iter_next has not been called, or gave False")
        return self._batch

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()
