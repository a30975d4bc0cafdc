"""Single images: ``mx.image``.

An image is a NumPy array of shape (height, width, channels), uint8, values 0 to 255, channels **R, G, B**; a gray image
has one channel. (`recio.recordio.pack_img` and ``unpack_img`` use B, G, R, as in MXNet.)

An `Augmenter` maps an image to an image. The augmenters of this package run as native code, inside the iterators
without Python; they can be combined with other functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio._util import lazy_imports

if TYPE_CHECKING:
    from recio.image._augmenter import Augmenter as Augmenter
    from recio.image._batch import batch as batch
    from recio.image._codec import imdecode as imdecode, imencode as imencode, imread as imread
    from recio.image._color import (
        BrightnessJitterAug as BrightnessJitterAug,
        CastAug as CastAug,
        ColorJitterAug as ColorJitterAug,
        ColorNormalizeAug as ColorNormalizeAug,
        ContrastJitterAug as ContrastJitterAug,
        HueJitterAug as HueJitterAug,
        LightingAug as LightingAug,
        RandomGrayAug as RandomGrayAug,
        SaturationJitterAug as SaturationJitterAug,
    )
    from recio.image._compose import RandomOrderAug as RandomOrderAug, SequentialAug as SequentialAug
    from recio.image._create import CreateAugmenter as CreateAugmenter
    from recio.image._functional import (
        center_crop as center_crop,
        color_normalize as color_normalize,
        copyMakeBorder as copyMakeBorder,
        fixed_crop as fixed_crop,
        imresize as imresize,
        random_crop as random_crop,
        random_size_crop as random_size_crop,
        resize_short as resize_short,
        scale_down as scale_down,
    )
    from recio.image._geometry import (
        CenterCropAug as CenterCropAug,
        ForceResizeAug as ForceResizeAug,
        HorizontalFlipAug as HorizontalFlipAug,
        RandomCropAug as RandomCropAug,
        RandomSizedCropAug as RandomSizedCropAug,
        ResizeAug as ResizeAug,
    )
    from recio.image._image_iter import ImageIter as ImageIter
    from recio.image._rotate import imrotate as imrotate, random_rotate as random_rotate
    from recio.image.detection import (
        CreateDetAugmenter as CreateDetAugmenter,
        CreateMultiRandCropAugmenter as CreateMultiRandCropAugmenter,
        DetAugmenter as DetAugmenter,
        DetBorrowAug as DetBorrowAug,
        DetHorizontalFlipAug as DetHorizontalFlipAug,
        DetRandomCropAug as DetRandomCropAug,
        DetRandomPadAug as DetRandomPadAug,
        DetRandomSelectAug as DetRandomSelectAug,
        ImageDetIter as ImageDetIter,
    )

_NAMES = {
    "._augmenter": ["Augmenter"],
    "._batch": ["batch"],
    "._codec": ["imdecode", "imencode", "imread"],
    "._color": [
        "BrightnessJitterAug",
        "CastAug",
        "ColorJitterAug",
        "ColorNormalizeAug",
        "ContrastJitterAug",
        "HueJitterAug",
        "LightingAug",
        "RandomGrayAug",
        "SaturationJitterAug",
    ],
    "._compose": ["RandomOrderAug", "SequentialAug"],
    "._create": ["CreateAugmenter"],
    "._functional": [
        "center_crop",
        "color_normalize",
        "copyMakeBorder",
        "fixed_crop",
        "imresize",
        "random_crop",
        "random_size_crop",
        "resize_short",
        "scale_down",
    ],
    "._geometry": [
        "CenterCropAug",
        "ForceResizeAug",
        "HorizontalFlipAug",
        "RandomCropAug",
        "RandomSizedCropAug",
        "ResizeAug",
    ],
    "._image_iter": ["ImageIter"],
    "._rotate": ["imrotate", "random_rotate"],
    ".detection": [
        "CreateDetAugmenter",
        "CreateMultiRandCropAugmenter",
        "DetAugmenter",
        "DetBorrowAug",
        "DetHorizontalFlipAug",
        "DetRandomCropAug",
        "DetRandomPadAug",
        "DetRandomSelectAug",
        "ImageDetIter",
    ],
}
__all__ = [name for names in _NAMES.values() for name in names]
__getattr__, __dir__ = lazy_imports(__name__, _NAMES)
