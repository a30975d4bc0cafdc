"""Images per second of `recio.ray`, compared with recio without Ray, on the cores of this machine.

::

    build/engines/bin/python benches/python/engines.py --images DIR --cores 2 --rounds 3

Each task runs once per round, on several copies of a data set of shards. Starting Ray is not measured, starting a
data set is.
"""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, Namespace
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import ray.data

import ray
import recio.ray
from dataset import pack, photographs
from recio import files, im2rec
from recio.image import imdecode, imresize
from recio.io import ImageRecordIter

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

BUILD = Path(__file__).parents[2] / "build" / "bench"
SIDE = 224
BATCH = 64


def main() -> None:
    """Run all tasks in each round, and print the median of each."""
    options = parse_arguments()
    root = options.images or photographs(BUILD / "photographs")
    prefix = pack(root, BUILD)
    ray.init(num_cpus=options.cores, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    rates = defaultdict(list)
    with TemporaryDirectory(dir=BUILD) as folder:
        bench = Bench(Path(folder), prefix, root, options)
        for _ in range(options.rounds):
            for name, task in bench.tasks().items():
                start = perf_counter()
                images = task()
                rates[name].append(images / (perf_counter() - start))
                bench.clean()
    for name, measured in rates.items():
        print(f"| {name} | {median(measured):,.0f} | {min(measured):,.0f} to {max(measured):,.0f} |")


def parse_arguments() -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(description="Measure recio.ray.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    add("--copies", type=int, default=8, help="copies of the data set that are read and written")
    add("--cores", type=int, default=2, help="cores of Ray, and threads without it")
    add("--rounds", type=int, default=3)
    return parser.parse_args()


class Bench:
    """The tasks, each of which returns the number of images that it has processed."""

    def __init__(self, folder: Path, prefix: Path, root: Path, options: Namespace) -> None:
        self.root, self.list, self.cores = root, prefix.with_suffix(".lst"), options.cores
        self.outputs = folder / "outputs"
        merged = files.merge([prefix.with_suffix(".rec")] * options.copies, folder / "all.rec")
        reports = files.split(merged.rec, 8, folder / "all")
        self.shards = [str(report.rec) for report in reports]
        self.bytes = merged.bytes

    def tasks(self) -> dict[str, Callable[[], int]]:
        """Return the tasks by name."""
        return {
            "`ImageRecordIter`, 224x224, uint8, without Ray": self.iterate,
            "`read_records`, bytes": lambda: consume(recio.ray.read_records(self.shards)),
            "`read_records(decode='rgb')`": lambda: consume(recio.ray.read_records(self.shards, decode="rgb")),
            "`read_records`, decode and resize to 224x224 in `map_batches`": self.decode_and_resize,
            "`write_records` of `read_records`, bytes": self.write,
            "`files.merge` of the same records, without Ray": self.merge,
            "`ray.pack`, 4 shards, `pass_through`": lambda: self.pack(pass_through=True),
            "`im2rec.pack`, `pass_through`, without Ray": lambda: self.pack_without_ray(pass_through=True),
            "`ray.pack`, 4 shards, `resize=256`": lambda: self.pack(resize=256),
            "`im2rec.pack`, `resize=256`, without Ray": lambda: self.pack_without_ray(resize=256),
        }

    def clean(self) -> None:
        """Remove what a task has written."""
        shutil.rmtree(self.outputs, ignore_errors=True)
        self.outputs.mkdir()

    def iterate(self) -> int:
        """Read an epoch by an iterator."""
        batches = ImageRecordIter(
            path_imgrec=self.shards,
            data_shape=(3, SIDE, SIDE),
            batch_size=BATCH,
            dtype="uint8",
            resize=SIDE,
            preprocess_threads=self.cores,
        )
        return sum(len(batch.data[0]) - batch.pad for batch in batches)

    def decode_and_resize(self) -> int:
        """Let Ray's tasks make arrays of one size."""
        return consume(recio.ray.read_records(self.shards).map_batches(to_arrays, batch_size=BATCH))

    def write(self) -> int:
        """Copy the records by Ray."""
        return recio.ray.write_records(recio.ray.read_records(self.shards), self.outputs / "out").records

    def merge(self) -> int:
        """Copy the records in this process."""
        return files.merge(self.shards, self.outputs / "out.rec").records

    def pack(self, **options: Any) -> int:  # noqa: ANN401 those of another function
        """Pack the list on Ray's cores."""
        packed = recio.ray.pack(self.list, self.outputs / "out", root=self.root, shards=4, **options)
        return packed.manifest.records

    def pack_without_ray(self, **options: Any) -> int:  # noqa: ANN401
        """Pack the list in this process."""
        lst = self.outputs / "out.lst"
        shutil.copy(self.list, lst)
        return im2rec.pack(lst, self.root, num_thread=self.cores, **options).records


def consume(dataset: ray.data.Dataset) -> int:
    """Read a data set in batches, and count its rows."""
    return sum(len(batch["id"]) for batch in dataset.iter_batches(batch_size=BATCH))


def to_arrays(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray | list[np.ndarray]]:
    """Decode images, and resize them to one size."""
    images = [imresize(imdecode(image), SIDE, SIDE) for image in batch["image"]]
    return {"id": batch["id"], "image": images}


if __name__ == "__main__":
    main()
