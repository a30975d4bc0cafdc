"""``DataIterLoader``: batches of any iterator as tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio.torch._tensor_loops import TensorLoops

if TYPE_CHECKING:
    import torch

    from recio._loader.base import DataBatch, DataIter
    from recio.torch._device import Device


class DataIterLoader(TensorLoops[tuple[Any, ...]]):
    """Loader of the batches of any iterator of recio as tensors, with an epoch for each ``for`` loop.

    A loop yields ``(data, label)``, or all arrays of data followed by those of the labels. The tensors share the memory
    of the batches, or are copies on a device.

    It may be passed to a trainer where a ``DataLoader`` is expected: trainers call `set_epoch`, ``len``, `state_dict`
    and `load_state_dict`. It is an ``IterableDataset`` too: ``DataLoader(loader, batch_size=None)`` returns its
    batches. It reads with threads, so there are no worker processes.

    Parameters
    ----------
    batches : DataIter
        The iterator: `recio.image.ImageIter`, `recio.io.CSVIter`, a subclass of `recio.io.DataIter`. Nothing else
        should read it.
    device : str, int or torch.device, optional
        Device of the tensors; an integer is the index of a GPU. The program does not wait for copies to a CUDA device;
        batches that are not in `pinned_memory` are copied there first. Default: the CPU, without a copy.
    channels_last : bool, default False
        Whether images of layout NHWC become tensors of shape (N, C, H, W) whose memory format is
        ``torch.channels_last``, without a copy.
    drop_pad : bool, default False
        Whether samples that only fill the last batch are dropped, so that none counts twice in an evaluation.
    label_dtype : torch.dtype, optional
        Type of the labels. Labels that it would change are errors, but for the rounding of fractions to a type of
        floats. Default: that of the iterator.

    Raises
    ------
    TypeError
        If `batches` is no iterator of recio.
    ValueError
        If the layout is not NHWC and `channels_last` is true, or the iterator reads a shard with repeats that are whole
        batches and `drop_pad` is true. While batches are returned: if a label does not fit `label_dtype`.

    Examples
    --------
    >>> loader = DataIterLoader(recio.image.ImageIter(32, (3, 224, 224), path_imgrec="a.rec"))  # doctest: +SKIP
    >>> for epoch in range(10):  # doctest: +SKIP
    ...     for images, labels in loader:
    ...         train_step(images, labels)
    """

    def __init__(
        self,
        batches: DataIter,
        *,
        device: Device = None,
        channels_last: bool = False,
        drop_pad: bool = False,
        label_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(batches, device=device, channels_last=channels_last, drop_pad=drop_pad)
        self._label_dtype = label_dtype

    def _convert(self, batch: DataBatch) -> tuple[Any, ...]:
        count = self._count(batch)
        labels = self._labels(batch, count, self._label_dtype)
        return tuple(self._copies.send([*self._images(batch, count), *labels]))
