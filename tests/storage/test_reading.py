"""Wherever a path is read a URL is, and the records are those of the local file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import recio
from recio.datasets import RecordDataset
from recio.image import ImageIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.records import digest, epochs
from tests.support.servers.objects import Objects
from tests.support.servers.server import Server
from tests.support.servers.web import Web

from .remote import RemoteFile, open_images, read_local, upload

if TYPE_CHECKING:
    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.hugging_face import HuggingFace


@pytest.fixture(params=["s3", "http", "file"])
def stored(request: pytest.FixtureRequest, local_random: RecordFile, bucket: Bucket) -> RemoteFile:
    """Store the records of random bytes somewhere."""
    uploaded = upload(bucket, local_random)
    match request.param:
        case "s3":
            return uploaded
        case "http":
            return RemoteFile(bucket.http_url("folder/data.rec"), bucket.http_url("folder/data.idx"), local_random)
        case _:
            return RemoteFile(local_random.rec.as_uri(), local_random.idx.as_uri(), local_random)


class TestRecords:
    def test_one_after_another(self, stored: RemoteFile) -> None:
        assert stored.read_all() == read_local(stored.local)

    def test_by_key(self, stored: RemoteFile) -> None:
        expected = read_local(stored.local)
        with stored.open_indexed() as reader:
            assert reader.keys == [*range(len(expected))]
            for key in (299, 0, 150, 150, 7):
                assert reader.read_idx(key) == expected[key]

    def test_seek_and_tell(self, stored: RemoteFile) -> None:
        expected = read_local(stored.local)
        with stored.open_indexed() as reader:
            reader.seek(250)
            assert [reader.read(), reader.read()] == expected[250:252]
            position = reader.tell()
            reader.reset()
            assert reader.read() == expected[0]
            assert position == stored.local.offsets[252]


class TestMoto(TestRecords):
    """The same from moto's S3, through a proxy."""

    @pytest.fixture
    def stored(self, local_random: RecordFile, s3: Bucket) -> RemoteFile:
        return upload(s3, local_random)


class TestImages:
    @pytest.mark.parametrize("shuffle", [False, True])
    @pytest.mark.parametrize("has_index", [False, True])
    def test_batches(self, pictures: RemoteFile, local_pictures: RecordFile, shuffle: bool, has_index: bool) -> None:
        settings: dict[str, Any] = {"shuffle": shuffle, "rand_mirror": True, "path_imgidx": None}
        if has_index:
            settings["path_imgidx"] = local_pictures.idx
        local = open_images(local_pictures, **settings)
        if has_index:
            settings["path_imgidx"] = pictures.idx
        with pictures.open_iter(**settings) as remote:
            for expected, found in zip(epochs(local, 3), epochs(remote, 3), strict=True):
                assert digest(found) == digest(expected)

    def test_several_files(self, pictures: RemoteFile, bucket: Bucket, local_pictures: RecordFile) -> None:
        again = upload(bucket, local_pictures, "again")
        local = open_images(local_pictures, path_imgrec=f"{local_pictures.rec};{local_pictures.rec}", shuffle=True)
        with pictures.open_iter(path_imgrec=f"{pictures.rec};{again.rec}", path_imgidx=None, shuffle=True) as remote:
            assert digest(remote) == digest(local)

    def test_resume(self, pictures: RemoteFile) -> None:
        with pictures.open_iter(shuffle=True) as batches:
            for _ in range(5):
                batches.next()
            state = batches.state_dict()
            expected = digest(batches)
        with pictures.open_iter(shuffle=True) as resumed:
            resumed.load_state_dict(state)
            assert digest(resumed) == expected

    def test_image_iter(self, pictures: RemoteFile, local_pictures: RecordFile) -> None:
        settings: dict[str, Any] = {"batch_size": 8, "data_shape": (3, 40, 40)}
        local = ImageIter(path_imgrec=str(local_pictures.rec), path_imgidx=str(local_pictures.idx), **settings)
        remote = ImageIter(path_imgrec=pictures.rec, path_imgidx=pictures.idx, **settings)
        assert digest(remote) == digest(local)

    def test_record_dataset(self, pictures: RemoteFile, local_pictures: RecordFile) -> None:
        local, remote = RecordDataset(local_pictures.rec), RecordDataset(pictures.rec)
        assert len(remote) == len(local)
        for number in (0, 119, 60):
            assert (remote[number][0] == local[number][0]).all()
            assert remote[number][1] == local[number][1]


class TestFiles:
    def test_verify_and_info(self, random_records: RemoteFile) -> None:
        report = recio.verify(random_records.rec, decode=False)
        assert (report.records, report.total) == (300, 0)
        assert recio.info(random_records.rec).records == 300


