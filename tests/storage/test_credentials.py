"""No credential appears in a message, log, state, repr or pickle, whatever goes wrong."""

from __future__ import annotations

import json
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

import recio
from recio.datasets import RecordDataset
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO
from tests.support.processes import run_python
from tests.support.servers.faults import ErrorPage, OtherObject, Reset, Stall, Status, Truncate, always, for_range_at
from tests.support.servers.objects import Objects
from tests.support.servers.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.records import RecordFile
    from tests.support.servers.buckets import Bucket
    from tests.support.servers.faults import Fault

    from .remote import RemoteFile

SECRET = "s3cr3tW0rd"  # noqa: S105 that is what it is not
"""In every credential of these tests."""
FAULTS = [
    Status(403),
    Status(404),
    Status(503),
    Status(301),
    Reset(),
    Truncate(),
    Stall(-1),
    OtherObject(),
    ErrorPage(),
]
LIMITS = {"timeout": "1", "max_retries": "1"}


@pytest.fixture
def secret(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return options whose values are secret, and set them in the environment too."""
    options = {
        "aws_access_key_id": f"AKIA{SECRET}",
        "aws_secret_access_key": f"{SECRET}/key+=",
        "aws_session_token": f"token{SECRET}==",
    }
    for name, value in options.items():
        monkeypatch.setenv(name.upper(), value)
    return bucket.storage_options | options | LIMITS


def everything(error: BaseException) -> Iterator[str]:
    """Yield all texts of an exception and of those that it comes from."""
    yield "".join(traceback.format_exception(error))
    chain: BaseException | None = error
    while chain is not None:
        yield from (str(chain), repr(chain), repr(chain.args), repr(vars(chain)), repr(pickle.dumps(chain)))
        chain = chain.__cause__ or chain.__context__


def assert_none_in(texts: Iterator[str] | list[str]) -> None:
    for text in texts:
        assert SECRET not in text


def raises(function: Callable[[], object]) -> BaseException:
    """Return what a function raises."""
    with pytest.raises((OSError, ValueError)) as caught:
        function()
    return caught.value


class TestS3:
    @pytest.mark.parametrize("fault", FAULTS, ids=repr)
    def test_errors(self, bucket: Bucket, pictures: RemoteFile, secret: dict[str, str], fault: Fault) -> None:
        with pictures.open_iter(storage_options=secret, shuffle=True) as batches:
            bucket.server.plan = always(fault)
            assert_none_in(everything(raises(lambda: list(batches))))
        # A server that always has another object is one that has it.
        if not isinstance(fault, OtherObject):
            assert_none_in(everything(raises(lambda: MXRecordIO(pictures.rec, "r", storage_options=secret))))
            assert_none_in(everything(raises(lambda: recio.verify(pictures.rec, storage_options=secret))))

    def test_logs_and_lists_of_errors(
        self,
        bucket: Bucket,
        pictures: RemoteFile,
        secret: dict[str, str],
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        log = tmp_path / "errors.jsonl"
        heard: list[Exception] = []
        bucket.server.plan = for_range_at(pictures.local.offsets[77] + 2000, Status(503))
        with pictures.open_iter(
            storage_options=secret, on_error=heard.append, error_log=log, max_errors=None
        ) as batches:
            list(batches)
            assert heard
            assert_none_in([text for error in heard for text in everything(error)])
            assert_none_in([repr(batches.errors), repr(batches)])
        assert_none_in([log.read_text(), caplog.text])

    def test_states_and_reprs(self, pictures: RemoteFile, secret: dict[str, str]) -> None:
        with pictures.open_iter(storage_options=secret) as batches:
            batches.next()
            assert_none_in([repr(batches), str(batches), json.dumps(batches.state_dict()), repr(vars(batches))])
        dataset = RecordDataset(pictures.rec, storage_options=secret)
        assert_none_in([repr(dataset), str(dataset)])
        with pictures.open_indexed(storage_options=secret) as reader:
            assert_none_in([repr(reader), str(reader)])

    def test_pickles_have_none_of_the_environment(self, pictures: RemoteFile, secret: dict[str, str]) -> None:
        del secret
        with pictures.open_indexed() as reader:
            reader.read_idx(0)
            assert_none_in([repr(pickle.dumps(reader))])
        dataset = RecordDataset(pictures.rec)
        dataset[0]
        assert_none_in([repr(pickle.dumps(dataset))])

    @pytest.mark.parametrize("name", ["secret_acess_key", "endpoint", "anon"])
    def test_wrong_options(self, pictures: RemoteFile, name: str) -> None:
        options = {name: SECRET}
        assert_none_in(everything(raises(lambda: recio.verify(pictures.rec, storage_options=options))))

    def test_output_of_a_process(self, bucket: Bucket, pictures: RemoteFile, secret: dict[str, str]) -> None:
        """Including what the native code prints, with every log on."""
        bucket.server.plan = always(Status(403))
        script = """
import faulthandler, logging, os
os.environ["RUST_LOG"] = "trace"
logging.basicConfig(level=logging.DEBUG)
from recio.recordio import MXRecordIO
MXRecordIO(settings["rec"], "r", storage_options=settings["options"])
"""
        done = run_python(script, rec=pictures.rec, options=dict(secret))
        # The script itself is in no traceback: it has the options.
        assert "PermissionError" in done.stderr
        assert_none_in([done.stdout, done.stderr])


class TestUrls:
    @pytest.fixture
    def server(self, local_pictures: RecordFile) -> Iterator[Server]:
        """Start a server of the images."""
        objects = Objects()
        for path in (local_pictures.rec, local_pictures.idx):
            objects.put_file(f"/{path.name}", path)
        with Server(objects) as server:
            yield server

    @pytest.mark.parametrize("fault", FAULTS, ids=repr)
    def test_signed_url(self, server: Server, fault: Fault) -> None:
        url = f"{server.url}/pictures.rec?X-Amz-Signature={SECRET}"
        with MXRecordIO(url, "r", storage_options=LIMITS) as reader:
            assert_none_in([repr(reader)])
            server.plan = always(fault)
            assert_none_in(everything(raises(lambda: list(reader))))
        assert any(SECRET in request.target for request in server.requests)

    @pytest.mark.parametrize("fault", FAULTS, ids=repr)
    def test_password(self, server: Server, fault: Fault) -> None:
        url = server.url.replace("//", f"//user:{SECRET}@")
        server.plan = always(fault)
        error = raises(
            lambda: MXIndexedRecordIO(f"{url}/pictures.idx", f"{url}/pictures.rec", "r", storage_options=LIMITS)
        )
        assert_none_in(everything(error))

    def test_iterator(self, server: Server, local_pictures: RecordFile, tmp_path: Path) -> None:
        url = server.url.replace("//", f"//user:{SECRET}@")
        log = tmp_path / "log.jsonl"
        settings: dict[str, Any] = {"data_shape": (3, 40, 40), "batch_size": 8, "on_error": "skip", "error_log": log}
        server.plan = for_range_at(local_pictures.offsets[77] + 2000, Status(503))
        with ImageRecordIter(
            path_imgrec=f"{url}/pictures.rec", path_imgidx=f"{url}/pictures.idx", storage_options=LIMITS, **settings
        ) as batches:
            batches.next()
            assert_none_in([repr(batches), json.dumps(batches.state_dict())])
            list(batches)
            assert batches.errors
            assert_none_in([repr(batches.errors), log.read_text()])

    def test_token_stays_with_its_server(self, server: Server) -> None:
        """A redirect to another server does not take the token along."""
        with Server(Objects()) as first:
            first.plan = lambda request: (
                Redirect(f"{server.url}/pictures.rec") if request.path.endswith(".rec") else None
            )
            with MXRecordIO(f"{first.url}/a.rec", "r", storage_options={"token": SECRET}) as reader:
                assert reader.read()
            assert all(SECRET in request.headers["authorization"] for request in first.requests)
        assert server.requests
        assert not any("authorization" in request.headers for request in server.requests)


class Redirect:
    """A fault that is none: the server redirects."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, connection: Any, answer: Any) -> None:  # noqa: ANN401
        del answer
        head = f"HTTP/1.1 302 Found\r\nLocation: {self._url}\r\nContent-Length: 0\r\n\r\n"
        connection.write(head.encode())
