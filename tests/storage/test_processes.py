"""Readers of URLs in other processes: pickled, forked and spawned, as workers of a data loader are."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from recio.datasets import RecordDataset
from tests.support.processes import exit_code, fork
from tests.support.records import digest

from .remote import RemoteFile, open_images, read_local

if TYPE_CHECKING:
    from recio.io import DataBatch
    from recio.recordio import MXIndexedRecordIO
    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket

_reader: MXIndexedRecordIO
"""The reader of a worker."""


def set_reader(reader: MXIndexedRecordIO) -> None:
    """Prepare a worker."""
    global _reader  # noqa: PLW0603 as data loaders do
    _reader = reader


def read(key: int) -> bytes:
    """Read a record in a worker."""
    record = _reader.read_idx(key)
    assert record is not None
    return record


def read_number(dataset: RecordDataset, number: int) -> bytes:
    """Read a sample in a worker."""
    pixels: bytes = dataset[number][0].tobytes()
    return pixels


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers(bucket: Bucket, random_records: RemoteFile, method: str) -> None:
    expected = read_local(random_records.local)
    # The server of forkserver has the environment of the test that started it.
    with random_records.open_indexed(storage_options=bucket.storage_options) as reader:
        assert reader.read_idx(250) == expected[250]
        context = multiprocessing.get_context(method)
        with ProcessPoolExecutor(2, context, set_reader, (reader,)) as pool:
            assert list(pool.map(read, range(0, 300, 10))) == expected[::10]
        assert reader.read_idx(7) == expected[7]


def test_pickles(random_records: RemoteFile) -> None:
    expected = read_local(random_records.local)
    with random_records.open_indexed() as reader:
        reader.read_idx(250)
        with pickle.loads(pickle.dumps(reader)) as clone:  # noqa: S301 written by this test
            assert clone.read_idx(120) == expected[120]


def test_forks_while_requests_are_in_flight(pictures: RemoteFile, local_pictures: RecordFile) -> None:
    """The client of the parent is in use, and its locks are held by a thread that the child does not have."""
    dataset = RecordDataset(pictures.rec)
    expected = [RecordDataset(local_pictures.rec)[number][0].tobytes() for number in range(8)]
    with pictures.open_iter(shuffle=True) as batches:
        batches.next()

        def work() -> None:
            for number in range(8):
                assert read_number(dataset, number) == expected[number]

        children = [fork(work) for _ in range(4)]
        work()
        assert [exit_code(child) for child in children] == [0] * 4
        batches.reset()
        assert digest(batches) == digest(open_second_epoch(local_pictures))


def open_second_epoch(file: RecordFile) -> list[DataBatch]:
    """Return the second epoch of the local file."""
    batches = open_images(file, shuffle=True)
    batches.next()
    batches.reset()
    return list(batches)


def test_threads(random_records: RemoteFile) -> None:
    expected = read_local(random_records.local)
    with random_records.open_indexed() as reader, ThreadPoolExecutor(16) as pool:
        assert list(pool.map(reader.read_idx, range(300))) == expected
