"""``RecordDataset``: samples by index, labels without images, subsets, and use by processes and threads."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from recio import DecodeError, RecordError
from recio.datasets import RecordDataset
from recio.image import imdecode
from recio.recordio import IRHeader, pack
from tests.support.processes import run_python
from tests.support.records import (
    FIRST_ID,
    RecordFile,
    image_record,
    noise,
    png,
    write_images,
    write_records,
    write_tiny,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COUNT = 12


@pytest.fixture
def twelve(tmp_path: Path) -> RecordFile:
    """Write twelve images of 12 kB, labeled by their index."""
    return write_images(tmp_path, [png(pixels(number)) for number in range(COUNT)])


@pytest.fixture
def dataset(twelve: RecordFile) -> RecordDataset:
    """Open the file as a data set."""
    return RecordDataset(twelve.rec)


def pixels(number: int) -> NDArray[np.uint8]:
    """Return an RGB image that is different for each number."""
    return noise(64, 64, seed=number)


def write_labels(folder: Path, labels: Sequence[float | Sequence[float]]) -> RecordFile:
    """Write records with these labels and images of four pixels."""
    image = png(noise(2, 2))
    return write_records(folder, [image_record(image, n, label) for n, label in enumerate(labels)])


def numbers(dataset: RecordDataset) -> list[int]:
    """Return the numbers of the images in a data set without calling labels()."""
    return [int(label) for _, label in dataset]


def bytes_read() -> int:
    """Return the number of bytes this process has read by system calls."""
    return int(Path("/proc/self/io").read_text().split()[1])


class TestSamples:
    """Samples by index."""

    def test_sample_is_the_decoded_image_with_its_label(self, dataset: RecordDataset) -> None:
        assert len(dataset) == COUNT
        for number in range(COUNT):
            image, label = dataset[number]
            assert type(label) is float
            assert label == number
            assert image.flags.writeable
            np.testing.assert_array_equal(image, pixels(number))

    def test_indexing_follows_the_sequence_protocol(self, dataset: RecordDataset) -> None:
        assert dataset[-1][1] == COUNT - 1
        assert dataset[np.int64(3)][1] == 3
        assert numbers(dataset) == list(range(COUNT))
        for past in (COUNT, -COUNT - 1):
            with pytest.raises(IndexError, match=f"sample {past} of a data set of 12"):
                dataset[past]
        with pytest.raises(TypeError):
            dataset[1.0]  # type: ignore[call-overload]

    def test_several_samples_at_once(self, dataset: RecordDataset) -> None:
        assert [label for _, label in dataset.__getitems__([5, -1, 5])] == [5, 11, 5]

    def test_image_is_gray_or_bgr_on_request(self, twelve: RecordFile) -> None:
        gray = imdecode(png(pixels(2)), flag=0)
        assert gray.shape == (64, 64, 1)
        np.testing.assert_array_equal(RecordDataset(twelve.rec, flag=0)[2][0], gray)
        np.testing.assert_array_equal(RecordDataset(twelve.rec, to_rgb=False)[2][0], pixels(2)[..., ::-1])
        with pytest.raises(ValueError, match=r"flag must be 1 .* or 0 .*, got 2"):
            RecordDataset(twelve.rec, flag=2)

    @pytest.mark.parametrize("transform", [None, len])
    def test_undecoded_images_are_the_bytes_in_the_file(self, twelve: RecordFile, transform: Any) -> None:  # noqa: ANN401
        dataset = RecordDataset(twelve.rec, decode=False, transform=transform)
        payload, label = dataset[3]
        assert (payload, label) == (len(png(pixels(3))) if transform else png(pixels(3)), 3.0)

    def test_undecoded_images_need_no_known_format(self, tmp_path: Path) -> None:
        dataset = RecordDataset(write_images(tmp_path, [b"text", b""]).rec, decode=False)
        assert list(dataset) == [(b"text", 0.0), (b"", 1.0)]

    def test_target_transform_gets_the_label(self, twelve: RecordFile) -> None:
        dataset = RecordDataset(twelve.rec, transform=np.mean, target_transform=int)
        assert dataset[4] == (pixels(4).mean(), 4)
        assert type(dataset[4][1]) is int
        assert dataset.labels().tolist() == [float(n) for n in range(COUNT)]
        assert dataset.filter(labels=[2]).subset([0])[0][1] == 2

    def test_transform_gets_the_image_and_not_the_label(self, twelve: RecordFile) -> None:
        dataset = RecordDataset(twelve.rec, transform=np.mean)
        assert dataset[4] == (pixels(4).mean(), 4)

    def test_single_label_is_a_number_and_several_an_array(self, tmp_path: Path) -> None:
        dataset = RecordDataset(write_labels(tmp_path, [[7.0], [1.0, 2.5, 3.0]]).rec)
        assert dataset[0][1] == 7.0
        label = dataset[1][1]
        assert isinstance(label, np.ndarray)
        assert label.flags.writeable
        assert label.dtype == np.float32
        assert label.tolist() == [1, 2.5, 3]

    def test_records_are_those_listed_in_the_index(self, twelve: RecordFile) -> None:
        lines = twelve.idx.read_text().splitlines(keepends=True)
        twelve.idx.write_text("".join([lines[9], lines[2]]))
        assert numbers(RecordDataset(twelve.rec)) == [2, 9]

    def test_all_records_are_used_without_an_index(self, twelve: RecordFile) -> None:
        twelve.idx.unlink()
        assert numbers(RecordDataset(twelve.rec)) == list(range(COUNT))

    def test_missing_file_is_an_error_at_once(self, twelve: RecordFile, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            RecordDataset(tmp_path / "none.rec")
        with pytest.raises(FileNotFoundError):
            RecordDataset(twelve.rec, tmp_path / "none.idx")

    def test_repr(self, twelve: RecordFile, dataset: RecordDataset) -> None:
        assert repr(dataset) == f"<RecordDataset '{twelve.rec}': 12 samples>"


class TestDamage:
    """Errors of damaged records and their positions."""

    def test_undecodable_image_is_named(self, tmp_path: Path) -> None:
        file = write_records(tmp_path, [image_record(png(noise(2, 2)), 0), image_record(b"no image", 1)])
        with pytest.raises(DecodeError) as caught:
            RecordDataset(file.rec)[1]
        error, offset = caught.value, file.offsets[1]
        assert (error.path, error.record, error.id, error.offset) == (str(file.rec), 1, FIRST_ID + 1, offset)
        assert str(error).startswith(f"{file.rec}: record 1 (id 101) at byte {offset}: ")

    @pytest.mark.parametrize(
        ("record", "reason"),
        [(b"short", "24"), (b"\xff\xff\xff\xff" + bytes(40), "claims 4294967295 labels")],
    )
    def test_record_without_a_header_is_named(self, tmp_path: Path, record: bytes, reason: str) -> None:
        file = write_records(tmp_path, [image_record(b"", 0), record])
        dataset = RecordDataset(file.rec)
        for read in (lambda: dataset[1], dataset.labels):
            with pytest.raises(RecordError, match=reason) as caught:
                read()
            assert (caught.value.path, caught.value.record, caught.value.offset) == (str(file.rec), 1, file.offsets[1])


class TestLabels:
    """Labels and ids of all samples."""

    def test_single_labels_are_a_column(self, dataset: RecordDataset) -> None:
        labels = dataset.labels()
        assert labels.dtype == np.float32
        assert labels.tolist() == list(range(COUNT))
        assert not labels.flags.writeable
        assert dataset.ids().dtype == np.uint64
        assert dataset.ids().tolist() == [FIRST_ID + n for n in range(COUNT)]

    def test_several_labels_are_rows(self, tmp_path: Path) -> None:
        rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
        assert RecordDataset(write_labels(tmp_path, rows).rec).labels().tolist() == rows

    def test_varying_numbers_of_labels_are_arrays(self, tmp_path: Path) -> None:
        rows: list[Any] = [[1.0, 2.0], 3.0, [4.0, 5.0, 6.0]]
        dataset = RecordDataset(write_labels(tmp_path, rows).rec)
        labels = dataset.labels()
        assert labels.dtype == object
        assert labels.shape == (3,)
        assert [label.tolist() for label in labels] == [[1, 2], [3], [4, 5, 6]]
        assert len(dataset.filter(lambda label: len(label) > 1)) == 2

    def test_labels_of_no_records(self, tmp_path: Path) -> None:
        dataset = RecordDataset(write_records(tmp_path, []).rec)
        assert (len(dataset), dataset.labels().shape, dataset.ids().shape) == (0, (0,), (0,))

    def test_labels_do_not_read_images(self, twelve: RecordFile, dataset: RecordDataset) -> None:
        """At most 100 bytes per record are read."""
        before = bytes_read()
        dataset.labels()
        assert bytes_read() - before < 100 * COUNT < twelve.rec.stat().st_size / 10

    def test_labels_of_split_records(self, tmp_path: Path) -> None:
        magic = 0xCED7230A
        file = write_records(tmp_path, [pack(IRHeader(0, [4.0, 5.0], magic, 0), b"split in its id")])
        dataset = RecordDataset(file.rec)
        assert (dataset.labels().tolist(), dataset.ids().tolist()) == ([[4, 5]], [magic])


class TestCache:
    """Label cache on disk."""

    def test_next_data_set_reads_labels_from_the_cache(self, twelve: RecordFile, tmp_path: Path) -> None:
        cache = tmp_path / "labels.npz"
        dataset = RecordDataset(twelve.rec, cache=cache)
        labels, ids = dataset.labels().tolist(), dataset.ids().tolist()
        # A file of zeros of the same size and time: the labels can only come from the cache.
        state = twelve.rec.stat()
        twelve.rec.write_bytes(bytes(state.st_size))
        os.utime(twelve.rec, ns=(state.st_atime_ns, state.st_mtime_ns))
        again = RecordDataset(twelve.rec, cache=cache)
        assert (again.labels().tolist(), again.ids().tolist()) == (labels, ids)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.npz", "some.idx", "some.rec"]

    @pytest.mark.parametrize("rows", [[[1.0], [2.0]], [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0], [4.0]]])
    def test_round_trip_of_any_number_of_labels(self, tmp_path: Path, rows: list[list[float]]) -> None:
        file = write_labels(tmp_path, rows)
        expected = RecordDataset(file.rec).labels()
        for _ in range(2):
            labels = RecordDataset(file.rec, cache=tmp_path / "cache").labels()
            assert (labels.dtype, labels.shape) == (expected.dtype, expected.shape)
            assert [np.ravel(label).tolist() for label in labels] == rows

    def test_cache_of_a_changed_file_is_ignored(self, tmp_path: Path) -> None:
        for labels in ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]):
            file = write_labels(tmp_path, labels)
            assert RecordDataset(file.rec, cache=tmp_path / "cache").labels().tolist() == labels

    def test_cache_of_another_index_is_ignored(self, twelve: RecordFile, tmp_path: Path) -> None:
        cache = tmp_path / "cache"
        RecordDataset(twelve.rec, cache=cache).labels()
        twelve.idx.write_text("".join(twelve.idx.read_text().splitlines(keepends=True)[:5]))
        assert len(RecordDataset(twelve.rec, cache=cache).labels()) == 5

    @pytest.mark.parametrize("content", [b"", b"precious", b"PK\x03\x04 half a file"])
    def test_another_file_is_not_overwritten(self, twelve: RecordFile, tmp_path: Path, content: bytes) -> None:
        other = tmp_path / "other"
        other.write_bytes(content)
        with pytest.raises(ValueError, match="other is not a complete cache of labels"):
            RecordDataset(twelve.rec, cache=other).labels()
        assert other.read_bytes() == content

    def test_subset_does_not_write_the_cache(self, twelve: RecordFile, tmp_path: Path) -> None:
        subset = RecordDataset(twelve.rec, cache=tmp_path / "cache").subset([1])
        assert subset.labels().tolist() == [1]
        assert not (tmp_path / "cache").exists()


class TestSubsets:
    """Subsets and filters."""

    def test_subset_has_samples_in_the_given_order(self, dataset: RecordDataset) -> None:
        subset = dataset.subset([5, -1, 5, 0])
        assert numbers(subset) == [5, 11, 5, 0]
        assert subset.labels().tolist() == [5, 11, 5, 0]
        assert subset.ids().tolist() == [105, 111, 105, 100]
        assert numbers(subset.subset(range(1, 3))) == [11, 5]

    def test_subset_may_repeat_samples(self, tmp_path: Path) -> None:
        dataset = RecordDataset(write_labels(tmp_path, [range(100), range(100, 200)]).rec)
        assert dataset.subset([1] * 1000).labels()[:, 99].tolist() == [199] * 1000

    def test_subset_uses_labels_read_before(self, twelve: RecordFile, dataset: RecordDataset) -> None:
        dataset.labels()
        twelve.rec.write_bytes(b"")
        assert dataset.subset([7, 3]).labels().tolist() == [7, 3]

    def test_subset_by_boolean_mask(self, dataset: RecordDataset) -> None:
        assert numbers(dataset.subset(dataset.labels() > 9)) == [10, 11]
        assert len(dataset.subset([])) == 0

    def test_subset_opens_no_file(self, dataset: RecordDataset) -> None:
        descriptors = len(list(Path("/proc/self/fd").iterdir()))
        subsets = [dataset.subset([number]) for number in range(COUNT)]
        assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
        assert [len(subset) for subset in subsets] == [1] * COUNT

    @pytest.mark.parametrize(
        ("wrong", "kind"), [([COUNT], IndexError), ([-13], IndexError), ([True], IndexError), ([0.5], TypeError)]
    )
    def test_subset_of_missing_samples_is_an_error(
        self, dataset: RecordDataset, wrong: list[Any], kind: type[Exception]
    ) -> None:
        with pytest.raises(kind):
            dataset.subset(wrong)

    def test_filter_by_label(self, dataset: RecordDataset) -> None:
        assert numbers(dataset.filter(labels={3, 8, 99})) == [3, 8]
        assert numbers(dataset.filter(lambda label: label % 5 == 0)) == [0, 5, 10]
        assert numbers(dataset.filter(labels=range(6)).filter(labels=[5, 7])) == [5]
        assert len(dataset.filter(labels=[])) == 0

    def test_filter_rounds_labels_to_float32(self, tmp_path: Path) -> None:
        """The file holds it as float32."""
        assert len(RecordDataset(write_labels(tmp_path, [0.1, 0.2]).rec).filter(labels=[0.1])) == 1

    def test_filter_uses_the_first_of_several_labels(self, tmp_path: Path) -> None:
        dataset = RecordDataset(write_labels(tmp_path, [[1.0, 2.0], [2.0, 1.0]]).rec)
        assert dataset.filter(labels=[2]).labels().tolist() == [[2, 1]]
        ragged = RecordDataset(write_labels(tmp_path, [[1.0, 2.0], 2.0]).rec)
        assert ragged.filter(labels=[2]).ids().tolist() == [101]

    @pytest.mark.parametrize("conditions", [{}, {"predicate": bool, "labels": [1]}])
    def test_filter_needs_one_condition(self, dataset: RecordDataset, conditions: dict[str, Any]) -> None:
        with pytest.raises(TypeError, match="one of them"):
            dataset.filter(**conditions)


class TestSlices:
    """Slices, which are subsets."""

    @pytest.mark.parametrize(
        "part",
        [
            slice(2, 5),
            slice(None),
            slice(None, None, 3),
            slice(None, None, -1),
            slice(-4, None),
            slice(9, 99),
            slice(5, 2),
        ],
        ids=str,
    )
    def test_slice_has_the_samples_of_a_list(self, dataset: RecordDataset, part: slice) -> None:
        assert numbers(dataset[part]) == list(range(COUNT))[part]
        assert type(dataset[part]) is RecordDataset
        assert dataset[part].labels().tolist() == dataset.labels()[part].tolist()

    def test_slice_of_a_slice(self, dataset: RecordDataset) -> None:
        assert numbers(dataset[2:10][::2][-1:]) == [8]

    def test_slice_reads_nothing(self, dataset: RecordDataset) -> None:
        before = bytes_read()
        _ = dataset[1:9]
        assert bytes_read() - before < 1000

    def test_slice_is_pickled(self, dataset: RecordDataset) -> None:
        copy = pickle.loads(pickle.dumps(dataset[3:5]))  # noqa: S301 written by this test
        assert numbers(copy) == [3, 4]


class TestFiles:
    """Data sets of several files."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> list[RecordFile]:
        """Write three files of 3, 1 and 2 images; all have keys from 0."""
        sizes = {"a": range(3), "b": range(3, 4), "c": range(4, 6)}
        return [
            write_records(tmp_path, [image_record(png(pixels(n)), n) for n in part], name)
            for name, part in sizes.items()
        ]

    def test_samples_of_several_files_follow_one_another(self, files: list[RecordFile]) -> None:
        dataset = RecordDataset([file.rec for file in files])
        assert numbers(dataset) == [*range(6)]
        assert dataset.labels().tolist() == [*range(6)]
        assert dataset.ids().tolist() == [FIRST_ID + n for n in range(6)]
        np.testing.assert_array_equal(dataset[4][0], pixels(4))
        assert repr(dataset) == f"<RecordDataset {', '.join(repr(str(file.rec)) for file in files)}: 6 samples>"

    def test_subsets_may_mix_files(self, files: list[RecordFile], tmp_path: Path) -> None:
        dataset = RecordDataset([str(file.rec) for file in files], [file.idx for file in files])
        subset = dataset.subset([5, 0, 3, 5])
        assert numbers(subset) == subset.labels().tolist() == [5, 0, 3, 5]
        copy = pickle.loads(pickle.dumps(dataset.filter(labels=[1, 3, 4])))  # noqa: S301 written by this test
        assert numbers(copy) == [1, 3, 4]
        for _ in range(2):
            cached = RecordDataset([file.rec for file in files], cache=tmp_path / "cache")
            assert cached.labels().tolist() == [*range(6)]

    def test_errors_name_the_file(self, files: list[RecordFile]) -> None:
        content = bytearray(files[2].rec.read_bytes())
        content[files[2].offsets[1]] ^= 1
        files[2].rec.write_bytes(content)
        with pytest.raises(RecordError, match=r"c.rec: record 1 at byte"):
            RecordDataset([file.rec for file in files])[5]

    def test_each_file_needs_its_index(self, files: list[RecordFile]) -> None:
        with pytest.raises(ValueError, match="one index for each of 3 record files, got 1"):
            RecordDataset([file.rec for file in files], files[0].idx)
        with pytest.raises(ValueError, match="path_imgrec names no file"):
            RecordDataset([])


