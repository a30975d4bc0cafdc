"""Segmentation: pack images and masks, load both with the same crops and flips, and plot them.

    python examples/segmentation.py [FOLDER]

writes ``segmentation.png`` to the folder; the default is build/examples.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import recio as mx
from scenes import CLASSES, ROOT, Scene, grid, make_scenes

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLORS = np.array([[0, 0, 0], [255, 60, 60], [60, 220, 60], [80, 120, 255]], np.uint8)
NO_IMAGE = 255
"""Mask value outside the image, where the augmentation has added a border."""


def write(folder: Path, dataset: list[Scene]) -> None:
    """Write ``images/NN.jpg`` and ``masks/NN.png``."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for id_, scene in enumerate(dataset):
        (folder / "images" / f"{id_:02}.jpg").write_bytes(mx.image.imencode(scene.image, ".jpg"))
        (folder / "masks" / f"{id_:02}.png").write_bytes(mx.image.imencode(scene.mask, ".png"))


def pack(folder: Path) -> str:
    """Pack both folders into ``pairs.rec`` and ``pairs_mask.rec``, with the same ids."""
    prefix = str(folder / "pairs")
    mx.im2rec.main(["--list", "--no-shuffle", prefix, str(folder / "images")])
    mx.im2rec.main(["--pass-through", prefix, str(folder / "images"), "--masks", str(folder / "masks")])
    return prefix


def tint(image: NDArray[np.uint8], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Blend the colors of a mask (height, width) into an image (height, width, 3).

    Pixels outside the image become white.
    """
    classes = np.where(mask == NO_IMAGE, 0, mask)
    tinted = np.where(classes[..., None] > 0, image // 2 + COLORS[classes] // 2, image)
    tinted[mask == NO_IMAGE] = 255
    return tinted.astype(np.uint8)


def main(folder: Path) -> None:
    """Pack the data set, load two epochs and write the picture."""
    write(folder, make_scenes(8, seed=1))
    prefix = pack(folder)
    batches = mx.io.ImageMaskRecordIter(
        path_imgrec=f"{prefix}.rec", path_maskrec=f"{prefix}_mask.rec", data_shape=(3, 240, 240), batch_size=8,
        dtype="uint8", layout="NHWC", max_rotate_angle=20, rand_crop=True, rand_mirror=True, brightness=0.3, seed=3,
    )  # fmt: skip
    tinted_images = []
    for _ in range(2):
        batch = batches.next()
        (masks,) = batch.label
        tinted_images += [tint(image, mask) for image, mask in zip(batch.data[0], masks, strict=True)]
        batches.reset()
    picture = folder / "segmentation.png"
    picture.write_bytes(mx.image.imencode(grid(np.stack(tinted_images), 8), ".png"))
    print(f"{picture}: each scene in two epochs, with masks of {', '.join(CLASSES)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "examples")
