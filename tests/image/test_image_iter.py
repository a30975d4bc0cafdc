"""`ImageIter`: its sources, its epochs, and the hooks of its subclasses.

The expected batches of ten images, four per batch, and their ``pad`` are those of MXNet 1.9.1.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError, RecordError
from recio.image import CreateAugmenter, DetHorizontalFlipAug, HorizontalFlipAug, ImageIter, imdecode
from recio.io import ImageRecordIter
from recio.recordio import IRHeader, pack
from tests.support.processes import becomes_true
from tests.support.records import (
    PHOTOS,
    RecordFile,
    noise,
    png,
    threads,
    write_images,
    write_photos,
    write_records,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PLAIN: dict[str, Any] = {"batch_size": 4, "data_shape": (3, 8, 8), "preprocess_threads": 2}
HANDLES = {
    "pad": [[("0123", 0), ("4567", 0), ("8901", 2)]] * 3,
    "discard": [[("0123", 0), ("4567", 0)]] * 3,
    "roll_over": [
        [("0123", 0), ("4567", 0)],
        [("8901", 2), ("2345", 0), ("6789", 0)],
        [("0123", 0), ("4567", 0)],
    ],
}


class Hooked(ImageIter):
    """Iterator with a hook that calls the base, so that batches are built in Python."""

    def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
        return super().postprocess_data(datum)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write ten small images and a list of them, labeled by their numbers and the doubled numbers."""
    for number in range(10):
        (tmp_path / f"{number} .png").write_bytes(png(noise(8, 8, seed=number)))
    lines = [f"{100 + number}\t{number}.000000\t{2 * number}\t{number} .png\n" for number in range(10)]
    (tmp_path / "ten.lst").write_text("".join(lines))
    return tmp_path


def epoch(batches: ImageIter) -> list[tuple[str, int]]:
    """Return the labels and the pad of each batch of an epoch."""
    result = []
    for batch in batches:
        assert batch.label is not None
        assert batch.pad is not None
        result.append(("".join(str(int(label)) for label in batch.label[0]), batch.pad))
    batches.reset()
    return result


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
@pytest.mark.parametrize("handle", HANDLES)
def test_incomplete_batch_is_handled_as_in_mxnet(kind: type[ImageIter], handle: Any, ten: RecordFile) -> None:  # noqa: ANN401
    batches = kind(path_imgrec=ten.rec, last_batch_handle=handle, **PLAIN)
    assert [epoch(batches) for _ in range(3)] == HANDLES[handle]


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_hard_reset_discards_rolled_over_samples(kind: type[ImageIter], ten: RecordFile) -> None:
    batches = kind(path_imgrec=ten.rec, last_batch_handle="roll_over", **PLAIN)
    assert len(list(batches)) == 2
    batches.hard_reset()
    assert epoch(batches) == HANDLES["roll_over"][0]


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_batch_larger_than_the_data_is_filled_by_repeats(kind: type[ImageIter], ten: RecordFile) -> None:
    batches = kind(path_imgrec=ten.rec, **{**PLAIN, "batch_size": 23})
    assert epoch(batches) == [("01234567890123456789012", 13)]


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_records_and_image_files_yield_the_same_batches(kind: type[ImageIter], folder: Path) -> None:
    files = write_images(folder, [png(noise(8, 8, seed=number)) for number in range(10)])
    imglist = [[number, f"{number} .png"] for number in range(10)]
    sources: list[dict[str, Any]] = [
        {"path_imgrec": files.rec},
        {"path_imgrec": str(files.rec), "path_imgidx": str(files.idx)},
        {"imglist": imglist, "path_root": folder},
        {"imglist": [[[number], path] for number, path in imglist], "path_root": str(folder)},
    ]
    all_data = [np.concatenate([batch.data[0] for batch in kind(**source, **PLAIN)]) for source in sources]
    for data in all_data[1:]:
        np.testing.assert_array_equal(data, all_data[0])
    expected = noise(8, 8, seed=3).transpose(2, 0, 1)
    np.testing.assert_array_equal(all_data[0][3], expected)


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64"])
def test_list_of_files_with_labels_of_every_dtype(kind: type[ImageIter], dtype: str, folder: Path) -> None:
    batches = kind(path_imglist=folder / "ten.lst", path_root=folder, label_width=2, dtype=dtype, **PLAIN)
    batch = batches.next()
    assert batch.label is not None
    assert batch.label[0].dtype == dtype
    assert batch.label[0].tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]
    assert batches.provide_label[0].shape == (4, 2)


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_list_replaces_record_labels_by_id(kind: type[ImageIter], folder: Path, ten: RecordFile) -> None:
    batch = kind(path_imgrec=ten.rec, path_imglist=folder / "ten.lst", label_width=2, **PLAIN).next()
    assert batch.label is not None
    assert batch.label[0].tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]


