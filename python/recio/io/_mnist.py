"""``MNISTIter``: batches of images and labels from MNIST's IDX files, which are kept in memory as uint8."""

from __future__ import annotations

import gzip
import inspect
import logging
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import checkpoint, ranks, validate
from recio._loader.base import DataBatch, DataDesc, EpochIter, MXDataIter
from recio._util import read_bytes
from recio.io import _array_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

    from recio._loader.ranks import Parts
    from recio._util import StrPath

_log = logging.getLogger("recio")

_GZIP = b"\x1f\x8b"
_UINT8 = 8
"""Code of the type uint8 in IDX files."""


class MNISTIter(MXDataIter, EpochIter):
    """Batches of gray images from an image file and a label file, as of MNIST and similar data sets.

    All parameters are keywords. Pixel values are divided by 256, to [0, 1): not by 255, as in MXNet.

    Parameters
    ----------
    image, label : path, default './train-images-idx3-ubyte' and './train-labels-idx1-ubyte'
        IDX files, compressed by gzip or not.
    batch_size : int, default 128
        Number of images in a batch. An incomplete last batch is skipped.
    shuffle : bool, default True
        Whether the images are shuffled once, at construction, into the order of MXNet 1.9.1 for the same `seed`. Each
        epoch has the same order.
    flat : bool, default False
        Whether an image is a vector.
    seed : int, default 0
        Seed of the order; only its lowest 32 bits are used.
    silent : bool, default False
        Whether not to log the opened files at level INFO of the logger ``recio``.
    num_parts, part_index : int, default 1 and 0
        Number of shards that the images are divided into, and index of the shard that is read. Shards differ by at most
        one image. `num_parts` ``'auto'`` as for `ImageRecordIter`.
    input_shape, data_shape : tuple of int, optional
        Accepted for compatibility, without effect: the files and `flat` determine the shape. If it is another one, a
        warning is logged.
    dtype : {'float32'}, optional
        Type of data and labels.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    prefetch_buffer, ctx
        Accepted for compatibility, without effect: a batch is made when `next` is called. `PrefetchingIter` reads
        ahead.

    Raises
    ------
    TypeError
        If a keyword does not exist (the message suggests the nearest one), or a value has the wrong type.
    ValueError
        If a value is out of range, a file is not an IDX file of that kind, or the numbers of images and labels differ.
    FileNotFoundError
        If a file does not exist.

    Notes
    -----
    ``batch.data[0]``: ndarray, shape (batch_size, 1, height, width) or, with `flat`, (batch_size, height * width),
    float32. ``batch.label[0]``: ndarray, shape (batch_size,), float32. ``batch.index``: ndarray, shape (batch_size,),
    uint64, numbers of the images in the file, from 0 (in MXNet always 0). ``batch.pad``: 0.
    """

    def __init__(
        self,
        *,
        image: StrPath = "./train-images-idx3-ubyte",
        label: StrPath = "./train-labels-idx1-ubyte",
        batch_size: int = 128,
        shuffle: bool = True,
        flat: bool = False,
        seed: int = 0,
        silent: bool = False,
        num_parts: Parts = 1,
        part_index: int = 0,
        input_shape: Sequence[int] | int | None = None,
        data_shape: Sequence[int] | int | None = None,
        dtype: DTypeLike | None = None,
        data_name: str = "data",
        label_name: str = "softmax_label",
        prefetch_buffer: int = 4,  # noqa: ARG002 MXNet's
        ctx: str = "cpu",  # noqa: ARG002 MXNet's
        **unknown: object,
    ) -> None:
        validate.refuse_unknown("MNISTIter", unknown, inspect.signature(MNISTIter).parameters)
        super().__init__(validate.positive("batch_size", batch_size))
        self._dtype = validate.dtype("float32")("dtype", dtype)
        images, self._labels = _read_idx(Path(image), axes=3), _read_idx(Path(label), axes=1)
        if len(images) != len(self._labels):
            raise ValueError(f"{label} has {len(self._labels)} labels, but {image} has {len(images)} images")
        shuffle, flat = validate.flag("shuffle", shuffle), validate.flag("flat", flat)
        seed, silent = validate.integer("seed", seed), validate.flag("silent", silent)
        num_parts, part_index = ranks.shard_of(num_parts, part_index)
        count, height, width = images.shape
        self._images = images.reshape((count, height * width) if flat else (count, 1, height, width))
        for name, value in (("input_shape", input_shape), ("data_shape", data_shape)):
            self._compare_shape(name, value)
        shard = validate.shard(count, num_parts, part_index)
        order = _shuffled(len(shard), seed) if shuffle else np.arange(len(shard))
        self._order = shard.start + order
        self._next = 0
        self._settings = {
            "image": _array_source.fingerprint(images, 0),
            "label": f"crc32 {zlib.crc32(self._labels.tobytes()):08x}",
            "batch_size": self.batch_size,
            "shuffle": shuffle,
            "seed": seed % 2**32 if shuffle else None,
            "flat": flat,
            "num_parts": num_parts,
            # Shards of one length are equally far after as many batches.
            **({"part_index": part_index} if count % num_parts else {}),
        }
        shape = (self.batch_size, *self._images.shape[1:])
        self.provide_data = [DataDesc(data_name, shape, self._dtype.type, "NC" if flat else "NCHW")]
        self.provide_label = [DataDesc(label_name, (self.batch_size,), self._dtype.type, "N")]
        if not silent:
            _log.info("%s: %d images of %dx%d", image, len(shard), height, width)

    def _compare_shape(self, name: str, value: Sequence[int] | int | None) -> None:
        """Log a warning if the caller expects images of another shape."""
        shape = self._images.shape[1:]
        if value is not None and validate.sample_shape(name, value) != shape:
            _log.warning("%s=%s has no effect: the images have shape %s, by the files and flat", name, value, shape)

    def _is_begun(self) -> bool:
        return self._next > 0

    def _rewind(self) -> None:
        self._next = 0

    def state_dict(self) -> dict[str, Any]:
        """Return the position; see `DataIter.state_dict`."""
        with self._turn:
            if self._state_before is not None:
                return self._state_before
            position = {"epoch": self._epoch, "next": self._next}
        return checkpoint.make(type(self).__name__, position, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a state; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings)
        following = checkpoint.number(position, "next", len(self._order), self.batch_size)
        epoch = checkpoint.number({"epoch": 0, **position}, "epoch", validate.MAX_EPOCH)
        with self._turn:
            self._go_to(epoch)
            self._forget(at_start=False)
            self._next = following

    def _make_batch(self) -> DataBatch | None:
        numbers = self._order[self._next : self._next + self.batch_size]
        if len(numbers) < self.batch_size:
            return None
        self._next += self.batch_size
        return DataBatch(
            [self._images[numbers].astype(self._dtype) / 256],
            [self._labels[numbers].astype(self._dtype)],
            0,
            numbers.astype(np.uint64),
            provide_data=self.provide_data,
            provide_label=self.provide_label,
        )


