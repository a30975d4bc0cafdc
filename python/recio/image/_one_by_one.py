"""Batches made image by image in Python, for subclasses of `ImageIter` that do a part of the work themselves.

`OneByOne` stands in for the native pipeline and has its methods; `Cursor` knows which image comes next. A state tells
what the cursor knows, not what hooks keep to themselves, nor what they and the augmenters draw from Python's `random`:
who wants the same draws after a resume saves ``random.getstate()`` with the state, and after it was loaded sets it.
"""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from recio._loader import checkpoint
from recio._loader.validate import shard
from recio.errors import DecodeError, RecordError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio.image._image_iter import ImageIter
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
        self.last = 0
        """The number of the image that was given last."""

    def advance(self) -> int:
        """Give the number of the next image. At the end, raise ``StopIteration``, and begin again."""
        order = self._ordered()
        if self._next == len(order):
            self._next = 0
            raise StopIteration
        self._next += 1
        self.last = order[self._next - 1]
        return self.last

    def reset(self) -> None:
        """Begin a new epoch."""
        self.go_to(self._epoch + 1, 0)

    @property
    def place(self) -> tuple[int, int]:
        """The epoch, and how many of its images have been taken."""
        return self._epoch, self._next

    def go_to(self, epoch: int, place: int) -> None:
        """Go to a place in any epoch."""
        self._epoch, self._next = epoch, place
        if self._settings["shuffle"]:
            self._order = None

    def __len__(self) -> int:
        """Count the images of an epoch."""
        return len(self._ordered())

    def _ordered(self) -> list[int]:
        if self._order is None:
            parts, index = self._settings["num_parts"], self._settings["part_index"]
            self._order = list(shard(len(self._source), parts, index))
            if self._settings["shuffle"]:
                random.Random(f"{self._settings['seed']} {self._epoch}").shuffle(self._order)  # noqa: S311
            if self._settings["shard_policy"] == "drop":
                del self._order[len(self._source) // parts :]
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
    fingerprint : (int, int, int)
        What tells the images from others: their number, their files' bytes, and a digest.

    Raises
    ------
    ValueError
        If parts of different sizes are to have as many batches, and roll over.
    """

    def __init__(
        self, owner: ImageIter, settings: dict[str, Any], cursor: Cursor, fingerprint: tuple[int, int, int]
    ) -> None:
        self._owner, self._settings, self._cursor, self._told = owner, settings, cursor, fingerprint
        self._quota = self._batches_of_largest_part()
        self._given = 0
        self._damage: list[RecordError | DecodeError | OSError] = []
        self._damaged: set[int] = set()
        self.label_width: int = settings["label_width"]
        self._left_over: list[tuple[NDArray[Any], Any]] = []
        # From where to the end of its epoch each of the images that are left over was taken.
        self._origins: list[tuple[int, int]] = []
        self._is_over = self._is_closed = self._has_own_samples = False

    def __len__(self) -> int:
        """Count the batches of the present epoch, if no image is left out."""
        size: int = self._settings["batch_size"]
        images = len(self._cursor) + len(self._left_over)
        if self._quota:
            return self._quota
        return -(-images // size) if self._settings["last_batch"] == "pad" else images // size

    def reset(self) -> None:
        """Begin a new epoch."""
        self._is_over = False
        self._given = 0

    def hard_reset(self) -> None:
        """Begin a new epoch, and forget what is left over."""
        self._left_over, self._origins = [], []
        self.reset()

    def close(self) -> None:
        """Forget what is left over, and give no more batches."""
        self._left_over, self._origins, self._is_closed = [], [], True

    @property
    def samples(self) -> int:
        """The images of an epoch."""
        return len(self._cursor)

    def fingerprint(self) -> tuple[int, int, int]:
        """Give what tells the images from others."""
        return self._told

    def take_damage(self) -> list[RecordError | DecodeError | OSError]:
        """Give what is wrong with the images that were left out since this was asked last."""
        damage, self._damage = self._damage, []
        return damage

    def _batches_of_largest_part(self) -> int:
        """Count the batches that every part must have, if they are to have as many; 0 if not."""
        parts, handle = self._settings["num_parts"], self._settings["last_batch"]
        if parts == 1 or self._settings["shard_policy"] != "pad":
            return 0
        if handle == "roll_over":
            raise ValueError("with hooks, parts that roll over need shard_policy='drop' or 'uneven'")
        largest = -(-self._told[0] // parts)
        size: int = self._settings["batch_size"]
        batches: int = -(-largest // size) if handle == "pad" else largest // size
        return batches

    def state(self) -> dict[str, Any]:
        """Tell where it is.

        Raises
        ------
        NotImplementedError
            If the hook `next_sample` takes samples from elsewhere, and only it knows from where.
        """
        if self._has_own_samples:
            raise NotImplementedError(
                f"{type(self._owner).__name__}.next_sample takes samples of its own, whose place recio does not know: "
                "define state_dict and load_state_dict"
            )
        epoch, place = self._cursor.place
        return {"epoch": epoch, "next": place, "over": self._is_over, "given": self._given} | {
            "left_over": [*map(list, self._origins)]
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go to where a state was taken. What is left over, less than a batch, is made again, with other draws.

        Raises
        ------
        ValueError
            If there is no such place.
        """
        place, is_over = self._checked(state), bool(checkpoint.number(state, "over", 1))
        given = checkpoint.number(state, "given", 2**63)
        origins = [self._checked({"epoch": epoch, "next": start}) for epoch, start in _pairs(state.get("left_over"))]
        self._left_over, self._origins = self._taken_from(origins), origins
        self._cursor.go_to(*place)
        self._is_over, self._given = is_over, given

    def _checked(self, place: dict[str, Any]) -> tuple[int, int]:
        return checkpoint.number(place, "epoch", 2**63), checkpoint.number(place, "next", len(self._cursor))

    def _taken_from(self, origins: list[tuple[int, int]]) -> list[tuple[NDArray[Any], Any]]:
        """Take the images from each of some places to the end of its epoch, and go back."""
        here, size = self._cursor.place, self._settings["batch_size"]
        images: list[tuple[NDArray[Any], Any]] = []
        try:
            for origin in origins:
                self._cursor.go_to(*origin)
                images += self._take(size - len(images))
        finally:
            self._cursor.go_to(*here)
        if len(images) == size:
            raise ValueError(f"the state's left_over is {origins}; the images from there on fill a batch")
        return images

    def plan(self, record: int, epoch: int) -> Any:  # noqa: ANN401 it gives none
        """Have no plan."""
        raise NotImplementedError("an iterator with hooks of its own draws as it goes: it has no plans")

    def next(self) -> tuple[NDArray[Any], NDArray[Any], None, int] | None:
        """Make a batch; ``None`` at the end of the epoch."""
        if self._is_closed:
            raise ValueError("the iterator is closed")
        if self._is_over and self._given >= self._quota:
            return None
        size, handle = self._settings["batch_size"], self._settings["last_batch"]
        carried, self._left_over = self._left_over, []
        origins, self._origins = [*self._origins, self._cursor.place], []
        # What comes after the end is there for other parts to have no more batches.
        images = [] if self._is_over else carried + self._take(size - len(carried))
        pad = size - len(images)
        if pad:
            self._is_over = True
            if self._given >= self._quota and (not images or handle == "discard"):
                return None
            if handle == "roll_over":
                self._left_over, self._origins = images, origins
                return None
            while len(images) < size:
                images += self._take(size - len(images)) or images or self._none()
        self._given += 1
        return self._put_together(images[:size], size - len(carried) if carried else pad)

    def _none(self) -> NoReturn:
        raise ValueError(f"none of the {len(self._cursor)} images can be read")

    def _take(self, count: int) -> list[tuple[NDArray[Any], Any]]:
        """Take images until there are enough, or there are no more."""
        owner = self._owner
        images: list[tuple[NDArray[Any], Any]] = []
        while len(images) < count:
            before = self._cursor.place
            try:
                label, coded = owner.next_sample()
                self._has_own_samples |= self._cursor.place == before
                image = owner.imdecode(coded)
            except StopIteration:
                break
            except (RecordError, DecodeError, FileNotFoundError, PermissionError) as error:
                self._pass_over(error)
                continue
            try:
                owner.check_valid_image([image])
            except RuntimeError as error:
                _log.warning("an image is left out: %s", error)
                continue
            images.append((owner.postprocess_data(owner.augmentation_transform(image)), label))
        return images

    def _pass_over(self, error: RecordError | DecodeError | OSError) -> None:
        """Leave an image out, or raise what is wrong with it; it is told once."""
        if not self._settings["skip_damaged"]:
            raise error
        number = self._cursor.last
        if number in self._damaged:
            return
        self._damaged.add(number)
        if isinstance(error, RecordError | DecodeError) and error.record is None:
            error.record = number
        self._damage.append(error)

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


def _pairs(value: Any) -> list[Any]:  # noqa: ANN401 of a state
    """Give a list of pairs, if it is one."""
    if not isinstance(value, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in value):  # noqa: PLR2004
        raise ValueError(f"the state's left_over is {value!r}; it is a list of epochs and places")
    return value