class TestListByKey:
    """With an index, MXNet's ImageIter finds the line of a record by its key (mxnet/image/image.py, 1.9.1)."""

    @pytest.fixture
    def unnumbered(self, tmp_path: Path) -> dict[str, Any]:
        """Write records whose ids are all 0, with keys from 500 on, and a list of the keys in no order."""
        images = [png(noise(8, 8, seed=seed)) for seed in range(10)]
        file = write_records(tmp_path, [pack(IRHeader(0, -1.0, 0, 0), image) for image in images])
        offsets = [line.split("\t")[1] for line in file.idx.read_text().splitlines()]
        file.idx.write_text("".join(f"{500 + n}\t{offset}\n" for n, offset in enumerate(offsets)))
        lst = tmp_path / "keys.lst"
        lst.write_text("".join(f"{500 + n}\t{n}\t{n}.png\n" for n in reversed(range(10))))
        return {"path_imgrec": file.rec, "path_imgidx": file.idx, "path_imglist": lst}

    @pytest.mark.parametrize("kind", [ImageIter, Hooked])
    def test_label_is_found_by_the_key_of_the_index(self, kind: type[ImageIter], unnumbered: dict[str, Any]) -> None:
        batches = kind(**unnumbered, shuffle=True, seed=3, **PLAIN)
        images = {noise(8, 8, seed=seed).tobytes(): seed for seed in range(10)}
        for batch in batches:
            assert batch.label is not None
            shown = [images[image.transpose(1, 2, 0).astype(np.uint8).tobytes()] for image in batch.data[0]]
            assert batch.label[0].tolist() == shown

    @pytest.mark.parametrize("part_index", [0, 1, 2])
    def test_shards_have_the_labels_of_their_keys(self, part_index: int, unnumbered: dict[str, Any]) -> None:
        settings: dict[str, Any] = {**PLAIN, "batch_size": 1, "shard_policy": "uneven"}
        batches = ImageIter(**unnumbered, num_parts=3, part_index=part_index, **settings)
        labels = [int(batch.label[0][0]) for batch in batches if batch.label]
        assert labels == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]][part_index]

    def test_key_without_a_line_is_an_error(self, unnumbered: dict[str, Any]) -> None:
        unnumbered["path_imglist"].write_text("500\t0\ta.png\n")
        with pytest.raises(RecordError, match="path_imglist has no line for key 501"):
            ImageIter(**unnumbered, **PLAIN).next()

    def test_equal_ids_without_an_index_are_refused(self, unnumbered: dict[str, Any]) -> None:
        del unnumbered["path_imgidx"]
        with pytest.raises(RecordError, match=r"record 1 \(id 0\).*record 0 has the same id"):
            ImageIter(**unnumbered, **PLAIN)

    def test_equal_keys_of_two_indexes_are_refused(self, unnumbered: dict[str, Any]) -> None:
        both: dict[str, Any] = {name: [unnumbered[name]] * 2 for name in ("path_imgrec", "path_imgidx")}
        with pytest.raises(RecordError, match="two indexes have the key 500"):
            ImageIter(**both, path_imglist=unnumbered["path_imglist"], **PLAIN)


