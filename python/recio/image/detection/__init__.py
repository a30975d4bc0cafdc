"""Detection: ``mx.image.detection``, whose names `recio.image` has too.

The label of an image is an array, an object a row: class, left, top, right, bottom, and whatever else the data have.
Sides are fractions of the image's, from 0 to 1. An augmenter makes an image and its label of an image and its label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._util import lazy_imports

if TYPE_CHECKING:
    from recio.image.detection._augmenter import (
        DetAugmenter as DetAugmenter,
        DetBorrowAug as DetBorrowAug,
        DetRandomSelectAug as DetRandomSelectAug,
    )
    from recio.image.detection._create import (
        CreateDetAugmenter as CreateDetAugmenter,
        CreateMultiRandCropAugmenter as CreateMultiRandCropAugmenter,
    )
    from recio.image.detection._geometry import (
        DetHorizontalFlipAug as DetHorizontalFlipAug,
        DetRandomCropAug as DetRandomCropAug,
        DetRandomPadAug as DetRandomPadAug,
    )
    from recio.image.detection._image_det_iter import ImageDetIter as ImageDetIter

_NAMES = {
    "._augmenter": ["DetAugmenter", "DetBorrowAug", "DetRandomSelectAug"],
    "._create": ["CreateDetAugmenter", "CreateMultiRandCropAugmenter"],
    "._geometry": ["DetHorizontalFlipAug", "DetRandomCropAug", "DetRandomPadAug"],
    "._image_det_iter": ["ImageDetIter"],
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_imports(__name__, _NAMES)
