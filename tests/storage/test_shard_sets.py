"""Sets of many record files: manifests, folders, patterns and URLs of folders are one data set."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import RecordError
from recio.datasets import RecordDataset
from recio.files import ShardWriter, split, write_manifest
from recio.image import ImageIter
from recio.io import ImageMaskRecordIter
from recio.recordio import rec2idx
from tests.support.measure import slowness
from tests.support.records import RecordFile, digest, epochs, image_record, noise, png, write_images

from .remote import IMAGES, SIDE, open_images

if TYPE_CHECKING:
    from tests.support.servers.buckets import Bucket

SHARDS = 4


@pytest.fixture(scope="session")
def local_set(local_pictures: RecordFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Split the images into shards, and return their folder."""
    folder = tmp_path_factory.mktemp("set")
    split(local_pictures.rec, SHARDS, folder / "a")
    return folder


@pytest.fixture
def remote_set(bucket: Bucket, local_set: Path) -> str:
    """Store the shards, and return the URL of their folder."""
    return store(bucket, local_set)


def store(bucket: Bucket, folder: Path) -> str:
    for file in sorted(folder.iterdir()):
        bucket.put_file(f"set/{file.name}", file)
    return bucket.url("set/")


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a thousand shards of one tiny image each; return their manifest."""
    folder, image = tmp_path_factory.mktemp("thousand"), png(noise(8, 8))
    with ShardWriter(folder / "t", shard_size=1) as writer:
        for number in range(1000):
            writer.write(image_record(image, number))
    return folder / write_manifest(folder / "t.recset.json", writer.shards).path.name


def batches_of(path: Any, **settings: Any) -> list[str]:  # noqa: ANN401 of many types
    settings = {"shuffle": True, "seed": 1, "path_imgidx": None, **settings}
    iterator = open_images(RecordFile(path, path), **settings)
    return [digest(batches) for batches in epochs(iterator, 2)]


class TestLocal:
    @pytest.mark.parametrize("name", ["a.recset.json", "", "a_*.rec", r"a_\d\.rec", "a_[0-3].rec"])
    def test_every_way_to_name_a_set_is_the_file(self, local_set: Path, local_pictures: RecordFile, name: str) -> None:
        assert batches_of(local_set / name) == batches_of(local_pictures.rec, path_imgidx=local_pictures.idx)

    @pytest.mark.parametrize("name", ["a.recset.json", "", "a_*.rec"])
    def test_data_sets(self, local_set: Path, local_pictures: RecordFile, name: str) -> None:
        samples, expected = RecordDataset(local_set / name), RecordDataset(local_pictures.rec)
        assert len(samples) == len(expected) == IMAGES
        for number in (0, 30, 31, IMAGES - 1):
            assert (samples[number][0] == expected[number][0]).all()
            assert samples[number][1] == expected[number][1]
        assert (samples.labels() == expected.labels()).all()

    def test_image_iter_and_masks(self, local_set: Path, local_pictures: RecordFile, tmp_path: Path) -> None:
        manifest = local_set / "a.recset.json"
        batches = ImageIter(8, (3, SIDE, SIDE), path_imgrec=str(manifest))
        assert sum(8 - batch.pad for batch in batches) == IMAGES
        masks = write_images(tmp_path, [png(noise(SIDE, SIDE, 1, seed)) for seed in range(IMAGES)], "masks")
        split(masks.rec, 3)
        options: dict[str, Any] = {"data_shape": (3, SIDE, SIDE), "batch_size": 8}
        masks_of_set = masks.rec.with_suffix(".recset.json")
        of_set = ImageMaskRecordIter(path_imgrec=manifest, path_maskrec=masks_of_set, **options)
        of_files = ImageMaskRecordIter(path_imgrec=local_pictures.rec, path_maskrec=masks.rec, **options)
        for found, expected in zip(of_set, of_files, strict=True):
            assert (found.label[0] == expected.label[0]).all()

    def test_a_state_fits_another_way_to_name_the_set(self, local_set: Path) -> None:
        def open_set(name: str) -> Any:  # noqa: ANN401
            return open_images(RecordFile(local_set / name, local_set), shuffle=True)

        batches = open_set("a.recset.json")
        batches.next()
        state, expected = batches.state_dict(), batches.next()
        other = open_set("a_*.rec")
        other.load_state_dict(state)
        assert (other.next().data[0] == expected.data[0]).all()

    def test_a_shard_of_another_size_is_named(self, local_set: Path, tmp_path: Path) -> None:
        for file in local_set.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        with (tmp_path / "a_2.rec").open("ab") as shard:
            shard.write(bytes(4))
        with pytest.raises(RecordError, match=r"a_2\.rec: \d+ bytes, but the manifest of its set states \d+: the file"):
            batches_of(tmp_path / "a.recset.json")
        (tmp_path / "a_2.rec").unlink()
        with pytest.raises(FileNotFoundError, match=r"a_2\.rec"):
            RecordDataset(tmp_path / "a.recset.json")

    def test_indexes_of_the_caller_are_refused(self, local_set: Path) -> None:
        with pytest.raises(ValueError, match="the indexes of a manifest, a pattern or a URL of a folder are beside it"):
            batches_of(local_set / "a.recset.json", path_imgidx=local_set / "a_0.idx")
        with pytest.raises(ValueError, match=r"and others without, such as .*a_0\.rec: name all in one way"):
            batches_of([local_set / "a.recset.json", local_set / "a_0.rec"])
        with pytest.raises(ValueError, match="this is no manifest"):
            batches_of(write_other(local_set.parent))

    def test_a_thousand_shards_hold_few_open_files(self, thousand: Path) -> None:
        before = open_files()
        batches = open_images(RecordFile(thousand, thousand), shuffle=True, path_imgidx=None, data_shape=(3, 8, 8))
        seen = sorted(int(i) for batch in batches for i in batch.index)
        assert open_files() - before < 250
        assert seen == list(range(100, 1100))
        samples = RecordDataset(thousand)
        assert [float(samples[number][1]) for number in range(0, 1000, 7)] == list(range(0, 1000, 7))
        assert open_files() - before < 250
        copy = pickle.loads(pickle.dumps(samples))  # noqa: S301
        assert copy[999][1] == 999
        assert open_files() - before < 250

    def test_the_folder_of_the_process_may_change(self, thousand: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(thousand.parent)
        samples = RecordDataset(thousand.name)
        monkeypatch.chdir("/")
        assert [float(samples[number][1]) for number in range(0, 1000, 7)] == list(range(0, 1000, 7))


class TestMoto:
    @pytest.mark.parametrize("name", ["a.recset.json", "", "a_*.rec"])
    def test_every_way_to_name_a_set_is_the_file(
        self, s3: Bucket, local_set: Path, local_pictures: RecordFile, name: str
    ) -> None:
        url = store(s3, local_set)
        assert batches_of(f"{url}{name}") == batches_of(local_pictures.rec, path_imgidx=local_pictures.idx)
        assert len(RecordDataset(f"{url}{name}")) == IMAGES

    def test_a_folder_without_record_files_is_named(self, s3: Bucket, local_set: Path) -> None:
        url = store(s3, local_set)
        for name in ("nothing/", "z*.rec"):
            with pytest.raises(FileNotFoundError, match="no record file there has such a name"):
                batches_of(f"{url}{name}")


class TestRemote:
    def test_opening_a_manifest_reads_it_and_the_indexes_only(self, remote_set: str, bucket: Bucket) -> None:
        path = f"{remote_set}a.recset.json"
        open_images(RecordFile(Path(path), Path(path)), path_imgrec=path, path_imgidx=None, read_ahead=0).close()
        samples = RecordDataset(path)
        opened = {request.target.partition("?")[0].rpartition("/")[2] for request in bucket.server.requests}
        # The first batches are made at once.
        records = {name for name in opened if name.endswith(".rec")}
        assert opened - records == {"a.recset.json", *(f"a_{number}.idx" for number in range(SHARDS))}
        bucket.server.requests.clear()
        assert len(samples) == IMAGES
        assert bucket.server.requests == []
        assert samples[IMAGES - 1][1] == IMAGES - 1
        assert {request.target.rpartition("/")[2].partition("?")[0] for request in bucket.server.requests} == {
            f"a_{SHARDS - 1}.rec"
        }

    def test_the_url_of_a_manifest_may_be_signed(self, bucket: Bucket, local_set: Path) -> None:
        store(bucket, local_set)
        classes = [f"class {number}" for number in range(IMAGES)]
        content = json.loads((local_set / "a.recset.json").read_bytes())
        bucket.put("set/a.recset.json", json.dumps({**content, "classes": classes}).encode())
        samples = RecordDataset(f"{bucket.http_url('set/a.recset.json')}?signature=secret")
        assert len(samples) == IMAGES
        assert samples.classes == classes

    def test_a_shard_of_another_size_is_named(self, remote_set: str, bucket: Bucket, local_set: Path) -> None:
        bucket.put("set/a_2.rec", (local_set / "a_2.rec").read_bytes() + bytes(4))
        with pytest.raises(RecordError, match=r"a_2\.rec: .*\d+ bytes, but the manifest of its set states \d+"):
            batches_of(f"{remote_set}a.recset.json")
        samples = RecordDataset(f"{remote_set}a.recset.json")
        assert samples[0][1] == 0
        with pytest.raises(RecordError, match="but the manifest of its set states"):
            samples[2 * IMAGES // SHARDS]

    def test_checksums_are_read_if_the_manifest_says_so(self, bucket: Bucket, tmp_path: Path) -> None:
        with ShardWriter(tmp_path / "b", checksum=True) as writer:
            for number in range(3):
                writer.write(image_record(png(noise(SIDE, SIDE)), number))
        write_manifest(tmp_path / "b.recset.json", writer.shards)
        for file in tmp_path.iterdir():
            bucket.put_file(f"set/{file.name}", file)
        data = bytearray(writer.shards[0].rec.read_bytes())
        data[-20] ^= 1
        bucket.put("set/b_00000.rec", bytes(data))
        samples = RecordDataset(bucket.url("set/b.recset.json"))
        with pytest.raises(RecordError, match=r"do not match their checksum in b_00000\.rsum"):
            samples[2]

    def test_pickled_paths_stay_those_of_shards(self, remote_set: str, bucket: Bucket) -> None:
        samples = RecordDataset(f"{remote_set}a.recset.json")
        bucket.server.requests.clear()
        copy = pickle.loads(pickle.dumps(samples))  # noqa: S301
        assert {request.target.rpartition(".")[2].partition("?")[0] for request in bucket.server.requests} == {"idx"}
        assert copy[5][1] == 5


class TestThousandShards:
    """Opening reads the manifest and the indexes, many at a time."""

    @pytest.mark.alone
    @pytest.mark.parametrize("kind", ["iterator", "data set"])
    def test_opening_takes_two_seconds_at_most(self, bucket: Bucket, thousand: Path, kind: str) -> None:
        url = f"{store(bucket, thousand.parent)}{thousand.name}"
        bucket.server.delay = 0.02
        begin = time.monotonic()
        if kind == "iterator":
            options = {"path_imgrec": url, "path_imgidx": None, "data_shape": (3, 8, 8), "read_ahead": 0}
            iterator = open_images(RecordFile(thousand, thousand), **options)
            assert len(iterator) == 125
        else:
            assert len(RecordDataset(url)) == 1000
        taken = time.monotonic() - begin
        assert taken < 2 * slowness()


def write_other(folder: Path) -> Path:
    path = folder / "other.recset.json"
    path.write_text(json.dumps({"recset": 1}).replace("recset", "version"))
    return path


def open_files() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


def test_an_index_beside_a_shard_may_be_made_later(local_set: Path, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"a_{number}.rec").write_bytes((local_set / f"a_{number}.rec").read_bytes())
    first = batches_of(tmp_path / "a_*.rec")
    for number in range(2):
        rec2idx(tmp_path / f"a_{number}.rec", tmp_path / f"a_{number}.idx")
    assert batches_of(tmp_path / "a_*.rec") == first
    assert np.isfinite(RecordDataset(tmp_path / "a_*.rec")[0][0]).all()