class TestLargeLabels:
    """Labels that are ids: float32 has no 25,130,987."""

    ID = 25_130_987

    @pytest.fixture(params=["list", "imglist", "records"])
    def source(self, request: pytest.FixtureRequest, folder: Path, ten: RecordFile) -> dict[str, Any]:
        """Return a data set of one image with a large label."""
        if request.param == "imglist":
            return {"imglist": [[self.ID, "0 .png"]], "path_root": folder}
        lines = [f"100\t{self.ID}.000000\t0.png\n", *(f"{n}\t0\tx.png\n" for n in range(101, 110))]
        (folder / "large.lst").write_text("".join(lines))
        if request.param == "list":
            (folder / "large.lst").write_text(f"100\t{self.ID}\t0 .png\n")
            return {"path_imglist": folder / "large.lst", "path_root": folder}
        return {"path_imgrec": ten.rec, "path_imglist": folder / "large.lst"}

    @pytest.mark.parametrize("kind", [ImageIter, Hooked])
    @pytest.mark.parametrize("dtype", ["int64", "int32", "float64"])
    def test_label_is_exact_in_a_type_that_has_it(
        self, dtype: str, kind: type[ImageIter], source: dict[str, Any]
    ) -> None:
        batches = kind(**source, dtype=dtype, **{**PLAIN, "batch_size": 1})
        batch = batches.next()
        assert batch.label is not None
        assert batch.label[0].dtype == dtype
        assert batch.label[0].tolist() == [self.ID]
        assert np.dtype(batches.provide_label[0].dtype) == dtype

    def test_label_is_refused_in_float32(self, source: dict[str, Any]) -> None:
        with pytest.raises((RecordError, ValueError), match=f"the label {self.ID} is not representable as float32"):
            ImageIter(**source, **PLAIN)

    def test_label_of_a_hook_is_refused_in_float32(self, folder: Path) -> None:
        class Large(ImageIter):
            def next_sample(self) -> tuple[float, bytes]:
                return 25_130_987.0, (folder / "0 .png").read_bytes()

        source: dict[str, Any] = {"imglist": [[0, "0 .png"]], "path_root": folder}
        with pytest.raises(RecordError, match="not representable as float32"):
            Large(**source, **PLAIN).next()
        batch = Large(**source, dtype="int64", **PLAIN).next()
        assert batch.label is not None
        assert set(batch.label[0].tolist()) == {self.ID}

    def test_label_of_the_caller_is_exact_or_refused(self, folder: Path) -> None:
        settings: dict[str, Any] = {"path_root": folder, "dtype": "int64", **PLAIN}
        with pytest.raises(
            ValueError, match=r"imglist\[0\]: labels must be integers up to 2\*\*53, got 9007199254740993"
        ):
            ImageIter(imglist=[[2**53 + 1, "0 .png"]], **settings)
        batch = ImageIter(imglist=[[2**53, "0 .png"]], **settings).next()
        assert batch.label is not None
        assert batch.label[0].tolist() == [2**53] * 4

    @pytest.mark.parametrize(("label", "dtype"), [(300, "uint8"), (-1, "uint16"), (0.5, "int64"), (2049, "float16")])
    def test_label_that_its_type_would_change_is_refused(self, label: float, dtype: str, folder: Path) -> None:
        batches = ImageIter(imglist=[[label, "0 .png"]], path_root=folder, dtype=dtype, **PLAIN)
        with pytest.raises(ValueError, match=f"the label {label} is not representable as {dtype}"):
            batches.next()


