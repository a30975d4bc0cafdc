"""Loaders of record files: ``ImageRecordLoader`` and ``ImageMaskRecordLoader``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import distributed

from recio._loader.ranks import AUTO
from recio.io import ImageMaskRecordIter, ImageRecordIter
from recio.torch._device import as_device, pinned_memory
from recio.torch._tensor_loops import TensorLoops

if TYPE_CHECKING:
    from collections.abc import Callable

    from recio._loader.base import DataBatch
    from recio._loader.epoch_loops import EpochLoop
    from recio._loader.native_iter import PipelineIter
    from recio._loader.ranks import Parts
    from recio.torch._device import Device

T = TypeVar("T")
"""What a loop returns for each batch."""


class RecordLoops(TensorLoops[T], Generic[T]):
    """Base of the loaders of record files, which open their iterators themselves.

    Parameters
    ----------
    device, channels_last, drop_pad, num_parts
        As for `ImageRecordLoader`.
    **settings
        Other keywords of the iterator.
    """

    _iterator: Callable[..., PipelineIter]
    """Class of the iterator."""

    def __init__(
        self,
        *,
        device: Device = None,
        channels_last: bool = False,
        drop_pad: bool = False,
        num_parts: Parts = AUTO,
        **settings: Any,  # noqa: ANN401 they are of many types
    ) -> None:
        if channels_last and "layout" in settings:
            raise TypeError("channels_last sets the layout: pass one of them")
        added: dict[str, Any] = {"num_parts": num_parts}
        if as_device(device).type == "cuda":
            added["allocator"] = pinned_memory
        if channels_last:
            added["layout"] = "NHWC"
        if drop_pad and settings.get("shard") != "global" and settings.get("sampler") is None:
            added["shard_policy"] = "uneven"
        batches = self._iterator(**{**added, **settings})
        super().__init__(batches, device=device, channels_last=channels_last, drop_pad=drop_pad)
        self._shard = (batches._options.num_parts, batches._options.part_index)  # noqa: SLF001 of the same package
        self._is_auto = num_parts == AUTO

    def __iter__(self) -> EpochLoop[T]:
        """Begin a loop over an epoch, or over the rest of the one whose state was loaded."""
        self._check_rank()
        return super().__iter__()

    def _check_rank(self) -> None:
        """Check that ranks do not read the same records, as the loader was created before they had numbers."""
        if not (self._is_auto and distributed.is_available() and distributed.is_initialized()):
            return
        now = (distributed.get_world_size(), distributed.get_rank())
        if now != self._shard:
            raise RuntimeError(
                f"the loader was created for rank {self._shard[1]} of {self._shard[0]}, and this is rank {now[1]} of "
                f"{now[0]}: create it after torch.distributed is initialized, in Lightning in train_dataloader, or "
                "pass num_parts and part_index"
            )


class ImageRecordLoader(RecordLoops[tuple[torch.Tensor, torch.Tensor]]):
    """Loader of images and labels from record files as tensors, with an epoch for each ``for`` loop.

    It is a `DataIterLoader` of a `recio.io.ImageRecordIter`, which it opens.

    Parameters
    ----------
    device, channels_last : optional
        As for `DataIterLoader`. `channels_last` excludes `layout`.
    drop_pad : bool, default False
        Whether a loop returns every record of the shard once, for evaluation: the samples that only fill the last batch
        are dropped, and `shard_policy` is ``'uneven'``, so that ranks may differ by one batch. ``len`` is the number of
        batches, unless damaged records are skipped.
    label_dtype : torch.dtype, optional
        Type of the labels, as for `DataIterLoader`. Default: int64 if `label_width` is 1, or else float32.
    num_parts : int or 'auto', default 'auto'
        Number of shards. By default each rank reads one.
    **settings
        All other keywords of `recio.io.ImageRecordIter`, with the same meaning and default.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, recio.RecordError, recio.DecodeError
        As for `recio.io.ImageRecordIter`. While batches are returned: `ValueError` if a label does not fit
        `label_dtype`.
    RuntimeError
        When a loop begins: if the rank of this process is not the one for which `num_parts` ``'auto'`` has chosen the
        shard, or in a worker process of a ``DataLoader``.

    Examples
    --------
    >>> loader = ImageRecordLoader(  # doctest: +SKIP
    ...     path_imgrec="train.rec", data_shape=(3, 224, 224), batch_size=64,
    ...     shuffle=True, random_resized_crop=True, rand_mirror=True, device="cuda",
    ... )
    >>> for epoch in range(10):  # doctest: +SKIP
    ...     for images, labels in loader:
    ...         train_step(images, labels)
    """

    _iterator = ImageRecordIter

    def __init__(
        self,
        *,
        device: Device = None,
        channels_last: bool = False,
        drop_pad: bool = False,
        label_dtype: torch.dtype | None = None,
        num_parts: Parts = AUTO,
        **settings: Any,  # noqa: ANN401 they are of many types
    ) -> None:
        super().__init__(device=device, channels_last=channels_last, drop_pad=drop_pad, num_parts=num_parts, **settings)
        default = torch.int64 if settings.get("label_width", 1) == 1 else torch.float32
        self._label_dtype = default if label_dtype is None else label_dtype

    def _convert(self, batch: DataBatch) -> tuple[torch.Tensor, torch.Tensor]:
        count = self._count(batch)
        labels = self._labels(batch, count, self._label_dtype)
        images, on_device = self._copies.send([*self._images(batch, count), *labels])
        return images, on_device


class ImageMaskRecordLoader(RecordLoops[tuple[torch.Tensor, torch.Tensor]]):
    """Loader of images and masks from record files as tensors, with an epoch for each ``for`` loop.

    A loop yields ``(images, masks)``; masks are int64, of shape (N, height, width). Pixels without image have the
    number `mask_fill`, 255 by default: pass it to a loss as ``ignore_index``.

    Parameters
    ----------
    device, channels_last, drop_pad, num_parts : optional
        As for `ImageRecordLoader`. Masks are copied to the device as uint8.
    **settings
        All other keywords of `recio.io.ImageMaskRecordIter`, with the same meaning and default.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, recio.RecordError, recio.DecodeError
        As for `recio.io.ImageMaskRecordIter`.
    RuntimeError
        As for `ImageRecordLoader`.
    """

    _iterator = ImageMaskRecordIter

    def _convert(self, batch: DataBatch) -> tuple[torch.Tensor, torch.Tensor]:
        count = self._count(batch)
        images, masks = self._copies.send([*self._images(batch, count), *self._labels(batch, count, None)])
        return images, masks.long()


def add_keywords(loader: type[RecordLoops[Any]]) -> None:
    """Add the keywords of its iterator to the signature of a loader, for `help` and editors."""
    mine, theirs = (inspect.signature(kind).parameters for kind in (loader, loader._iterator))  # noqa: SLF001
    named = {name: each for name, each in mine.items() if each.kind is each.KEYWORD_ONLY}
    others = [each for name, each in theirs.items() if each.kind is each.KEYWORD_ONLY and name not in named]
    loader.__signature__ = inspect.Signature([*named.values(), *others])


add_keywords(ImageRecordLoader)
add_keywords(ImageMaskRecordLoader)
