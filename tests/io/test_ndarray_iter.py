"""`NDArrayIter`: arrays, data sets and sparse matrices as batches.

The batches in `OF_ELEVEN` and `SHUFFLED` are those of MXNet 1.9.1 with NumPy 1.23 for the same arguments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import h5py
import numpy as np
import pytest
from scipy import sparse

from recio.io import DataDesc, NDArrayIter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from recio.io import DataBatch

Handle: TypeAlias = Literal["pad", "discard", "roll_over"]

EPOCH = [([0, 1, 2, 3], 0), ([4, 5, 6, 7], 0)]
OF_ELEVEN: dict[Handle, Any] = {
    "pad": [[*EPOCH, ([8, 9, 10, 0], 1)]] * 3,
    "discard": [EPOCH] * 3,
    "roll_over": [
        EPOCH,
        [([8, 9, 10, 0], 3), ([1, 2, 3, 4], 0), ([5, 6, 7, 8], 0)],
        [([9, 10, 0, 1], 2), ([2, 3, 4, 5], 0), ([6, 7, 8, 9], 0)],
    ],
}
"""Data and pad of three epochs of 11 numbers, four per batch, by `last_batch_handle`."""

SHUFFLED: dict[Handle, Any] = {
    "pad": [
        [([8, 5, 0, 2], 0), ([1, 9, 7, 3], 0), ([6, 4, 8, 5], 2)],
        [([9, 0, 8, 4], 0), ([1, 6, 5, 3], 0), ([2, 7, 9, 0], 2)],
        [([9, 1, 8, 5], 0), ([0, 4, 3, 6], 0), ([2, 7, 9, 1], 2)],
    ],
    "roll_over": [
        [([8, 5, 0, 2], 0), ([1, 9, 7, 3], 0)],
        [([6, 4, 9, 0], 2), ([8, 4, 1, 6], 0), ([5, 3, 2, 7], 0)],
        [([9, 1, 8, 5], 0), ([0, 4, 3, 6], 0)],
    ],
}
"""The same for 10 numbers, shuffled after ``numpy.random.seed(7)``."""


def shown(batch: DataBatch) -> tuple[list[float], int | None]:
    return batch.data[0].tolist(), batch.pad


def epochs(batches: NDArrayIter, count: int) -> Iterator[list[DataBatch]]:
    for _ in range(count):
        yield list(batches)
        batches.reset()


def rows(count: int, width: int = 2) -> Any:  # noqa: ANN401 of any type
    """Return samples whose values encode their number, times ten, and their column."""
    return np.arange(count)[:, None] * 10 + np.arange(width)


class TestLastBatch:
    """Handling of an incomplete last batch."""

    @pytest.mark.parametrize("handle", OF_ELEVEN)
    def test_epochs_equal_mxnets(self, handle: Handle) -> None:
        batches = NDArrayIter(np.arange(11), batch_size=4, last_batch_handle=handle)
        assert [[shown(batch) for batch in epoch] for epoch in epochs(batches, 3)] == OF_ELEVEN[handle]

    def test_batch_larger_than_the_data_repeats_it(self) -> None:
        assert shown(NDArrayIter(np.arange(3), batch_size=8).next()) == ([0, 1, 2, 0, 1, 2, 0, 1], 5)

    def test_epoch_of_complete_batches_rolls_nothing_over(self) -> None:
        batches = NDArrayIter(np.arange(8), batch_size=4, last_batch_handle="roll_over")
        assert [[shown(batch) for batch in epoch] for epoch in epochs(batches, 2)] == [EPOCH] * 2

    def test_samples_roll_over_until_they_fill_a_batch(self) -> None:
        batches = NDArrayIter(np.arange(3), batch_size=8, last_batch_handle="roll_over")
        assert [[shown(batch) for batch in epoch] for epoch in epochs(batches, 3)] == [
            [],
            [],
            [([0, 1, 2, 0, 1, 2, 0, 1], 6)],
        ]
        assert shown_until_full(batches) == [2, 0, 1, 2, 0, 1, 2, 0]

    def test_reset_in_mid_epoch_rolls_nothing_over(self) -> None:
        batches = NDArrayIter(np.arange(11), batch_size=4, last_batch_handle="roll_over")
        batches.next()
        batches.reset()
        assert shown(batches.next()) == EPOCH[0]

    def test_second_reset_keeps_rolled_over_samples(self) -> None:
        batches = NDArrayIter(np.arange(11), batch_size=4, last_batch_handle="roll_over")
        list(batches)
        batches.reset()
        batches.reset()
        assert [shown(batch) for batch in batches] == OF_ELEVEN["roll_over"][1]

    def test_hard_reset_drops_rolled_over_samples(self) -> None:
        batches = NDArrayIter(np.arange(11), batch_size=4, last_batch_handle="roll_over")
        list(batches)
        batches.hard_reset()
        assert [shown(batch) for batch in batches] == EPOCH
        batches.reset()
        batches.hard_reset()
        assert shown(batches.next()) == EPOCH[0]

    def test_unknown_last_batch_handle_is_refused_with_the_choices(self) -> None:
        handle: Any = "rollover"
        message = "last_batch_handle must be 'pad', 'discard' or 'roll_over', got 'rollover'"
        with pytest.raises(ValueError, match=re.escape(message)):
            NDArrayIter(np.arange(3), last_batch_handle=handle)

    @pytest.mark.parametrize("handle", OF_ELEVEN)
    def test_empty_data_has_no_batches(self, handle: Handle) -> None:
        assert list(NDArrayIter(np.zeros((0, 3)), batch_size=4, last_batch_handle=handle)) == []


def shown_until_full(batches: NDArrayIter) -> list[float]:
    """Return the first batch of the next epoch that has one."""
    return next(batch.data[0].tolist() for epoch in epochs(batches, 5) for batch in epoch)


class TestOrder:
    """Shuffling."""

    @pytest.mark.parametrize("handle", SHUFFLED)
    def test_order_after_a_seed_equals_mxnets(self, handle: Handle) -> None:
        np.random.seed(7)  # noqa: NPY002 the generator that NDArrayIter uses
        batches = NDArrayIter(np.arange(10), -np.arange(10), 4, shuffle=True, last_batch_handle=handle)
        assert [[shown(batch) for batch in epoch] for epoch in epochs(batches, 3)] == SHUFFLED[handle]

    def test_hard_reset_shuffles(self) -> None:
        np.random.seed(7)  # noqa: NPY002 the generator that NDArrayIter uses
        batches = NDArrayIter(np.arange(10), batch_size=4, shuffle=True)
        batches.hard_reset()
        assert [shown(batch) for batch in batches] == SHUFFLED["pad"][1]

    def test_labels_and_index_follow_the_data(self) -> None:
        batches = NDArrayIter(rows(10), -np.arange(10), 4, shuffle=True)
        for epoch in epochs(batches, 3):
            assert sorted(np.concatenate([batch.index for batch in epoch])[:10]) == [*range(10)]
            for batch in epoch:
                assert batch.index is not None
                assert batch.index.dtype == np.uint64
                np.testing.assert_array_equal(batch.data[0], rows(10)[batch.index])
                np.testing.assert_array_equal(batch.label or [], [-batch.index.astype(float)])


class TestArrays:
    """Kinds of input arrays and their form in a batch."""

    def test_single_array_is_named_data(self) -> None:
        batches = NDArrayIter(np.zeros((10, 2, 3)), np.zeros(10), 4)
        assert repr(batches.provide_data) == "[DataDesc[data,(4, 2, 3),<class 'numpy.float32'>,NCHW]]"
        assert repr(batches.provide_label) == "[DataDesc[softmax_label,(4,),<class 'numpy.float32'>,NCHW]]"

    def test_arrays_of_a_list_are_numbered(self) -> None:
        batches = NDArrayIter([np.zeros((10, 2)), np.ones((10, 3))], [np.zeros(10)], 4, data_name="x", label_name="y")
        assert batches.provide_data == [("_0_x", (4, 2)), ("_1_x", (4, 3))]
        assert batches.provide_label == [("y", (4,))]
        assert [data.mean() for data in batches.next().data] == [0, 1]

    def test_list_of_more_than_ten_arrays_keeps_its_order(self) -> None:
        batch = NDArrayIter([np.full(2, number) for number in range(12)]).next()
        assert [data[0] for data in batch.data] == [*range(12)]

    def test_arrays_of_a_dict_are_sorted_by_name(self) -> None:
        batches = NDArrayIter({"b": np.zeros((10, 2)), "a": np.ones((10, 3))}, {"z": [0] * 10, "y": [1] * 10})
        assert [data.mean() for data in batches.next().data] == [1, 0]
        assert batches.provide_label == [("y", (1,)), ("z", (1,))]

    def test_labels_default_to_none(self) -> None:
        batches = NDArrayIter(np.zeros((5, 2)), batch_size=2)
        assert (batches.provide_label, batches.next().label) == ([], [])

    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64", ">f4"])
    def test_all_dtypes_become_float32(self, dtype: str) -> None:
        batch = NDArrayIter(np.array([[1, 0], [0, 1]], dtype), batch_size=2).next()
        assert batch.data[0].dtype == np.float32
        assert batch.data[0].tolist() == [[1, 0], [0, 1]]

    def test_integer_that_float32_changes_is_warned_of(self) -> None:
        iterator = NDArrayIter(np.zeros((2, 1)), np.array([1, 25130987]), 2)
        with pytest.warns(UserWarning, match="softmax_label has the integer 25130987, which becomes 25130988"):
            iterator.next()

    def test_integers_that_float32_has_are_not_warned_of(self) -> None:
        iterator = NDArrayIter(np.array([[2**24], [2**30]]), [0, -(2**24)], 2)
        assert iterator.next().data[0].tolist() == [[2**24], [2**30]]

    def test_batch_does_not_share_memory(self) -> None:
        source = np.zeros((4, 2), np.float32)
        batch = NDArrayIter(source, batch_size=4).next()
        batch.data[0][:] = 1
        assert not source.any()

    def test_layout_selects_the_batch_axis(self) -> None:
        steps = np.arange(24).reshape(2, 6, 2)
        batches = NDArrayIter(steps, np.arange(12).reshape(2, 6), 4, layout="TNC")
        assert batches.num_data == 6
        assert batches.provide_data == [("data", (2, 4, 2))]
        assert batches.provide_data[0].layout == "TNC"
        first, last = batches
        np.testing.assert_array_equal(first.data[0], steps[:, :4])
        np.testing.assert_array_equal(last.data[0], steps[:, [4, 5, 0, 1]])
        assert last.label
        assert last.label[0].tolist() == [[4, 5, 0, 1], [10, 11, 6, 7]]

    def test_getters_return_the_current_batch(self) -> None:
        batches = NDArrayIter(np.arange(6), -np.arange(6), 4)
        with pytest.raises(ValueError, match="no current batch"):
            batches.getdata()
        assert batches.iter_next()
        assert batches.iter_next()
        assert batches.getdata()[0].tolist() == [4, 5, 0, 1]
        assert batches.getlabel()[0].tolist() == [-4, -5, 0, -1]
        assert (batches.getpad(), batches.getindex().tolist()) == (2, [4, 5, 0, 1])  # type: ignore[union-attr]
        assert not batches.iter_next()
        with pytest.raises(StopIteration):
            batches.next()

    def test_list_of_numbers_is_one_array(self) -> None:
        batch = NDArrayIter(np.zeros((4, 2)), [0, 1, 1, 0], 2).next()
        assert batch.label is not None
        assert batch.label[0].tolist() == [0, 1]
        assert batch.provide_label == [DataDesc("softmax_label", (2,))]
        assert NDArrayIter([3, 4]).next().data[0].tolist() == [3]

    def test_samples_beyond_the_first_arrays_are_ignored(self, caplog: pytest.LogCaptureFixture) -> None:
        """As in MXNet, which does not report them."""
        batches = NDArrayIter({"a": np.arange(4), "b": np.arange(5)}, np.arange(6), 2)
        assert [batch.data[1].tolist() for batch in batches] == [[0, 1], [2, 3]]
        assert "samples beyond the first 4 are ignored" in caplog.text
        assert "a 4, b 5, softmax_label 6" in caplog.text

    def test_idx_is_the_order_of_the_epoch(self) -> None:
        """As in MXNet 1.9.1, tests/python/unittest/test_io.py, _test_shuffle."""
        batches = NDArrayIter(10 * np.arange(6), shuffle=True)
        for _ in range(2):
            order = batches.idx.tolist()
            assert sorted(order) == [*range(6)]
            assert [batch.data[0].item() for batch in batches] == [10 * number for number in order]
            batches.reset()

    @pytest.mark.parametrize(
        ("data", "label", "error", "message"),
        [
            (None, None, TypeError, "data must be an array, or a list or dict of arrays, got NoneType"),
            (np.array(["a"]), None, TypeError, "data must hold real numbers, got dtype <U1"),
            (np.ones(2, complex), None, TypeError, "data must hold real numbers, got dtype complex128"),
            ([], None, ValueError, "data holds no array"),
            ({}, None, ValueError, "data holds no array"),
            (np.zeros(()), None, ValueError, "data has shape (), but with layout='NCHW' axis 0 is N"),
            (np.zeros(4), np.zeros(3), ValueError, "different numbers of samples: data 4, softmax_label 3"),
            ({"x": np.zeros(4)}, {"x": np.zeros(3)}, ValueError, "different numbers of samples: x 4, x 3"),
        ],
    )
    def test_invalid_data_is_named(self, data: object, label: object, error: type[Exception], message: str) -> None:
        with pytest.raises(error, match=re.escape(message)):
            NDArrayIter(data, label)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
            ({"layout": "CHW"}, "layout must contain N, the axis of the samples, got 'CHW'"),
            ({"layout": "TNC"}, "data has shape (3,), but with layout='TNC' axis 1 is N"),
        ],
    )
    def test_invalid_setting_is_named(self, settings: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            NDArrayIter(np.zeros(3), **settings)

    def test_batch_size_must_be_an_integer(self) -> None:
        size: Any = 2.0
        with pytest.raises(TypeError, match=r"batch_size must be an integer, got 2\.0"):
            NDArrayIter(np.zeros(3), batch_size=size)


class Watched(h5py.Dataset):  # type: ignore[misc] # h5py has no types
    """Data set that records its reads."""

    def __init__(self, original: h5py.Dataset) -> None:
        super().__init__(original.id)
        self.reads: list[Any] = []

    def __getitem__(self, selection: Any, new_dtype: Any = None) -> Any:  # noqa: ANN401 as in h5py
        self.reads.append(selection)
        return super().__getitem__(selection, new_dtype)


class TestDataSets:
    """Data sets of HDF5 files."""

    @pytest.fixture
    def stored(self, tmp_path: Path) -> Iterator[h5py.File]:
        with h5py.File(tmp_path / "a.h5", "w") as file:
            file["data"] = rows(10).astype(np.uint8)
            file["steps"] = np.arange(20, dtype=np.int16).reshape(2, 10)
            yield file

    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("handle", OF_ELEVEN)
    def test_h5py_data_sets_equal_arrays(self, stored: h5py.File, shuffle: bool, handle: Handle) -> None:
        results = []
        for source in (stored["data"], rows(10).astype(np.uint8)):
            np.random.seed(3)  # noqa: NPY002 the generator that NDArrayIter uses
            batches = NDArrayIter({"data": source}, np.arange(10), 4, shuffle, handle)
            results.append([batch for epoch in epochs(batches, 3) for batch in epoch])
        assert len(results[0]) == len(results[1]) > 0
        for batch, expected in zip(*results, strict=True):
            assert batch.data[0].dtype == np.float32
            np.testing.assert_array_equal(batch.data[0], expected.data[0])
            np.testing.assert_array_equal(batch.label, expected.label)
            assert batch.pad == expected.pad

    def test_h5py_data_sets_may_have_any_layout(self, stored: h5py.File) -> None:
        first, *_ = NDArrayIter(stored["steps"], batch_size=4, layout="TN")
        assert first.data[0].tolist() == [[0, 1, 2, 3], [10, 11, 12, 13]]

    def test_h5py_data_sets_are_read_batch_by_batch_in_blocks(self, stored: h5py.File) -> None:
        watched = Watched(stored["data"])
        batches = NDArrayIter(watched, batch_size=4)
        assert watched.reads == []
        assert [batch.data[0][:, 0].tolist() for batch in batches] == [
            [0, 10, 20, 30],
            [40, 50, 60, 70],
            [80, 90, 0, 10],
        ]
        assert watched.reads[:2] == [(slice(0, 4),), (slice(4, 8),)]
        assert watched.reads[2][0].tolist() == [0, 1, 8, 9]


class TestSparseMatrices:
    """Sparse matrices and arrays of SciPy."""

    @pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
    def test_sparse_matrices_stay_sparse(self, kind: type[sparse.sparray]) -> None:
        np.random.seed(3)  # noqa: NPY002 the generator that NDArrayIter uses
        batches = NDArrayIter(kind(rows(10)), np.arange(10), 4, shuffle=True, last_batch_handle="discard")
        assert batches.provide_data == [DataDesc("data", (4, 2))]
        epoch = list(batches)
        assert len(epoch) == 2
        for batch in epoch:
            matrix: Any = batch.data[0]
            assert isinstance(matrix, kind)
            assert (matrix.format, matrix.dtype) == ("csr", np.float32)
            np.testing.assert_array_equal(matrix.toarray(), rows(10)[batch.index])

    @pytest.mark.parametrize("handle", ["pad", "roll_over"])
    def test_sparse_matrices_must_discard_the_last_batch(self, handle: Handle) -> None:
        with pytest.raises(NotImplementedError, match=r"label is a sparse matrix.* needs last_batch_handle='discard'"):
            NDArrayIter(np.zeros(4), {"label": sparse.csr_array(np.eye(4))}, last_batch_handle=handle)

    def test_samples_of_sparse_matrices_are_rows(self) -> None:
        with pytest.raises(ValueError, match="whose samples are its rows, but layout='CN'"):
            NDArrayIter(sparse.csr_array(np.eye(4)), last_batch_handle="discard", layout="CN")

    def test_other_sparse_formats_are_refused(self) -> None:
        with pytest.raises(TypeError, match=r"data is a sparse matrix, but not in CSR format; pass its tocsr\(\)"):
            NDArrayIter(sparse.csc_array(np.eye(4)), last_batch_handle="discard")


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("make", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array], ids=["C", "F", "CSR"])
def test_batches_own_their_samples(make: Callable[[Any], Any], shuffle: bool) -> None:
    """A batch that is changed in place changes no array, and is C-contiguous."""
    source = make(np.arange(1, 13, dtype=np.float32).reshape(4, 3))
    for batch in NDArrayIter(source, batch_size=2, shuffle=shuffle, last_batch_handle="discard"):
        data: Any = batch.data[0]
        if sparse.issparse(data):
            data.data[:], data.indices[:] = -1, 0
        else:
            assert data.flags.c_contiguous
            data[:] = -1
    kept = source.toarray() if sparse.issparse(source) else source
    assert kept.ravel().tolist() == [*range(1, 13)]
