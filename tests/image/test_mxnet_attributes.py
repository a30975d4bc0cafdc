"""Attributes of MXNet's `ImageIter` that subclasses and callers use and change: seq, cur, imglist, auglist, hooks.

What they mean in MXNet 1.9.1 is in python/mxnet/image/image.py, class ImageIter.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.image import HorizontalFlipAug, ImageDetIter, ImageIter
from recio.recordio import unpack
from tests.support.boxes import write_objects
from tests.support.records import FIRST_ID, noise, png, write_images

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

IMAGES = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write images, a list of them, and a record file of them; image n has the label n."""
    encoded = [png(np.full((8, 9, 3), 10 * number, np.uint8)) for number in range(IMAGES)]
    for number, image in enumerate(encoded):
        (tmp_path / f"{number}.png").write_bytes(image)
    lines = [f"{FIRST_ID + number}\t{number}\t{number}.png\n" for number in range(IMAGES)]
    (tmp_path / "images.lst").write_text("".join(lines))
    write_images(tmp_path, encoded, "images")
    return tmp_path


def opened(folder: Path, kind: str, cls: type[Any] = ImageIter, **settings: Any) -> Any:  # noqa: ANN401 an iterator
    sources: dict[str, dict[str, Any]] = {
        "records": {"path_imgrec": folder / "images.rec", "path_imgidx": folder / "images.idx"},
        "list": {"path_imglist": folder / "images.lst", "path_root": folder},
        "images": {"imglist": [[number, f"{number}.png"] for number in range(IMAGES)], "path_root": folder},
    }
    return cls(**{"batch_size": 2, "data_shape": (3, 8, 8), "aug_list": [], **sources[kind], **settings})


def delivered(batches: Any) -> list[list[int]]:  # noqa: ANN401 an iterator
    """Return the numbers of the images of each batch, by their pixels."""
    return [(batch.data[0][:, 0, 0, 0] / 10).astype(int).tolist() for batch in batches]


CROP: dict[str, Any] = {"aug_list": None}


class TestAttributes:
    """What they hold while nobody changes them."""

    @pytest.mark.parametrize(
        ("kind", "keys"),
        [
            ("records", [*range(IMAGES)]),
            ("list", [*range(FIRST_ID, FIRST_ID + IMAGES)]),
            ("images", [str(number + 1) for number in range(IMAGES)]),
        ],
    )
    def test_seq_has_the_keys_and_cur_counts_samples(self, folder: Path, kind: str, keys: list[Any]) -> None:
        batches = opened(folder, kind, **CROP)
        assert (batches.seq, batches.cur, batches.num_image) == (keys, 0, IMAGES)
        batches.next()
        assert batches.cur == 2
        list(batches)
        assert batches.cur == IMAGES
        batches.reset()
        assert batches.cur == 0

    @pytest.mark.parametrize("kind", ["list", "images"])
    def test_imglist_has_labels_and_paths(self, folder: Path, kind: str) -> None:
        batches = opened(folder, kind, **CROP)
        assert [(label.tolist(), path) for label, path in map(batches.imglist.get, batches.seq)] == [
            ([number], f"{number}.png") for number in range(IMAGES)
        ]
        assert batches.path_root == folder
        assert batches.imgrec is None

    def test_records_have_a_reader_and_no_imglist(self, folder: Path) -> None:
        batches = opened(folder, "records", **CROP)
        assert unpack(batches.imgrec.read_idx(batches.seq[3]))[0].label == 3
        assert batches.imglist is None
        without = ImageIter(2, (3, 8, 8), path_imgrec=folder / "images.rec")
        assert (without.seq, without.num_image) == (None, None)
        assert without.imgrec is not None

    @pytest.mark.parametrize("num_parts", [1, 2])
    def test_seq_is_in_the_order_of_the_epoch(self, folder: Path, num_parts: int) -> None:
        batches = opened(folder, "records", shuffle=True, seed=4, num_parts=num_parts, **CROP)
        for _ in range(3):
            expected = [*batches.seq]
            assert [number for batch in delivered(batches) for number in batch][: len(expected)] == expected
            batches.reset()

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("7\t3\t3.png\t\n", id="tab after the path"),
            pytest.param("\ufeff7\t3\t3.png\n", id="byte order mark"),
            pytest.param("  7\t 3\t 3.png  \r\n\r\n", id="spaces and Windows line ends"),
        ],
    )
    def test_imglist_is_read_like_the_samples(self, folder: Path, text: str) -> None:
        (folder / "images.lst").write_bytes(text.encode())
        batches = opened(folder, "list", batch_size=1, **CROP)
        assert {key: (label.tolist(), path) for key, (label, path) in batches.imglist.items()} == {7: ([3], "3.png")}
        assert delivered(batches) == [[3]]


