"""`imresize` and `imrotate`, compared with OpenCV."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from comparisons._photographs import photograph
from comparisons.case import Case
from recio.image import imresize, imrotate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

GOAL = 1.1
METHODS = {"nearest": 0, "linear": 1, "cubic": 2, "area": 3, "Lanczos": 4}
SIZES = {
    "112x112 to 128x128": ((112, 112), (128, 128)),
    "500x375 to 341x256": ((500, 375), (341, 256)),
    "500x375 to 224x224": ((500, 375), (224, 224)),
    "500x375 to 1000x750": ((500, 375), (1000, 750)),
    "4000x3000 to 341x256": ((4000, 3000), (341, 256)),
}


def cases() -> Iterator[Case]:
    """Yield the cases of all methods on uint8 and float32, and of rotation."""
    for name, (source, target) in SIZES.items():
        photo = photograph(*source)
        for image in (photo, photo.astype(np.float32)):
            for method, interp in METHODS.items():
                yield resized(f"imresize {method} {image.dtype}, {name}", image, target, interp)
    yield rotated()


def resized(name: str, image: NDArray[Any], target: tuple[int, int], interp: int) -> Case:
    """Return a case of resizing."""
    return Case(
        name,
        "cv2.resize",
        partial(imresize, image, *target, interp),
        partial(cv2.resize, image, target, interpolation=interp),
        GOAL,
    )


def rotated() -> Case:
    """Return the case of rotating; OpenCV takes channels last, and is given them so."""
    image = photograph(500, 375).astype(np.float32)
    matrix = cv2.getRotationMatrix2D((249.5, 187.0), 10, 1)
    return Case(
        "imrotate, 500x375",
        "cv2.warpAffine",
        partial(imrotate, np.ascontiguousarray(image.transpose(2, 0, 1)), 10),
        partial(cv2.warpAffine, image, matrix, (500, 375)),
        GOAL,
    )
