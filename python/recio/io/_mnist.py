"""``MNISTIter``: the images and labels of MNIST's files (IDX, of bytes) as batches.

The files are small and are kept in memory, as bytes.
"""

from __future__ import annotations

import gzip
import inspect
import logging
import math
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import checkpoint, validate
from recio._loader.base import BatchIter, DataBatch, DataDesc
from recio.io import _array_source

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from recio._util import StrPath

_log = logging.getLogger("recio")

_GZIP = b"\x1f\x8b"
_BYTES = 8
"""The number that IDX files have for bytes."""


class MNISTIter(BatchIter):
    """Batches of grey images from a file of images and one of labels, as MNIST and its kin have them.

    All parameters are keywords. The values of the images are levels / 256, in [0, 1): not / 255, as in MXNet.

    Parameters
    ----------
    image, label : path, default './train-images-idx3-ubyte' and './train-labels-idx1-ubyte'
        The files, compressed by gzip or not.
    batch_size : int, default 128
        Images a batch. An incomplete last batch is left out.
    shuffle : bool, default True
        Whether the images are put into another order, once: that which MXNet 1.9.1 gave them for this `seed`. It is the
        same in each epoch.
    flat : bool, default False
        Whether an image is a vector.
    seed : int, default 0
        Seed of the order; its lowest 32 bits count.
    silent : bool, default False
        Whether not to log, at level INFO of the logger ``recio``, what was opened.
    num_parts, part_index : int, default 1 and 0
        Into how many parts the images are divided, and the part that is read. Parts differ by at most one image.
    dtype : {'float32'}, optional
        Type of data and labels.
    data_name, label_name : str, default 'data' and 'softmax_label'
        Names in ``provide_data`` and ``provide_label``.
    prefetch_buffer, ctx
        MXNet's. A batch is made when it is asked for; `PrefetchingIter` makes it ahead.

    Raises
    ------
    TypeError
        For a keyword that does not exist; the message names the nearest one.
    ValueError
        For a value that makes no sense, a file that is not what its name says, or different numbers of images and
        labels.
    FileNotFoundError
        If a file is missing.

    Notes
    -----
    ``batch.data[0]``: ndarray, shape (batch_size, 1, height, width) or, flat, (batch_size, height * width), float32.
    ``batch.label[0]``: ndarray, shape (batch_size,), float32. ``batch.index``: ndarray, shape (batch_size,), uint64,
    the images' numbers in the file, from 0 (in MXNet always 0). ``batch.pad``: 0.
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
        num_parts: int = 1,
        part_index: int = 0,
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
            raise ValueError(f"{label} has {len(self._labels)} labels for the {len(images)} images of {image}")
        count, height, width = images.shape
        self._images = images.reshape((count, height * width) if flat else (count, 1, height, width))
        part = validate.shard(count, num_parts, part_index)
        order = _shuffled(len(part), validate.integer("seed", seed)) if shuffle else np.arange(len(part))
        self._order = part.start + order
        self._next = 0
        self._settings = {
            "image": _array_source.fingerprint(images, 0),
            "label": f"crc32 {zlib.crc32(self._labels.tobytes()):08x}",
            "batch_size": self.batch_size,
            "shuffle": bool(shuffle),
            "seed": seed % 2**32 if shuffle else None,
            "flat": bool(flat),
            "num_parts": num_parts,
            "part_index": part_index,
        }
        shape = (self.batch_size, *self._images.shape[1:])
        self.provide_data = [DataDesc(data_name, shape, self._dtype.type, "NC" if flat else "NCHW")]
        self.provide_label = [DataDesc(label_name, (self.batch_size,), self._dtype.type, "N")]
        if not silent:
            _log.info("%s: %d images of %dx%d", image, len(part), height, width)

    def reset(self) -> None:
        """Begin a new epoch, in the same order."""
        self._batch = None
        self._next = 0

    def state_dict(self) -> dict[str, Any]:
        """Tell where it is; see `DataIter.state_dict`."""
        return checkpoint.make(type(self).__name__, {"next": self._next}, self._settings)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where a state was taken; see `DataIter.load_state_dict`."""
        position = checkpoint.fit(state, type(self).__name__, self._settings)
        self._next = checkpoint.number(position, "next", len(self._order))
        self._batch = None

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
    """Read a file of bytes: two zeros, the type, the number of axes, the big-endian lengths, and the bytes."""
    content = _content(path)
    head = 4 + 4 * axes
    if len(content) < head or content[:4] != bytes([0, 0, _BYTES, axes]):
        raise ValueError(f"{path} is not an IDX file of bytes with {axes} axes: it begins with {content[:4].hex()}")
    shape = np.frombuffer(content, ">u4", axes, 4).tolist()
    if len(content) - head != math.prod(shape):
        raise ValueError(f"{path} has {len(content) - head} bytes after its head, which says {shape}")
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def _content(path: Path) -> bytes:
    content = path.read_bytes()
    if not content.startswith(_GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: {error}") from None


def _shuffled(count: int, seed: int) -> NDArray[np.int64]:
    """Give the order that MXNet's ``std::shuffle``, that of GCC 4.8, makes with ``std::mt19937(seed)``.

    Each place from the second on is swapped with one of those up to it: a 32-bit number r chooses r // (most // n) of
    n, and those beyond the last whole share are thrown away.
    """
    twister = np.random.RandomState(seed % 2**32)
    order = [*range(count)]
    most = 2**32 - 1
    for place in range(1, count):
        share = most // (place + 1)
        other = place + 1
        while other > place:
            other = int(twister.randint(0, 2**32, dtype=np.uint32)) // share
        order[place], order[other] = order[other], order[place]
    return np.array(order, np.int64)
