"""Detection: pack images with boxes, load them with random crops and flips, and draw the boxes that come out.

    python examples/detection.py [FOLDER]

leaves ``detection.png`` in the folder, build/examples if none is given.
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

COLOURS = np.array([[255, 60, 60], [60, 220, 60], [80, 120, 255]], np.uint8)


def pack(folder: Path, made: list[Scene]) -> str:
    """Write ``scenes.rec`` and ``scenes.idx``; a label is 2, 5, and class, left, top, right, bottom of each object."""
    rec = str(folder / "scenes.rec")
    with mx.recordio.MXIndexedRecordIO(str(folder / "scenes.idx"), rec, "w") as records:
        for number, one in enumerate(made):
            label = np.concatenate([[2, 5], one.boxes.ravel()])
            header = mx.recordio.IRHeader(0, label, number, 0)
            records.write_idx(number, mx.recordio.pack(header, mx.image.imencode(one.image, ".jpg")))
    return rec


def draw(image: NDArray[np.uint8], objects: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw the outlines of objects on an image (height, width, 3)."""
    height, width = image.shape[:2]
    drawn = image.copy()
    for kind, left, top, right, bottom in objects:
        if kind < 0:
            continue  # the labels of an image end with rows of -1
        x0, x1 = (np.clip([left, right], 0, 1) * (width - 1)).astype(int)
        y0, y1 = (np.clip([top, bottom], 0, 1) * (height - 1)).astype(int)
        colour = COLOURS[int(kind)]
        for edge in (np.s_[y0 : y0 + 3, x0:x1], np.s_[y1 - 2 : y1 + 1, x0:x1], np.s_[y0:y1, x0 : x0 + 3]):
            drawn[edge] = colour
        drawn[y0 : y1 + 1, x1 - 2 : x1 + 1] = colour
    return drawn


def main(folder: Path) -> None:
    """Do it."""
    folder.mkdir(parents=True, exist_ok=True)
    rec = pack(folder, scenes(8))
    batches = mx.image.ImageDetIter(
        batch_size=8, data_shape=(3, 240, 240), path_imgrec=rec, seed=3,
        rand_crop=0.7, rand_pad=0.5, rand_mirror=True, brightness=0.2, min_object_covered=0.5,
    )  # fmt: skip
    shown = []
    for _ in range(2):
        batch = batches.next()
        images = np.clip(batch.data[0], 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
        (labels,) = batch.label or ()
        shown += [draw(image, objects) for image, objects in zip(images, labels, strict=True)]
        batches.reset()
    picture = folder / "detection.png"
    picture.write_bytes(mx.image.imencode(sheet(np.stack(shown), 8), ".png"))
    print(f"{picture}: each scene in two epochs, boxes of {', '.join(OBJECTS)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "examples")
