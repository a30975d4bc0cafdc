"""`cache_dir`: what is read of objects is kept in local files."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import subprocess
import time
from typing import TYPE_CHECKING, Any

import fsspec
import pytest

from recio.datasets import RecordDataset
from recio.image import ImageIter
from tests.support.processes import becomes_true, python, start
from tests.support.records import digest, epochs, numbers, stream
from tests.support.servers.faults import Status, always, seeded

from .remote import IMAGES, RemoteFile, open_images, upload, write_pictures

if TYPE_CHECKING:
    from pathlib import Path

    from recio.io import ImageRecordIter
    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a folder that does not exist yet."""
    return tmp_path / "cache" / "objects"


def sent_so_far(bucket: Bucket) -> int:
    """Return the bytes that were sent, when no more requests come, also of those for which nobody waits any more."""
    count = -1
    while count != len(bucket.server.requests):
        count = len(bucket.server.requests)
        time.sleep(0.3)
    return bucket.server.sent


def is_local(bucket: Bucket, sent: int) -> bool:
    """Return whether not much more was sent than what opens the files."""
    return bucket.server.sent - sent < 200_000


def size_of(cache: Path) -> int:
    """Return the bytes on the disk."""
    return sum(file.stat().st_blocks * 512 for file in cache.iterdir())