class TestChanges:
    """What a change of them does, in the midst of an epoch too."""

    @pytest.mark.parametrize("kind", ["records", "list", "images"])
    def test_seq_may_be_filtered(self, folder: Path, kind: str) -> None:
        batches = opened(folder, kind, **CROP)
        batches.seq = batches.seq[1::2]
        for _ in range(2):
            assert delivered(batches) == [[1, 3], [5, 1]]
            batches.reset()

    def test_seq_may_be_changed_in_place(self, folder: Path) -> None:
        batches = opened(folder, "records", **CROP)
        batches.seq.reverse()
        assert delivered(batches) == [[5, 4], [3, 2], [1, 0]]

    def test_changed_seq_is_shuffled_at_each_reset(self, folder: Path) -> None:
        random.seed(1)
        batches = opened(folder, "list", shuffle=True, **CROP)
        batches.seq = batches.seq[:4]
        seen = set()
        for _ in range(6):
            batches.reset()
            numbers = [number for batch in delivered(batches) for number in batch]
            seen.add(tuple(numbers))
        assert len(seen) > 1
        assert all(len(set(numbers)) == 4 for numbers in seen)

    @pytest.mark.parametrize("kind", ["list", "images"])
    def test_imglist_may_be_replaced(self, folder: Path, kind: str) -> None:
        batches = opened(folder, kind, **CROP)
        batches.imglist = {key: (label + 100, path) for key, (label, path) in batches.imglist.items()}
        assert [batch.label[0].tolist() for batch in batches] == [[100, 101], [102, 103], [104, 105]]

    def test_num_image_may_be_set(self, folder: Path) -> None:
        batches = opened(folder, "records", **CROP)
        batches.num_image = 4
        assert delivered(batches) == [[0, 1], [2, 3]]

    def test_cur_may_be_set(self, folder: Path) -> None:
        batches = opened(folder, "records", **CROP)
        batches.cur = 4
        assert delivered(batches) == [[4, 5]]
        batches.reset()
        assert delivered(batches) == [[0, 1], [2, 3], [4, 5]]

    def test_subclass_may_read_by_them_as_mxnet_does(self, folder: Path) -> None:
        class Reversed(ImageIter):
            def next_sample(self) -> Any:  # noqa: ANN401 label and image
                if self.seq is None or self.cur >= len(self.seq):
                    raise StopIteration
                key = self.seq[-1 - self.cur]
                self.cur += 1
                header, image = unpack(self.imgrec.read_idx(key))  # type: ignore[union-attr]
                return header.label, image

        batches = opened(folder, "records", Reversed, **CROP)
        for _ in range(2):
            assert delivered(batches) == [[5, 4], [3, 2], [1, 0]]
            batches.reset()

    @pytest.mark.parametrize("how", ["replaced", "appended"])
    def test_auglist_may_be_changed(self, folder: Path, how: str) -> None:
        def brighter(image: NDArray[Any]) -> NDArray[Any]:
            return image + 50

        batches = opened(folder, "records", **CROP)
        assert delivered([batches.next()]) == [[0, 1]]
        if how == "replaced":
            batches.auglist = [*batches.auglist, brighter]
        else:
            batches.auglist.append(brighter)
        assert delivered(batches) == [[7, 8], [9, 10]]
        batches.auglist.pop()
        batches.reset()
        assert delivered(batches) == [[0, 1], [2, 3], [4, 5]]

    def test_flip_that_is_added_flips(self, folder: Path) -> None:
        (folder / "noise.png").write_bytes(png(noise(8, 8)))
        batches = ImageIter(1, (3, 8, 8), imglist=[[0, "noise.png"]], path_root=folder)
        image = batches.next().data[0]
        batches.auglist.append(HorizontalFlipAug(1))
        batches.reset()
        np.testing.assert_array_equal(batches.next().data[0], image[..., ::-1])


class TestHooksOfAnInstance:
    """Hooks that are set on an object, or on the class."""

    @pytest.mark.parametrize("when", ["before the first batch", "between batches"])
    def test_augmentation_transform_is_called(self, folder: Path, when: str) -> None:
        batches = opened(folder, "records", **CROP)
        calls = []

        def transform(data: NDArray[Any]) -> NDArray[Any]:
            calls.append(data.shape)
            return data[:, :8] + np.uint8(10)

        first = [] if when.startswith("before") else delivered([batches.next()])
        batches.augmentation_transform = transform
        assert first + delivered(batches) == [[0, 1] if first else [1, 2], [3, 4], [5, 6]]
        assert set(calls) == {(8, 9, 3)}
        del batches.augmentation_transform
        batches.reset()
        assert delivered(batches) == [[0, 1], [2, 3], [4, 5]]

    def test_every_hook_may_be_set(self, folder: Path) -> None:
        batches = opened(folder, "list", **CROP)
        calls: dict[str, int] = {}

        def counted(name: str) -> Any:  # noqa: ANN401 a function
            default = getattr(batches, name)

            def call(*arguments: Any) -> Any:  # noqa: ANN401 as of the hook
                calls[name] = calls.get(name, 0) + 1
                return default(*arguments)

            return call

        hooks = ["next_sample", "imdecode", "read_image", "check_valid_image", "augmentation_transform"]
        for name in [*hooks, "postprocess_data"]:
            setattr(batches, name, counted(name))
        assert delivered(batches) == [[0, 1], [2, 3], [4, 5]]
        assert {name: calls[name] for name in ("imdecode", "augmentation_transform", "postprocess_data")} == {
            "imdecode": 6,
            "augmentation_transform": 6,
            "postprocess_data": 6,
        }
        assert calls["next_sample"] >= calls["read_image"] == 6

    def test_hook_that_is_set_on_the_class_is_called(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ImageIter, "augmentation_transform", lambda _, data: data[:, :8] + np.uint8(10))
        assert delivered(opened(folder, "records", **CROP)) == [[1, 2], [3, 4], [5, 6]]

    def test_detection_iterator_calls_them_too(self, tmp_path: Path) -> None:
        batches = ImageDetIter(2, (3, 8, 8), path_imgrec=write_objects(tmp_path, 4).rec)
        expected = [batch.label[0].tolist() for batch in batches]
        batches.reset()
        calls = []

        def transform(data: NDArray[Any], label: NDArray[Any]) -> Any:  # noqa: ANN401 image and label
            calls.append(label.shape[1])
            return np.zeros((8, 8, 3), data.dtype), label

        batches.augmentation_transform = transform  # type: ignore[method-assign]
        for batch, label in zip(batches, expected, strict=True):
            assert not batch.data[0].any()
            assert batch.label[0].tolist() == label
        # Later batches are made in advance.
        assert calls[:4] == [5] * 4


