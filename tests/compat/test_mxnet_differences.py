"""Differences from MXNet 1.9.1: a test of recio for each surprising behavior of MXNet.

The docstring of a test is MXNet's behavior, as observed. Other tests cover the same features in depth.
"""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from recio import DecodeError, RecordError
from recio.io import ImageRecordIter
from tests.support.processes import run_python
from tests.support.records import (
    ODD,
    RecordFile,
    digest,
    epochs,
    in_batch,
    labels,
    noise,
    numbers,
    open_iter,
    png,
    stream,
    threads,
    write_images,
    write_photos,
    write_tiny,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_01_every_epoch_begins_at_the_first_record(ten: RecordFile) -> None:
    """MXNet's epoch begins after the images that filled the last batch of the previous epoch, and is shorter."""
    positions = [[in_batch(batch) for batch in epoch] for epoch in epochs(open_iter(ten), 4)]
    assert positions == [[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]] * 4


def test_01_fewer_records_than_a_batch_make_one_batch_each_epoch(tmp_path: Path) -> None:
    """MXNet makes every second epoch empty, and refuses a single record."""
    for count in (1, 2):
        file = write_tiny(tmp_path, count)
        assert [len(epoch) for epoch in epochs(open_iter(file), 4)] == [1] * 4


def test_02_without_round_batch_padding_is_zeros_and_counted(ten: RecordFile) -> None:
    """MXNet leaves that memory uninitialized and sets `pad` to 0."""
    last = list(open_iter(ten, round_batch=False))[-1]
    assert last.pad == 2
    assert labels(last) == [8, 9, 0, 0]
    assert not last.data[0][2:].any()


def test_03_pad_belongs_to_its_batch(ten: RecordFile) -> None:
    """MXNet never clears it: full batches of later epochs have the `pad` of an earlier one."""
    assert [[batch.pad for batch in epoch] for epoch in epochs(open_iter(ten), 10)] == [[0, 0, 2]] * 10


def test_04_index_has_the_records_ids(ten: RecordFile) -> None:
    """MXNet's index is all zeros."""
    index = open_iter(ten).next().index
    assert index is not None
    assert index.tolist() == [100, 101, 102, 103]


def test_05_a_reset_in_the_middle_of_an_epoch_begins_a_new_one(ten: RecordFile) -> None:
    """MXNet does not rewind if its prefetcher is already past the end."""
    batches = open_iter(ten, prefetch_buffer=8)
    for _ in range(20):
        assert in_batch(batches.next()) == [0, 1, 2, 3]
        batches.reset()


def test_06_kept_batch_never_changes(tmp_path: Path) -> None:
    """MXNet writes later batches into the same memory: of 50 kept batches it changed 30."""
    batches = stream(open_iter(write_photos(tmp_path), shuffle=True, batch_size=6), 30)
    kept = list(islice(batches, 50))
    before = digest(kept)
    assert sum(1 for _ in batches) == 100
    assert digest(kept) == before


ITERATORS = """
import psutil
from itertools import islice
from recio.io import ImageRecordIter

for _ in range(12):
    batches = ImageRecordIter(**settings)
    assert sum(1 for _ in islice(batches, 3)) == 3
    del batches
    print(psutil.Process().memory_info().rss)
"""


def test_07_dropped_iterators_leak_no_memory(tmp_path: Path) -> None:
    """MXNet leaks 110 MB per iterator: in 12 rounds it grows from 270 to 1,529 MB."""
    settings = {"data_shape": (3, 224, 224), "batch_size": 8, "dtype": "float32"}
    done = run_python(ITERATORS, path_imgrec=str(write_photos(tmp_path).rec), **settings)
    sizes = list(map(int, done.stdout.split()))
    assert len(sizes) == 12, done.stderr
    assert min(sizes[6:]) - sizes[1] < 20e6


def test_08_damaged_image_is_named_and_the_iterator_continues(tmp_path: Path) -> None:
    """MXNet's error names no record and is raised by the constructor and every later call, also `reset`."""
    good = png(noise(8, 8))
    file = write_images(tmp_path, [good, good, b"bad", good], "face")
    batches = open_iter(file, batch_size=1)
    for _ in range(2):
        assert numbers(islice(batches, 2)) == [0, 1]
        with pytest.raises(DecodeError, match=rf"face\.rec: record 2 \(id 102\) at byte {file.offsets[2]}: "):
            batches.next()
        assert numbers(batches) == [3]
        batches.reset()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "truncated by a word": lambda data: data[:-4],
    "truncated by a byte": lambda data: data[:-1],
    "truncated after a header": lambda data: data[:8],
    "garbage at the end": lambda data: data + b"x" * 64,
    "garbage at the beginning": lambda data: b"x" * 64 + data,
    "no magic": lambda data: data.replace(bytes.fromhex("0a23d7ce"), bytes(4)),
}


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("damage", DAMAGES)
def test_09_a_damaged_frame_is_an_exception(ten: RecordFile, damage: str, indexed: bool) -> None:
    """MXNet aborts the process."""
    ten.rec.write_bytes(DAMAGES[damage](ten.rec.read_bytes()))
    index = ten.idx if indexed else None
    with pytest.raises(RecordError):
        list(open_iter(ten, path_imgidx=index))


def test_10_argument_that_crashes_mxnet_is_an_error(ten: RecordFile) -> None:
    """MXNet crashes; with `batch_size=0` it never ends."""
    crashes: list[tuple[str, dict[str, Any]]] = [
        ("aug_seq", {"aug_seq": "nope"}),
        ("three channels", {"pca_noise": 0.1, "data_shape": (1, 8, 8)}),
        ("prefetch_buffer", {"prefetch_buffer": 0}),
        ("batch_size", {"batch_size": -1}),
        ("batch_size", {"batch_size": 0}),
    ]
    for named, settings in crashes:
        with pytest.raises(ValueError, match=named):
            open_iter(ten, **settings)


