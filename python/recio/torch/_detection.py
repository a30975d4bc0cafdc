"""``ImageDetRecordLoader``: images and objects from record files, as torchvision's detection models take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import torch

from recio._loader.ranks import AUTO
from recio.io import ImageDetRecordIter
from recio.torch._record_loaders import RecordLoops, add_keywords
from recio.torch._tensor_loops import as_dtype

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recio._loader.base import DataBatch
    from recio._loader.ranks import Parts
    from recio.torch._device import Device

Targets: TypeAlias = "list[dict[str, torch.Tensor]]"


class ImageDetRecordLoader(RecordLoops[tuple[torch.Tensor, Targets]]):
    """Loader of images and objects from record files as tensors, with an epoch for each ``for`` loop.

    A loop yields ``(images, targets)``. `targets` is a list with a dict for each image, as the detection models of
    torchvision take it:

    ============= ======= ==========================================================================================
    key           dtype   content
    ============= ======= ==========================================================================================
    boxes         float32 shape (n, 4): left, top, right and bottom of each object, in pixels of the returned image
    labels        int64   shape (n,): the classes
    attributes    float32 shape (n, k): the numbers that follow the box, if objects have more than five
    ============= ======= ==========================================================================================

    Parameters
    ----------
    device, channels_last, drop_pad, num_parts : optional
        As for `ImageRecordLoader`.
    first_label : int, default 0
        Number that is added to the classes. Faster R-CNN, Mask R-CNN and SSD of torchvision need 1 where the classes of
        the file begin at 0: theirs is the background.
    **settings
        All other keywords of `recio.io.ImageDetRecordIter`, with the same meaning and default.

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, recio.RecordError, recio.DecodeError
        As for `recio.io.ImageDetRecordIter`.
    RuntimeError
        As for `ImageRecordLoader`.
    """

    _iterator = ImageDetRecordIter

    def __init__(
        self,
        *,
        device: Device = None,
        channels_last: bool = False,
        drop_pad: bool = False,
        first_label: int = 0,
        num_parts: Parts = AUTO,
        **settings: Any,  # noqa: ANN401 they are of many types
    ) -> None:
        super().__init__(device=device, channels_last=channels_last, drop_pad=drop_pad, num_parts=num_parts, **settings)
        self._first_label = first_label

    def _convert(self, batch: DataBatch) -> tuple[torch.Tensor, Targets]:
        count = self._count(batch)
        (rows,) = batch.label or ()
        found = [objects_of(row) for row in rows[:count]]
        counts = [len(each.classes) for each in found]
        # A few large copies to a device instead of many small ones.
        boxes, classes, attributes = (torch.from_numpy(np.concatenate(arrays)) for arrays in zip(*found, strict=True))
        labels = as_dtype(classes, torch.int64, None if batch.index is None else np.repeat(batch.index[:count], counts))
        images, *sent = self._copies.send([*self._images(batch, count), boxes, labels + self._first_label, attributes])
        sizes = (counts, counts, [each.attributes.size for each in found])
        split = (tensor.split(size) for tensor, size in zip(sent, sizes, strict=True))
        return images, [target(*tensors) for tensors in zip(*split, strict=True)]


class Objects(NamedTuple):
    """The objects of an image."""

    boxes: NDArray[np.float32]
    classes: NDArray[np.float32]
    attributes: NDArray[np.float32]
    """Further numbers of all objects, in one row."""


def objects_of(row: NDArray[np.float32]) -> Objects:
    """Return the objects in a label of `recio.io.ImageDetRecordIter`."""
    _, height, width, count, header, numbers = row[:6].astype(int)
    table = row[4 + header : 4 + count].reshape(-1, numbers)
    sides = np.array([width, height, width, height], np.float32)
    return Objects(table[:, 1:5] * sides, table[:, 0], table[:, 5:].ravel())


def target(boxes: torch.Tensor, labels: torch.Tensor, attributes: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the objects of an image as torchvision's models take them."""
    objects = {"boxes": boxes, "labels": labels}
    return {**objects, "attributes": attributes.view(len(boxes), -1)} if len(attributes) else objects


add_keywords(ImageDetRecordLoader)