class TestAttributesThatAreFixed:
    """Those that would have no effect on an open iterator cannot be set; what MXNet's does not follow either."""

    @pytest.mark.parametrize("cls", [ImageIter, ImageDetIter])
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("batch_size", 3),
            ("data_shape", (3, 4, 4)),
            ("dtype", "uint8"),
            ("imgrec", None),
            ("last_batch_handle", "discard"),
            ("path_root", "elsewhere"),
            ("shuffle", True),
        ],
    )
    def test_setting_is_refused_by_name(self, tmp_path: Path, cls: type[Any], name: str, value: object) -> None:
        file = write_objects(tmp_path, 4)
        width = {"label_width": -1} if cls is ImageIter else {}
        batches = cls(2, (3, 8, 8), path_imgrec=file.rec, path_imgidx=file.idx, **width)
        assert batches.imgrec is not None
        message = rf"{name} of an {cls.__name__} cannot be changed, got .*: pass (path_)?{name} to the constructor"
        with pytest.raises(AttributeError, match=message):
            setattr(batches, name, value)
        assert batches.next().data[0].shape == (2, 3, 8, 8)

    def test_same_value_may_be_set(self, folder: Path) -> None:
        class Assigning(ImageIter):
            def __init__(self, folder: Path) -> None:
                super().__init__(2, (3, 8, 8), path_imgrec=folder / "images.rec")
                self.batch_size, self.data_shape, self.dtype = 2, [3, 8, 8], "float32"  # type: ignore[assignment]
                self.shuffle, self.label_width, self.last_batch_handle = False, 1, "pad"

        batches = Assigning(folder)
        assert delivered(batches) == [[0, 1], [2, 3], [4, 5]]
        with pytest.raises(AttributeError, match="label_width of an Assigning cannot be changed, got 2"):
            batches.label_width = 2

    def test_subclass_that_makes_its_batches_may_set_them(self, folder: Path) -> None:
        class Making(ImageIter):
            def next(self) -> Any:  # noqa: ANN401 a number
                return self.label_width

        batches = Making(2, (3, 8, 8), path_imgrec=folder / "images.rec")
        batches.label_width = 5
        assert batches.next() == 5


class TestChangesOfImglist:
    """Entries that are replaced take effect; labels in place are read-only."""

    @pytest.mark.parametrize("kind", ["list", "images"])
    def test_entry_that_is_replaced_is_used(self, folder: Path, kind: str) -> None:
        batches = opened(folder, kind, **CROP)
        batches.next()
        key = batches.seq[3]
        batches.imglist[key] = (np.array([77], np.float32), "0.png")
        assert [batch.label[0].tolist() for batch in batches] == [[2, 77], [4, 5]]
        batches.reset()
        assert delivered(batches) == [[0, 1], [2, 0], [4, 5]]
        with pytest.raises(ValueError, match="read-only"):
            batches.imglist[batches.seq[0]][0][0] = 5

    def test_wrong_values_are_refused_by_name(self, folder: Path) -> None:
        batches = opened(folder, "images", **CROP)
        with pytest.raises(TypeError, match=r"imglist must be a dict of .*, got list"):
            batches.imglist = [[1, "0.png"]]
        for number, message in (
            (7, "num_image must be at most 6, .* got 7"),
            (-1, "num_image must be at least 0, got -1"),
        ):
            with pytest.raises(ValueError, match=message):
                batches.num_image = number
        batches.imglist = {"1": (np.zeros(1), "0.png"), "2": "1.png"}
        with pytest.raises(ValueError, match=r"imglist\['2'\] must be \(label, path\), got '1.png'"):
            batches.next()
        batches.imglist = {"1": (np.zeros(1), "0.png")}
        batches.reset()
        with pytest.raises(KeyError, match="imglist has no entry for '2', which is in seq"):
            batches.next()
