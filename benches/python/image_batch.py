"""Throughput of `recio.image.batch`, compared with decoding and augmenting one by one.

::

    python benches/python/image_batch.py --images DIR

The ways run alternately on the same batches of encoded images, in one process.
"""

from __future__ import annotations

from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

import numpy as np

from dataset import photographs
from recio.image import CreateAugmenter, batch, imdecode

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from recio.image import Augmenter

    Way = Callable[[list[bytes]], NDArray[Any]]

BUILD = Path(__file__).parents[2] / "build" / "bench"
SHAPE = (3, 224, 224)
BATCH = 64


def one(augmenters: list[Augmenter], payload: bytes) -> NDArray[Any]:
    """Decode and augment one image."""
    image: NDArray[Any] = imdecode(payload)
    for augmenter in augmenters:
        image = augmenter(image)
    return image.transpose(2, 0, 1)


def ways(threads: int) -> dict[str, Way]:
    """Return the ways to make a batch; the first is the baseline."""
    augmenters = CreateAugmenter(
        SHAPE, rand_crop=True, rand_resize=True, rand_mirror=True, mean=True, std=True, inter_method=1
    )
    single, pool = partial(one, augmenters), ThreadPoolExecutor(threads)
    return {
        "one by one": lambda payloads: np.stack([*map(single, payloads)]),
        f"one by one in {threads} Python threads": lambda payloads: np.stack([*pool.map(single, payloads)]),
        "recio.image.batch": lambda payloads: batch(payloads, SHAPE, augmenters, threads=threads),
    }


def main() -> None:
    """Measure all ways and print a table."""
    parser = ArgumentParser(description="Compare recio.image.batch with augmenting one by one.")
    parser.add_argument("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    root = options.images or photographs(BUILD / "photographs")
    files = sorted(path for path in root.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg"})
    payloads = [path.read_bytes() for path in files]
    batches = [payloads[start : start + BATCH] for start in range(0, len(payloads) - BATCH + 1, BATCH)]
    times: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.rounds + 1):  # the first is a warm-up
        for name, way in ways(options.threads).items():
            wall, cpu = perf_counter(), process_time()
            for part in batches:
                way(part)
            times.setdefault(name, []).append((perf_counter() - wall, process_time() - cpu))
    images, baseline = len(batches) * BATCH, 0.0
    for name, values in times.items():
        wall, cpu = (median(value[kind] for value in values[1:]) for kind in range(2))
        baseline = baseline or wall
        print(
            f"{name:32} {images / wall:6.0f} images/s  {1000 * cpu / images:.2f} CPU ms an image  {baseline / wall:.2f}"
        )


if __name__ == "__main__":
    main()