def test_batch_index_has_the_ids(ten: RecordFile, folder: Path) -> None:
    records = ImageIter(path_imgrec=ten.rec, **PLAIN).next().index
    files = ImageIter(path_imglist=folder / "ten.lst", path_root=folder, label_width=2, **PLAIN).next().index
    assert records is not None
    assert files is not None
    assert records.tolist() == files.tolist() == [100, 101, 102, 103]


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_shards_have_every_image_once(kind: type[ImageIter], ten: RecordFile) -> None:
    shards = []
    for index in range(3):
        shard: dict[str, Any] = {"num_parts": 3, "part_index": index, "shard_policy": "uneven"}
        batches = kind(path_imgrec=ten.rec, **shard, **{**PLAIN, "batch_size": 1})
        shards.append("".join(labels for labels, _ in epoch(batches)))
    assert "".join(shards) == "0123456789"
    assert {len(shard_labels) for shard_labels in shards} == {3, 4}


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_python_seed_determines_order_and_augmentation(kind: type[ImageIter], tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 6)

    def data(seed: int) -> NDArray[Any]:
        random.seed(seed)
        shape: dict[str, Any] = {**PLAIN, "batch_size": 6, "data_shape": (3, 40, 40)}
        return kind(path_imgrec=photos.rec, shuffle=True, rand_crop=True, rand_mirror=True, **shape).next().data[0]

    np.testing.assert_array_equal(data(1), data(1))
    assert (data(1) != data(2)).any()


def test_batches_match_image_record_iter_for_the_same_options(tmp_path: Path) -> None:
    photos = write_photos(tmp_path, 6)
    shape: dict[str, Any] = {"batch_size": 6, "data_shape": (3, 64, 64)}
    mean, std = np.array([123.68, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])
    data = ImageIter(path_imgrec=photos.rec, resize=80, mean=mean, std=std, inter_method=1, **shape).next().data[0]
    names = {f"mean_{c}": value for c, value in zip("rgb", mean, strict=True)}
    names |= {f"std_{c}": value for c, value in zip("rgb", std, strict=True)}
    expected = ImageRecordIter(path_imgrec=photos.rec, resize=80, **names, **shape).next().data[0]
    np.testing.assert_allclose(data, expected, rtol=0, atol=1e-6)


def test_functions_run_between_recio_augmenters(ten: RecordFile) -> None:
    augmenters: list[Any] = [HorizontalFlipAug(1.0), lambda image: 255 - image, *CreateAugmenter((3, 8, 8))]
    plain = ImageIter(path_imgrec=ten.rec, **PLAIN).next().data[0]
    changed = ImageIter(path_imgrec=ten.rec, aug_list=augmenters, **PLAIN).next().data[0]
    np.testing.assert_array_equal(changed, 255 - plain[..., ::-1])


def test_all_hooks_are_called_for_each_image(ten: RecordFile) -> None:
    calls: list[str] = []

    class Spy(ImageIter):
        def next_sample(self) -> Any:  # noqa: ANN401 as of ImageIter
            calls.append("next_sample")
            return super().next_sample()

        def imdecode(self, s: Any) -> NDArray[np.uint8]:  # noqa: ANN401 as of ImageIter
            calls.append("imdecode")
            return super().imdecode(s)

        def check_valid_image(self, data: Any) -> None:  # noqa: ANN401 as of ImageIter
            calls.append("check_valid_image")
            super().check_valid_image(data)

        def augmentation_transform(self, data: NDArray[Any]) -> NDArray[Any]:
            calls.append("augmentation_transform")
            return super().augmentation_transform(data)

        def postprocess_data(self, datum: NDArray[Any]) -> NDArray[Any]:
            calls.append("postprocess_data")
            return super().postprocess_data(datum)

    plain = ImageIter(path_imgrec=ten.rec, **PLAIN).next().data[0]
    np.testing.assert_array_equal(Spy(path_imgrec=ten.rec, **PLAIN).next().data[0], plain)
    order = ["next_sample", "imdecode", "check_valid_image", "augmentation_transform", "postprocess_data"]
    assert calls == order * 4


def test_augmenters_are_called_only_for_images_of_the_hooks(ten: RecordFile) -> None:
    class Decoding(ImageIter):
        def imdecode(self, s: Any) -> NDArray[np.uint8]:  # noqa: ANN401 as of ImageIter
            return super().imdecode(s)

    calls: list[int] = []
    augmenters = [lambda image: (calls.append(1), image)[1]]  # type: ignore[func-returns-value]
    batches = Decoding(path_imgrec=ten.rec, aug_list=augmenters, **PLAIN)
    time.sleep(0.05)
    assert calls == []
    batches.next()
    assert len(calls) == 4