def _read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """Read an IDX file of uint8: two zeros, the type, the number of axes, the big-endian shape, and the values."""
    content = _content(path)
    header_size = 4 + 4 * axes
    if len(content) < header_size or content[:4] != bytes([0, 0, _UINT8, axes]):
        raise ValueError(f"{path} is not an IDX file of uint8 with {axes} axes: it begins with {content[:4].hex()}")
    shape = np.frombuffer(content, ">u4", axes, 4).tolist()
    size = len(content) - header_size
    if size != math.prod(shape):
        raise ValueError(f"{path} must have {math.prod(shape)} values for its shape {shape}, got {size}")
    return np.frombuffer(content, np.uint8, offset=header_size).reshape(shape)


def _content(path: Path) -> bytes:
    content = read_bytes(path)
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from None


def _shuffled(count: int, seed: int) -> NDArray[np.int64]:
    """Return the order that ``std::shuffle`` of GCC 4.8, which MXNet uses, makes with ``std::mt19937(seed)``.

    Each index from the second on is swapped with one of the n up to it: a 32-bit number r chooses r // (maximum // n);
    numbers that choose none are skipped.
    """
    twister = np.random.RandomState(seed % 2**32)
    order = [*range(count)]
    maximum = 2**32 - 1
    for index in range(1, count):
        divisor = maximum // (index + 1)
        other = index + 1
        while other > index:
            other = int(twister.randint(0, 2**32, dtype=np.uint32)) // divisor
        order[index], order[other] = order[other], order[index]
    return np.array(order, np.int64)
