"""Row R17: an epoch is the same set of bytes for any number of threads, prefetch, ranks, and in any process.

`test_determinism.py` also tests the order within the stream and the dependencies of the augmentation.
"""

from __future__ import annotations

import hashlib
from itertools import chain, product
from pathlib import Path
from typing import Any

from tests.support.processes import run_python
from tests.support.records import RecordFile, epochs, images, numbers, open_iter

EPOCHS = 2
AUGMENTED: dict[str, Any] = {
    "data_shape": (3, 32, 32),
    "batch_size": 7,
    "shuffle": True,
    "seed": 5,
    "resize": 40,
    "rand_crop": True,
    "rand_mirror": True,
    "brightness": 0.2,
}


def digests(rec: str, threads: int, prefetch: int, ranks: int) -> list[str]:
    """Return, for each epoch, the hash of what all ranks read together, by record number, without repeats."""
    settings = {"preprocess_threads": threads, "prefetch_buffer": prefetch, "num_parts": ranks, **AUGMENTED}
    file = RecordFile(Path(rec), Path(rec))
    streams = [list(epochs(open_iter(file, part_index=rank, **settings), EPOCHS)) for rank in range(ranks)]
    return [merged(chain.from_iterable(stream[epoch] for stream in streams)) for epoch in range(EPOCHS)]


def merged(batches: Any) -> str:  # noqa: ANN401 an iterable of batches
    """Hash the images in the order of their numbers; each number must occur exactly once."""
    batches = list(batches)
    pairs = sorted((number, image.tobytes()) for number, image in zip(numbers(batches), images(batches), strict=True))
    assert [number for number, _ in pairs] == list(range(len(pairs)))
    return hashlib.sha256(b"".join(image for _, image in pairs)).hexdigest()


def all_digests(rec: str) -> set[tuple[str, ...]]:
    """Return the hashes of the epochs for every way to read them."""
    return {tuple(digests(rec, *arguments)) for arguments in product((1, 2, 3, 8), (1, 4), (1, 2, 4))}


OTHER_RUN = """
from tests.io.test_stream_digest import all_digests
[epochs] = all_digests(settings["rec"])
print(*epochs)
"""


def test_every_way_to_read_an_epoch_has_the_same_digest(photos: RecordFile) -> None:
    [expected] = all_digests(str(photos.rec))
    assert len({*expected}) == EPOCHS
    done = run_python(OTHER_RUN, rec=str(photos.rec))
    assert done.stdout.split() == [*expected], done.stderr