class TestClasses:
    """Names of classes."""

    def test_names_are_lines_of_the_file_beside_the_records(self, twelve: RecordFile) -> None:
        dataset = RecordDataset(twelve.rec)
        assert (dataset.classes, dataset.class_to_idx) == (None, None)
        twelve.rec.with_suffix(".classes.txt").write_bytes("cat\r\nsilly d\u00f6g\u2028\n\nfox\n".encode())
        assert dataset.classes == ["cat", "silly d\u00f6g\u2028", "", "fox"]
        assert dataset.class_to_idx == {"cat": 0, "silly d\u00f6g\u2028": 1, "": 2, "fox": 3}
        assert dataset[:2].classes == dataset.classes

    def test_files_must_have_the_same_names(self, tmp_path: Path) -> None:
        recs = [write_tiny(tmp_path, 1, name).rec for name in "ab"]
        (tmp_path / "a.classes.txt").write_text("cat\n")
        for order in (recs, recs[::-1]):
            with pytest.raises(ValueError, match=r"b.rec has no file of names .*b.classes.txt, .* is .*a.classes.txt"):
                _ = RecordDataset(order).classes
        (tmp_path / "b.classes.txt").write_text("dog")
        with pytest.raises(ValueError, match=r"a.classes.txt and .*b.classes.txt must have the same names"):
            _ = RecordDataset(recs).classes
        (tmp_path / "b.classes.txt").write_text("cat")
        assert RecordDataset(recs).classes == ["cat"]

    def test_other_encodings_are_refused(self, twelve: RecordFile) -> None:
        twelve.rec.with_suffix(".classes.txt").write_bytes(b"caf\xe9\n")
        with pytest.raises(ValueError, match=r"some.classes.txt must be UTF-8"):
            _ = RecordDataset(twelve.rec).classes


