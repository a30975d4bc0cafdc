"""Detection: ``mx.image.detection``, whose names `recio.image` has too.

The label of an image is an array, an object a row: class, left, top, right, bottom, and whatever else the data have.
Sides are fractions of the image's, from 0 to 1. An augmenter makes an image and its label of an image and its label.
"""

from recio.image._det_augmenter import DetAugmenter, DetBorrowAug, DetRandomSelectAug
from recio.image._det_create import CreateDetAugmenter, CreateMultiRandCropAugmenter
from recio.image._det_geometry import DetHorizontalFlipAug, DetRandomCropAug, DetRandomPadAug
from recio.image._det_iter import ImageDetIter

__all__ = [
    "CreateDetAugmenter",
    "CreateMultiRandCropAugmenter",
    "DetAugmenter",
    "DetBorrowAug",
    "DetHorizontalFlipAug",
    "DetRandomCropAug",
    "DetRandomPadAug",
    "DetRandomSelectAug",
    "ImageDetIter",
]
