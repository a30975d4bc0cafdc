"""Synthetic scenes for the examples: crops of photographs on a background, with boxes and masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import recio as mx

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "tests" / "data" / "photos"
CLASSES = ("astronaut", "cat", "coffee")
"""Classes of objects, and the folders of their photographs."""
BACKGROUND = "texture"
SIDE = 320


@dataclass(frozen=True)
class Scene:
    """An image with its mask and boxes."""

    image: NDArray[np.uint8]
    """(height, width, 3)."""
    mask: NDArray[np.uint8]
    """(height, width): 0 for the background, 1 + class for objects."""
    boxes: NDArray[np.float32]
    """One row per object: class, left, top, right, bottom, as fractions of the width and height."""


def make_scenes(count: int, seed: int = 0) -> list[Scene]:
    """Return `count` random scenes."""
    rng = np.random.default_rng(seed)
    return [make_scene(rng) for _ in range(count)]


def make_scene(rng: np.random.Generator) -> Scene:
    """Return a scene of two ellipses cropped from photographs, left and right on a background."""
    image = photo(BACKGROUND, rng, SIDE, SIDE)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    boxes = []
    for half in range(2):
        width, height = int(rng.integers(60, SIDE // 2 - 10)), int(rng.integers(80, SIDE - 20))
        left = half * SIDE // 2 + rng.integers(0, SIDE // 2 - width)
        top = rng.integers(0, SIDE - height)
        class_ = int(rng.integers(len(CLASSES)))
        inside = ellipse(height, width)
        region = np.s_[top : top + height, left : left + width]
        image[region][inside] = photo(CLASSES[class_], rng, width, height)[inside]
        mask[region][inside] = 1 + class_
        boxes.append([class_, left / SIDE, top / SIDE, (left + width) / SIDE, (top + height) / SIDE])
    return Scene(image, mask, np.array(boxes, np.float32))


def photo(folder: str, rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Return a random photograph of a folder, resized."""
    files = sorted((PHOTOS / folder).glob("*.jpg"))
    image: NDArray[np.uint8] = mx.image.imresize(mx.image.imread(files[rng.integers(len(files))]), width, height)
    return image.copy()


def ellipse(height: int, width: int) -> NDArray[np.bool_]:
    """Return the mask of the largest ellipse in a rectangle."""
    y, x = np.ogrid[:height, :width]
    inside: NDArray[np.bool_] = ((x + 0.5) / width * 2 - 1) ** 2 + ((y + 0.5) / height * 2 - 1) ** 2 <= 1
    return inside


def grid(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Arrange images (count, height, width, 3) in a grid."""
    rows = [np.concatenate(list(images[start : start + columns]), axis=1) for start in range(0, len(images), columns)]
    return np.concatenate(rows)
