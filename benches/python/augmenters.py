"""Throughput of augmenter lists, compared with the same options and with MXNet's ImageIter.

::

    python benches/python/augmenters.py --images DIR [--mxnet-python ~/mxnet/bin/python]

recio's iterators run alternately, one epoch each, in one process. MXNet's `ImageIter` and recio's run in
alternating processes.
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
"""Script that runs `ImageIter` of either package and prints the images/s of the best epoch."""


def invert(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Invert an image; a cheap user function."""
    inverted: NDArray[np.uint8] = 255 - image
    return inverted


def open_iterators(prefix: Path, threads: int) -> dict[str, ImageRecordIter]:
    """Open the iterators to compare; the first is the baseline."""
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
    jitter: dict[str, Any] = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "pca_noise": 0.1}
    return {
        "options": ImageRecordIter(random_resized_crop=True, rand_mirror=True, **norm, **common),
        "aug_list": ImageRecordIter(aug_list=plain, **common),
        "aug_list with 255 - image": ImageRecordIter(aug_list=[*plain[:2], invert, *plain[2:]], **common),
        "aug_list with color jitter, float32": ImageRecordIter(
            aug_list=CreateAugmenter(SHAPE, **crop, **jitter, hue=0.1, inter_method=1), **common
        ),
        "options with color jitter, uint8": ImageRecordIter(
            random_resized_crop=True, rand_mirror=True, **jitter, random_h=18, **norm, **common
        ),
    }


def epoch(batches: ImageRecordIter) -> float:
    """Run one epoch and return its images per second."""
    start = perf_counter()
    images = sum(BATCH - (batch.pad or 0) for batch in batches)
    batches.reset()
    return images / (perf_counter() - start)


def image_iter(python: str, package: str, prefix: Path, epochs: int) -> float:
    """Return the images per second of a package's `ImageIter`, run in a new process."""
    command = [python, "-W", "ignore", "-c", IMAGE_ITER.format(package=package), str(prefix), str(epochs)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(result.stdout)


def compare(prefix: Path, options: Namespace) -> None:
    """Measure all iterators and print a table."""
    iterators = open_iterators(prefix, options.threads)
    rates: dict[str, list[float]] = {name: [] for name in iterators}
    for batches in iterators.values():
        epoch(batches)  # warm-up
    for _ in range(options.rounds):
        for name, batches in iterators.items():
            rates[name].append(epoch(batches))
    baseline = next(iter(rates))
    for name, values in rates.items():
        print(f"{name:36} {median(values):7.0f} images/s  {median(values) / median(rates[baseline]):.2f}")
    for batches in iterators.values():
        batches.close()
    if options.mxnet_python:
        packages = [(options.mxnet_python, "mxnet", 1), (sys.executable, "recio", 3)]
        pairs = [
            [image_iter(python, package, prefix, n) for python, package, n in packages] for _ in range(options.rounds)
        ]
        mxnet, recio = (median(side) for side in zip(*pairs, strict=True))
        print(f"{'ImageIter, and MXNet':36} {recio:7.0f} images/s, {mxnet:.0f}  {recio / mxnet:.2f}")


def main() -> None:
    """Pack the images and compare the iterators."""
    parser = ArgumentParser(description="Compare augmenter lists with options and with MXNet.")
    parser.add_argument("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    parser.add_argument("--mxnet-python", help="a Python interpreter with MXNet installed")
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
