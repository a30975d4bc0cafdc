"""Scenes with known objects, for the examples: parts of photographs on a photograph, their boxes and their masks."""

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
OBJECTS = ("astronaut", "cat", "coffee")
"""The classes: photographs of these folders are cut out."""
BACKGROUND = "texture"
SIDE = 320


@dataclass(frozen=True)
class Scene:
    """A scene.

    An image (height, width, 3), a mask (height, width) with 0 for the background and 1 + class for objects, and boxes:
    class, left, top, right, bottom, in fractions of the sides.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    boxes: NDArray[np.float32]


def scenes(count: int, seed: int = 0) -> list[Scene]:
    """Make scenes."""
    rng = np.random.default_rng(seed)
    return [scene(rng) for _ in range(count)]


def scene(rng: np.random.Generator) -> Scene:
    """Make one: two ovals cut out of photographs, one on the left and one on the right of a background."""
    image = photo(BACKGROUND, rng, SIDE, SIDE)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    boxes = []
    for half in range(2):
        width, height = int(rng.integers(60, SIDE // 2 - 10)), int(rng.integers(80, SIDE - 20))
        left = half * SIDE // 2 + rng.integers(0, SIDE // 2 - width)
        top = rng.integers(0, SIDE - height)
        kind = int(rng.integers(len(OBJECTS)))
        oval = ellipse(height, width)
        place = np.s_[top : top + height, left : left + width]
        image[place][oval] = photo(OBJECTS[kind], rng, width, height)[oval]
        mask[place][oval] = 1 + kind
        boxes.append([kind, left / SIDE, top / SIDE, (left + width) / SIDE, (top + height) / SIDE])
    return Scene(image, mask, np.array(boxes, np.float32))


def photo(folder: str, rng: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Give a photograph of a folder, resized."""
    files = sorted((PHOTOS / folder).glob("*.jpg"))
    image: NDArray[np.uint8] = mx.image.imresize(mx.image.imread(files[rng.integers(len(files))]), width, height)
    return image.copy()


def ellipse(height: int, width: int) -> NDArray[np.bool_]:
    """Give the pixels of the largest ellipse in a rectangle."""
    y, x = np.ogrid[:height, :width]
    inside: NDArray[np.bool_] = ((x + 0.5) / width * 2 - 1) ** 2 + ((y + 0.5) / height * 2 - 1) ** 2 <= 1
    return inside


def sheet(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Lay images (count, height, width, 3) out in rows."""
    rows = [np.concatenate(list(images[at : at + columns]), axis=1) for at in range(0, len(images), columns)]
    return np.concatenate(rows)
