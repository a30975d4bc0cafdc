"""Images per second and CPU time of an image through the adapters of frameworks, compared with a bare loop.

::

    build/frameworks/bin/python benches/python/frameworks.py --images DIR --rounds 5

Each way runs in a process of its own, as PyTorch and TensorFlow do not share one, and all ways run once per round. The
figures are those of the second epoch: without the imports and the start.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from dataset import pack, photographs
from process import tree_cost
from recio.datasets import RecordDataset
from recio.io import ImageRecordIter
from recio.samplers import ClassBalancedSampler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BUILD = Path(__file__).parents[2] / "build" / "bench"
BATCH = 64


def main() -> None:
    """Run all ways in each round, and print the median of each; or run one way in this process."""
    options = parse_arguments()
    if options.way is not None:
        print(json.dumps(measure(WAYS[options.way], options.prefix)))
        return
    prefix = pack(options.images or photographs(BUILD / "photographs"), BUILD)
    figures = defaultdict(list)
    for _, way in itertools.product(range(options.rounds), WAYS):
        command = [sys.executable, __file__, "--way", way, "--prefix", prefix]
        environment = {**os.environ, "KERAS_BACKEND": "jax", "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
        figures[way].append(json.loads(done.stdout.splitlines()[-1]))
    print("| way | images/s | of the bare loop | CPU ms an image |\n|---|---|---|---|")
    bare = [rate for rate, _ in figures[next(iter(WAYS))]]
    for way, measured in figures.items():
        rates, costs = zip(*measured, strict=True)
        ratio = median(rate / base for rate, base in zip(rates, bare, strict=True))
        print(f"| {way} | {median(rates):,.0f} | {ratio:.2f} | {median(costs):.2f} |")


def parse_arguments() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(description="Measure the adapters of frameworks.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    add("--rounds", type=int, default=5)
    add("--way", choices=WAYS, help="run one way alone")
    add("--prefix", type=Path, help="the data set of that way")
    return parser.parse_args()


def measure(loops: Callable[[Path], Callable[[], Iterable[Any]]], prefix: Path) -> tuple[float, float]:
    """Return images per second and CPU ms of an image in the second epoch."""
    begin_epoch = loops(prefix)
    consume(begin_epoch())
    start, cost = perf_counter(), tree_cost()
    batches = consume(begin_epoch())
    seconds, cpu = perf_counter() - start, (tree_cost() - cost).cpu_s
    return batches * BATCH / seconds, 1000 * cpu / (batches * BATCH)


def consume(batches: Iterable[Any]) -> int:
    """Iterate over an epoch, keeping no batch."""
    return sum(1 for _ in batches)


def settings(prefix: Path) -> dict[str, Any]:
    """Return the keywords of training: random resized crop, flip, normalize, float32."""
    return {
        "path_imgrec": prefix.with_suffix(".rec"),
        "path_imgidx": prefix.with_suffix(".idx"),
        "data_shape": (3, 224, 224),
        "batch_size": BATCH,
        "shuffle": True,
        "random_resized_crop": True,
        "rand_mirror": True,
        "scale": 1 / 255,
    }


def loops_of(batches: ImageRecordIter) -> Callable[[], Iterable[Any]]:
    """Return a function that begins an epoch of an iterator."""

    def begin() -> ImageRecordIter:
        batches.reset()
        return batches

    return begin


def bare(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over the iterator itself."""
    return loops_of(ImageRecordIter(**settings(prefix)))


def sampled(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over the iterator with a sampler."""
    sampler = ClassBalancedSampler(RecordDataset(prefix.with_suffix(".rec")).labels())
    return loops_of(ImageRecordIter(**{**settings(prefix), "shuffle": False}, sampler=sampler))


def allocated(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over the iterator with memory of the caller's."""
    return loops_of(ImageRecordIter(**settings(prefix), allocator=bytearray))


def torch_loader(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over tensors of PyTorch."""
    from recio.torch import ImageRecordLoader  # noqa: PLC0415 one framework in a process

    loader = ImageRecordLoader(**settings(prefix))
    return lambda: loader


def torch_data_loader(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over a ``DataLoader`` of a map-style data set with two workers and transforms of torchvision."""
    import torch  # noqa: PLC0415
    from torchvision.transforms import v2  # noqa: PLC0415

    from recio.torch import RecordDataset as TensorDataset  # noqa: PLC0415

    transform = v2.Compose(
        [v2.RandomResizedCrop(224), v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)]
    )
    dataset = TensorDataset(prefix.with_suffix(".rec"), transform=transform)
    loader = torch.utils.data.DataLoader(dataset, BATCH, shuffle=True, num_workers=2, persistent_workers=True)
    return lambda: loader


def jax_arrays(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over arrays of JAX."""
    import jax  # noqa: PLC0415

    begin = loops_of(ImageRecordIter(**settings(prefix)))
    return lambda: (jax.device_put(batch.data[0]) for batch in begin())


def grain_dataset(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over two epochs of an iterator of Grain."""
    import recio.grain  # noqa: PLC0415

    data = recio.grain.IterDataset(lambda: ImageRecordIter(**settings(prefix)), num_epochs=2)
    iterator = iter(data)
    epoch = len(ImageRecordIter(**settings(prefix)))
    return lambda: itertools.islice(iterator, epoch)


def keras_dataset(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over a data set of Keras as ``fit`` does."""
    import recio.keras  # noqa: PLC0415

    data = recio.keras.PyDataset(ImageRecordIter(**settings(prefix)))

    def begin() -> Iterable[Any]:
        data.on_epoch_begin()
        return map(data.__getitem__, range(data.num_batches))

    return begin


def tensorflow_dataset(prefix: Path) -> Callable[[], Iterable[Any]]:
    """Loop over a ``tf.data.Dataset``."""
    import recio.tensorflow  # noqa: PLC0415

    data = recio.tensorflow.dataset(ImageRecordIter(**settings(prefix)))
    return lambda: data


WAYS = {
    "`ImageRecordIter`": bare,
    "with `sampler=ClassBalancedSampler(labels)`": sampled,
    "with `allocator=bytearray`": allocated,
    "`recio.torch.ImageRecordLoader`": torch_loader,
    "`DataLoader` of `recio.torch.RecordDataset`, `v2` transforms, 2 workers": torch_data_loader,
    "`jax.device_put`": jax_arrays,
    "`recio.grain.IterDataset`": grain_dataset,
    "`recio.keras.PyDataset`": keras_dataset,
    "`recio.tensorflow.dataset`": tensorflow_dataset,
}
"""What is measured: functions that return a function which begins an epoch."""


if __name__ == "__main__":
    main()
