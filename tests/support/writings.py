"""Everything in recio that writes a file, as works to be disturbed: what is there before, and what is done.

Each is done in a folder, from ``inputs`` beside it. Knows nothing of faults; `fault_runner.py` does these works while
something goes wrong, and the tests judge what is left.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from recio.convert import convert
from recio.datasets import RecordDataset
from recio.files import merge, shuffle, split
from recio.im2rec import main, make_list, pack
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx
from tests.support.records import image_record, noise, png, write_images, write_tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS: dict[str, Any] = {"data_shape": (3, 8, 8), "batch_size": 5, "preprocess_threads": 1}
TINY = 20
LARGE = 3
"""Images of 700 kB: with them a record file is written by several calls."""


def nothing(folder: Path) -> None:
    """Leave the folder empty."""


@dataclass(frozen=True)
class Writing:
    """A work that writes files."""

    work: Callable[[Path], object]
    """Does it, in a folder. Raises if it fails."""
    prepare: Callable[[Path], object] = nothing
    """Puts into the folder what is there before."""
    describes: dict[str, str] = field(default_factory=dict)
    """Files that tell of another one: where one is there, so is the other, of the same writing."""
    repeats: bool = True
    """Whether doing it again gives the same files."""
    whole: bool = True
    """Whether files get their names when they are whole; if not, they grow under them, record by record."""


def make_inputs(folder: Path) -> None:
    """Make images, masks and record files in ``inputs``."""
    inputs = folder / "inputs"
    for name in ("images", "masks", "large"):
        (inputs / name).mkdir(parents=True)
    for number in range(TINY):
        pixels = noise(8, 8, seed=number)
        (inputs / "images" / f"{number:02}.png").write_bytes(png(pixels))
        (inputs / "masks" / f"{number:02}.png").write_bytes(png(pixels[..., :1] % 2))
    for number in range(LARGE):
        (inputs / "large" / f"{number}.jpg").write_bytes(np.random.default_rng(number).bytes(700_000))
    write_tiny(inputs, TINY, "one")
    write_images(inputs, [png(noise(30, 30, seed=number)) for number in range(5)], "two")


def write_list(folder: Path, name: str, images: list[str]) -> None:
    """Write a list by hand."""
    (folder / f"{name}.lst").write_text("".join(f"{n}\t{n}\t{image}\n" for n, image in enumerate(images)))


def tiny_list(folder: Path, name: str = "a") -> None:
    """Write the list of the small images."""
    write_list(folder, name, [f"{number:02}.png" for number in range(TINY)])


def large_list(folder: Path) -> None:
    """Write the list of the large images."""
    write_list(folder, "a", [f"{number}.jpg" for number in range(LARGE)])


def pack_large(folder: Path) -> None:
    """Pack the large images."""
    pack(folder / "a.lst", folder.parent / "inputs" / "large", pass_through=True, num_thread=2)


def very_large_list(folder: Path) -> None:
    """Write a list of 24 of the large images: so many bytes that some are synced while others are written."""
    write_list(folder, "a", [f"{number % LARGE}.jpg" for number in range(24)])


def pack_tiny(folder: Path) -> None:
    """Pack the small ones, into the files of the same names."""
    pack(folder / "a.lst", folder.parent / "inputs" / "images", pass_through=True, num_thread=2)


def pack_with_masks(folder: Path) -> None:
    """Pack images and masks."""
    inputs = folder.parent / "inputs"
    pack(folder / "a.lst", inputs / "images", masks=inputs / "masks", pass_through=True, num_thread=1)


def pack_with_checksums(folder: Path) -> None:
    """Pack images, with checksums of the records."""
    pack(folder / "a.lst", folder.parent / "inputs" / "images", checksum=True, pass_through=True, num_thread=2)


def pack_recoded(folder: Path) -> None:
    """Pack images encoded anew."""
    pack(folder / "a.lst", folder.parent / "inputs" / "images", resize=12, num_thread=2)


def pack_three_shards(folder: Path) -> None:
    """Pack images into three shards."""
    pack(folder / "a.lst", folder.parent / "inputs" / "images", pass_through=True, shards=3, num_thread=2)


def list_and_two_shards(folder: Path) -> None:
    """Write a list, and pack it into two shards."""
    tiny_list(folder)
    pack(folder / "a.lst", folder.parent / "inputs" / "images", pass_through=True, shards=2, num_thread=2)


def pack_some_missing(folder: Path) -> None:
    """Pack a list of which not all images are there, so that there is a report."""
    pack_tiny(folder)


def command(*arguments: object) -> None:
    """Run the command; an exit code is an exception that has what the command said."""
    said = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        code = main([str(argument) for argument in arguments])
    if code:
        said.seek(0)
        raise SystemExit(said.read())


def command_on_two_lists(folder: Path) -> None:
    """Pack two lists by the command."""
    command("--pass-through", "--num-thread", 1, folder / "a", folder.parent / "inputs" / "images")


def two_lists(folder: Path) -> None:
    """Write two lists of one prefix."""
    tiny_list(folder, "a_0")
    tiny_list(folder, "a_1")


def older(folder: Path, writing: Callable[[Path], object], prepare: Callable[[Path], object]) -> None:
    """Leave what an earlier run wrote, of other images, and the list for the next."""
    write_list(folder, "a", ["00.png", "01.png"])
    writing(folder)
    prepare(folder)


def list_chunks(folder: Path) -> None:
    """Write six lists."""
    make_list(folder / "a", folder.parent / "inputs" / "images", chunks=2, train_ratio=0.5, test_ratio=0.25)


def write_one_by_one(folder: Path) -> None:
    """Write records, more than are gathered at once."""
    with MXRecordIO(folder / "a.rec", "w") as writer:
        for number in range(5):
            writer.write(bytes([number]) * 500_000)


def write_indexed(folder: Path) -> None:
    """Write records under keys, more than are gathered at once."""
    with MXIndexedRecordIO(folder / "a.idx", folder / "a.rec", "w") as writer:
        for number in range(5):
            writer.write_idx(number, image_record(bytes([number]) * 500_000, number))


def append(folder: Path) -> None:
    """Append records to those that are there."""
    with MXIndexedRecordIO(folder / "a.idx", folder / "a.rec", "a") as writer:
        for number in range(5, 8):
            writer.write_idx(number, image_record(bytes([number]) * 500_000, number))


def write_with_checksums(folder: Path) -> None:
    """Write records under keys, with checksums."""
    with MXIndexedRecordIO(folder / "a.idx", folder / "a.rec", "w", checksum=True) as writer:
        for number in range(5):
            writer.write_idx(number, image_record(bytes([number]) * 300_000, number))


def merge_two(folder: Path) -> None:
    """Make one file of two."""
    inputs = folder.parent / "inputs"
    merge([inputs / "one.rec", inputs / "two.rec"], folder / "a.rec", checksum=True)


def split_in_three(folder: Path) -> None:
    """Make three files of one."""
    split(folder.parent / "inputs" / "one.rec", 3, folder / "a", checksum=True)


def shuffle_one(folder: Path) -> None:
    """Put the records of a file into another order."""
    shuffle(folder.parent / "inputs" / "one.rec", folder / "a.rec", seed=1, checksum=True)


def index_again(folder: Path) -> None:
    """Rebuild an index."""
    rec2idx(folder.parent / "inputs" / "one.rec", folder / "a.idx")


def an_old_index(folder: Path) -> None:
    """Leave an index of another file."""
    (folder / "a.idx").write_text("7\t0\n")


def copy_to_cache(folder: Path) -> None:
    """Read two files by way of a copy."""
    inputs, cache = folder.parent / "inputs", folder / "cache.rec"
    ImageRecordIter(path_imgrec=f"{inputs}/one.rec;{inputs}/two.rec#{cache}", **SETTINGS).close()


def compute_mean(folder: Path) -> None:
    """Compute the mean image of a file."""
    rec, mean = folder.parent / "inputs" / "one.rec", folder / "mean.npy"
    ImageRecordIter(path_imgrec=rec, mean_img=mean, **SETTINGS).close()


def keep_labels(folder: Path) -> None:
    """Keep the labels of a data set."""
    _ = RecordDataset(folder.parent / "inputs" / "one.rec", cache=folder / "labels.npz").labels()


def convert_to_tar(folder: Path) -> None:
    """Convert a record file to a tar file."""
    convert(folder.parent / "inputs" / "two.rec", folder / "a.tar", classes=[*"abcde"])


def convert_to_folder(folder: Path) -> None:
    """Convert a record file to a folder of images."""
    convert(folder.parent / "inputs" / "two.rec", folder / "a")


def convert_to_shards(folder: Path) -> None:
    """Convert a record file to two TFRecord files."""
    convert(folder.parent / "inputs" / "two.rec", folder / "a", dst_format="tfrecord", shards=2)


def convert_images(folder: Path) -> None:
    """Convert a folder of images to a record file."""
    convert(folder.parent / "inputs" / "images", folder / "a.rec", checksum=True)


def convert_to_record_shards(folder: Path) -> None:
    """Convert a folder of images to two record files."""
    convert(folder.parent / "inputs" / "images", folder / "a", dst_format="rec", shards=2)


INDEX = {"a.idx": "a.rec"}
RSUM = {"a.rsum": "a.rec"}
CHECKED = {**INDEX, **RSUM}
SHARDS = {f"a_0000{n}.idx": f"a_0000{n}.rec" for n in range(3)} | {"a.recset.json": "a_00000.rec"}
WRITINGS = {
    "im2rec": Writing(pack_large, large_list, INDEX),
    "im2rec of 17 MB": Writing(pack_large, very_large_list, INDEX),
    "im2rec over an older file": Writing(pack_tiny, lambda folder: older(folder, pack_tiny, tiny_list), INDEX),
    "im2rec with checksums": Writing(pack_with_checksums, tiny_list, CHECKED),
    "im2rec with checksums over an older file": Writing(
        pack_with_checksums, lambda folder: older(folder, pack_with_checksums, tiny_list), CHECKED
    ),
    "im2rec with masks": Writing(pack_with_masks, tiny_list, {**INDEX, "a_mask.idx": "a_mask.rec"}),
    "im2rec with masks over older files": Writing(
        pack_with_masks,
        lambda folder: older(folder, pack_with_masks, tiny_list),
        {**INDEX, "a_mask.idx": "a_mask.rec"},
    ),
    "im2rec that encodes anew": Writing(pack_recoded, tiny_list, INDEX),
    "im2rec into shards": Writing(pack_three_shards, tiny_list, SHARDS),
    "im2rec into shards over older ones": Writing(pack_three_shards, list_and_two_shards, SHARDS),
    "im2rec with a report": Writing(
        pack_some_missing, lambda folder: write_list(folder, "a", ["00.png", "no.png"]), INDEX
    ),
    "im2rec of two lists": Writing(command_on_two_lists, two_lists, {"a_0.idx": "a_0.rec", "a_1.idx": "a_1.rec"}),
    "make_list": Writing(list_chunks),
    "rec2idx": Writing(index_again),
    "rec2idx over an older index": Writing(index_again, an_old_index),
    "a cache of records": Writing(copy_to_cache),
    "a mean image": Writing(compute_mean),
    "a cache of labels": Writing(keep_labels),
    "MXRecordIO": Writing(write_one_by_one, whole=False),
    "MXIndexedRecordIO": Writing(write_indexed, whole=False),
    "MXIndexedRecordIO with checksums": Writing(write_with_checksums, describes=RSUM, whole=False),
    "MXIndexedRecordIO that appends": Writing(append, write_with_checksums, RSUM, repeats=False, whole=False),
    "merge": Writing(merge_two, describes=CHECKED),
    "merge over an older file": Writing(merge_two, write_with_checksums, CHECKED),
    "split": Writing(
        split_in_three,
        describes={f"a_{n}.{end}": f"a_{n}.rec" for n in range(3) for end in ("idx", "rsum")}
        | {"a.recset.json": "a_0.rec"},
    ),
    "split over older shards": Writing(
        split_in_three,
        lambda folder: split(folder.parent / "inputs" / "one.rec", 2, folder / "a"),
        {f"a_{n}.{end}": f"a_{n}.rec" for n in range(3) for end in ("idx", "rsum")} | {"a.recset.json": "a_0.rec"},
    ),
    "shuffle": Writing(shuffle_one, describes=CHECKED),
    "convert to a tar file": Writing(convert_to_tar),
    "convert to a tar file over an older one": Writing(
        convert_to_tar, lambda folder: convert(folder.parent / "inputs" / "one.rec", folder / "a.tar")
    ),
    "convert to a folder": Writing(convert_to_folder, describes={"a/images.lst": "a/0/000000000.png"}, repeats=False),
    "convert to shards": Writing(
        convert_to_shards,
        describes={f"a/a_0000{n}.tfrecord": f"a/a_0000{1 - n}.tfrecord" for n in range(2)},
        repeats=False,
    ),
    "convert images": Writing(convert_images, describes=CHECKED),
    "convert images to shards": Writing(
        convert_to_record_shards,
        describes={f"a/a_0000{n}.rec": "a/a.recset.json" for n in range(2)},
        repeats=False,
    ),
}
