"""Single images: ``mx.image``.

An image is a NumPy array of shape (height, width, channels), uint8, levels 0 to 255, channels **R, G, B**; a grey one
has one channel. (`recio.recordio.pack_img` and ``unpack_img`` are B, G, R, as they were in MXNet.)
"""

from recio.image._codec import imdecode, imencode, imread
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
    "center_crop",
    "color_normalize",
    "fixed_crop",
    "imdecode",
    "imencode",
    "imread",
    "imresize",
    "random_crop",
    "resize_short",
    "scale_down",
]
