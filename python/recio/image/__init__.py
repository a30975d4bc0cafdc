"""Single images: ``mx.image``.

An image is a NumPy array of shape (height, width, channels), uint8, levels 0 to 255, channels **R, G, B**; a grey one
has one channel. (`recio.recordio.pack_img` and ``unpack_img`` are B, G, R, as they were in MXNet.)

An `Augmenter` makes an image of an image. The ones that are here are done by native code, in the iterators without
Python; functions of one's own go with them.
"""

from recio.image._augmenter import Augmenter
from recio.image._border import copyMakeBorder
from recio.image._codec import imdecode, imencode, imread
from recio.image._colour import (
    BrightnessJitterAug,
    CastAug,
    ColorJitterAug,
    ColorNormalizeAug,
    ContrastJitterAug,
    HueJitterAug,
    LightingAug,
    RandomGrayAug,
    SaturationJitterAug,
)
from recio.image._combined import RandomOrderAug, SequentialAug
from recio.image._create import CreateAugmenter
from recio.image._geometry import (
    CenterCropAug,
    ForceResizeAug,
    HorizontalFlipAug,
    RandomCropAug,
    RandomSizedCropAug,
    ResizeAug,
)
from recio.image._iter import ImageIter
from recio.image._random_size import random_size_crop
from recio.image._rotate import imrotate, random_rotate
from recio.image._transform import (
    center_crop,
    color_normalize,
    fixed_crop,
    imresize,
    random_crop,
    resize_short,
    scale_down,
)

__all__ = [
    "Augmenter",
    "BrightnessJitterAug",
    "CastAug",
    "CenterCropAug",
    "ColorJitterAug",
    "ColorNormalizeAug",
    "ContrastJitterAug",
    "CreateAugmenter",
    "ForceResizeAug",
    "HorizontalFlipAug",
    "HueJitterAug",
    "ImageIter",
    "LightingAug",
    "RandomCropAug",
    "RandomGrayAug",
    "RandomOrderAug",
    "RandomSizedCropAug",
    "ResizeAug",
    "SaturationJitterAug",
    "SequentialAug",
    "center_crop",
    "color_normalize",
    "copyMakeBorder",
    "fixed_crop",
    "imdecode",
    "imencode",
    "imread",
    "imresize",
    "imrotate",
    "random_crop",
    "random_rotate",
    "random_size_crop",
    "resize_short",
    "scale_down",
]
