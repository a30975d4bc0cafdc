"""`DataDesc`, `DataBatch` and `DataIter`: the base of all iterators, and custom iterators."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio.io import DataBatch, DataDesc, DataIter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray


class TestDataDesc:
    def test_desc_is_a_pair_of_name_and_shape(self) -> None:
        name, shape = description = DataDesc("data", [4, 3, 8, 8])
        assert (name, shape) == ("data", (4, 3, 8, 8))
        assert len(description) == 2
        assert description == ("data", (4, 3, 8, 8))

    def test_dtype_and_layout_have_mxnets_defaults(self) -> None:
        description = DataDesc("data", (4, 3, 8, 8))
        assert (description.dtype, description.layout) == (np.float32, "NCHW")
        assert repr(description) == "DataDesc[data,(4, 3, 8, 8),<class 'numpy.float32'>,NCHW]"

    def test_dtype_and_layout_are_not_part_of_equality_and_hash(self) -> None:
        first, second = DataDesc("data", (4,), np.uint8, "N"), DataDesc("data", (4,))
        assert first == second
        assert hash(first) == hash(second)

    @pytest.mark.parametrize(
        "duplicate",
        [copy.copy, copy.deepcopy, lambda description: pickle.loads(pickle.dumps(description))],  # noqa: S301
    )
    def test_copies_keep_dtype_and_layout(self, duplicate: Callable[[DataDesc], DataDesc]) -> None:
        clone = duplicate(DataDesc("data", (4, 8), np.uint8, "NC"))
        assert (clone.name, clone.shape, clone.dtype, clone.layout) == ("data", (4, 8), np.uint8, "NC")

    @pytest.mark.parametrize(("layout", "axis"), [("NCHW", 0), ("TNC", 1), ("CHW", -1), (None, 0)])
    def test_batch_axis_is_that_of_n(self, layout: str | None, axis: int) -> None:
        assert DataDesc.get_batch_axis(layout) == axis

    def test_get_list_matches_dtypes_by_name(self) -> None:
        shapes = [("data", (4, 3)), ("mask", (4, 1))]
        described = DataDesc.get_list(shapes, [("mask", np.uint8), ("data", np.float16)])
        assert described == shapes
        assert [description.dtype for description in described] == [np.float16, np.uint8]
        assert [description.dtype for description in DataDesc.get_list(shapes, None)] == [np.float32] * 2


class TestDataBatch:
    def test_missing_arguments_are_none(self) -> None:
        batch = DataBatch([np.zeros((2, 3))])
        assert (batch.label, batch.pad, batch.index, batch.bucket_key) == (None, None, None, None)
        assert (batch.provide_data, batch.provide_label) == (None, None)

    def test_repr_has_the_shapes(self) -> None:
        data, label = [np.zeros((2, 3))], [np.zeros(2)]
        assert str(DataBatch(data)) == "DataBatch: data shapes: [(2, 3)] label shapes: None"
        assert str(DataBatch(data, label)) == "DataBatch: data shapes: [(2, 3)] label shapes: [(2,)]"

    def test_array_instead_of_a_list_is_refused(self) -> None:
        bare: Any = np.zeros((2, 3))
        with pytest.raises(TypeError, match="data must be a list of arrays, got ndarray"):
            DataBatch(bare)
        with pytest.raises(TypeError, match="label must be a list of arrays, got ndarray"):
            DataBatch([bare], bare)


class SimpleIter(DataIter):
    """Iterator of MXNet's tutorial: arrays from a generator, a fixed number of batches per epoch."""

    def __init__(
        self,
        data: Sequence[tuple[str, tuple[int, ...]]],
        label: Sequence[tuple[str, tuple[int, ...]]],
        make: Callable[[tuple[int, ...]], NDArray[Any]],
        num_batches: int = 10,
    ) -> None:
        self.provide_data = [DataDesc(*pair) for pair in data]
        self.provide_label = [DataDesc(*pair) for pair in label]
        self.make = make
        self.num_batches = num_batches
        self.cur_batch = 0

    def reset(self) -> None:
        self.cur_batch = 0

    def next(self) -> DataBatch:
        if self.cur_batch >= self.num_batches:
            raise StopIteration
        self.cur_batch += 1
        return DataBatch(
            [self.make(data.shape) for data in self.provide_data],
            [self.make(label.shape) for label in self.provide_label],
        )


