"""What lists of augmenters cost: against the same options, with an own function, and against MXNet's ImageIter.

::

    python benches/python/augmenters.py --images DIR [--mxnet-python ~/mxnet/bin/python]

The iterators take turns, an epoch each, in one process; MXNet's in one of its own, between two of recio's.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dataset import photographs
from recio import im2rec
from recio.image import CreateAugmenter
from recio.io import ImageRecordIter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BUILD = Path(__file__).parents[2] / "build" / "bench"
SHAPE = (3, 224, 224)
BATCH = 64

IMAGE_ITER = """
import sys, time
from {package} import image
prefix, epochs = sys.argv[1], int(sys.argv[2])
batches = image.ImageIter(
    64, (3, 224, 224), path_imgrec=prefix + ".rec", path_imgidx=prefix + ".idx",
    rand_crop=True, rand_resize=True, rand_mirror=True, mean=True, std=True,
)
rates = []
for _ in range(epochs):
    start, images = time.perf_counter(), 0
    for batch in batches:
        images += 64 - batch.pad
        getattr(batch.data[0], "wait_to_read", int)()
    batches.reset()
    rates.append(images / (time.perf_counter() - start))
print(max(rates))
"""
"""One script for both: ImageIter of this package on this file, images a second in the best epoch."""


def invert(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Be a cheap function of NumPy's."""
    inverted: NDArray[np.uint8] = 255 - image
    return inverted


def contenders(prefix: Path, threads: int) -> dict[str, ImageRecordIter]:
    """Give the iterators that are compared; the first is what the others are measured by."""
    common: dict[str, Any] = {
        "path_imgrec": prefix.with_suffix(".rec"), "path_imgidx": prefix.with_suffix(".idx"), "data_shape": SHAPE,
        "batch_size": BATCH, "shuffle": True, "preprocess_threads": threads, "verbose": False,
    }  # fmt: skip
    norm: dict[str, Any] = {
        "mean_r": 123.68,
        "mean_g": 116.28,
        "mean_b": 103.53,
        "std_r": 58.395,
        "std_g": 57.12,
        "std_b": 57.375,
    }
    crop: dict[str, Any] = {"rand_crop": True, "rand_resize": True, "rand_mirror": True, "mean": True, "std": True}
    plain = CreateAugmenter(SHAPE, **crop, inter_method=1)
    colours: dict[str, Any] = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "pca_noise": 0.1}
    return {
        "options": ImageRecordIter(random_resized_crop=True, rand_mirror=True, **norm, **common),
        "aug_list": ImageRecordIter(aug_list=plain, **common),
        "aug_list with 255 - image": ImageRecordIter(aug_list=[*plain[:2], invert, *plain[2:]], **common),
        "aug_list with colours, in floats": ImageRecordIter(
            aug_list=CreateAugmenter(SHAPE, **crop, **colours, hue=0.1, inter_method=1), **common
        ),
        "options with colours, in levels": ImageRecordIter(
            random_resized_crop=True, rand_mirror=True, **colours, random_h=18, **norm, **common
        ),
    }


def epoch(batches: ImageRecordIter) -> float:
    """Read an epoch; give images a second."""
    start = perf_counter()
    images = sum(BATCH - (batch.pad or 0) for batch in batches)
    batches.reset()
    return images / (perf_counter() - start)


def image_iter(python: str, package: str, prefix: Path, epochs: int) -> float:
    """Give the images a second of a package's ImageIter."""
    command = [python, "-W", "ignore", "-c", IMAGE_ITER.format(package=package), str(prefix), str(epochs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


def compare(prefix: Path, options: Namespace) -> None:
    """Measure and print."""
    iterators = contenders(prefix, options.threads)
    rates: dict[str, list[float]] = {name: [] for name in iterators}
    for batches in iterators.values():
        epoch(batches)  # warms up
    for _ in range(options.rounds):
        for name, batches in iterators.items():
            rates[name].append(epoch(batches))
    first = next(iter(rates))
    for name, found in rates.items():
        print(f"{name:34} {median(found):7.0f} images/s  {median(found) / median(rates[first]):.2f}")
    for batches in iterators.values():
        batches.close()
    if options.mxnet_python:
        tools = [(options.mxnet_python, "mxnet", 1), (sys.executable, "recio", 3)]
        pairs = [
            [image_iter(python, package, prefix, n) for python, package, n in tools] for _ in range(options.rounds)
        ]
        mxnet, recio = (median(side) for side in zip(*pairs, strict=True))
        print(f"{'ImageIter, and MXNet':34} {recio:7.0f} images/s, {mxnet:.0f}  {recio / mxnet:.2f}")


def main() -> None:
    """Pack the images and compare."""
    parser = ArgumentParser(description="What lists of augmenters cost.")
    parser.add_argument("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    parser.add_argument("--mxnet-python", help="an interpreter that has MXNet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    root = options.images or photographs(BUILD / "photographs")
    with TemporaryDirectory() as folder:
        prefix = Path(folder) / "images"
        im2rec.main(["--list", "--recursive", str(prefix), str(root)])
        im2rec.main(["--pass-through", str(prefix), str(root)])
        compare(prefix, options)


if __name__ == "__main__":
    main()
