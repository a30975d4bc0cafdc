"""Detection: ``mx.image.detection``; `recio.image` exports the same names.

The label of an image is an array with a row for each object: class, left, top, right, bottom, and other numbers. Sides
are fractions of the image's sides, from 0 to 1. A detection augmenter maps an image and its label to an image and its
label.
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
