"""Detection: pack images with boxes, load them with random crops and flips, and plot the boxes.

    python examples/detection.py [FOLDER]

writes ``detection.png`` to the folder; the default is build/examples.
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

COLORS = np.array([[255, 60, 60], [60, 220, 60], [80, 120, 255]], np.uint8)


def pack(folder: Path, dataset: list[Scene]) -> str:
    """Write ``scenes.rec`` and ``scenes.idx``.

    A label is 2, 5, and class, left, top, right, bottom of each object.
    """
    rec = str(folder / "scenes.rec")
    with mx.recordio.MXIndexedRecordIO(str(folder / "scenes.idx"), rec, "w") as records:
        for id_, scene in enumerate(dataset):
            label = np.concatenate([[2, 5], scene.boxes.ravel()])
            header = mx.recordio.IRHeader(0, label, id_, 0)
            records.write_idx(id_, mx.recordio.pack(header, mx.image.imencode(scene.image, ".jpg")))
    return rec


def draw(image: NDArray[np.uint8], objects: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Draw the boxes of objects on an image (height, width, 3)."""
    height, width = image.shape[:2]
    annotated = image.copy()
    for class_, left, top, right, bottom in objects:
        if class_ < 0:
            continue  # padding of the labels
        x0, x1 = (np.clip([left, right], 0, 1) * (width - 1)).astype(int)
        y0, y1 = (np.clip([top, bottom], 0, 1) * (height - 1)).astype(int)
        color = COLORS[int(class_)]
        for edge in (np.s_[y0 : y0 + 3, x0:x1], np.s_[y1 - 2 : y1 + 1, x0:x1], np.s_[y0:y1, x0 : x0 + 3]):
            annotated[edge] = color
        annotated[y0 : y1 + 1, x1 - 2 : x1 + 1] = color
    return annotated


def main(folder: Path) -> None:
    """Pack the data set, load two epochs and write the picture."""
    folder.mkdir(parents=True, exist_ok=True)
    rec = pack(folder, make_scenes(8))
    batches = mx.image.ImageDetIter(
        batch_size=8, data_shape=(3, 240, 240), path_imgrec=rec, seed=3,
        rand_crop=0.7, rand_pad=0.5, rand_mirror=True, brightness=0.2, min_object_covered=0.5,
    )  # fmt: skip
    images_with_boxes = []
    for _ in range(2):
        batch = batches.next()
        images = np.clip(batch.data[0], 0, 255).astype(np.uint8).transpose(0, 2, 3, 1)
        (labels,) = batch.label
        images_with_boxes += [draw(image, objects) for image, objects in zip(images, labels, strict=True)]
        batches.reset()
    picture = folder / "detection.png"
    picture.write_bytes(mx.image.imencode(grid(np.stack(images_with_boxes), 8), ".png"))
    print(f"{picture}: each scene in two epochs, with boxes of {', '.join(CLASSES)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "examples")
