"""`im2rec` with lists, images and record files in a bucket: the same bytes as locally."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from recio.im2rec import main, make_list, pack
from tests.support.processes import becomes_true
from tests.support.records import PHOTOS, noise, png
from tests.support.servers.faults import Delay, Status

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.servers.buckets import Bucket
    from tests.support.servers.messages import Request
    from tests.support.servers.moto import Moto

CLASSES = {"cat": PHOTOS[:3], "dog": PHOTOS[3:5], "dog/small": PHOTOS[5:7]}
OUTPUTS = ["a.classes.txt", "a.idx", "a.lst", "a.rec"]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Make a folder with a subfolder for each class, and a file that is no image."""
    root = tmp_path / "photos"
    for name, files in CLASSES.items():
        (root / name).mkdir(parents=True)
        for file in files:
            shutil.copy(file, root / name / file.name)
    (root / "cat" / "notes.txt").write_text("no image")
    return root


@pytest.fixture
def uploaded(s3: Bucket, photos: Path) -> str:
    """Store the folder; return its URL."""
    for file in photos.rglob("*"):
        if file.is_file():
            s3.put_file(f"photos/{file.relative_to(photos)}", file)
    return s3.url("photos")


def outputs(moto: Moto, s3: Bucket) -> list[str]:
    """Return the keys of what was written."""
    return [key for key in moto.keys(s3.name) if not key.startswith("photos/")]


def test_the_commands_write_the_bytes_of_local_files(
    s3: Bucket, moto: Moto, photos: Path, uploaded: str, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    for prefix, root in ((f"{tmp_path}/out/a", str(photos)), (s3.url("a"), uploaded)):
        assert main(["--list", "--recursive", prefix, root]) == 0
        assert main(["--resize", "64", "--quality", "80", prefix, root]) == 0
    assert outputs(moto, s3) == OUTPUTS
    for key in OUTPUTS:
        assert moto.get(s3.name, key) == (tmp_path / "out" / key).read_bytes(), key


@pytest.mark.parametrize("local", ["prefix", "root"])
def test_images_and_records_may_be_in_different_places(
    s3: Bucket, moto: Moto, photos: Path, uploaded: str, tmp_path: Path, local: str
) -> None:
    make_list(tmp_path / "a", photos, recursive=True)
    expected = pack(tmp_path / "a.lst", photos, pass_through=True)
    prefix, root = (f"{tmp_path}/b", uploaded) if local == "prefix" else (s3.url("b"), str(photos))
    make_list(prefix, root, recursive=True)
    report = pack(f"{prefix}.lst", root, pass_through=True)
    assert (report.records, report.bytes, report.skipped) == (expected.records, expected.bytes, [])
    written = (tmp_path / "b.rec").read_bytes() if local == "prefix" else moto.get(s3.name, "b.rec")
    assert written == expected.rec.read_bytes()


def test_images_that_are_missing_or_damaged_are_skipped(s3: Bucket, moto: Moto, uploaded: str) -> None:
    make_list(s3.url("a"), uploaded, recursive=True)
    s3.put("photos/dog/bad.jpg", b"no image")
    listed = moto.get(s3.name, "a.lst").decode()
    s3.put("a.lst", f"{listed}70\t0\tdog/bad.jpg\n71\t0\tdog/none.jpg\n".encode())
    report = pack(s3.url("a.lst"), uploaded)
    assert report.records == 7
    assert [(line.path, line.index) for line in report.skipped] == [("dog/bad.jpg", 70), ("dog/none.jpg", 71)]
    assert report.skipped[1].reason == "no such file"
    assert len(moto.get(s3.name, "a.skipped.jsonl").splitlines()) == 2


def test_masks(s3: Bucket, moto: Moto) -> None:
    for number in range(3):
        s3.put(f"photos/{number}.png", png(noise(8, 9, seed=number)))
        s3.put(f"masks/{number}.png", png(noise(8, 9, 1, seed=number)))
    s3.put("a.lst", "".join(f"{number}\t0\t{number}.png\n" for number in range(3)).encode())
    report = pack(s3.url("a.lst"), s3.url("photos"), pass_through=True, masks=s3.url("masks"))
    assert (report.records, report.skipped) == (3, [])
    assert {"a.rec", "a.idx", "a_mask.rec", "a_mask.idx"} <= set(moto.keys(s3.name))


class TestFaults:
    def test_that_pass(self, s3: Bucket, moto: Moto, uploaded: str, photos: Path, tmp_path: Path) -> None:
        s3.server.plan = lambda request: Status(503) if request.attempt == 0 else None
        make_list(s3.url("a"), uploaded, recursive=True)
        pack(s3.url("a.lst"), uploaded, pass_through=True)
        assert s3.server.faults.total() > 5
        make_list(tmp_path / "a", photos, recursive=True)
        pack(tmp_path / "a.lst", photos, pass_through=True)
        assert moto.get(s3.name, "a.rec") == (tmp_path / "a.rec").read_bytes()

    def test_that_last_end_the_packing(self, s3: Bucket, moto: Moto, uploaded: str) -> None:
        """A store that is down is not a set of missing images."""
        make_list(s3.url("a"), uploaded, recursive=True)
        before = outputs(moto, s3)
        s3.server.plan = lambda request: Status(503) if ".jpg" in request.path else None
        options = {"max_retries": "1", "timeout": "1"}
        with pytest.raises(OSError, match="503"):
            pack(s3.url("a.lst"), uploaded, storage_options=options)
        assert outputs(moto, s3) == before

    def test_access_denied(self, s3: Bucket, uploaded: str, capsys: pytest.CaptureFixture[str]) -> None:
        s3.server.plan = lambda _: Status(403)
        assert main(["--list", s3.url("a"), uploaded]) != 0
        assert "access denied" in capsys.readouterr().err

    @pytest.mark.parametrize("at", [1, 4, 8])
    def test_a_killed_run_leaves_complete_objects_or_none(self, s3: Bucket, moto: Moto, uploaded: str, at: int) -> None:
        make_list(s3.url("a"), uploaded, recursive=True)
        reached: list[Request] = []

        def plan(request: Request) -> Delay | None:
            reached.append(request)
            return Delay(5) if len(reached) > at else None

        s3.server.plan = plan
        command = [sys.executable, "-m", "recio.im2rec", "--pass-through", s3.url("a"), uploaded]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert becomes_true(lambda: len(reached) > at or process.poll() is not None, within=20)
            process.kill()
            process.communicate()
        assert "a.idx" not in moto.keys(s3.name)


def test_folders_without_images(s3: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", s3.url("a"), s3.url("nothing")]) != 0
    assert "no such folder" in capsys.readouterr().err
