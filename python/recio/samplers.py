"""Samplers: which records an epoch has, and in which order.

Pass one to an iterator as ``sampler=``, or to ``torch.utils.data.DataLoader``. An order is a function of (seed, epoch),
so that training can be resumed, and all ranks agree without communication.

====================== ================================================================
PKSampler              batches of P identities with K images each, for metric learning
ClassBalancedSampler   every class equally often
WeightedSampler        records drawn by weights
SubsetSampler          some of the records
Sampler                base class, for orders of your own
====================== ================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recio import _recio
from recio._loader import validate
from recio._loader.sampler import Sampler

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from recio._loader.ranks import Parts

__all__ = ["ClassBalancedSampler", "PKSampler", "Sampler", "SubsetSampler", "WeightedSampler"]


class _GroupSampler(Sampler):
    """Sampler of groups of records with equal labels."""

    def __init__(
        self,
        labels: ArrayLike,
        groups: int,
        size: int,
        num_samples: int | None,
        seed: int,
        batch_size: int | None,
        num_parts: Parts,
        part_index: int,
    ) -> None:
        array = _one_each("labels", labels)
        records = np.argsort(array, kind="stable")
        ordered = array[records]
        ends = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        self._records = records.astype(np.uint32)
        self._sizes = np.diff([0, *ends, len(array)]).astype(np.uint32)
        self._groups = groups, size
        self.seed = validate.signed_seed("seed", seed)
        super().__init__(
            _epoch_length(num_samples, len(array), groups * size),
            records=len(array),
            batch_size=batch_size,
            num_parts=num_parts,
            part_index=part_index,
        )

    def order(self, epoch: int) -> NDArray[np.uint32]:
        """Return the records of an epoch; see `Sampler.order`."""
        return _recio.balanced_order(self._records, self._sizes, self._groups, self.num_samples, (self.seed, epoch))


class PKSampler(_GroupSampler):
    """Batches of P identities with K images each, as triplet and other metric losses need them.

    Identities come in random order, each before any comes again, but for those at the end of a pass that do not fill a
    batch. The K images of an identity are different ones, if it has as many; otherwise they are repeated. An image is
    used again after all groups of its identity were.

    Parameters
    ----------
    labels : array-like, shape (records,)
        Identity of each record: ``RecordDataset(path).labels()``.
    identities_per_batch : int
        P: number of identities in a batch of one rank.
    images_per_identity : int
        K: number of images of each. The batch size is P * K.
    num_samples : int, optional
        Number of samples of an epoch, of all ranks together, a multiple of P * K. Default: as many as there are
        records, rounded down.
    seed : int, default 0
        Seed of the order.
    num_parts, part_index : int, default 1 and 0
        As for `Sampler`.

    Raises
    ------
    ValueError
        If a number is less than 1, there are fewer than P identities, or `num_samples` is no multiple of P * K.

    Notes
    -----
    Batches of P * K were proposed by Hermans, Beyer and Leibe: In Defense of the Triplet Loss for Person
    Re-Identification, 2017.

    Examples
    --------
    >>> sampler = PKSampler([7, 7, 7, 8, 8, 9], identities_per_batch=2, images_per_identity=2, num_samples=4)
    >>> len(sampler.order(epoch=0))
    4
    """

    def __init__(
        self,
        labels: ArrayLike,
        identities_per_batch: int,
        images_per_identity: int,
        *,
        num_samples: int | None = None,
        seed: int = 0,
        num_parts: Parts = 1,
        part_index: int = 0,
    ) -> None:
        p = validate.positive("identities_per_batch", identities_per_batch)
        k = validate.positive("images_per_identity", images_per_identity)
        super().__init__(labels, p, k, num_samples, seed, p * k, num_parts, part_index)
        if p > len(self._sizes):
            raise ValueError(
                f"identities_per_batch must be at most {len(self._sizes)}, the number of identities, got {p}"
            )


class ClassBalancedSampler(_GroupSampler):
    """Records of every class equally often, however many the classes have.

    Classes come in random order, each before any comes again, so that their numbers of samples in an epoch differ by
    at most one. A record is used again after all records of its class were.

    Parameters
    ----------
    labels : array-like, shape (records,)
        Class of each record: ``RecordDataset(path).labels()``.
    num_samples : int, optional
        Number of samples of an epoch, of all ranks together. Default: as many as there are records.
    seed : int, default 0
        Seed of the order.
    num_parts, part_index : int, default 1 and 0
        As for `Sampler`.

    Examples
    --------
    >>> sampler = ClassBalancedSampler([0, 0, 0, 0, 1, 1])
    >>> sum(record < 4 for record in sampler)
    3
    """

    def __init__(
        self,
        labels: ArrayLike,
        *,
        num_samples: int | None = None,
        seed: int = 0,
        num_parts: Parts = 1,
        part_index: int = 0,
    ) -> None:
        super().__init__(labels, 1, 1, num_samples, seed, None, num_parts, part_index)


class WeightedSampler(Sampler):
    """Records drawn with probabilities proportional to weights.

    Parameters
    ----------
    weights : array-like, shape (records,)
        Weight of each record, at least 0; they need not sum to 1.
    num_samples : int, optional
        Number of samples of an epoch, of all ranks together. Default: as many as there are records.
    replacement : bool, default True
        Whether a record may be drawn several times in an epoch. Without it, records with weight 0 are not drawn, and
        `num_samples` is at most the number of others, which is its default.
    seed : int, default 0
        Seed of the order.
    num_parts, part_index : int, default 1 and 0
        As for `Sampler`.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, all are 0, or `num_samples` is out of range.

    Notes
    -----
    Without replacement, records are ordered by exponential random numbers divided by their weights (Efraimidis and
    Spirakis: Weighted random sampling with a reservoir, 2006).

    Examples
    --------
    >>> list(WeightedSampler([0, 0, 5]))
    [2, 2, 2]
    """

    def __init__(
        self,
        weights: ArrayLike,
        *,
        num_samples: int | None = None,
        replacement: bool = True,
        seed: int = 0,
        num_parts: Parts = 1,
        part_index: int = 0,
    ) -> None:
        array = _one_each("weights", weights).astype(np.float64)
        if not np.isfinite(array).all() or array.min() < 0 or array.max() == 0:
            raise ValueError("weights must be finite and at least 0, and one must be more than 0")
        # So that neither their sum nor a random number divided by one of them is infinite.
        self._weights = array / array.max()
        self._sums = np.cumsum(self._weights)
        self._replacement = validate.flag("replacement", replacement)
        self.seed = validate.signed_seed("seed", seed)
        available = len(self._weights) if replacement else int(np.count_nonzero(self._weights))
        wanted = _epoch_length(num_samples, available)
        if not replacement and wanted > available:
            raise ValueError(f"num_samples must be at most {available} without replacement, got {wanted}")
        super().__init__(wanted, records=len(self._weights), num_parts=num_parts, part_index=part_index)

    def order(self, epoch: int) -> NDArray[np.uint32]:
        """Return the records of an epoch; see `Sampler.order`."""
        seeds = self.seed, epoch
        if self._replacement:
            return _recio.weighted_order(self._sums, self.num_samples, seeds)
        return _recio.weighted_order_without_replacement(self._weights, self.num_samples, seeds)


class SubsetSampler(Sampler):
    """Some of the records, each once in an epoch.

    Parameters
    ----------
    indices : array-like, shape (samples,), int, or shape (records,), bool
        Numbers of the records, from 0; or which of them to take.
    shuffle : bool, default True
        Whether each epoch has its own order; otherwise it is that of `indices`.
    seed : int, default 0
        Seed of the order.
    num_parts, part_index : int, default 1 and 0
        As for `Sampler`.

    Raises
    ------
    TypeError
        If `indices` are neither integers nor booleans.
    ValueError
        If there are none, or one is negative.

    Examples
    --------
    >>> list(SubsetSampler([4, 2, 6], shuffle=False))
    [4, 2, 6]
    """

    def __init__(
        self,
        indices: ArrayLike,
        *,
        shuffle: bool = True,
        seed: int = 0,
        num_parts: Parts = 1,
        part_index: int = 0,
    ) -> None:
        array = _one_each("indices", indices)
        is_mask = array.dtype == np.bool_
        if not is_mask and array.dtype.kind not in "iu":
            raise TypeError(f"indices must be integers or booleans, got {array.dtype}")
        self._indices: NDArray[np.integer] = np.flatnonzero(array) if is_mask else array.copy()
        if not len(self._indices) or self._indices.min() < 0:
            raise ValueError("indices must be at least 0, and there must be one")
        self._shuffle, self.seed = validate.flag("shuffle", shuffle), validate.signed_seed("seed", seed)
        records = len(array) if is_mask else None
        super().__init__(len(self._indices), records=records, num_parts=num_parts, part_index=part_index)

    def order(self, epoch: int) -> NDArray[np.integer]:
        """Return the records of an epoch; see `Sampler.order`."""
        if not self._shuffle:
            return self._indices.copy()
        return self._indices[_recio.permuted_order(len(self._indices), (self.seed, epoch))]


def _one_each(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return values as an array with one axis."""
    array = np.asarray(values)
    if array.ndim != 1 or not len(array):
        raise ValueError(f"{name} must have one value for each record, got an array of shape {array.shape}")
    return array


def _epoch_length(num_samples: int | None, records: int, multiple: int = 1) -> int:
    """Return the number of samples of an epoch, by default that of the records, at least one batch."""
    if num_samples is None:
        return max(records // multiple, 1) * multiple
    if validate.positive("num_samples", num_samples) % multiple:
        raise ValueError(f"num_samples must be a multiple of {multiple}, the batch size, got {num_samples}")
    return num_samples