class Countdown(DataIter):
    """Iterator with the other half of the interface: `iter_next` and the getters."""

    def __init__(self, start: int) -> None:
        super().__init__(batch_size=1)
        self.start = self.remaining = start + 1

    def reset(self) -> None:
        self.remaining = self.start

    def iter_next(self) -> bool:
        self.remaining -= 1
        return self.remaining > 0

    def getdata(self) -> list[NDArray[Any]]:
        return [np.array([self.remaining])]

    def getlabel(self) -> list[NDArray[Any]]:
        return [np.array([-self.remaining])]

    def getpad(self) -> int:
        return 0


class OnlyDunderNext(DataIter):
    """Iterator with ``__next__`` only."""

    remaining = 3

    def __next__(self) -> DataBatch:
        self.remaining -= 1
        if not self.remaining:
            raise StopIteration
        return DataBatch([np.array(self.remaining)])


class DunderNextOfTheBase(Countdown):
    """Iterator whose ``__next__`` calls that of the base."""

    def __init__(self) -> None:
        super().__init__(2)

    def __next__(self) -> DataBatch:
        return super().__next__()


class DunderNextByNext(DunderNextOfTheBase):
    """Iterator whose ``__next__`` calls `next` of the base."""

    def __next__(self) -> DataBatch:
        return self.next()


class NextUnderBothNames(DunderNextOfTheBase):
    """Iterator with the method names of Python 2 and 3."""

    def next(self) -> DataBatch:
        return super().next()

    __next__ = next  # noqa: A003 intended


class TestDataIter:
    def test_tutorials_iterator_yields_its_batches_each_epoch(self) -> None:
        batches = SimpleIter([("data", (4, 3))], [("softmax_label", (4,))], np.ones, num_batches=3)
        for _ in range(2):
            shapes = [(batch.data[0].shape, batch.label and batch.label[0].shape) for batch in batches]
            assert shapes == [((4, 3), (4,))] * 3
            batches.reset()

    def test_iter_next_and_getters_are_sufficient(self) -> None:
        batches = Countdown(3)
        for _ in range(2):
            fields: list[Any] = [(batch.data, batch.label, batch.pad, batch.index) for batch in batches]
            assert fields == [([n], [-n], 0, None) for n in (3, 2, 1)]
            batches.reset()

    def test_iterating_does_not_reset(self) -> None:
        batches = Countdown(3)
        next(batches)
        assert iter(batches) is batches
        assert len(list(batches)) == 2

    def test_next_raises_stop_iteration_at_the_end(self) -> None:
        batches = Countdown(1)
        batches.next()
        with pytest.raises(StopIteration):
            batches.next()

    def test_missing_methods_raise_not_implemented_error(self) -> None:
        with pytest.raises(NotImplementedError, match="DataIter has neither next nor iter_next"):
            DataIter(batch_size=4).next()

    @pytest.mark.parametrize("kind", [OnlyDunderNext, DunderNextOfTheBase, DunderNextByNext, NextUnderBothNames])
    def test_either_of_next_and_dunder_next_is_sufficient(self, kind: type[Any]) -> None:
        for advance in (kind.next, kind.__next__):
            batches = kind()
            assert [advance(batches).data[0] for _ in range(2)] == [2, 1]
            with pytest.raises(StopIteration):
                advance(batches)

    def test_dunder_next_that_only_calls_its_base_raises_not_implemented_error(self) -> None:
        class Nowhere(DataIter):
            def __next__(self) -> DataBatch:
                return super().__next__()

        with pytest.raises(NotImplementedError, match="Nowhere has neither next nor iter_next"):
            Nowhere().next()