class TestCopies:
    """Pickles, processes and threads."""

    def test_pickle_holds_paths_and_not_the_index(self, tmp_path: Path) -> None:
        dataset = RecordDataset(write_tiny(tmp_path, 1000).rec)
        dataset.labels()
        pickled = pickle.dumps(dataset)
        assert len(pickled) < 1000
        assert numbers(pickle.loads(pickled)) == list(range(1000))  # noqa: S301 written by this test

    def test_pickled_subset_has_the_same_samples(self, dataset: RecordDataset) -> None:
        subset = dataset.filter(labels=[2, 3, 5]).subset([2, 0])
        copy = pickle.loads(pickle.dumps(subset))  # noqa: S301 written by this test
        assert numbers(copy) == [5, 2]
        assert copy.labels().tolist() == [5, 2]

    @pytest.mark.parametrize("start", ["fork", "spawn"])
    def test_processes_read_samples(self, dataset: RecordDataset, start: Literal["fork", "spawn"]) -> None:
        dataset.labels()
        with multiprocessing.get_context(start).Pool(2) as children:
            samples = children.map(dataset.__getitem__, range(COUNT))
            children.close()
            children.join()
        assert [label for _, label in samples] == list(range(COUNT))
        np.testing.assert_array_equal(samples[7][0], pixels(7))
        assert numbers(dataset) == list(range(COUNT))

    def test_threads_read_samples_concurrently(self, dataset: RecordDataset) -> None:
        def read(seed: int) -> None:
            order = random.Random(seed).choices(range(COUNT), k=50)
            assert [label for _, label in dataset.__getitems__(order)] == order
            assert dataset.labels()[order].tolist() == order

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(read, range(8)))


def test_import_imports_no_framework() -> None:
    done = run_python("import recio.datasets, sys; print(*{'torch', 'mxnet', 'pickle5', 'cv2'} & sys.modules.keys())")
    assert (done.stdout, done.stderr) == ("\n", "")


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_pytorchs_data_loader_reads_it(twelve: RecordFile, start: str) -> None:
    data = pytest.importorskip("torch.utils.data")
    small = RecordDataset(twelve.rec, transform=_corner)
    loader = data.DataLoader(small, batch_size=5, num_workers=2, multiprocessing_context=start)
    batches = [(images.numpy(), labels.tolist()) for images, labels in loader]
    assert [label for _, labels in batches for label in labels] == list(range(COUNT))
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches])[9], pixels(9)[:8, :8])


def _corner(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return image[:8, :8]
