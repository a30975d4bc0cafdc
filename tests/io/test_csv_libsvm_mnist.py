"""`CSVIter`, `LibSVMIter` and `MNISTIter`: text files and MNIST files as batches.

The first epochs of `ROWS` and `SPARSE` and the orders in `ORDERS` are those of MXNet 1.9.1 for the same files and
arguments. Its later epochs, errors and incomplete batches are not reproduced.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import pickle
import re
import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import sparse

from recio.io import CSVIter, LibSVMIter, MNISTIter, MXDataIter
from recio.io._text_lines import Lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from recio.io import DataBatch

ROWS = "1,2,3\n2,3,4\n3,4,5\n4,5,6\n"
SPARSE = "1.0 0:0.5 2:1.2\n-2.0\n-3.0 0:0.6 1:2.4 2:1.2\n4 2:-1.2\n"
DENSE = np.array([[0.5, 0, 1.2], [0, 0, 0], [0.6, 2.4, 1.2], [0, 0, -1.2]], np.float32)
"""`SPARSE` as a dense array."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file."""

    def written(text: str, name: str = "a.txt") -> Path:
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
        return tmp_path / name

    return written


def contents(batches: Iterable[DataBatch]) -> list[Any]:
    """Return data, labels, pad and index of batches, sparse ones as dense arrays."""
    return [
        [*(dense(array).tolist() for array in (batch.data[0], (batch.label or [])[0])), batch.pad, indices(batch)]
        for batch in batches
    ]


def dense(array: Any) -> Any:  # noqa: ANN401 an array or a sparse one
    return array.toarray() if sparse.issparse(array) else array


def indices(batch: DataBatch) -> list[int]:
    assert batch.index is not None
    assert batch.index.dtype == np.uint64
    values: list[int] = batch.index.tolist()
    return values


