"""Base of samplers: the records of each epoch, as a function of the epoch."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from recio._loader import checkpoint, ranks, validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from recio._loader.ranks import Parts

_MAX_RECORDS = 1 << 32


class Sampler:
    """Base class of samplers.

    A subclass defines `order`, which returns the numbers of the records of an epoch, in order. They may repeat. An
    iterator that it is passed to, as ``sampler=``, makes its batches of these records. Random augmentation differs
    between repeats of a record.

    It is also a sampler for ``torch.utils.data.DataLoader``: an iterable of numbers, of which each rank has as many.
    Each loop over it is the next epoch.

    Parameters
    ----------
    num_samples : int
        Number of samples of an epoch, of all ranks together.
    records : int, optional
        Number of records of the data set. Iterators check that they have as many.
    batch_size : int, optional
        Batch size that the order is made for, of each rank. Iterators check that they have it. Ranks take turns by so
        many samples; by default, by one.
    num_parts, part_index : int, default 1 and 0
        Number of ranks and index of this one, for loops over the sampler. `num_parts` ``'auto'`` as for
        `recio.io.ImageRecordIter`. Iterators have these keywords themselves.

    Raises
    ------
    ValueError
        If `num_samples`, `records`, `batch_size` or `num_parts` is less than 1, or `part_index` is not less than
        `num_parts`.

    Examples
    --------
    >>> class Odd(Sampler):
    ...     def order(self, epoch):
    ...         return np.roll(np.arange(1, 10, 2), epoch)
    >>> sampler = Odd(5)
    >>> list(sampler), list(sampler)
    ([1, 3, 5, 7, 9], [9, 1, 3, 5, 7])
    """

    def __init__(
        self,
        num_samples: int,
        *,
        records: int | None = None,
        batch_size: int | None = None,
        num_parts: Parts = 1,
        part_index: int = 0,
    ) -> None:
        self.num_samples = validate.positive("num_samples", num_samples)
        self.records = None if records is None else validate.positive("records", records)
        self.batch_size = None if batch_size is None else validate.positive("batch_size", batch_size)
        self.num_parts, self.part_index = ranks.shard_of(num_parts, part_index)
        validate.positive("num_parts", self.num_parts)
        if not 0 <= self.part_index < self.num_parts:
            raise ValueError(f"part_index must be less than num_parts={self.num_parts}, got {self.part_index}")
        self._epoch, self._next = 0, 0
        self._continues = True
        self._digest: int | None = None

    def order(self, epoch: int) -> ArrayLike:
        """Return the records of an epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0.

        Returns
        -------
        array-like, shape (num_samples,), int
            Numbers of records, from 0, in the order of the files. It must depend on nothing but `epoch` and the
            arguments of the constructor.
        """
        raise NotImplementedError(f"{type(self).__name__} does not define order")

    def checked_order(self, epoch: int) -> NDArray[np.uint32]:
        """Return the records of an epoch as native code takes them.

        Raises
        ------
        ValueError
            If `order` does not return `num_samples` integers from 0 to 2**32 - 1.
        """
        order = np.asarray(self.order(epoch))
        if order.shape != (self.num_samples,) or order.dtype.kind not in "iu":
            raise ValueError(
                f"{type(self).__name__}.order must return {self.num_samples} integers, got an array of shape "
                f"{order.shape} and dtype {order.dtype} in epoch {epoch}"
            )
        if order.dtype != np.uint32 and not 0 <= order.min() <= order.max() < _MAX_RECORDS:
            raise ValueError(
                f"{type(self).__name__}.order must return numbers of records, got {order.min()} to {order.max()} in "
                f"epoch {epoch}"
            )
        return np.ascontiguousarray(order, np.uint32)

    @property
    def digest(self) -> int:
        """CRC-32 of the order of epoch 0, by which states tell samplers apart."""
        if self._digest is None:
            self._digest = zlib.crc32(self.checked_order(0).tobytes())
        return self._digest

    def __len__(self) -> int:
        """Return the number of samples of an epoch of this rank."""
        turn = self.batch_size or 1
        return -(-self.num_samples // (turn * self.num_parts)) * turn

    def __iter__(self) -> Iterator[int]:
        """Begin a loop over an epoch, or over the rest of the one whose state was loaded.

        Yields
        ------
        int
            Numbers of records. Where the ranks do not divide an epoch evenly, records are repeated from its beginning.
        """
        # A loop begins with its first number: Lightning creates it before it calls `set_epoch`.
        if not self._continues or self._next >= len(self):
            self._epoch, self._next = self._epoch + (self._next > 0), 0
        self._continues = False
        records = self._of_rank(self._epoch)
        for at in range(self._next, len(records)):
            # Before the sample is out: whoever has it may ask for the state.
            self._next = at + 1
            yield int(records[at])

    def _of_rank(self, epoch: int) -> NDArray[np.uint32]:
        padded = np.resize(self.checked_order(epoch), len(self) * self.num_parts)
        return padded.reshape(-1, self.num_parts, self.batch_size or 1)[:, self.part_index].ravel()

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Make the next loop one over this epoch.

        Where a state of this epoch was loaded, and before the first loop, it goes on from there: after its last number,
        with the next epoch.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0.
        """
        epoch = validate.epoch(epoch)
        if epoch != self._epoch or not self._continues:
            self._epoch, self._next = epoch, 0
        self._continues = True

    def state_dict(self) -> dict[str, Any]:
        """Return the position in the epoch: after the last number that a loop has yielded.

        A ``DataLoader`` with worker processes asks for more numbers than it has returned samples; torchdata's
        ``StatefulDataLoader`` takes account of that.
        """
        return checkpoint.make(type(self).__name__, {"epoch": self._epoch, "next": self._next}, self._settings())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to a position: the next loop yields the rest of its epoch.

        Parameters
        ----------
        state : dict
            State of an equal sampler, of any of as many ranks.

        Raises
        ------
        ValueError
            If it is another sampler; the message names each difference.
        """
        position = checkpoint.fit(state, type(self).__name__, self._settings())
        self._epoch = checkpoint.number(position, "epoch", validate.MAX_EPOCH)
        self._next = checkpoint.number(position, "next", len(self))
        self._continues = True

    def _settings(self) -> dict[str, Any]:
        return {"num_samples": self.num_samples, "num_parts": self.num_parts, "order": self.digest}

    def __repr__(self) -> str:
        """Return the class and the number of samples."""
        return f"<{type(self).__name__}: {self.num_samples} samples an epoch>"


def check_sampler(name: str, value: object) -> Sampler | None:
    """Check the keyword `sampler` of an iterator."""
    if value is None or isinstance(value, Sampler):
        return value
    raise TypeError(f"{name} must be a sampler of recio.samplers, or a subclass of Sampler, got {type(value).__name__}")


def check_batches(sampler: Sampler, batch_size: int) -> None:
    """Check that a sampler fits an iterator.

    Raises
    ------
    ValueError
        If it is for another batch size, or for one rank of several.
    """
    if sampler.batch_size not in {None, batch_size}:
        raise ValueError(f"batch_size must be {sampler.batch_size} with this sampler, got {batch_size}")
    if sampler.num_parts != 1:
        raise ValueError("num_parts must be passed to the iterator, not to the sampler, which has all ranks' records")
