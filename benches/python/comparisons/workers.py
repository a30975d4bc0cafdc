"""What a map-style data set does in a worker process for each sample: decode a photograph and augment it.

The arrays of a sample are dropped before the next one is decoded, as in the worker of a `DataLoader`, which copies
them into shared memory.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from comparisons.case import Case
from comparisons.codecs import decoded, encoded, photograph
from recio.image import HorizontalFlipAug, RandomSizedCropAug, imdecode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SIZE = (224, 224)
PHOTOGRAPH = (500, 375)
AREA, RATIO = (0.08, 1.0), (3 / 4, 4 / 3)


def cases() -> Iterator[Case]:
    """Yield the case."""
    jpeg = encoded(".jpg", cv2.resize(photograph()[1], PHOTOGRAPH), [cv2.IMWRITE_JPEG_QUALITY, 90])
    crop, flip = RandomSizedCropAug(SIZE, AREA, RATIO), HorizontalFlipAug(0.5)
    array, rng = np.frombuffer(jpeg, np.uint8), random.Random(1)
    yield Case(
        "imdecode, RandomSizedCropAug, HorizontalFlipAug",
        "OpenCV",
        lambda: flip(crop(imdecode(jpeg))),
        lambda: with_opencv(array, rng),
        0.6,
    )


def with_opencv(jpeg: NDArray[Any], rng: random.Random) -> NDArray[Any]:
    """Decode a photograph, resize a random region of it, and flip it by chance."""
    image = cv2.cvtColor(decoded(jpeg), cv2.COLOR_BGR2RGB)
    x, y, width, height = random_region(image.shape[1], image.shape[0], rng)
    image = cv2.resize(image[y : y + height, x : x + width], SIZE, interpolation=cv2.INTER_CUBIC)
    return cv2.flip(image, 1) if rng.random() < 0.5 else image


def random_region(width: int, height: int, rng: random.Random) -> tuple[int, int, int, int]:
    """Return a region of random area and aspect ratio."""
    while True:
        area, ratio = rng.uniform(*AREA) * width * height, np.exp(rng.uniform(*np.log(RATIO)))
        w, h = round((area * ratio) ** 0.5), round((area / ratio) ** 0.5)
        if w <= width and h <= height:
            return rng.randint(0, width - w), rng.randint(0, height - h), w, h