class TestCSV:
    def test_every_epoch_equals_mxnets_first(self, write: Callable[..., Path]) -> None:
        batches = CSVIter(data_csv=write(ROWS), data_shape=(3,), batch_size=3)
        for _ in range(3):
            assert contents(batches) == [
                [[[1, 2, 3], [2, 3, 4], [3, 4, 5]], [0, 0, 0], 0, [0, 1, 2]],
                [[[4, 5, 6], [1, 2, 3], [2, 3, 4]], [0, 0, 0], 2, [3, 0, 1]],
            ]
            batches.reset()

    def test_last_batch_may_be_padded_with_zeros(self, write: Callable[..., Path]) -> None:
        batches = CSVIter(data_csv=write(ROWS), data_shape=(3,), batch_size=3, round_batch=False)
        for _ in range(2):
            assert contents(batches)[1] == [[[4, 5, 6], [0, 0, 0], [0, 0, 0]], [0, 0, 0], 2, [3, 0, 0]]
            batches.reset()

    def test_batch_larger_than_the_file_repeats_it(self, write: Callable[..., Path]) -> None:
        (batch,) = CSVIter(data_csv=write("1\n2\n"), data_shape=1, batch_size=5)
        assert (batch.data[0].ravel().tolist(), batch.pad, indices(batch)) == ([1, 2, 1, 2, 1], 3, [0, 1, 0, 1, 0])

    def test_reset_in_mid_epoch_starts_a_new_epoch(self, write: Callable[..., Path]) -> None:
        batches = CSVIter(data_csv=write(ROWS), data_shape=(3,), batch_size=1)
        batches.next()
        batches.reset()
        assert [indices(batch) for batch in batches] == [[0], [1], [2], [3]]

    def test_labels_are_read_from_their_own_file(self, write: Callable[..., Path]) -> None:
        batches = CSVIter(
            data_csv=write(ROWS), data_shape=(3,), label_csv=write("5\n6\n7\n8\n", "labels.txt"), batch_size=3
        )
        assert [labels for _, labels, *_ in contents(batches)] == [[5, 6, 7], [8, 5, 6]]

    def test_data_and_label_shapes_are_applied(self, write: Callable[..., Path]) -> None:
        numbers, labels = write("1,2,3,4,5,6\n"), write("7,8\n", "labels.txt")
        batches = CSVIter(data_csv=numbers, data_shape=(3, 2), label_csv=labels, label_shape=(2,), batch_size=1)
        assert batches.provide_data == [("data", (1, 3, 2))]
        assert batches.provide_label == [("softmax_label", (1, 2))]
        assert contents(batches) == [[[[[1, 2], [3, 4], [5, 6]]], [[7, 8]], 0, [0]]]

    @pytest.mark.parametrize("absent", [None, "NULL"])
    def test_labels_default_to_0(self, write: Callable[..., Path], absent: str | None) -> None:
        batches = CSVIter(data_csv=write("1\n"), data_shape=1, label_csv=absent, label_shape=(2,), batch_size=1)
        assert contents(batches) == [[[[1]], [[0, 0]], 0, [0]]]

    def test_provide_data_has_names_and_dtypes(self, write: Callable[..., Path]) -> None:
        batches = CSVIter(
            data_csv=write(ROWS), data_shape=3, batch_size=2, dtype="int32", data_name="x", label_name="y"
        )
        assert repr(batches.provide_data) == "[DataDesc[x,(2, 3),<class 'numpy.int32'>,NC]]"
        assert repr(batches.provide_label) == "[DataDesc[y,(2,),<class 'numpy.int32'>,N]]"
        batch = batches.next()
        assert [array.dtype for array in (*batch.data, *(batch.label or []))] == [np.int32] * 2

    @pytest.mark.parametrize(
        "text",
        [
            "1,2\n3,4\n",
            "1, 2 \n\n\r\n  3,4\r\n",
            "1,2,\n3,4,",
            "\ufeff1,2\n3,4",
            "1.0,2e0\n+3,.4e1\n",
        ],
        ids=["plain", "blanks", "commas at the end", "a byte order mark", "forms of numbers"],
    )
    def test_syntax_that_mxnet_accepts_is_accepted(self, write: Callable[..., Path], text: str) -> None:
        (batch,) = CSVIter(data_csv=write(text), data_shape=2, batch_size=2)
        assert batch.data[0].tolist() == [[1, 2], [3, 4]]

    def test_numbers_may_be_infinite_or_nan(self, write: Callable[..., Path]) -> None:
        for text in ("nan,inf,-inf,1e39\n", "nan,inf,-inf,1e39,\n"):
            (batch,) = CSVIter(data_csv=write(text), data_shape=4, batch_size=1)
            np.testing.assert_array_equal(batch.data[0], [[np.nan, np.inf, -np.inf, np.inf]])

    def test_large_integers_are_exact(self, write: Callable[..., Path]) -> None:
        (batch,) = CSVIter(data_csv=write("9007199254740993,-1\n"), data_shape=2, batch_size=1, dtype="int64")
        assert batch.data[0].tolist() == [[9007199254740993, -1]]

    @pytest.mark.parametrize(
        ("line", "dtype", "message"),
        [
            ("1,x", None, "could not convert string to float: 'x'"),
            ("1", None, "1 numbers, but data_shape=(2,) has 2"),
            ("1,2,3", None, "3 numbers, but data_shape=(2,) has 2"),
            (",1", None, "could not convert string to float: ''"),
            ("1,,2", None, "3 numbers, but data_shape=(2,) has 2"),
            (",", None, "1 numbers, but data_shape=(2,) has 2"),
            ("1,\udcff", None, "could not convert string to float: '\ufffd'"),
            ("1,1.5", "int32", "invalid literal for int() with base 10: '1.5'"),
            ("1,3000000000", "int32", "3000000000 is out of range for int32"),
        ],
    )
    def test_invalid_line_is_named_and_the_next_batch_follows(
        self, write: Callable[..., Path], line: str, dtype: str | None, message: str
    ) -> None:
        file = write(f"0,0\n\n0,0\n0,0\n{line}\n6,6\n7,7\n")
        batches = CSVIter(data_csv=file, data_shape=2, batch_size=2, dtype=dtype)
        batches.next()
        with pytest.raises(ValueError, match=re.escape(f"{file}, line 5: {message}")):
            batches.next()
        assert [indices(batch) for batch in batches] == [[4, 5]]

    def test_invalid_line_of_labels_is_named(self, write: Callable[..., Path]) -> None:
        data, labels = write("1\n2\n"), write("1\nx\n", "labels.txt")
        with pytest.raises(ValueError, match=re.escape(f"{labels}, line 2: ")):
            CSVIter(data_csv=data, data_shape=1, label_csv=labels, batch_size=2).next()

    @pytest.mark.parametrize("count", [3, 5])
    def test_number_of_labels_must_equal_the_number_of_samples(self, write: Callable[..., Path], count: int) -> None:
        data, labels = write(ROWS), write("1\n" * count, "labels.txt")
        with pytest.raises(
            ValueError, match=re.escape(f"{labels} has {count} lines of labels, but {data} has 4 lines")
        ):
            CSVIter(data_csv=data, data_shape=3, label_csv=labels, batch_size=2)

    def test_several_files_are_read_as_one(self, write: Callable[..., Path], tmp_path: Path) -> None:
        files = [write("1\n2\n", "a.csv"), write("", "b.csv"), write("3\nx\n", "c.csv")]
        for source in (files, ";".join(map(str, files)), tmp_path):
            batches = CSVIter(data_csv=source, data_shape=1, batch_size=3)
            assert batches.next().data[0].ravel().tolist() == [1, 2, 3]
            with pytest.raises(ValueError, match=re.escape(f"{files[2]}, line 2: ")):
                batches.next()

    def test_batch_may_extend_over_files(self, write: Callable[..., Path]) -> None:
        files = [write("1\n2", "a.csv"), write("\n", "b.csv"), write("3\n", "c.csv"), write("4\n5\n", "d.csv")]
        batches = CSVIter(data_csv=files, data_shape=1, batch_size=4)
        for _ in range(2):
            assert [rows for rows, *_ in contents(batches)] == [[[1], [2], [3], [4]], [[5], [1], [2], [3]]]
            batches.reset()

    @pytest.mark.parametrize(
        ("field", "value"), [("1_000", 1000), ("\u0661\u0662", 12), ("\xa07\u2003", 7), ("\x1f8\x0b", 8)]
    )
    def test_numbers_that_python_accepts_are_accepted(
        self, write: Callable[..., Path], field: str, value: float
    ) -> None:
        batches = CSVIter(data_csv=write(f"1,2\n{field},3\n\x1c\xa0\n4,5\n"), data_shape=2, batch_size=4)
        for _ in range(2):
            assert contents(batches) == [[[[1, 2], [value, 3], [4, 5], [1, 2]], [0] * 4, 1, [0, 1, 2, 0]]]
            batches.reset()

    def test_rounding_is_that_of_numpy(self, write: Callable[..., Path]) -> None:
        """Above the middle between two floats, but not as double."""
        fields = ["1.00000005960464477539062500001", "7e-46", "3.4028236e38", "0.1", "123456789012345678901234567890"]
        (batch,) = CSVIter(data_csv=write("\n".join(fields)), data_shape=1, batch_size=5)
        with np.errstate(over="ignore"):
            expected = np.array([float(field) for field in fields]).astype(np.float32)
        assert batch.data[0].ravel().tolist() == expected.tolist()

    def test_line_of_a_megabyte_is_read(self, write: Callable[..., Path]) -> None:
        text = f"1,{'0' * (1 << 20)}2\n3,4\n"
        batches = CSVIter(data_csv=write(text), data_shape=2, batch_size=1)
        assert [rows for rows, *_ in contents(batches)] == [[[1, 2]], [[3, 4]]]

    def test_file_is_not_read_at_construction(
        self, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Lines, "_seek", lambda *_: pytest.fail("the file is read"))
        CSVIter(data_csv=write(ROWS), data_shape=3, batch_size=2)

    def test_empty_file_has_no_batches(self, write: Callable[..., Path]) -> None:
        assert list(CSVIter(data_csv=write("\n \n"), data_shape=1, batch_size=3)) == []

    def test_changed_file_is_an_error(self, write: Callable[..., Path]) -> None:
        file = write("1\n2\n")
        batches = CSVIter(data_csv=file, data_shape=1, batch_size=1)
        write("100\n2\n")
        with pytest.raises(ValueError, match=re.escape(f"{file} has changed since it was opened")):
            batches.next()

    def test_copy_continues_at_the_originals_position(self, write: Callable[..., Path]) -> None:
        batches = CSVIter(data_csv=write(ROWS), data_shape=3, batch_size=1)
        batches.next()
        clone = pickle.loads(pickle.dumps(batches))  # noqa: S301 pickled here
        assert contents(clone) == contents(batches) != []

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"batchsize": 3}, TypeError, "unexpected keyword argument 'batchsize'; did you mean 'batch_size'?"),
            ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
            ({"data_shape": (3, 0)}, ValueError, "data_shape must be at least 1, got 0"),
            ({"label_shape": (1.5,)}, TypeError, "label_shape must be an integer, got 1.5"),
            ({"dtype": "float64"}, ValueError, "dtype must be 'float32', 'int32' or 'int64', got 'float64'"),
            ({"dtype": "flat32"}, ValueError, "dtype must be 'float32', 'int32' or 'int64', got 'flat32'"),
            ({"data_csv": ""}, ValueError, "data_csv names no file"),
            ({"data_csv": "absent.csv"}, FileNotFoundError, "absent.csv"),
        ],
    )
    def test_invalid_argument_is_named(
        self, write: Callable[..., Path], settings: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        valid = {"data_csv": write(ROWS), "data_shape": 3, "batch_size": 2}
        with pytest.raises(error, match=re.escape(message)):
            CSVIter(**{**valid, **settings})


class TestLibSVM:
    def test_every_epoch_equals_mxnets_first(self, write: Callable[..., Path]) -> None:
        batches = LibSVMIter(data_libsvm=write(SPARSE), data_shape=(3,), batch_size=3)
        assert batches.provide_data == [("data", (3, 3))]
        assert batches.provide_label == [("softmax_label", (3,))]
        for _ in range(3):
            assert contents(batches) == [
                [DENSE[:3].tolist(), [1, -2, -3], 0, [0, 1, 2]],
                [DENSE[[3, 0, 1]].tolist(), [4, 1, -2], 2, [3, 0, 1]],
            ]
            batches.reset()

    def test_data_is_csr(self, write: Callable[..., Path]) -> None:
        matrix: Any = LibSVMIter(data_libsvm=write(SPARSE), data_shape=(3,), batch_size=4).next().data[0]
        assert isinstance(matrix, sparse.csr_array)
        assert (matrix.dtype, matrix.shape, matrix.nnz) == (np.float32, (4, 3), 6)

    def test_labels_of_a_separate_file_are_csr(self, write: Callable[..., Path]) -> None:
        labels = write("1.0\n-2.0 0:0.125\n-3.0 2:1.2\n4 1:1.0 2:-1.2\n", "labels.txt")
        batches = LibSVMIter(
            data_libsvm=write(SPARSE), data_shape=(3,), label_libsvm=labels, label_shape=(3,), batch_size=4
        )
        assert batches.provide_label == [("softmax_label", (4, 3))]
        batch = batches.next()
        np.testing.assert_array_equal(dense(batch.data[0]), DENSE)
        expected = np.array([[0, 0, 0], [0.125, 0, 0], [0, 0, 1.2], [0, 1, -1.2]], np.float32)
        assert isinstance((batch.label or [])[0], sparse.csr_array)
        np.testing.assert_array_equal(dense((batch.label or [])[0]), expected)

    def test_last_batch_may_be_padded_with_empty_samples(self, write: Callable[..., Path]) -> None:
        batches = LibSVMIter(data_libsvm=write(SPARSE), data_shape=(3,), batch_size=3, round_batch=False)
        assert contents(batches)[1] == [[DENSE[3].tolist(), [0, 0, 0], [0, 0, 0]], [4, 0, 0], 2, [3, 0, 0]]

    @pytest.mark.parametrize("num_parts", [1, 2, 3, 4, 7])
    def test_shards_are_even_and_have_every_line_once(self, write: Callable[..., Path], num_parts: int) -> None:
        file = write("".join(f"{line} {line % 3}:1\n" for line in range(5)))
        shards = [
            [
                indices(batch)[0]
                for batch in LibSVMIter(
                    data_libsvm=file, data_shape=3, batch_size=1, num_parts=num_parts, part_index=index
                )
            ]
            for index in range(num_parts)
        ]
        assert sum(shards, []) == [*range(5)]  # noqa: RUF017 few
        lengths = {len(shard) for shard in shards}
        assert max(lengths) - min(lengths) <= 1

    def test_shard_is_padded_with_its_own_first_samples(self, write: Callable[..., Path]) -> None:
        labels = write("".join(f"0 0:{line}\n" for line in range(4)), "labels.txt")
        (batch,) = LibSVMIter(
            data_libsvm=write(SPARSE),
            data_shape=3,
            label_libsvm=labels,
            label_shape=2,
            batch_size=3,
            num_parts=2,
            part_index=1,
        )
        assert (indices(batch), batch.pad) == ([2, 3, 2], 1)
        np.testing.assert_array_equal(dense(batch.data[0]), DENSE[[2, 3, 2]])
        assert dense((batch.label or [])[0])[:, 0].tolist() == [2, 3, 2]

    def test_shard_begins_in_any_file(self, write: Callable[..., Path]) -> None:
        files = [write("0\n1\n", "a.txt"), write("2 0:1_0\n3\n", "b.txt"), write("4\n5\n6\n", "c.txt")]
        shards = [
            contents(LibSVMIter(data_libsvm=files, data_shape=1, batch_size=3, num_parts=3, part_index=part))
            for part in range(3)
        ]
        assert [[labels for _, labels, *_ in shard] for shard in shards] == [[[0, 1, 0]], [[2, 3, 2]], [[4, 5, 6]]]
        assert shards[1][0][0] == [[10], [0], [10]]

    @pytest.mark.parametrize(
        "line",
        [
            "1 0:5 2:7",
            "1 2:7 0:5",
            "# before\n1 0:5\t2:7 # after",
            "1:0.5 0:5 2:7",
            "1 qid:3 0:5 2:7",
            "\n+1e0  0:+5 2:.7e1\r",
        ],
        ids=["plain", "unsorted", "comments", "a weight", "a query", "forms of numbers"],
    )
    def test_syntax_that_mxnet_accepts_is_accepted(self, write: Callable[..., Path], line: str) -> None:
        (batch,) = LibSVMIter(data_libsvm=write(line + "\n"), data_shape=3, batch_size=1)
        assert contents([batch]) == [[[[5, 0, 7]], [1], 0, [0]]]
        matrix: Any = batch.data[0]
        assert matrix.indices.tolist() == [0, 2]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("1 3:5", "an index must be from 0 to 2, got 3"),
            ("1 0:1 -1:5", "an index must be from 0 to 2, got -1"),
            ("1 99999999999999999999:5", "an index must be from 0 to 2, got 99999999999999999999"),
            ("1 2:5 2:3", "an index is repeated"),
            ("1 0 2", "could not convert string to float: ''"),
            ("1 0:y", "could not convert string to float: 'y'"),
            ("1 a:1", "invalid literal for int() with base 10: 'a'"),
            ("x 0:5", "could not convert string to float: 'x'"),
            ("1,2 0:5", "could not convert string to float: '1,2'"),
        ],
    )
    def test_invalid_line_is_named_and_the_next_batch_follows(
        self, write: Callable[..., Path], line: str, message: str
    ) -> None:
        file = write(f"# labels of two\n1 0:1\n{line}\n3\n")
        batches = LibSVMIter(data_libsvm=file, data_shape=3, batch_size=1)
        batches.next()
        with pytest.raises(ValueError, match=re.escape(f"{file}, line 3: {message}")):
            batches.next()
        assert [indices(batch) for batch in batches] == [[2]]

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            ({"part": 3}, TypeError, "LibSVMIter got an unexpected keyword argument 'part'; did you mean"),
            ({"data_shape": (3, 1)}, ValueError, "data_shape must have one axis, got (3, 1)"),
            ({"label_shape": (3,)}, ValueError, "label_shape must be more than 1 with label_libsvm, else 1, got 3"),
            ({"dtype": "int32"}, ValueError, "dtype must be 'float32', got 'int32'"),
            ({"num_parts": 0}, ValueError, "num_parts must be at least 1, got 0"),
            ({"part_index": 1}, ValueError, "part_index must be from 0 to 0 with num_parts=1, got 1"),
            ({"part_index": -1}, ValueError, "part_index must be from 0 to 0 with num_parts=1, got -1"),
        ],
    )
    def test_invalid_argument_is_named(
        self, write: Callable[..., Path], settings: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        valid = {"data_libsvm": write(SPARSE), "data_shape": 3, "batch_size": 2}
        with pytest.raises(error, match=re.escape(message)):
            LibSVMIter(**{**valid, **settings})

    def test_missing_scipy_is_an_error_with_a_hint(
        self, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "scipy.sparse", None)
        with pytest.raises(ImportError, match=r"pip install 'recio\[scipy\]'"):
            LibSVMIter(data_libsvm=write(SPARSE), data_shape=3, batch_size=2)


def test_label_that_float32_would_change_is_refused(tmp_path: Path) -> None:
    """MXNet rounds it to another class or id without a word."""
    data, label, svm = (tmp_path / name for name in ("data.csv", "label.csv", "a.svm"))
    data.write_text("1\n2\n")
    label.write_text("16777216\n25130987\n")
    csv: dict[str, Any] = {"data_csv": data, "data_shape": (1,), "label_csv": label, "batch_size": 2}
    with pytest.raises(ValueError, match=r"label\.csv, line 2: the label 25130987 is not representable"):
        CSVIter(**csv).next()
    batch = CSVIter(**csv, dtype="int64").next()
    assert batch.label is not None
    assert batch.label[0].tolist() == [16777216, 25130987]
    svm.write_text("25130987 0:1\n")
    with pytest.raises(ValueError, match=r"a\.svm, line 1: the label 25130987 is not .*: it would become 25130988"):
        LibSVMIter(data_libsvm=svm, data_shape=(1,), batch_size=1).next()


@pytest.mark.parametrize("kind", [CSVIter, LibSVMIter])
def test_mxnets_prefetch_settings_are_ignored(write: Callable[..., Path], kind: type[Any]) -> None:
    name = "data_csv" if kind is CSVIter else "data_libsvm"
    settings = {name: write("1\n2\n"), "data_shape": 1, "batch_size": 2}
    assert contents(kind(**settings, prefetch_buffer=1, ctx="cpu")) == contents(kind(**settings))


ORDERS = {
    0: [0, 2, 3, 5, 9, 1, 6, 8],
    1: [6, 9, 7, 2, 4, 1, 5, 3],
    12345: [6, 7, 2, 1, 0, 9, 4, 8],
    -1: [9, 0, 4, 6, 5, 1, 8, 3],
}
"""The first eight of ten images, by seed."""

PIXELS = np.arange(60, dtype=np.uint8).reshape(10, 2, 3)


def test_getters_return_one_array_from_the_first_batch_on(write: Callable[..., Path]) -> None:
    """As in MXNet 1.9.1, tests/python/unittest/test_io.py, test_CSVIter and test_LibSVMIter."""
    batches = CSVIter(data_csv=write(ROWS), data_shape=3, batch_size=2)
    assert isinstance(batches, MXDataIter)
    assert batches.getdata().tolist() == [[1, 2, 3], [2, 3, 4]]
    assert (batches.getlabel().tolist(), batches.getpad()) == ([0, 0], 0)
    for batch in batches:
        assert batches.getdata() is batch.data[0]
    sparse_batches = LibSVMIter(data_libsvm=write(SPARSE), data_shape=3, batch_size=2)
    assert isinstance(sparse_batches, MXDataIter)
    assert sparse_batches.getdata().toarray().tolist() == DENSE[:2].tolist()
    assert sparse_batches.iter_next()
    assert sparse_batches.getlabel().tolist() == [1, -2]


class TestMNIST:
    @pytest.fixture
    def files(self, tmp_path: Path) -> dict[str, Any]:
        """Write ten images of 2 by 3 pixels, labeled by their numbers."""
        image, label = tmp_path / "images", tmp_path / "labels"
        image.write_bytes(struct.pack(">4I", 0x803, *PIXELS.shape) + PIXELS.tobytes())
        label.write_bytes(struct.pack(">2I", 0x801, 10) + bytes(range(10)))
        return {"image": image, "label": label}

    def test_getters_return_one_array(self, files: dict[str, Any]) -> None:
        """As in MXNet 1.9.1, tests/python/unittest/test_io.py, test_MNISTIter."""
        batches = MNISTIter(**files, batch_size=2, seed=10)
        assert isinstance(batches, MXDataIter)
        first = batches.getlabel().tolist()
        assert batches.iter_next()
        assert batches.iter_next()
        batches.reset()
        assert batches.iter_next()
        assert batches.getlabel().tolist() == first
        assert batches.getdata().shape[:2] == (2, 1)

    def test_images_are_divided_by_256_in_file_order(self, files: dict[str, Any]) -> None:
        batches = MNISTIter(**files, batch_size=4, shuffle=False)
        assert repr(batches.provide_data) == "[DataDesc[data,(4, 1, 2, 3),<class 'numpy.float32'>,NCHW]]"
        assert repr(batches.provide_label) == "[DataDesc[softmax_label,(4,),<class 'numpy.float32'>,N]]"
        for _ in range(2):
            epoch = list(batches)
            assert len(epoch) == 2, "the incomplete last batch is dropped"
            for batch, first in zip(epoch, (0, 4), strict=True):
                np.testing.assert_array_equal(batch.data[0], PIXELS[first : first + 4, None] / np.float32(256))
                assert batch.data[0].dtype == np.float32
                assert contents([batch])[0][1:] == [[*range(first, first + 4)], 0, [*range(first, first + 4)]]
            batches.reset()

    @pytest.mark.parametrize("seed", ORDERS)
    def test_order_of_each_epoch_equals_mxnets(self, files: dict[str, Any], seed: int) -> None:
        batches = MNISTIter(**files, batch_size=8, seed=seed)
        for _ in range(2):
            (batch,) = batches
            assert contents([batch])[0][1:] == [ORDERS[seed], 0, ORDERS[seed]]
            np.testing.assert_array_equal(batch.data[0], PIXELS[ORDERS[seed], None] / np.float32(256))
            batches.reset()

    def test_order_of_60000_images_equals_mxnets(self, tmp_path: Path) -> None:
        """With this seed, one random number is rejected."""
        count, image, label = 60_000, tmp_path / "images", tmp_path / "labels"
        image.write_bytes(struct.pack(">4I", 0x803, count, 1, 1) + bytes(count))
        label.write_bytes(struct.pack(">2I", 0x801, count) + bytes(count))
        batch = MNISTIter(image=image, label=label, batch_size=count, seed=3).next()
        order = hashlib.sha256(np.array(indices(batch), ">u2").tobytes())
        assert order.hexdigest() == "22f4cf73a6b8064d1b27458d753d5eec2187944252fdb43b4dc70101670f7091"

    def test_flat_images_are_vectors(self, files: dict[str, Any]) -> None:
        batches = MNISTIter(**files, batch_size=10, shuffle=False, flat=True)
        assert repr(batches.provide_data) == "[DataDesc[data,(10, 6),<class 'numpy.float32'>,NC]]"
        np.testing.assert_array_equal(batches.next().data[0] * 256, PIXELS.reshape(10, 6))

    def test_shards_equal_mxnets_with_global_indices(self, files: dict[str, Any]) -> None:
        batches = MNISTIter(**files, batch_size=1, shuffle=False, num_parts=3, part_index=1)
        assert [labels for _, labels, *_ in contents(batches)] == [[3], [4], [5]]
        shuffled = MNISTIter(**files, batch_size=4, seed=5, num_parts=3, part_index=2)
        assert contents(shuffled)[0][1:] == [[8, 6, 7, 9], 0, [8, 6, 7, 9]]

    def test_files_may_be_compressed(self, files: dict[str, Any]) -> None:
        plain = contents(MNISTIter(**files, batch_size=5))
        for path in files.values():
            path.write_bytes(gzip.compress(path.read_bytes()))
        assert contents(MNISTIter(**files, batch_size=5)) == plain

    def test_batch_larger_than_the_file_is_dropped(self, files: dict[str, Any]) -> None:
        assert list(MNISTIter(**files, batch_size=11)) == []

    @pytest.mark.parametrize(("silent", "records"), [(False, 1), (True, 0)])
    def test_opened_files_are_logged_unless_silent(
        self, files: dict[str, Any], caplog: pytest.LogCaptureFixture, silent: bool, records: int
    ) -> None:
        with caplog.at_level(logging.INFO, "recio"):
            MNISTIter(**files, silent=silent)
        assert [record.getMessage() for record in caplog.records] == [f"{files['image']}: 10 images of 2x3"] * records

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is not an IDX file of uint8 with 3 axes: it begins with "),
            (
                struct.pack(">2I", 0x801, 10) + bytes(10),
                "3 axes: it begins with 00000801",
            ),
            (struct.pack(">4I", 0x803, 2, 2, 2) + bytes(7), "must have 8 values for its shape [2, 2, 2], got 7"),
            (
                struct.pack(">4I", 0x803, *[2**32 - 1] * 3) + bytes(7),
                "values for its shape [4294967295, 4294967295, 4294967295], got 7",
            ),
            (struct.pack(">4I", 0x803, 9, 1, 1) + bytes(9), "has 10 labels, but "),
            (gzip.compress(bytes(100))[:-9], "Compressed file ended"),
            (gzip.compress(bytes(100))[:12] + b"rubbish", ": "),
        ],
        ids=["empty", "labels", "truncated", "huge shape", "too few", "truncated gzip", "damaged gzip"],
    )
    def test_invalid_file_is_named(self, files: dict[str, Any], content: bytes, message: str) -> None:
        files["image"].write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(message)) as caught:
            MNISTIter(**files)
        assert str(files["image"]) in str(caught.value)

    @pytest.mark.parametrize(
        ("settings", "error", "message"),
        [
            (
                {"images": "a"},
                TypeError,
                "unexpected keyword argument 'images'; did you mean 'image'?",
            ),
            ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
            ({"seed": 0.5}, TypeError, "seed must be an integer, got 0.5"),
            ({"dtype": "uint8"}, ValueError, "dtype must be 'float32', got 'uint8'"),
            ({"image": "absent"}, FileNotFoundError, "absent"),
        ],
    )
    def test_invalid_argument_is_named(
        self, files: dict[str, Any], settings: dict[str, Any], error: type[Exception], message: str
    ) -> None:
        with pytest.raises(error, match=re.escape(message)):
            MNISTIter(**{**files, **settings})
