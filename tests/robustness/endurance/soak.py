"""Row R16: reading for as long as a training of a day does, and looking whether memory, files or threads grow.

`test_soak.py` runs it twice: for 864,000 batches of tiny images, which is ten a second for 24 hours, and for ten
million photographs of 112 by 112 pixels (``--photographs``), whose batches are large enough for a lost one to show.
Prints the figures; exits with 1 if one is too large. It has one iterator; `test_iterator_leaks.py` makes thousands.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from recio.im2rec import make_list, pack
from recio.io import ImageRecordIter
from tests.support.records import DATA, noise, png, threads, write_images

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1 << 20
MOST_GROWTH = 0.02, 8 * MIB
"""Of the memory after the warm-up, and in bytes; both must hold."""
FEWEST_EPOCHS = 240


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds."""

    memory: int
    files: int
    threads: int


def held() -> Held:
    """Look at this process."""
    process = psutil.Process()
    return Held(process.memory_info().rss, process.num_fds(), len(threads()))


def main() -> int:
    """Read, look, and tell."""
    arguments = parse()
    with tempfile.TemporaryDirectory() as folder:
        settings = photographs(Path(folder)) if arguments.photographs else tiny(Path(folder))
        start = time.monotonic()
        looks = list(read(settings, arguments.batches))
    seconds = time.monotonic() - start
    print(f"{arguments.batches} batches, {len(looks)} ends of epochs, {seconds:.0f} s")  # noqa: T201
    return tell(looks)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=100_000, metavar="N", help="how many to read (default: 100000)")
    parser.add_argument("--photographs", action="store_true", help="JPEGs of 112 by 112 pixels, 64 a batch")
    return parser.parse_args()


def tiny(folder: Path) -> dict[str, Any]:
    """Return the settings for 400 images of 8 by 8 pixels."""
    file = write_images(folder, [png(noise(8, 8, seed=number)) for number in range(400)])
    return {"path_imgrec": file.rec, "data_shape": (3, 8, 8), "batch_size": 4}


def photographs(folder: Path) -> dict[str, Any]:
    """Return the settings for repeated photographs of 112 by 112 pixels."""
    make_list(folder / "few", DATA / "photos", recursive=True)
    lines = [line.split("\t", 1)[1] for line in (folder / "few.lst").read_text().splitlines() * 100]
    (folder / "many.lst").write_text("".join(f"{number}\t{line}\n" for number, line in enumerate(lines)))
    packed = pack(folder / "many.lst", DATA / "photos", center_crop=True, resize=112)
    return {"path_imgrec": packed.rec, "data_shape": (3, 112, 112), "batch_size": 64}


def read(settings: dict[str, Any], batches: int) -> Iterator[Held]:
    """Read so many batches, shuffled and augmented; look at the end of each epoch."""
    with ImageRecordIter(**settings, shuffle=True, rand_mirror=True, preprocess_threads=2) as source:
        left = batches
        while left > 0:
            for batch in source:
                left -= len(batch.data) > 0
                if left == 0:
                    break
            source.reset()
            yield held()


def tell(looks: list[Held]) -> int:
    """Print what grew after the first tenth; give the exit code."""
    warm = len(looks) // 10
    before, later = looks[warm], looks[warm:]
    growth = max(look.memory for look in later) - before.memory
    files = {look.files for look in later}
    running = {look.threads for look in later}
    print(f"memory {before.memory / MIB:.1f} MiB, growth {growth / MIB:.2f} MiB, {growth / before.memory:.2%}")  # noqa: T201
    print(f"files {sorted(files)}, threads {sorted(running)}")  # noqa: T201
    grew = growth > MOST_GROWTH[0] * before.memory or growth > MOST_GROWTH[1]
    return int(grew or len(files) > 1 or len(running) > 1 or len(looks) < FEWEST_EPOCHS)


if __name__ == "__main__":
    sys.exit(main())
