"""Base of the loaders: an epoch of tensors for each loop, as trainers of PyTorch expect it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NoReturn, Self, TypeVar

import torch
from torch.utils.data import IterableDataset, get_worker_info

from recio._loader.epoch_loops import EpochLoops
from recio._loader.native_iter import PipelineIter
from recio.torch._device import as_device, copies_to

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recio._loader.base import DataBatch, DataIter
    from recio._loader.epoch_loops import EpochLoop
    from recio.torch._device import Device

T = TypeVar("T")
"""What a loop returns for each batch."""

_IMAGE_AXES = 4


class TensorLoops(EpochLoops[T], IterableDataset, Generic[T]):  # type: ignore[misc] # PyTorch has types elsewhere
    """Base of the loaders: `EpochLoops` whose batches are tensors, as trainers of PyTorch take them.

    It is an ``IterableDataset``, and has the attributes by which trainers find what to call before each epoch.
    """

    batch_sampler = None
    """No sampler makes the batches."""

    def __init__(
        self, batches: DataIter, *, device: Device = None, channels_last: bool = False, drop_pad: bool = False
    ) -> None:
        super().__init__(batches)
        self._copies = copies_to(as_device(device))
        self._channels_last, self._drop_pad = channels_last, drop_pad
        if channels_last:
            _check_layout(batches)
        if drop_pad:
            _check_shards(batches)

    @property
    def sampler(self) -> Self:
        """The loader itself: trainers call ``sampler.set_epoch`` before each epoch."""
        return self

    def __iter__(self) -> EpochLoop[T]:
        """Begin a loop over an epoch, or over the rest of the one whose state was loaded."""
        if get_worker_info() is not None:
            raise RuntimeError(
                f"{type(self).__name__} reads with threads of its own, not in worker processes: pass num_workers=0 to "
                "DataLoader"
            )
        return super().__iter__()

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the threads cannot be sent to another process."""
        raise TypeError(
            f"{type(self).__name__} cannot be pickled, as it reads with threads of its own: pass num_workers=0 to "
            "DataLoader, and create the loader in the process that uses it"
        )

    def close(self) -> None:
        """Stop the threads of the iterator and close its files, after the copies that are pending."""
        self._copies.wait()
        super().close()

    def _count(self, batch: DataBatch) -> int:
        """Return the number of samples of a batch that are returned."""
        size = len(batch.data[0])
        if not self._drop_pad:
            return size
        if batch.pad == size:
            # Samples were skipped, and none is left for this batch.
            raise StopIteration
        return size - (batch.pad or 0)

    def _labels(self, batch: DataBatch, count: int, dtype: torch.dtype | None) -> list[torch.Tensor]:
        """Return the labels of the first samples of a batch, as another type if one is given."""
        tensors = [torch.from_numpy(array[:count]) for array in batch.label or ()]
        if dtype is None:
            return tensors
        return [as_dtype(tensor, dtype, batch.index, "; pass label_dtype=torch.float32") for tensor in tensors]

    def _images(self, batch: DataBatch, count: int) -> list[torch.Tensor]:
        """Return the data of the first samples of a batch, which share its memory."""
        tensors = [torch.from_numpy(array[:count]) for array in batch.data]
        return [self._in_layout(tensor) for tensor in tensors] if self._channels_last else tensors

    def _in_layout(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor.permute(0, 3, 1, 2) if tensor.dim() == _IMAGE_AXES else tensor


def as_dtype(labels: torch.Tensor, dtype: torch.dtype, ids: NDArray[np.uint64] | None, hint: str = "") -> torch.Tensor:
    """Return labels as another type.

    Raises
    ------
    ValueError
        If that changes a label that is whole, or any label and the type is one of integers. The message has the id of
        the record, and the hint.
    """
    converted = labels.to(dtype)
    changed = converted != labels
    if dtype.is_floating_point:
        changed &= labels == labels.round()
    if changed.any():
        at = tuple(changed.nonzero()[0].tolist())
        record = "" if ids is None else f" of the record with id {ids[at[0]]}"
        raise ValueError(f"the label {labels[at]:.16g}{record} is not representable as {dtype}{hint}")
    return converted


def _check_layout(batches: DataIter) -> None:
    descriptions: list[object] = getattr(batches, "provide_data", [])
    layouts = [getattr(description, "layout", None) for description in descriptions]
    if "NHWC" not in layouts:
        raise ValueError(f"channels_last needs an iterator with layout='NHWC', got {', '.join(map(repr, layouts))}")


def _check_shards(batches: DataIter) -> None:
    """Check that no batch has only repeats, which fill a shard up to the size of the others."""
    options = batches._options if isinstance(batches, PipelineIter) else None  # noqa: SLF001 of the same package
    if options is None or options.num_parts == 1:
        return
    if options.shard == "global":
        raise ValueError(
            "drop_pad excludes shard='global' and a sampler if there are several ranks: the last batch of a rank may "
            "consist of repeats only"
        )
    if options.shard_policy != "uneven":
        raise ValueError(f"drop_pad needs shard_policy='uneven', got {options.shard_policy!r}")
