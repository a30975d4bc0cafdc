"""Booleans and numbers as text outside of the native iterators: augmenters, decoders, data sets, lists.

One parser is used everywhere, that of `recio.io.ImageRecordIter`; other text is refused with its value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio.datasets
import recio.im2rec
import recio.image
import recio.io
import recio.recordio
from tests.support.boxes import write_objects
from tests.support.records import noise, png

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile

# Without their types, which have no text.
image: Any = recio.image
im2rec: Any = recio.im2rec
recordio: Any = recio.recordio
RecordDataset: Any = recio.datasets.RecordDataset
NDArrayIter: Any = recio.io.NDArrayIter


def contents(batches: Any) -> list[Any]:  # noqa: ANN401 an iterator
    return [[batch.data[0].tolist(), batch.label[0].tolist(), batch.pad] for batch in batches]


@pytest.mark.parametrize("create", [image.CreateAugmenter, image.CreateDetAugmenter])
@pytest.mark.parametrize(
    ("data_shape", "message"),
    [
        (224, r"must be \(channels, height, width\), got 224"),
        ((224, 224), r"got \(224, 224\)"),
        ((3, 224), r"got \(3, 224\)"),
        (None, "got None"),
        ((224, 224, 3), r"with 1, 3 or 4 channels .*, got \(224, 224, 3\)"),
        ((3, 2.5, 3), r"three integers, got \(3, 2.5, 3\)"),
    ],
)
def test_augmenters_for_no_shape_of_an_image_are_refused(create: Any, data_shape: object, message: str) -> None:  # noqa: ANN401
    with pytest.raises((TypeError, ValueError), match=f"data_shape {message}|data_shape .*{message}"):
        create(data_shape)


def test_lists_of_augmenters_take_text() -> None:
    settings: dict[str, Any] = {"resize": 20, "rand_mirror": True, "brightness": 0.5, "inter_method": 1, "mean": True}
    text = {name: str(value) for name, value in settings.items()}
    for create in (image.CreateAugmenter, image.CreateDetAugmenter):
        assert repr(create("(3, 8, 9)", **text)) == repr(create((3, 8, 9), **settings))
    assert repr(image.CreateAugmenter((3, 8, 8), std="(1, 2, 4)")) == repr(
        image.CreateAugmenter((3, 8, 8), std=[1.0, 2.0, 4.0])
    )
    assert repr(image.CreateAugmenter((3, 8, 8), rand_crop="0", rand_mirror="False")) == repr(
        image.CreateAugmenter((3, 8, 8))
    )
    assert repr(image.CreateDetAugmenter((3, 8, 8), rand_crop="0")) == repr(image.CreateDetAugmenter((3, 8, 8)))


@pytest.mark.parametrize(("value", "expected"), [(1.0, True), (0.5, True), (0, False), (0.0, False), (None, False)])
def test_numbers_in_lists_of_augmenters_are_taken_by_their_truth(value: Any, expected: bool) -> None:  # noqa: ANN401
    """As in CreateAugmenter of MXNet 1.9.1, python/mxnet/image/image.py: `if rand_mirror:`."""
    names = [type(augmenter).__name__ for augmenter in image.CreateAugmenter((3, 8, 8), rand_mirror=value)]
    assert ("HorizontalFlipAug" in names) is expected
    assert recio.io.NDArrayIter([1, 2], shuffle=value).shuffle is expected


@pytest.mark.parametrize("name", ["rand_crop", "rand_resize", "rand_mirror", "resize", "brightness", "inter_method"])
def test_other_text_in_lists_of_augmenters_is_refused(name: str) -> None:
    with pytest.raises(TypeError, match=f"{name} must be .*, got 'maybe'"):
        image.CreateAugmenter((3, 8, 8), **{name: "maybe"})


def test_image_iter_takes_text(ten: RecordFile) -> None:
    def opened(**settings: Any) -> Any:  # noqa: ANN401 batches
        return contents(
            image.ImageIter(**{"batch_size": 4, "data_shape": (3, 6, 5), "path_imgrec": ten.rec, **settings})
        )

    assert opened(data_shape="(3,6,5)", batch_size="4", seed="1", rand_mirror="False", shuffle="0") == opened(seed=1)
    assert opened(rand_crop="1", seed="-1") == opened(rand_crop=True, seed=2**64 - 1)
    assert image.ImageIter(2, (3, 4, 4), path_imgrec=ten.rec, shuffle="False").shuffle is False
    with pytest.raises(TypeError, match=r"three integers, got \(3, 8.9, 8\)"):
        image.ImageIter(2, (3, 8.9, 8), path_imgrec=ten.rec)


def test_detection_iter_takes_a_seed_as_text(tmp_path: Path) -> None:
    file = write_objects(tmp_path, 4)
    settings: dict[str, Any] = {"path_imgrec": file.rec, "rand_mirror": True, "shuffle": True}
    text, number = (image.ImageDetIter(2, (3, 8, 8), seed=seed, **settings) for seed in ("3", 3))
    for batches in (text, number):
        batches.reshape((3, 9, 9))
    assert contents(text) == contents(number)


def test_seeds_of_other_iterators_may_be_text_or_negative() -> None:
    def order(seed: Any) -> Any:  # noqa: ANN401 batches
        batches = NDArrayIter(np.arange(20), np.arange(20), batch_size=4, shuffle=True, seed=seed)
        return contents(batches)

    assert order("3") == order(3) != order(-1) == order(2**64 - 1)
    assert NDArrayIter(np.arange(4), shuffle="False").idx.tolist() == [0, 1, 2, 3]
    payloads = [png(noise(12, 13))]
    augmenters = image.CreateAugmenter((3, 6, 6), rand_crop=True)
    rendered = {
        seed: image.batch(payloads, (3, 6, 6), augmenters, seed=seed).tobytes() for seed in (-1, 2**64 - 1, "1", 1)
    }
    assert rendered[-1] == rendered[2**64 - 1]
    assert rendered["1"] == rendered[1]


def test_decoders_take_text(tmp_path: Path, ten: RecordFile) -> None:
    pixels = noise(12, 13)
    (tmp_path / "a.png").write_bytes(png(pixels))
    assert (image.imread(tmp_path / "a.png", to_rgb="False") == pixels[..., ::-1]).all()
    assert image.imread(tmp_path / "a.png", flag="0").shape == (12, 13, 1)
    assert (image.imdecode(png(pixels), to_rgb="0") == pixels[..., ::-1]).all()
    images = RecordDataset(ten.rec), RecordDataset(ten.rec, to_rgb="0")
    assert (images[0][0][0] == images[1][0][0][..., ::-1]).all()
    assert isinstance(RecordDataset(ten.rec, decode="False")[0][0], bytes)
    assert RecordDataset(ten.rec, flag="0")[0][0].shape[2] == 1
    record = recordio.pack_img((0, 1.0, 0, 0), pixels, quality="90")
    assert record == recordio.pack_img((0, 1.0, 0, 0), pixels, quality=90)
    assert (recordio.unpack_img(record, iscolor="0")[1] == recordio.unpack_img(record, iscolor=0)[1]).all()
    assert (image.imresize(pixels, "8", "7") == image.imresize(pixels, 8, 7)).all()
    for function, name in ((image.imread, "to_rgb"), (image.imread, "flag")):
        with pytest.raises(TypeError, match=f"{name} must be .*, got 'no'"):
            function(tmp_path / "a.png", **{name: "no"})
    with pytest.raises(TypeError, match="quality must be an integer, got 'best'"):
        image.imencode(pixels, ".jpg", "best")


def test_lists_and_packing_take_text(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        (folder / "0.png").write_bytes(png(noise(5, 5)))
    (tmp_path / "images" / "0.png").write_bytes(png(noise(5, 5)))
    report = im2rec.make_list(tmp_path / "flat", tmp_path / "images", recursive="False", shuffle="0", train_ratio="1")
    assert [*report.lists.values()] == [1]
    lst = next(iter(report.lists))
    assert im2rec.pack(lst, tmp_path / "images", resume="False", quality="90", pack_label="0").records == 1
    with pytest.raises(TypeError, match="center_crop must be True or False, got 'no'"):
        im2rec.pack(lst, tmp_path / "images", center_crop="no")


def test_keywords_of_data_loaders_are_refused_by_name(ten: RecordFile) -> None:
    with pytest.raises(TypeError, match=r"'num_workers'; pass it to torch.utils.data.DataLoader"):
        RecordDataset(ten.rec, num_workers=2)
    with pytest.raises(TypeError, match=r"'aug_list'; did you mean 'transform'"):
        RecordDataset(ten.rec, aug_list=[])
    with pytest.raises(TypeError, match=r"'transform'; did you mean 'aug_list'"):
        image.batch([], (3, 8, 8), transform=None)
    with pytest.raises(TypeError, match=r"'num_workers'; did you mean 'threads'"):
        image.batch([], (3, 8, 8), num_workers=None)
    with pytest.raises(TypeError, match=r"'drop_last'; did you mean 'payloads'\? \(they make one batch"):
        image.batch([], (3, 8, 8), drop_last=True)
    with pytest.raises(TypeError, match=r"'batch_sampler'; did you mean 'sampler'\? \(one of recio.samplers"):
        recio.io.ImageRecordIter(path_imgrec=ten.rec, data_shape=(3, 6, 5), batch_size=4, batch_sampler=None)