def test_read_image_reads_the_files_of_a_list(folder: Path) -> None:
    read: list[str] = []

    class Spy(ImageIter):
        def read_image(self, fname: str) -> bytes:
            read.append(fname)
            return super().read_image(fname)

    Spy(path_imglist=folder / "ten.lst", path_root=folder, label_width=2, **PLAIN).next()
    assert read == ["0 .png", "1 .png", "2 .png", "3 .png"]


def test_next_sample_returns_single_samples(ten: RecordFile) -> None:
    batches = ImageIter(path_imgrec=ten.rec, path_imgidx=ten.idx, **PLAIN)
    samples = [batches.next_sample() for _ in range(10)]
    assert [label for label, _ in samples] == list(range(10))
    assert imdecode(samples[3][1]).shape == (8, 8, 3)
    with pytest.raises(StopIteration):
        batches.next_sample()
    assert epoch(batches) == HANDLES["pad"][0]


def test_message_names_the_file_that_is_not_an_image(folder: Path) -> None:
    (folder / "5 .png").write_bytes(b"no image at all")
    batches = ImageIter(path_imglist=folder / "ten.lst", path_root=folder, label_width=2, **PLAIN)
    batches.next()
    with pytest.raises(DecodeError, match=r"5 \.png: record 5 \(id 105\)"):
        batches.next()
    assert batches.next().pad == 2


def test_message_names_the_missing_file(folder: Path) -> None:
    batches = ImageIter(imglist=[[0, "absent.png"]], path_root=folder, **PLAIN)
    with pytest.raises(FileNotFoundError, match=r"absent\.png"):
        batches.next()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data_shape": (1, 8, 8)}, r"data_shape must .*, got \(1, 8, 8\)"),
        ({"data_shape": (3, 8)}, r"data_shape must .*, got \(3, 8\)"),
        ({"last_batch_handle": "drop"}, 'last_batch_handle must be .*, got "drop"'),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"path_imgrec": None}, "no images"),
        ({"seed": -(2**31) - 1}, "seed must .*, got -2147483649"),
    ],
    ids=str,
)
def test_messages_name_the_invalid_value(ten: RecordFile, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageIter(**{"path_imgrec": ten.rec, **PLAIN, **settings})


def test_unknown_keyword_raises(ten: RecordFile) -> None:
    with pytest.raises(TypeError, match="foo"):
        ImageIter(path_imgrec=ten.rec, foo=1, **PLAIN)


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"num_parts": 0}, "num_parts must be at least 1, got 0"),
        ({"part_index": 2}, "part_index must be less than num_parts=1, got 2"),
    ],
    ids=str,
)
def test_messages_name_the_invalid_value_with_hooks(
    kind: type[ImageIter], settings: dict[str, Any], message: str, ten: RecordFile
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(path_imgrec=ten.rec, **{**PLAIN, **settings})


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_label_count_other_than_label_width_raises(kind: type[ImageIter], ten: RecordFile) -> None:
    with pytest.raises(ValueError, match="1 labels, but label_width=2"):
        kind(path_imgrec=ten.rec, label_width=2, **PLAIN).next()


@pytest.mark.parametrize("kind", [ImageIter, Hooked])
def test_one_index_for_several_files(kind: type[ImageIter], ten: RecordFile, tmp_path: Path) -> None:
    other = write_images(tmp_path, [png(noise(8, 8))] * 2, "other")
    size = ten.rec.stat().st_size
    (tmp_path / "some.idx").write_text(f"0\t{ten.offsets[3]}\n1\t{size + other.offsets[1]}\n")
    files = f"{ten.rec};{other.rec}"
    batches = kind(path_imgrec=files, path_imgidx=tmp_path / "some.idx", **{**PLAIN, "batch_size": 1})
    assert epoch(batches) == [("3", 0), ("1", 0)]


def reshaped(image: NDArray[Any]) -> NDArray[Any]:
    image.shape = (4, 16, 3)
    return image


def retyped(image: NDArray[Any]) -> NDArray[Any]:
    image.dtype = np.int8  # type: ignore[misc,assignment]
    return image


def unaligned(image: NDArray[Any]) -> NDArray[Any]:
    memory = np.zeros(4 * image.size + 1, np.uint8)
    floats = np.ndarray(image.shape, np.float32, memory, offset=1)
    floats[...] = image
    return floats


@pytest.mark.filterwarnings("ignore:Setting the:DeprecationWarning")
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (reshaped, lambda image: image.reshape(4, 16, 3)),
        (retyped, lambda image: image.view(np.int8)),
        (unaligned, lambda image: image),
    ],
    ids=["shape", "type", "unaligned"],
)
def test_reshaped_retyped_and_unaligned_arrays_are_read(function: Any, expected: Any, tmp_path: Path) -> None:  # noqa: ANN401
    file = write_images(tmp_path, [png(noise(8, 8))])
    height, width, _ = expected(noise(8, 8)).shape
    shape: dict[str, Any] = {**PLAIN, "batch_size": 1, "data_shape": (3, height, width)}
    data = ImageIter(path_imgrec=file.rec, aug_list=[function], **shape).next().data[0][0]
    np.testing.assert_array_equal(data.transpose(1, 2, 0), expected(noise(8, 8)))


