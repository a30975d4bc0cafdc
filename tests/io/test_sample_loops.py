"""`SampleLoops`: pairs of data and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from recio._loader.sample_loops import SampleLoops
from recio.io import NDArrayIter
from tests.support.records import open_iter, write_tiny

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(("drop_pad", "last"), [(True, [8, 9]), (False, [8, 9, 0, 1])])
def test_pad_is_left_out_or_kept(tmp_path: Path, drop_pad: bool, last: list[int]) -> None:
    loops = SampleLoops(open_iter(write_tiny(tmp_path, 10)), drop_pad=drop_pad)
    for _ in range(2):
        assert [labels.tolist() for _, labels in loops] == [[0, 1, 2, 3], [4, 5, 6, 7], last]


def test_arrays_share_the_memory_of_the_batch() -> None:
    batches = NDArrayIter(np.arange(6.0), np.arange(6.0), batch_size=4)
    loop = iter(SampleLoops(batches, drop_pad=True))
    data, labels = next(loop)
    assert np.shares_memory(data, batches.getdata()[0])
    assert np.shares_memory(labels, batches.getlabel()[0])


def test_a_batch_of_repeats_alone_is_kept(tmp_path: Path) -> None:
    batches = open_iter(write_tiny(tmp_path, 9), num_parts=2, part_index=0)
    assert [labels.tolist() for _, labels in SampleLoops(batches, drop_pad=True)] == [[0, 1, 2, 3], [0, 1, 2, 3]]


def test_specs_are_those_of_the_arrays(tmp_path: Path) -> None:
    batches = open_iter(write_tiny(tmp_path, 10), layout="NHWC")
    assert SampleLoops(batches, drop_pad=True).specs() == [((None, 8, 8, 3), np.uint8), ((None,), np.float32)]
    assert SampleLoops(batches, drop_pad=False).specs() == [((4, 8, 8, 3), np.uint8), ((4,), np.float32)]
