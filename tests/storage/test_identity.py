"""An object is read as it was when it was opened: every request has its identity."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from recio import RecordError
from recio.datasets import RecordDataset
from recio.recordio import MXRecordIO
from tests.support.records import numbers, stream
from tests.support.servers.objects import Objects
from tests.support.servers.server import Server

from .remote import IMAGES, RemoteFile, read_local, upload, write_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket

REPLACED = "the object was replaced while it was read"


def requests_for(bucket: Bucket, url: str) -> list[Any]:
    """Return the requests that the server received for an object."""
    return [request for request in bucket.server.requests if request.path == f"/{url.removeprefix('s3://')}"]


def replace(bucket: Bucket, folder: Path) -> None:
    """Replace the images by one fewer."""
    upload(bucket, write_pictures(folder, IMAGES - 1))


class TestRequests:
    def test_the_index_is_fetched_once(self, bucket: Bucket, pictures: RemoteFile) -> None:
        with pictures.open_iter(shuffle=True) as batches:
            assert len(numbers(batches)) == IMAGES
            batches.reset()
            assert len(numbers(batches)) == IMAGES
        size = pictures.local.idx.stat().st_size
        asked = requests_for(bucket, pictures.idx)
        assert len(asked) <= 2
        assert sum(1 for request in asked if request.method == "GET") * size <= 2 * size

    def test_each_record_is_requested_once_an_epoch(self, bucket: Bucket, pictures: RemoteFile) -> None:
        """The records of the next epoch are read ahead too."""
        with pictures.open_iter(shuffle=True) as batches:
            assert len(numbers(stream(batches, 5))) == 5 * IMAGES
        asked = Counter(request.range for request in requests_for(bucket, pictures.rec))
        assert max(asked.values()) <= 10
        size = pictures.local.rec.stat().st_size
        assert 5 * size < bucket.server.sent < 11 * size

    @pytest.mark.parametrize("keys_are_in_order", [True, False])
    def test_a_record_by_key_is_one_request(
        self, bucket: Bucket, pictures: RemoteFile, *, keys_are_in_order: bool
    ) -> None:
        if not keys_are_in_order:
            lines = [f"{119 - key}\t{offset}\n" for key, offset in enumerate(pictures.local.offsets)]
            bucket.put("folder/data.idx", "".join(lines).encode())
        dataset = RecordDataset(pictures.rec)
        with pictures.open_indexed() as reader:
            before = len(bucket.server.requests)
            for key in (50, 100, 110, 20):
                reader.read_idx(key)
                dataset[key]
            assert len(bucket.server.requests) == before + 8

    def test_requests_are_pinned(self, bucket: Bucket, pictures: RemoteFile) -> None:
        with pictures.open_iter(shuffle=True) as batches:
            assert len(numbers(batches)) == IMAGES
        with pictures.open_indexed() as reader:
            reader.read_idx(100)
        asked = requests_for(bucket, pictures.rec)
        opening = [request for request in asked if "if-match" not in request.headers]
        assert len(opening) <= 2, "one for each opening"
        assert len(asked) > len(opening)

    def test_requests_in_flight_are_many_and_bounded(self, bucket: Bucket, pictures: RemoteFile) -> None:
        bucket.server.delay = 0.05
        with pictures.open_iter(shuffle=True) as batches:
            assert len(numbers(batches)) == IMAGES
        assert 16 <= bucket.server.max_in_flight <= 256

    def test_opening_needs_no_request(self, bucket: Bucket, pictures: RemoteFile) -> None:
        """Records after another come in large pieces."""
        assert len(pictures.read_all()) == IMAGES
        assert len(requests_for(bucket, pictures.rec)) < IMAGES / 4


class TestReplaced:
    def test_images(self, bucket: Bucket, pictures: RemoteFile, tmp_path: Path) -> None:
        with pictures.open_iter(shuffle=True, prefetch_buffer=1, read_ahead=8) as batches:
            batches.next()
            replace(bucket, tmp_path)
            with pytest.raises(RecordError, match=REPLACED) as caught:
                list(stream(batches, 2))
        found: Any = caught.value
        assert found.path == pictures.rec
        assert found.record is not None

    def test_records(self, bucket: Bucket, random_records: RemoteFile, local_pictures: RecordFile) -> None:
        expected = read_local(random_records.local)
        with random_records.open_indexed() as reader:
            assert reader.read_idx(299) == expected[299]
            upload(bucket, local_pictures)
            with pytest.raises(RecordError, match=REPLACED):
                reader.read_idx(150)

    def test_the_next_run_reads_the_new_object(self, bucket: Bucket, pictures: RemoteFile, tmp_path: Path) -> None:
        with pictures.open_iter() as batches:
            assert len(numbers(batches)) == IMAGES
        replace(bucket, tmp_path)
        with pictures.open_iter() as batches:
            assert len(numbers(batches)) == IMAGES - 1

    def test_a_state_is_of_the_object(self, bucket: Bucket, pictures: RemoteFile, tmp_path: Path) -> None:
        with pictures.open_iter(shuffle=True) as batches:
            batches.next()
            state = batches.state_dict()
        replace(bucket, tmp_path)
        with pictures.open_iter(shuffle=True) as batches, pytest.raises(ValueError, match="state"):
            batches.load_state_dict(state)

    def test_a_data_set(self, bucket: Bucket, pictures: RemoteFile, tmp_path: Path) -> None:
        dataset = RecordDataset(pictures.rec)
        dataset[0]
        replace(bucket, tmp_path)
        with pytest.raises(RecordError, match=REPLACED):
            dataset[110]

    def test_a_server_without_preconditions(self, local_random: RecordFile, local_pictures: RecordFile) -> None:
        objects = Objects(preconditions=False)
        objects.put_file("/data.rec", local_random.rec)
        with Server(objects) as server, MXRecordIO(f"{server.url}/data.rec", "r") as reader:
            reader.read()
            objects.put_file("/data.rec", local_pictures.rec)
            with pytest.raises(RecordError, match=REPLACED):
                list(reader)
