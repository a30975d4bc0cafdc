"""Augmenters called alone, compared with OpenCV and NumPy doing the same to one image."""

from __future__ import annotations

import random
from functools import partial
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from comparisons._photographs import sizes
from comparisons.case import Case
from recio import image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Photograph = NDArray[np.uint8]
    Floats = NDArray[np.float32]

GOAL = 1.2
GRAY = np.array([[0.299, 0.587, 0.114]], np.float32)
GRAY_OF_AUGMENTER = np.array([[0.21, 0.72, 0.07]] * 3, np.float32)
EIGENVALUES = np.array([55.46, 4.794, 1.148])
EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.814], [-0.5836, -0.6948, 0.4203]])
MEAN, STD = np.array([123.68, 116.28, 103.53], np.float32), np.array([58.395, 57.12, 57.375], np.float32)


def cases() -> Iterator[Case]:
    """Yield the cases of all augmenters on photographs of three sizes."""
    for size, photo in sizes():
        for augmenter, other_name, other in augmenters(photo.shape[1], photo.shape[0]):
            name = f"{type(augmenter).__name__}, {size}"
            yield Case(name, other_name, partial(augmenter, photo), partial(other, photo), GOAL)
        for kind, border in (("constant", cv2.BORDER_CONSTANT), ("reflect", cv2.BORDER_REFLECT_101)):
            yield Case(
                f"copyMakeBorder {kind}, {size}",
                "cv2.copyMakeBorder",
                partial(image.copyMakeBorder, photo, 10, 10, 20, 20, border),
                partial(cv2.copyMakeBorder, photo, 10, 10, 20, 20, border, value=(0, 0, 0)),
                GOAL,
            )


def augmenters(width: int, height: int) -> Iterator[tuple[Any, str, Callable[[Photograph], object]]]:
    """Yield augmenters for images of a size, and a function of OpenCV and NumPy for each, with its name."""
    target = (112, 112) if width == height else (224, 224)
    yield image.HorizontalFlipAug(1), "cv2.flip", lambda photo: cv2.flip(photo, 1)
    yield image.CastAug(), "astype", lambda photo: photo.astype(np.float32)
    yield image.BrightnessJitterAug(0.4), "astype, *", brightness
    yield image.ContrastJitterAug(0.4), "astype, cv2.transform, *, +", contrast
    yield image.SaturationJitterAug(0.4), "cv2.transform", saturation
    yield image.HueJitterAug(0.4), "cv2.transform", hue
    yield image.ColorJitterAug(0.4, 0.4, 0.4), "the three above", jitter
    yield image.LightingAug(0.1, EIGENVALUES, EIGENVECTORS), "astype, +", lighting
    yield image.ColorNormalizeAug(MEAN, STD), "astype, -, /", normalize
    yield image.RandomGrayAug(1), "cv2.transform", gray
    yield image.ForceResizeAug(target), "cv2.resize", partial(resize, target)
    yield image.ResizeAug(target[0]), "cv2.resize", partial(resize_short, target[0])
    yield image.RandomCropAug(target), "slice, copy", partial(random_crop, target)
    yield image.CenterCropAug(target), "slice, copy", partial(center_crop, target)
    crop = image.RandomSizedCropAug(target, (0.3, 0.3), (1, 1))
    yield crop, "slice, cv2.resize", partial(resized_crop, target)


def brightness(photo: Photograph) -> object:
    """Multiply by a random factor."""
    floats = photo.astype(np.float32)
    floats *= 1 + random.uniform(-0.4, 0.4)
    return floats


def contrast(photo: Photograph) -> object:
    """Scale the differences from the mean gray."""
    alpha = 1 + random.uniform(-0.4, 0.4)
    floats = photo.astype(np.float32)
    gray = (1 - alpha) * cv2.mean(cv2.transform(floats, GRAY))[0]
    floats *= alpha
    floats += gray
    return floats


def saturation(photo: Photograph) -> object:
    """Scale the differences from the gray of each pixel."""
    alpha = 1 + random.uniform(-0.4, 0.4)
    matrix = np.repeat(GRAY * (1 - alpha), 3, axis=0) + alpha * np.eye(3, dtype=np.float32)
    return cv2.transform(photo.astype(np.float32), matrix)


def hue(photo: Photograph) -> object:
    """Rotate the colors about the gray axis."""
    to_yiq = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
    from_yiq = np.array([[1.0, 0.956, 0.621], [1.0, -0.272, -0.647], [1.0, -1.107, 1.705]])
    angle = np.pi * random.uniform(-0.4, 0.4)
    sin, cos = np.sin(angle), np.cos(angle)
    rotation = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return cv2.transform(photo.astype(np.float32), from_yiq @ rotation @ to_yiq)


def jitter(photo: Photograph) -> object:
    """Change brightness, contrast and saturation, as a user would call one after another."""
    return saturation(contrast(brightness(photo)))  # type: ignore[arg-type]


def lighting(photo: Photograph) -> object:
    """Add noise of the principal components."""
    shift = EIGENVECTORS @ (np.random.normal(0, 0.1, 3) * EIGENVALUES)  # noqa: NPY002 what users write
    floats = photo.astype(np.float32)
    floats += shift.astype(np.float32)
    return floats


def normalize(photo: Photograph) -> object:
    """Subtract the mean, divide by the standard deviation."""
    floats = photo.astype(np.float32)
    floats -= MEAN
    floats /= STD
    return floats


def gray(photo: Photograph) -> object:
    """Convert to gray in three channels."""
    return cv2.transform(photo.astype(np.float32), GRAY_OF_AUGMENTER)


def resize(target: tuple[int, int], photo: Photograph) -> object:
    """Resize."""
    return cv2.resize(photo, target, interpolation=cv2.INTER_CUBIC)


def resize_short(target: int, photo: Photograph) -> object:
    """Resize the shorter side."""
    height, width = photo.shape[:2]
    size = (target, target * height // width) if height > width else (target * width // height, target)
    return cv2.resize(photo, size, interpolation=cv2.INTER_CUBIC)


def random_crop(target: tuple[int, int], photo: Photograph) -> object:
    """Crop at a random position."""
    left = random.randint(0, photo.shape[1] - target[0])
    top = random.randint(0, photo.shape[0] - target[1])
    return photo[top : top + target[1], left : left + target[0]].copy()


def center_crop(target: tuple[int, int], photo: Photograph) -> object:
    """Crop the center."""
    left, top = (photo.shape[1] - target[0]) // 2, (photo.shape[0] - target[1]) // 2
    return photo[top : top + target[1], left : left + target[0]].copy()


def resized_crop(target: tuple[int, int], photo: Photograph) -> object:
    """Crop a square of 30 % of the area at a random position, and resize it."""
    height, width = photo.shape[:2]
    side = min(round((0.3 * height * width) ** 0.5), height)
    left, top = random.randint(0, width - side), random.randint(0, height - side)
    return cv2.resize(photo[top : top + side, left : left + side], target, interpolation=cv2.INTER_CUBIC)
