"""Batches made image by image in Python, for subclasses of `ImageIter` that do a part of the work themselves.

`OneByOne` stands in for the native pipeline and has its methods; `Cursor` knows which image comes next.
"""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any

import numpy as np

from recio.io._checks import part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.image._iter import ImageIter
    from recio.image._sources import Files, Records

_log = logging.getLogger("recio")


class Cursor:
    """A place in an epoch.

    Parameters
    ----------
    source : Records or Files
        The images.
    settings : dict
        As for the native pipeline: the part, and whether and how it is shuffled.
    """

    def __init__(self, source: Records | Files, settings: dict[str, Any]) -> None:
        self._source, self._settings = source, settings
        self._order: list[int] | None = None
        self._next, self._epoch = 0, 0

    def advance(self) -> int:
        """Give the number of the next image. At the end, raise ``StopIteration``, and begin again."""
        order = self._ordered()
        if self._next == len(order):
            self._next = 0
            raise StopIteration
        self._next += 1
        return order[self._next - 1]

    def reset(self) -> None:
        """Begin a new epoch."""
        self._next, self._epoch = 0, self._epoch + 1
        if self._settings["shuffle"]:
            self._order = None

    def __len__(self) -> int:
        """Count the images of an epoch."""
        return len(self._ordered())

    def _ordered(self) -> list[int]:
        if self._order is None:
            parts, index = self._settings["num_parts"], self._settings["part_index"]
            self._order = list(part(len(self._source), parts, index))
            if self._settings["shuffle"]:
                random.Random(f"{self._settings['seed']} {self._epoch}").shuffle(self._order)  # noqa: S311
        return self._order


class OneByOne:
    """Batches by the hooks of an iterator.

    Parameters
    ----------
    owner : ImageIter
        The iterator.
    settings : dict
        As for the native pipeline.
    cursor : Cursor
        Where it is.
    """

    def __init__(self, owner: ImageIter, settings: dict[str, Any], cursor: Cursor) -> None:
        self._owner, self._settings, self._cursor = owner, settings, cursor
        self.label_width: int = settings["label_width"]
        self._left_over: list[tuple[NDArray[Any], Any]] = []
        self._is_over = self._is_closed = False

    def __len__(self) -> int:
        """Count the batches of the present epoch, if no image is left out."""
        size: int = self._settings["batch_size"]
        images = len(self._cursor) + len(self._left_over)
        return -(-images // size) if self._settings["last_batch"] == "pad" else images // size

    def reset(self) -> None:
        """Begin a new epoch."""
        self._is_over = False

    def hard_reset(self) -> None:
        """Begin a new epoch, and forget what is left over."""
        self._left_over = []
        self.reset()

    def close(self) -> None:
        """Forget what is left over, and give no more batches."""
        self._left_over, self._is_closed = [], True

    def plan(self, record: int, epoch: int) -> Any:  # noqa: ANN401 it gives none
        """Have no plan."""
        raise NotImplementedError("an iterator with hooks of its own draws as it goes: it has no plans")

    def next(self) -> tuple[NDArray[Any], NDArray[Any], None, int] | None:
        """Make a batch; ``None`` at the end of the epoch."""
        if self._is_closed:
            raise ValueError("the iterator is closed")
        if self._is_over:
            return None
        size, handle = self._settings["batch_size"], self._settings["last_batch"]
        carried, self._left_over = self._left_over, []
        images = carried + self._take(size - len(carried))
        pad = size - len(images)
        if pad:
            self._is_over = True
            if not images or handle == "discard":
                return None
            if handle == "roll_over":
                self._left_over = images
                return None
            while len(images) < size:
                images += self._take(size - len(images)) or images
        return self._put_together(images[:size], size - len(carried) if carried else pad)

    def _take(self, count: int) -> list[tuple[NDArray[Any], Any]]:
        """Take images until there are enough, or there are no more."""
        owner = self._owner
        images: list[tuple[NDArray[Any], Any]] = []
        while len(images) < count:
            try:
                label, coded = owner.next_sample()
            except StopIteration:
                break
            image = owner.imdecode(coded)
            try:
                owner.check_valid_image([image])
            except RuntimeError as error:
                _log.warning("an image is left out: %s", error)
                continue
            images.append((owner.postprocess_data(owner.augmentation_transform(image)), label))
        return images

    def _put_together(
        self, images: list[tuple[NDArray[Any], Any]], pad: int
    ) -> tuple[NDArray[Any], NDArray[Any], None, int]:
        size, owner = len(images), self._owner
        data = np.zeros((size, *owner.data_shape), np.float32)
        labels = np.zeros((size, self.label_width), owner.dtype)
        for place, (image, label) in enumerate(images):
            if np.shape(image) != owner.data_shape:
                raise ValueError(f"an image of shape {np.shape(image)}; data_shape is {owner.data_shape}")
            if np.size(label) != self.label_width:
                raise ValueError(f"{np.size(label)} labels, but label_width={self.label_width}")
            data[place], labels[place] = image, label
        return data, labels.ravel(), None, pad
