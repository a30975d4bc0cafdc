"""Segmentation: pack a folder of images and a folder of masks, load both with the same crops and flips, and show them.

    python examples/segmentation.py [FOLDER]

leaves ``segmentation.png`` in the folder, build/examples if none is given.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import recio as mx
from scenes import OBJECTS, ROOT, Scene, scenes, sheet

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS = np.array([[0, 0, 0], [255, 60, 60], [60, 220, 60], [80, 120, 255]], np.uint8)
NO_IMAGE = 255
"""The mask where there is no image."""


def write(folder: Path, made: list[Scene]) -> None:
    """Write ``images/NN.jpg`` and ``masks/NN.png``."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(made):
        (folder / "images" / f"{number:02}.jpg").write_bytes(mx.image.imencode(one.image, ".jpg"))
        (folder / "masks" / f"{number:02}.png").write_bytes(mx.image.imencode(one.mask, ".png"))


def pack(folder: Path) -> str:
    """Pack both folders: ``scenes.rec`` and ``scenes_mask.rec``, a record of the one for each of the other."""
    prefix = str(folder / "pairs")
    mx.im2rec.main(["--list", "--no-shuffle", prefix, str(folder / "images")])
    mx.im2rec.main(["--pass-through", prefix, str(folder / "images"), "--masks", str(folder / "masks")])
    return prefix


def tint(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay the colours of a mask (height, width) over an image (height, width, 3); where there is no image, white."""
    classes = np.where(mask == NO_IMAGE, 0, mask)
    tinted = np.where(classes[..., None] > 0, image // 2 + COLOURS[classes] // 2, image)
    tinted[mask == NO_IMAGE] = 255
    return tinted.astype(np.uint8)


def main(folder: Path) -> None:
    """Do it."""
    write(folder, scenes(8, seed=1))
    prefix = pack(folder)
    batches = mx.io.ImageMaskRecordIter(
        path_imgrec=f"{prefix}.rec", path_maskrec=f"{prefix}_mask.rec", data_shape=(3, 240, 240), batch_size=8,
        dtype="uint8", layout="NHWC", max_rotate_angle=20, rand_crop=True, rand_mirror=True, brightness=0.3, seed=3,
    )  # fmt: skip
    shown = []
    for _ in range(2):
        batch = batches.next()
        (masks,) = batch.label or ()
        shown += [tint(image, mask) for image, mask in zip(batch.data[0], masks, strict=True)]
        batches.reset()
    picture = folder / "segmentation.png"
    picture.write_bytes(mx.image.imencode(sheet(np.stack(shown), 8), ".png"))
    print(f"{picture}: each scene in two epochs, masks of {', '.join(OBJECTS)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "examples")
