"""Train a classifier on a folder of photographs; `make demo` runs it.

::

    python benches/python/demo.py [--photos FOLDER]

It packs the photographs (one folder per class) into one file, trains a small classifier on random
crops of them, and writes a picture of one augmented batch to `build/demo/`. The classifier is plain
NumPy; replace `Softmax` by your model.
"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from recio import im2rec
from recio.image import imencode
from recio.io import ImageRecordIter

try:
    from tqdm import tqdm
except ImportError:  # the progress bar is optional
    tqdm = None  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from recio.io import DataBatch

    Array = NDArray[np.float32]

REPOSITORY = Path(__file__).parents[2]
OUT = REPOSITORY / "build" / "demo"

BATCH = 10
EPOCHS = 12
PASSES = 10  # passes over the thirty photographs in each epoch of the training
MEAN = (123.675, 116.28, 103.53)  # ImageNet, red, green and blue, range 0 to 255
STD = (58.395, 57.12, 57.375)


def main() -> None:
    """Pack, train and write a contact sheet."""
    parser = ArgumentParser(description="Pack photographs and train on them.")
    parser.add_argument("--photos", type=Path, default=REPOSITORY / "tests" / "data" / "photos")
    photos = parser.parse_args().photos

    prefix = pack(photos)
    batches = open_batches(prefix)
    train(batches, classes=sum(folder.is_dir() for folder in photos.iterdir()))
    sheet = contact_sheet(next(batches).data[0])
    batches.close()

    picture = OUT / "contact-sheet.png"
    picture.write_bytes(imencode(sheet, ".png"))
    print(f"one augmented batch: {picture}")


def pack(photos: Path) -> str:
    """List the photographs, one folder per class, and pack them into `.rec` and `.idx`."""
    OUT.mkdir(parents=True, exist_ok=True)
    prefix = str(OUT / "photos")
    im2rec.main(["--list", "--recursive", prefix, str(photos)])
    im2rec.main([prefix, str(photos), "--pass-through"])
    return prefix


def open_batches(prefix: str) -> ImageRecordIter:
    """Return an iterator over batches of random crops: float32, (n, 3, 224, 224)."""
    return ImageRecordIter(
        path_imgrec=f"{prefix}.rec",
        path_imgidx=f"{prefix}.idx",
        data_shape=(3, 224, 224),
        batch_size=BATCH,
        shuffle=True,
        seed=0,
        random_resized_crop=True,
        min_random_area=0.25,
        max_random_area=1.0,
        min_aspect_ratio=3 / 4,
        max_aspect_ratio=4 / 3,
        rand_mirror=True,
        mean_r=MEAN[0],
        mean_g=MEAN[1],
        mean_b=MEAN[2],
        std_r=STD[0],
        std_g=STD[1],
        std_b=STD[2],
    )


def train(batches: ImageRecordIter, classes: int) -> None:
    """Train a classifier; each pass has every photograph once, with another crop and flip."""
    model = Softmax(features=3 * 32 * 32, classes=classes)
    for epoch in range(1, EPOCHS + 1):
        losses, images, start = [], 0, perf_counter()
        for batch in progress(passes(batches)):
            real = BATCH - (batch.pad or 0)  # the last batch may be padded with repeats
            pixels = batch.data[0][:real]
            labels = batch.label[0][:real].astype(int)  # type: ignore[index]  # always has labels
            losses.append(model.step(features(pixels), labels))
            images += real
        rate = images / (perf_counter() - start)
        print(f"epoch {epoch:2}: loss {np.mean(losses):.3f}, {rate:.0f} images/s")


def passes(batches: ImageRecordIter) -> Iterator[DataBatch]:
    """Yield the batches of `PASSES` passes over the photographs."""
    for _ in range(PASSES):
        yield from batches
        batches.reset()


def progress(batches: Iterator[DataBatch]) -> Iterable[DataBatch]:
    """Show a progress bar with the images per second."""
    if tqdm is None:
        return batches
    bar: Iterable[DataBatch] = tqdm(batches, unit=" images", unit_scale=BATCH, leave=False)
    return bar


class Softmax:
    """Linear classifier with cross-entropy loss, trained by gradient descent."""

    def __init__(self, features: int, classes: int) -> None:
        self.weights = np.zeros((features, classes), np.float32)

    def step(self, inputs: Array, labels: NDArray[np.int_], rate: float = 3e-4) -> float:
        """Update the weights by one step of gradient descent and return the loss before it."""
        scores = inputs @ self.weights
        probabilities = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        rows = np.arange(len(labels))
        loss = -np.log(probabilities[rows, labels]).mean()
        probabilities[rows, labels] -= 1  # gradient of the loss with respect to the scores
        self.weights -= rate * inputs.T @ probabilities / len(labels)
        return float(loss)


def features(pixels: Array) -> Array:
    """Average (n, 3, 224, 224) pixels to 32 x 32 and flatten each image into a row."""
    count = len(pixels)
    blocks = pixels.reshape(count, 3, 32, 7, 32, 7)
    return np.mean(blocks, axis=(3, 5), dtype=np.float32).reshape(count, -1)


def contact_sheet(pixels: Array, columns: int = 5) -> NDArray[np.uint8]:
    """Undo the normalization of a batch and arrange its images in a grid."""
    colors = pixels.transpose(0, 2, 3, 1) * STD + MEAN
    images = colors.round().clip(0, 255).astype(np.uint8)
    rows, height, width = len(images) // columns, *images.shape[1:3]
    grid = images.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, 3)


if __name__ == "__main__":
    main()