@pytest.mark.parametrize("index", ["", "zero\t0\n", "0\t0\n1\t99999996\n"], ids=["empty", "text", "past the end"])
def test_10_index_that_crashes_mxnet_is_an_error(ten: RecordFile, index: str) -> None:
    """MXNet crashes."""
    ten.idx.write_text(index)
    with pytest.raises(RecordError, match=r"tiny\.idx"):
        open_iter(ten, path_imgidx=ten.idx, shuffle=True)


def test_11_index_with_a_repeated_offset_is_an_error(ten: RecordFile) -> None:
    """MXNet silently ends a shuffled epoch early."""
    ten.idx.write_text(ten.idx.read_text() + f"10\t{ten.offsets[3]}\n")
    with pytest.raises(RecordError, match=f"line 11: duplicate offset {ten.offsets[3]}, first in line 4"):
        open_iter(ten, path_imgidx=ten.idx, shuffle=True)


@pytest.mark.parametrize("name", ["rand_resize", "foo"])
def test_12_an_unknown_keyword_is_an_error(ten: RecordFile, name: str) -> None:
    """MXNet ignores it."""
    with pytest.raises(TypeError, match=f"unexpected keyword argument '{name}'"):
        open_iter(ten, **{name: 1})


def test_13_preprocess_threads_is_the_number_of_threads(ten: RecordFile) -> None:
    """MXNet uses at most half of the machine's cores."""
    batches = open_iter(ten, preprocess_threads=9)
    batches.next()
    assert [name for name in threads() if name != "recio-producer"] == [f"recio-{n}" for n in range(9)]


def test_14_augmentation_follows_the_seed_and_the_epoch(tmp_path: Path) -> None:
    """MXNet's seed applies only to the order; its crops differ in each run, or, with `seed_aug`, never."""
    file = write_images(tmp_path, [png(noise(40, 40))] * 50)

    def crops(seed: int) -> list[str]:
        settings: dict[str, Any] = {"rand_crop": True, "rand_mirror": True, "preprocess_threads": 4, "seed": seed}
        return [digest(epoch) for epoch in epochs(open_iter(file, **settings), 2)]

    first, second = crops(seed=1)
    assert crops(seed=1) == [first, second]
    assert len({first, second, *crops(seed=2)}) == 4


def test_16_exif_orientation_is_applied(tmp_path: Path) -> None:
    """MXNet's iterator applies it too, but its `imdecode` does so only for some files."""
    jpeg = (ODD / "exif-rotate6.jpg").read_bytes()
    upright = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert upright is not None
    height, width = upright.shape[:2]
    assert height > width
    batch = open_iter(write_images(tmp_path, [jpeg]), data_shape=(3, height, width), layout="NHWC").next()
    assert np.abs(batch.data[0][0, ..., ::-1].astype(int) - upright).mean() < 1


def test_20_empty_shard_has_no_batches(tmp_path: Path) -> None:
    """MXNet's constructor raises `StopIteration`."""
    file = write_tiny(tmp_path, 2)
    shards = [open_iter(file, num_parts=3, part_index=index, shard_policy="uneven") for index in range(3)]
    assert sorted(len(list(shard)) for shard in shards) == [0, 1, 1]


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize(
    ("num_parts", "sizes"), [(2, [5, 5]), (3, [3, 3, 4]), (4, [2, 2, 3, 3]), (6, [1, 1, 2, 2, 2, 2])]
)
def test_21_shards_differ_by_at_most_one_record(
    tmp_path: Path, num_parts: int, sizes: list[int], indexed: bool
) -> None:
    """MXNet divides the bytes: 4 shards of images of 8 by 8 to 80 by 80 pixels have 7, 1, 2 and 0 records."""
    file = write_images(tmp_path, [png(noise(8 * n, 8 * n)) for n in range(1, 11)])
    index = {"path_imgidx": file.idx} if indexed else {}
    shards = [numbers(open_iter(file, num_parts=num_parts, part_index=n, **index)) for n in range(num_parts)]
    assert sorted(map(len, shards)) == sizes
    assert list(chain.from_iterable(shards)) == list(range(10))


def test_mxnets_parameter_names_are_accepted() -> None:
    """Scripts may pass every keyword of MXNet: none is refused as unknown."""
    names = """path_imgrec path_imgidx path_imglist data_shape batch_size label_width preprocess_threads prefetch_buffer
        dtype verbose num_parts part_index shuffle seed round_batch resize rand_crop random_resized_crop
        min_random_area max_random_area min_aspect_ratio max_aspect_ratio inter_method pad fill_value mirror
        rand_mirror mean_r mean_g mean_b mean_a std_r std_g std_b std_a scale data_name label_name aug_seq ctx
        device_id shuffle_chunk_size shuffle_chunk_seed seed_aug max_crop_size min_crop_size max_rotate_angle rotate
        rotate_list max_shear_ratio max_random_scale min_random_scale max_img_size min_img_size brightness contrast
        saturation random_h random_s random_l pca_noise mean_img max_random_contrast max_random_illumination"""
    create: Any = ImageRecordIter
    for name in names.split():
        settings = {"path_imgrec": "absent.rec", "data_shape": (3, 8, 8), "batch_size": 0, name: None}
        with pytest.raises((TypeError, ValueError)) as caught:
            create(**settings)
        assert "unexpected keyword" not in str(caught.value)