class TestEpochs:
    @pytest.mark.parametrize("shuffle", [False, True])
    def test_later_epochs_are_local(self, bucket: Bucket, pictures: RemoteFile, cache: Path, *, shuffle: bool) -> None:
        with (
            pictures.open_iter(shuffle=shuffle, cache_dir=cache) as remote,
            open_images(pictures.local, shuffle=shuffle) as local,
        ):
            sent = None
            for expected, found in zip(epochs(local, 3), epochs(remote, 3), strict=True):
                assert digest(found) == digest(expected)
                assert sent is None or is_local(bucket, sent)
                sent = sent_so_far(bucket)

    def test_the_next_run_is_local(self, bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
        expected = digest(open_images(pictures.local, shuffle=True))
        for run in range(3):
            sent = sent_so_far(bucket)
            with pictures.open_iter(shuffle=True, cache_dir=cache) as batches:
                assert digest(batches) == expected
            assert run == 0 or is_local(bucket, sent)

    def test_the_server_may_be_gone_after_opening(self, bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
        with pictures.open_iter(cache_dir=cache) as batches:
            expected = digest(batches)
        with pictures.open_iter(cache_dir=cache) as batches:
            bucket.server.plan = always(Status(403))
            assert digest(batches) == expected

    def test_faults(self, bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
        bucket.server.plan = seeded(1, 0.4, attempts=2)
        with pictures.open_iter(shuffle=True, cache_dir=cache) as remote:
            assert digest(remote) == digest(open_images(pictures.local, shuffle=True))
        assert bucket.server.faults.total() > 10

    def test_a_replaced_object_is_another(
        self, bucket: Bucket, pictures: RemoteFile, cache: Path, tmp_path: Path
    ) -> None:
        with pictures.open_iter(cache_dir=cache) as batches:
            assert len(numbers(batches)) == IMAGES
        fewer = write_pictures(tmp_path, IMAGES - 5)
        upload(bucket, fewer)
        with pictures.open_iter(cache_dir=cache, shuffle=True) as batches:
            assert digest(batches) == digest(open_images(fewer, shuffle=True))

    def test_states(self, pictures: RemoteFile, cache: Path) -> None:
        """A state is one of the object, with a cache or without."""
        with pictures.open_iter(shuffle=True, cache_dir=cache) as batches:
            batches.next()
            state = json.loads(json.dumps(batches.state_dict()))
            expected = digest(batches)
        with pictures.open_iter(shuffle=True) as batches:
            batches.load_state_dict(state)
            assert digest(batches) == expected


class TestOthers:
    def test_data_set(self, bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
        for run in range(2):
            sent = sent_so_far(bucket)
            dataset = RecordDataset(pictures.rec, cache_dir=cache)
            local = RecordDataset(pictures.local.rec)
            assert all((dataset[number][0] == local[number][0]).all() for number in range(IMAGES))
            assert run == 0 or is_local(bucket, sent)

    def test_image_iter(self, bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
        settings: dict[str, Any] = {"batch_size": 8, "data_shape": (3, 40, 40), "cache_dir": cache}
        for run in range(2):
            sent = sent_so_far(bucket)
            images = ImageIter(path_imgrec=pictures.rec, path_imgidx=pictures.idx, **settings)
            assert len(list(images)) == IMAGES // 8
            assert run == 0 or is_local(bucket, sent)

    def test_file_system(self, local_pictures: RecordFile, cache: Path) -> None:
        memory = fsspec.filesystem("memory")
        for path in (local_pictures.rec, local_pictures.idx):
            memory.pipe_file(f"/cached/{path.name}", path.read_bytes())
        reads: list[str] = []

        class Counting(type(memory)):  # type: ignore[misc] # it is a class of fsspec
            cachable = False

            def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:  # noqa: ANN401
                reads.append(path)
                content: bytes = memory.cat_file(path, start=start, end=end)
                return content

        paths = {"path_imgrec": "/cached/pictures.rec", "path_imgidx": "/cached/pictures.idx"}
        expected = digest(open_images(local_pictures))
        for run in range(2):
            reads.clear()
            with open_images(local_pictures, **paths, filesystem=Counting(), cache_dir=cache) as batches:
                assert digest(batches) == expected
            assert run == 0 or not reads

    def test_local_files_are_not_cached(self, local_pictures: RecordFile, cache: Path) -> None:
        with open_images(local_pictures, cache_dir=cache) as batches:
            assert len(numbers(batches)) == IMAGES
        assert not cache.exists()

    def test_pickles_keep_the_cache(self, bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
        dataset = RecordDataset(pictures.rec, cache_dir=cache)
        expected = [dataset[number][0] for number in range(IMAGES)]
        sent = sent_so_far(bucket)
        clone = pickle.loads(pickle.dumps(dataset))  # noqa: S301 written by this test
        assert all((clone[number][0] == expected[number]).all() for number in range(IMAGES))
        assert is_local(bucket, sent)

    def test_wrong_values(self, pictures: RemoteFile, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="cache_bytes must be at least 0, got -1"):
            pictures.open_iter(cache_dir=tmp_path, cache_bytes=-1)
        with pytest.raises(ValueError, match="cache_dir must be a local path, got s3://bucket/cache"):
            pictures.open_iter(cache_dir="s3://bucket/cache")
        with pytest.raises(ValueError, match="error_log must be a local path, got s3://bucket/log"):
            pictures.open_iter(on_error="skip", error_log="s3://bucket/log")
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(OSError, match=r"File exists.*/file'"):
            pictures.open_iter(cache_dir=tmp_path / "file")


class TestBounds:
    def test_the_cache_is_bounded(self, pictures: RemoteFile, cache: Path) -> None:
        expected = digest(open_images(pictures.local, shuffle=True))
        limit = 200_000
        for _ in range(2):
            with pictures.open_iter(shuffle=True, cache_dir=cache, cache_bytes=limit) as batches:
                assert digest(batches) == expected
        assert limit / 2 < size_of(cache) < 1.2 * limit

    def test_what_is_not_used_is_removed(
        self, bucket: Bucket, pictures: RemoteFile, cache: Path, tmp_path: Path
    ) -> None:
        limit = int(1.5 * pictures.local.rec.stat().st_size)
        other = upload(bucket, write_pictures(tmp_path), "other")
        for file in (pictures, other, other):
            sent = sent_so_far(bucket)
            with file.open_iter(cache_dir=cache, cache_bytes=limit) as batches:
                assert len(numbers(batches)) == IMAGES
        assert is_local(bucket, sent)
        assert size_of(cache) < 1.1 * limit

    def test_no_room(self, pictures: RemoteFile, cache: Path) -> None:
        with pictures.open_iter(cache_dir=cache, cache_bytes=0) as batches:
            assert len(numbers(batches)) == IMAGES
        assert size_of(cache) < 20_000


def read_all(file: RemoteFile, cache: Path, expected: str) -> None:
    """Read an epoch in a process of its own."""
    with file.open_iter(shuffle=True, cache_dir=cache) as batches:
        assert digest(batches) == expected


class TestProcesses:
    def test_processes_share_a_cache(
        self, bucket: Bucket, pictures: RemoteFile, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, value in bucket.environment.items():
            monkeypatch.setenv(name, value)
        expected = digest(open_images(pictures.local, shuffle=True))
        context = multiprocessing.get_context("spawn")
        processes = [context.Process(target=read_all, args=(pictures, cache, expected)) for _ in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0, 0]
        sent = sent_so_far(bucket)
        read_all(pictures, cache, expected)
        assert is_local(bucket, sent)

    @pytest.mark.parametrize("requests", [8, 30, 60])
    def test_a_killed_process_leaves_a_sound_cache(
        self, bucket: Bucket, pictures: RemoteFile, cache: Path, requests: int
    ) -> None:
        expected = digest(open_images(pictures.local, shuffle=True))
        script = """
from recio.io import ImageRecordIter
for batch in ImageRecordIter(path_imgrec=settings["rec"], path_imgidx=settings["idx"], data_shape=(3, 40, 40),
                             batch_size=8, shuffle=True, cache_dir=settings["cache"]):
    pass
"""
        bucket.server.delay = 0.01
        command = python(script, {"rec": pictures.rec, "idx": pictures.idx, "cache": str(cache)})
        with start(command, stderr=subprocess.PIPE) as process:
            assert becomes_true(lambda: len(bucket.server.requests) > requests or process.poll() is not None, within=20)
            process.kill()
        bucket.server.delay = 0
        for _ in range(2):
            sent = sent_so_far(bucket)
            read_all(pictures, cache, expected)
        assert is_local(bucket, sent)


def test_a_damaged_cache_is_read_again(bucket: Bucket, pictures: RemoteFile, cache: Path) -> None:
    def read() -> str:
        batches: ImageRecordIter
        with pictures.open_iter(shuffle=True, cache_dir=cache) as batches:
            return digest(stream(batches, 1))

    expected = read()
    for data in cache.glob("*.data"):
        content = bytearray(data.read_bytes())
        content[100::5000] = bytes(len(content[100::5000]))
        data.write_bytes(content)
    assert read() == expected
    for log in cache.glob("*.log"):
        log.write_bytes(log.read_bytes()[:-7])
    sent = sent_so_far(bucket)
    assert read() == expected
    assert is_local(bucket, sent)