def test_function_listed_twice_is_called_by_one_thread_at_a_time(tmp_path: Path) -> None:
    active, max_active = [0], [0]

    def counted(image: NDArray[Any]) -> NDArray[Any]:
        active[0] += 1
        max_active[0] = max(max_active[0], active[0])
        time.sleep(0.001)
        active[0] -= 1
        return image

    file = write_images(tmp_path, [png(noise(8, 8))] * 40)
    list(ImageIter(path_imgrec=file.rec, aug_list=[counted, counted], **{**PLAIN, "preprocess_threads": 4}))
    assert max_active == [1]


def test_augmenter_that_requests_a_batch_of_its_iterator_raises(ten: RecordFile) -> None:
    iterators: list[ImageIter] = []

    def greedy(image: NDArray[Any]) -> NDArray[Any]:
        while not iterators:
            pass
        iterators[0].next()
        return image

    iterators.append(ImageIter(path_imgrec=ten.rec, aug_list=[greedy], **PLAIN))
    with iterators[0] as batches, pytest.raises(ValueError, match="asks its own iterator"):
        batches.next()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"aug_list": [], "rand_crop": True}, "aug_list replaces rand_crop"),
        ({"aug_list": [HorizontalFlipAug]}, "augmenter 0 is the class HorizontalFlipAug"),
        ({"aug_list": [DetHorizontalFlipAug(0.5)]}, "augmenter 0 is for images with boxes"),
    ],
    ids=["both", "class", "detection"],
)
def test_messages_name_the_invalid_augmenter(settings: dict[str, Any], message: str, ten: RecordFile) -> None:
    with pytest.raises(TypeError, match=message):
        ImageIter(path_imgrec=ten.rec, **PLAIN, **settings)


def test_augmenters_that_return_another_size_raise(ten: RecordFile) -> None:
    batches = ImageIter(path_imgrec=ten.rec, aug_list=[], **{**PLAIN, "data_shape": (3, 9, 8)})
    with pytest.raises(ValueError, match=r"the augmenters give 3x8x8 .*, but data_shape is 3x9x8"):
        batches.next()


def test_deleted_iterator_stops_its_threads(ten: RecordFile) -> None:
    batches = ImageIter(path_imgrec=ten.rec, aug_list=[lambda image: image], **PLAIN)
    batches.next()
    assert threads()
    del batches
    assert becomes_true(lambda: threads() == [])


def test_photographs_of_different_sizes_are_batched() -> None:
    imglist = [[number, path.name] for number, path in enumerate(PHOTOS[:6])]
    batches = ImageIter(
        2, (3, 50, 70), imglist=imglist, path_root=PHOTOS[0].parent, rand_crop=True, mean=True, std=True
    )
    data = np.concatenate([batch.data[0] for batch in batches])
    assert data.shape == (6, 3, 50, 70)
    assert abs(data.mean()) < 1.5