class TestServers:
    """Servers that differ from S3."""

    def test_hugging_face(self, hub: HuggingFace, local_pictures: RecordFile) -> None:
        hub.put("org/name", "a b/data.rec", local_pictures.rec.read_bytes())
        hub.put("org/name", "a b/data.idx", local_pictures.idx.read_bytes())
        url = "hf://datasets/org/name/a b/data.rec"
        with open_images(local_pictures, path_imgrec=url, path_imgidx=None, shuffle=True) as remote:
            assert digest(remote) == digest(open_images(local_pictures, shuffle=True))

    def test_signed_urls_of_hugging_face_expire(self, hub: HuggingFace, local_random: RecordFile) -> None:
        hub.put("org/name", "data.rec", local_random.rec.read_bytes(), "v1")
        found = []
        with MXRecordIO("hf://datasets/org/name@v1/data.rec", "r") as reader:
            for number, record in enumerate(reader):
                found.append(record)
                if number % 50 == 0:
                    hub.expire()
        assert found == read_local(local_random)

    def test_private_data_set_of_hugging_face(
        self, hub: HuggingFace, local_random: RecordFile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hub.put("org/name", "data.rec", local_random.rec.read_bytes())
        hub.token = "hf_secret"  # noqa: S105 no secret
        with pytest.raises(PermissionError, match="HF_TOKEN"):
            MXRecordIO("hf://datasets/org/name/data.rec", "r")
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        with MXRecordIO("hf://datasets/org/name/data.rec", "r") as reader:
            assert list(reader) == read_local(local_random)
        assert hub.cdn.requests
        assert not any("authorization" in request.headers for request in hub.cdn.requests)

    @pytest.mark.parametrize("etags", [False, True])
    def test_web_server_with_ranges(self, local_random: RecordFile, etags: bool) -> None:
        objects = Objects(etags=etags, preconditions=False)
        objects.put_file("/data.rec", local_random.rec)
        objects.put_file("/data.idx", local_random.idx)
        with Server(objects) as server:
            remote = RemoteFile(f"{server.url}/data.rec", f"{server.url}/data.idx", local_random)
            assert remote.read_all() == read_local(local_random)
            with remote.open_indexed() as reader:
                assert reader.read_idx(200) == read_local(local_random)[200]

    def test_web_server_without_ranges(self, local_random: RecordFile) -> None:
        with Web(local_random.rec.parent) as web:
            url = f"{web.url}/{local_random.rec.name}"
            with pytest.raises(OSError, match="whole files only, no ranges") as caught:
                MXRecordIO(url, "r").read()
            assert url in str(caught.value)
            assert "#" in str(caught.value)

    def test_azure(self, monkeypatch: pytest.MonkeyPatch, local_random: RecordFile) -> None:
        objects = Objects()
        objects.put_file("/account/container/data.rec", local_random.rec)
        with Server(objects) as server:
            monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
            monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "YWNjb3VudC1rZXk=")
            monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", f"{server.url}/account")
            with MXRecordIO("az://container/data.rec", "r") as reader:
                assert list(reader) == read_local(local_random)
            assert all("SharedKey account:" in request.headers["authorization"] for request in server.requests)

    def test_google(self, monkeypatch: pytest.MonkeyPatch, local_random: RecordFile) -> None:
        objects = Objects(authorization="Bearer the-token")
        objects.put_file("/google-bucket/data.rec", local_random.rec)
        with Server(objects) as server:
            monkeypatch.setenv("GOOGLE_BASE_URL", server.url)
            monkeypatch.setenv("GOOGLE_BEARER_TOKEN", "the-token")
            with MXRecordIO("gs://google-bucket/data.rec", "r") as reader:
                assert list(reader) == read_local(local_random)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "text"),
        [
            ({"endpoint_url": "localhost:9000"}, "aws_endpoint_url must be a URL that begins with http"),
            ({"anon": "maybe"}, "aws_skip_signature must be true or false"),
            ({"regoin": "x"}, "unknown storage option"),
        ],
    )
    def test_wrong_values(self, options: dict[str, str], text: str) -> None:
        with pytest.raises(ValueError, match=text):
            MXRecordIO("s3://bucket/a.rec", "r", storage_options=options)

    def test_numbers_and_booleans(self, bucket: Bucket, pictures: RemoteFile) -> None:
        options = {**bucket.storage_options, "timeout": 5, "max_retries": 2, "anon": False}
        assert len(pictures.read_all(storage_options=options)) == 120


class TestMissing:
    def test_object(self, bucket: Bucket) -> None:
        url = bucket.url("nothing.rec")
        with pytest.raises(FileNotFoundError, match="there is no such object") as caught:
            MXRecordIO(url, "r")
        assert url in str(caught.value)
        with pytest.raises(FileNotFoundError, match="nothing"):
            MXIndexedRecordIO(bucket.url("nothing.idx"), url, "r")

    def test_scheme(self) -> None:
        with pytest.raises(ValueError, match=r"recio opens URLs that begin with s3://.*got ftp://") as caught:
            MXRecordIO("ftp://host/data.rec", "r")
        assert "ftp://host/data.rec" in str(caught.value)

    def test_access(self, local_random: RecordFile) -> None:
        objects = Objects(authorization="Bearer another")
        objects.put_file("/data.rec", local_random.rec)
        with Server(objects) as server, pytest.raises(PermissionError, match="access denied"):
            MXRecordIO(f"{server.url}/data.rec", "r")
