"""``im2rec``: the lists and record files of MXNet 1.9.1, error reports, resuming and interruption.

``data/golden/im2rec`` was written by MXNet 1.9.1's ``im2rec.py`` from ``data/photos``, by these
commands (and ``--pack-label`` for ``multi``, whose list has three labels a line)::

    im2rec.py --list --recursive all photos
    im2rec.py --list --recursive --train-ratio 0.75 split photos
    im2rec.py --list --recursive --train-ratio 0.5 --test-ratio 0.25 --chunks 2 chunk photos
    im2rec.py --pass-through all photos
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
import pytest
from PIL import Image

from recio import RecordError
from recio.im2rec import find_lists, make_list, pack
from recio.image import ImageIter
from recio.recordio import MXIndexedRecordIO, unpack
from tests.support.commands import run_im2rec
from tests.support.processes import on_terminal, python, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data"
PHOTOS = DATA / "photos"
ODD = DATA / "odd-images"
GOLDEN = DATA / "golden" / "im2rec"
IM2REC = [sys.executable, "-m", "recio.im2rec"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write_list(path: Path, images: Iterable[str]) -> Path:
    path.write_text("".join(f"{n}\t{n}\t{image}\n" for n, image in enumerate(images)))
    return path


def read_records(path: Path) -> dict[int, bytes]:
    """Return the image bytes of a record file by record id."""
    with MXIndexedRecordIO(path.with_suffix(".idx"), path, "r") as records:
        unpacked = [unpack(records.read_idx(key)) for key in records.keys]
    return {int(header.id): bytes(image) for header, image in unpacked}


def assert_refused(exit_code: int, message: str, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
    assert run_im2rec(*arguments) == exit_code
    assert message in capsys.readouterr().err


class TestLists:
    @pytest.mark.parametrize(
        ("prefix", "options"),
        [
            ("all", []),
            ("split", ["--train-ratio", "0.75"]),
            ("chunk", ["--train-ratio", "0.5", "--test-ratio", "0.25", "--chunks", "2"]),
        ],
    )
    def test_lists_equal_mxnets(self, prefix: str, options: list[str], tmp_path: Path) -> None:
        assert run_im2rec("--list", "--recursive", *options, tmp_path / prefix, PHOTOS) == 0
        expected = {path.name: path.read_bytes() for path in GOLDEN.glob(f"{prefix}*.lst")}
        assert {path.name: path.read_bytes() for path in tmp_path.glob("*.lst")} == expected

    def test_labels_are_folders_sorted_by_name(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for name in ("root/b/1.jpg", "root/C/1.jpg", "root/0.jpg", "root/empty/no.txt"):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        assert run_im2rec("--list", "--recursive", "--no-shuffle", tmp_path / "a", tmp_path / "root") == 0
        assert (tmp_path / "a.lst").read_text() == ("0\t0.000000\t0.jpg\n1\t1.000000\tC/1.jpg\n2\t2.000000\tb/1.jpg\n")
        assert capsys.readouterr().out.splitlines()[:3] == [". 0", "C 1", "b 2"]

    def test_label_of_a_single_folder_is_0(self, tmp_path: Path) -> None:
        listed = make_list(tmp_path / "a", PHOTOS / "cat", shuffle=False)
        assert listed.lists == {tmp_path / "a.lst": 6}
        assert (tmp_path / "a.lst").read_text().splitlines()[5] == "5\t0.000000\t05.jpg"

    @pytest.mark.parametrize("ext", [".BMP", ".bmp", "bmp"])
    def test_extensions_are_case_insensitive(self, ext: str, tmp_path: Path) -> None:
        (tmp_path / "a.bmp").touch()
        (tmp_path / "B.BMP").touch()
        assert sum(make_list(tmp_path / "a", tmp_path, exts=[ext]).lists.values()) == 2

    def test_ratios_that_add_to_1_cover_all_images(self, tmp_path: Path) -> None:
        root = tmp_path / "root"
        root.mkdir()
        for n in range(16):
            (root / f"{n:02}.jpg").touch()
        listed = make_list(tmp_path / "a", root, train_ratio=0.7, test_ratio=0.3)
        assert listed.lists == {tmp_path / "a_test.lst": 4, tmp_path / "a_train.lst": 12}

    def test_names_that_a_line_cannot_hold_are_skipped(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        root = tmp_path / "root"
        root.mkdir()
        for name in (b"a.jpg", b"b\tb.jpg", b" c.jpg", b"d\xff.jpg", b"e.jpg"):
            Path(os.fsdecode(os.fsencode(root) + b"/" + name)).touch()
        assert run_im2rec("--list", "--no-shuffle", tmp_path / "a", root) == 1
        # The other images keep the indices that MXNet assigns.
        assert (tmp_path / "a.lst").read_text() == "1\t0.000000\ta.jpg\n4\t0.000000\te.jpg\n"
        stderr = capsys.readouterr().err
        assert "3 skipped" in stderr
        assert "not UTF-8" in stderr

    def test_link_to_a_parent_folder_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "root" / "cat").mkdir(parents=True)
        (tmp_path / "root" / "cat" / "a.jpg").touch()
        (tmp_path / "root" / "cat" / "loop").symlink_to(tmp_path / "root")
        listed = make_list(tmp_path / "a", tmp_path / "root", recursive=True)
        assert listed.lists == {tmp_path / "a.lst": 1}
        assert listed.skipped == [("cat/loop", "a link to a folder of the root, which is listed by its own name")]

    def test_list_without_images_is_an_error_and_not_written(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "root").mkdir()
        assert_refused(1, "no files that end in", capsys, "--list", tmp_path / "a", tmp_path / "root")
        assert names(tmp_path) == ["root"]

    def test_failed_write_leaves_no_files(self, tmp_path: Path) -> None:
        (tmp_path / "a.lst").mkdir()
        with pytest.raises(IsADirectoryError):
            make_list(tmp_path / "a", PHOTOS / "cat")
        assert names(tmp_path) == ["a.lst"]


class TestPrefix:
    def test_prefix_matches_only_names_of_generated_lists(self, tmp_path: Path) -> None:
        expected = [
            "set.lst",
            "set_0.lst",
            "set_12_train.lst",
            "set_test.lst",
            "set_train.lst",
            "set_val.lst",
        ]
        for name in [*expected, "settings.lst", "set_old.lst", "set.lst.lst", "set_train.txt", "a.lst"]:
            (tmp_path / name).touch()
        assert [path.name for path in find_lists(tmp_path / "set")] == expected

    def test_folder_as_prefix_matches_all_lists_in_it(self, tmp_path: Path) -> None:
        for name in ("b.lst", "a.lst", "c.txt"):
            (tmp_path / name).touch()
        assert [path.name for path in find_lists(tmp_path)] == ["a.lst", "b.lst"]

    def test_prefix_may_have_the_name_of_the_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shutil.copytree(PHOTOS, tmp_path / "p")
        monkeypatch.chdir(tmp_path)
        assert run_im2rec("--list", "--recursive", "p", "p") == 0
        assert run_im2rec("--pass-through", "p", "p") == 0
        assert (tmp_path / "p.idx").exists()
        shutil.copy("p.lst", "p/old.lst")
        assert_refused(2, "both", capsys, "--pass-through", "p", "p")
        assert find_lists("p/") == [tmp_path / "p" / "old.lst"]
        assert find_lists("p.lst") == [tmp_path / "p.lst"]

    def test_list_as_prefix_matches_that_list(self, tmp_path: Path) -> None:
        for name in ("a.lst", "a_0.lst"):
            (tmp_path / name).touch()
        assert find_lists(tmp_path / "a.lst") == [tmp_path / "a.lst"]


class TestPassThrough:
    @pytest.mark.parametrize("num_thread", [1, 2, 3])
    @pytest.mark.parametrize(("name", "options"), [("all", []), ("multi", ["--pack-label"])])
    def test_bytes_equal_mxnets(self, name: str, options: list[str], num_thread: int, tmp_path: Path) -> None:
        shutil.copy(GOLDEN / f"{name}.lst", tmp_path)
        assert run_im2rec("--pass-through", *options, "--num-thread", num_thread, tmp_path / name, PHOTOS) == 0
        digest = hashlib.sha256((tmp_path / f"{name}.rec").read_bytes()).hexdigest()
        assert f"{digest}  {name}.rec" in (GOLDEN / "sha256.txt").read_text().splitlines()
        assert (tmp_path / f"{name}.idx").read_bytes() == (GOLDEN / f"{name}.idx").read_bytes()
        assert names(tmp_path) == [f"{name}.idx", f"{name}.lst", f"{name}.rec"]

    def test_only_the_first_label_is_packed_by_default(self, tmp_path: Path) -> None:
        (tmp_path / "a.lst").write_text("7\t3\t4\tcat/00.jpg\n")
        with pytest.warns(UserWarning, match="only the first of 2 labels is packed; --pack-label"):
            pack(tmp_path / "a.lst", PHOTOS, pass_through=True)
        with MXIndexedRecordIO(tmp_path / "a.idx", tmp_path / "a.rec", "r") as records:
            header, _ = unpack(records.read_idx(7))
        assert (header.flag, header.label) == (0, 3.0)


class TestLabelWarnings:
    """Labels that are valid but hardly meant are warned of once, by the first line; the exit code stays 0."""

    GOOD = "2\t5\t1\t0.1\t0.2\t0.5\t0.6"

    @pytest.mark.parametrize(
        ("options", "labels", "text"),
        [
            ([], GOOD, "only the first of 7 labels is packed; --pack-label"),
            (["--pack-label"], "2\t5\t1\t10\t20\t50\t60", "the box [10.0, 20.0, 50.0, 60.0] has sides that are no"),
            (["--pack-label"], "2\t5\t1\t0.5\t0.5\t0.2\t0.2", "the box [0.5, 0.5, 0.2, 0.2] is skipped, as it"),
        ],
    )
    def test_first_line_of_each_kind_is_named(
        self, options: list[str], labels: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lines = [f"0\t0\tno.jpg\n1\t{self.GOOD if options else 0}\tcat/00.jpg\n"]
        lines += [f"{n}\t{labels}\tcat/0{n}.jpg\n" for n in range(2, 5)]
        (tmp_path / "a.lst").write_text("".join(lines))
        assert run_im2rec("--pass-through", "--skip-bad", *options, tmp_path / "a", PHOTOS) == 0
        stderr = capsys.readouterr().err
        assert f'warning: {tmp_path}/a.lst: line 3: "cat/02.jpg": {text}' in stderr
        assert stderr.count("warning") == 1

    def test_detection_labels_that_are_right_are_not_warned_of(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a.lst").write_text(f"0\t{self.GOOD}\tcat/00.jpg\n")
        assert run_im2rec("--pass-through", "--pack-label", tmp_path / "a", PHOTOS) == 0
        assert capsys.readouterr().err == ""


def as_mxnet(cv2: ModuleType, path: Path, *, color: int, center_crop: bool, resize: int) -> NDArray[np.uint8]:
    """Read an image and transform it as MXNet's im2rec.py does before encoding."""
    image: NDArray[np.uint8] = cv2.imread(str(path), color)
    height, width = image.shape[:2]
    if center_crop:
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        image = image[top : top + side, left : left + side]
        height = width = side
    if resize:
        tall = height > width
        size = (resize, height * resize // width) if tall else (width * resize // height, resize)
        image = cv2.resize(image, size)
    return image


class TestRecoding:
    @pytest.mark.parametrize("color", [1, 0, -1])
    @pytest.mark.parametrize("center_crop", [False, True])
    @pytest.mark.parametrize("resize", [0, 50, 400])
    def test_png_pixels_equal_opencvs(self, color: int, center_crop: bool, resize: int, tmp_path: Path) -> None:
        cv2 = pytest.importorskip("cv2")
        images = ["plain.jpg", "gray.jpg", "exif-rotate6.jpg", "photo.bmp"]
        # OpenCV 4.8 and 4.14 convert a color PNG with a gamma chunk to different grays.
        if color != 0:
            images += ["alpha.png", "palette.png"]
        options: dict[str, Any] = {"color": color, "center_crop": center_crop, "resize": resize}
        lst = write_list(tmp_path / "a.lst", images)
        assert pack(lst, ODD, encoding=".png", **options).skipped == []
        for index, packed in read_records(tmp_path / "a.rec").items():
            name = images[index]
            actual = cv2.imdecode(np.frombuffer(packed, np.uint8), cv2.IMREAD_UNCHANGED)
            expected = as_mxnet(cv2, ODD / name, **options)
            np.testing.assert_array_equal(actual, expected, name)

    @pytest.mark.parametrize("color", [1, 0])
    @pytest.mark.parametrize("center_crop", [False, True])
    @pytest.mark.parametrize(("resize", "quality"), [(0, 95), (120, 95), (90, 30), (400, 100)])
    def test_records_equal_mxnets(
        self, color: int, center_crop: bool, resize: int, quality: int, tmp_path: Path
    ) -> None:
        cv2 = pytest.importorskip("cv2")
        images = [f"{name}/00.jpg" for name in ("cat", "coffee", "space", "texture")]
        options: dict[str, Any] = {"color": color, "center_crop": center_crop, "resize": resize}
        pack(write_list(tmp_path / "a.lst", images), PHOTOS, quality=quality, **options)
        for index, packed in read_records(tmp_path / "a.rec").items():
            expected = as_mxnet(cv2, PHOTOS / images[index], **options)
            jpeg = cv2.imencode(".jpg", expected, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            assert packed == jpeg, images[index]

    def test_default_png_compression_is_level_3(self, tmp_path: Path) -> None:
        lst = write_list(tmp_path / "a.lst", ["photo.bmp"])
        packed = {}
        for quality in (3, 9, 10, 95):
            pack(lst, ODD, encoding=".png", quality=quality)
            packed[quality] = (tmp_path / "a.rec").read_bytes()
        assert packed[3] == packed[10] == packed[95]
        assert packed[9] != packed[3]

    def test_16_bit_png_is_kept_only_at_the_same_size(self, tmp_path: Path) -> None:
        cv2 = pytest.importorskip("cv2")
        lst = write_list(tmp_path / "a.lst", ["gray16.png"])
        pack(lst, ODD, color=-1, encoding=".png")
        packed = np.frombuffer(read_records(tmp_path / "a.rec")[0], np.uint8)
        expected = cv2.imread(str(ODD / "gray16.png"), cv2.IMREAD_UNCHANGED)
        assert expected.dtype == np.uint16
        np.testing.assert_array_equal(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), expected)
        [skipped] = pack(lst, ODD, color=-1, encoding=".png", resize=10).skipped
        assert "16 bits" in skipped.reason

    def test_output_does_not_depend_on_threads(self, tmp_path: Path) -> None:
        shutil.copy(GOLDEN / "all.lst", tmp_path)
        written = set()
        for num_thread in (1, 2, 5):
            pack(tmp_path / "all.lst", PHOTOS, resize=64, num_thread=num_thread)
            written.add((tmp_path / "all.rec").read_bytes())
        assert len(written) == 1


class TestSkipping:
    IMAGES = ("plain.jpg", "garbage.jpg", "empty.jpg", "missing.jpg", "tiny.jpg")

    def test_bad_images_are_skipped_and_reported(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        lst = write_list(tmp_path / "a.lst", self.IMAGES)
        lst.write_text(lst.read_text() + "not a line\n" + "0\t0\tplain.jpg\n")
        assert run_im2rec(tmp_path / "a", ODD) == 1
        rows = [json.loads(line) for line in (tmp_path / "a.skipped.jsonl").read_text().splitlines()]
        assert [(row["line"], row["index"], row["path"]) for row in rows] == [
            (2, 1, "garbage.jpg"),
            (3, 2, "empty.jpg"),
            (4, 3, "missing.jpg"),
            (6, None, None),
            (7, 0, "plain.jpg"),
        ]
        assert rows[1]["reason"] == "the file is empty"
        assert rows[2]["reason"] == "no such file"
        assert rows[4]["reason"] == "duplicate index 0"
        stderr = capsys.readouterr().err
        assert "5 skipped" in stderr
        assert "line 4: missing.jpg: no such file" in stderr
        assert list(read_records(tmp_path / "a.rec")) == [0, 4]

    def test_skip_bad_succeeds(self, tmp_path: Path) -> None:
        write_list(tmp_path / "a.lst", self.IMAGES)
        assert run_im2rec("--skip-bad", tmp_path / "a", ODD) == 0

    def test_old_report_is_removed_after_a_complete_run(self, tmp_path: Path) -> None:
        lst = write_list(tmp_path / "a.lst", self.IMAGES)
        pack(lst, ODD)
        write_list(lst, ["plain.jpg"])
        pack(lst, ODD)
        assert names(tmp_path) == ["a.idx", "a.lst", "a.rec"]

    def test_only_bad_images_is_a_failure_without_record_file(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_list(tmp_path / "a.lst", ["missing.jpg"])
        assert_refused(1, "no image to pack", capsys, "--skip-bad", tmp_path / "a", ODD)
        assert names(tmp_path) == ["a.lst", "a.skipped.jsonl"]

    def test_pipe_is_skipped_without_waiting(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.jpg")
        (tmp_path / "cat.jpg").write_bytes(b"cat")
        lst = write_list(tmp_path / "a.lst", ["pipe.jpg", "cat.jpg"])
        packed = pack(lst, tmp_path, pass_through=True)
        assert [skipped.reason for skipped in packed.skipped] == ["a named pipe, not a regular file"]


class TestRoot:
    @pytest.mark.parametrize("path", ["../secret.jpg", "{}/secret.jpg", "link.jpg", "up/secret.jpg"])
    def test_paths_outside_the_root_are_packed_only_if_allowed(self, path: str, tmp_path: Path) -> None:
        root = tmp_path / "root"
        root.mkdir()
        (tmp_path / "secret.jpg").write_bytes(b"secret")
        (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
        (root / "up").symlink_to(tmp_path)
        write_list(tmp_path / "a.lst", [path.format(tmp_path)])
        assert run_im2rec("--pass-through", tmp_path / "a", root) == 1
        assert not (tmp_path / "a.rec").exists()
        assert "--allow-outside" in (tmp_path / "a.skipped.jsonl").read_text()
        assert run_im2rec("--pass-through", "--allow-outside", tmp_path / "a", root) == 0
        assert read_records(tmp_path / "a.rec") == {0: b"secret"}


class TestPathsInside:
    """Paths of a list that lead into the root, by whatever way, are packed without --allow-outside, as by MXNet."""

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        (tmp_path / "root" / "cat").mkdir(parents=True)
        (tmp_path / "root" / "cat" / "a.jpg").write_bytes(b"a")
        (tmp_path / "link").symlink_to("root")
        return tmp_path / "root"

    @pytest.mark.parametrize(
        "path", ["{}/root/cat/a.jpg", "{}/link/cat/a.jpg", "{}/root/../link/cat/a.jpg", "../root/cat/a.jpg"]
    )
    @pytest.mark.parametrize("given", ["root", "link", "root/cat/..", "."])
    def test_absolute_and_returning_paths_are_packed(
        self, path: str, given: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(root)
        path = path.format(tmp_path)
        write_list(tmp_path / "a.lst", [path])
        folder = given if given == "." else tmp_path / given
        assert run_im2rec("--pass-through", tmp_path / "a", folder) == 0
        assert read_records(tmp_path / "a.rec") == {0: b"a"}

    def test_everything_is_inside_the_root_of_the_file_system(self, root: Path, tmp_path: Path) -> None:
        write_list(tmp_path / "a.lst", [f"{root}/cat/a.jpg", f"{root}/cat/a.jpg"[1:]])
        assert run_im2rec("--pass-through", tmp_path / "a", "/") == 0
        assert read_records(tmp_path / "a.rec") == {0: b"a", 1: b"a"}

    def test_image_iter_reads_absolute_paths(self, tmp_path: Path) -> None:
        write_list(tmp_path / "a.lst", [f"{PHOTOS}/cat/00.jpg", "cat/01.jpg"])
        for folder in (PHOTOS, "/"):
            settings: dict[str, Any] = {"path_imglist": tmp_path / "a.lst", "path_root": folder}
            assert ImageIter(1, (3, 16, 16), **settings).next().index is not None

    def test_missing_absolute_path_is_no_such_file(self, root: Path, tmp_path: Path) -> None:
        lst = write_list(tmp_path / "a.lst", [f"{root}/none.jpg", f"{tmp_path}/none.jpg"])
        reasons = [skipped.reason for skipped in pack(lst, root, pass_through=True).skipped]
        assert reasons[0] == "no such file"
        assert "leaves its root folder" in reasons[1]

    def test_masks_of_absolute_paths_are_found(self, tmp_path: Path) -> None:
        (tmp_path / "masks" / "cat").mkdir(parents=True)
        write_mask(tmp_path / "masks" / "cat" / "00.png", PHOTOS / "cat/00.jpg")
        lst = write_list(tmp_path / "a.lst", [f"{PHOTOS}/cat/00.jpg"])
        assert pack(lst, PHOTOS, pass_through=True, masks=tmp_path / "masks").skipped == []


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--quality", "0"], "quality must be from 1 to 100, got 0"),
            (["--quality", "101"], "quality must be from 1 to 100, got 101"),
            (["--resize", "-1"], "resize must be from 0 to 16384, got -1"),
            (["--num-thread", "0"], "num_thread must be from 1 to 1024, got 0"),
            (["--color", "2"], "--color"),
            (["--encoding", ".gif"], "--encoding"),
            (["--list", "--chunks", "0"], "chunks must be at least 1, got 0"),
            (["--list", "--train-ratio", "1.5"], "train_ratio must be from 0 to 1, got 1.5"),
            (["--list", "--train-ratio", "0.9", "--test-ratio", "0.2"], "more than 1"),
            (["--list", "--classes", "a.lst"], "classes needs recursive"),
            (["--list=maybe"], "--list must be 1, 0, true or false, got 'maybe'"),
            (["--nonsense"], "--nonsense"),
        ],
    )
    def test_invalid_arguments_exit_with_2(
        self, arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write_list(tmp_path / "a.lst", ["plain.jpg"])
        assert_refused(2, message, capsys, *arguments, tmp_path / "a", ODD)
        assert names(tmp_path) == ["a.lst"]

    def test_missing_folder_exits_with_2(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert_refused(2, "ROOT", capsys, tmp_path / "a", tmp_path / "missing")
        assert_refused(2, "PREFIX", capsys, tmp_path / "missing" / "a", ODD)

    @pytest.mark.parametrize("name", ["a", "a.lst"])
    def test_prefix_without_list_exits_with_1(
        self, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert_refused(1, f"no list found: {tmp_path}/a.lst; --list makes one", capsys, tmp_path / name, ODD)

    def test_list_that_is_not_utf_8_exits_with_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "a.lst").write_bytes(b"0\t0\t\xff.jpg\n")
        assert_refused(1, "not UTF-8", capsys, tmp_path / "a", ODD)

    def test_help_of_the_module(self) -> None:
        done = subprocess.run([*IM2REC, "--help"], capture_output=True, text=True, check=True)
        assert "examples:" in done.stdout


Slow: TypeAlias = "Callable[[], AbstractContextManager[subprocess.Popen[str]]]"


@pytest.fixture
def slow(tmp_path: Path, interruptible: None) -> Slow:  # noqa: ARG001 the command is interrupted
    """Return a function that starts a run of several minutes and waits until it writes."""
    shutil.copytree(PHOTOS, tmp_path / "root")
    photos = [f"coffee/{n % 6:02}.jpg" for n in range(20_000)]
    write_list(tmp_path / "a.lst", photos)

    @contextlib.contextmanager
    def start_and_wait() -> Iterator[subprocess.Popen[str]]:
        options = ["--encoding", ".png", "--resize", "500"]
        command = [*IM2REC, *options, str(tmp_path / "a"), str(tmp_path / "root")]
        with start(command, stderr=subprocess.PIPE) as process:
            while not list(tmp_path.glob(".a.rec.*.tmp")):
                assert process.poll() is None
                time.sleep(0.01)
            yield process

    return start_and_wait


class TestInterruption:
    @pytest.mark.parametrize("delay", [0, 0.05, 0.4])
    def test_interrupt_leaves_no_files(self, delay: float, slow: Slow, tmp_path: Path) -> None:
        with slow() as process:
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=30)
        assert process.returncode == 130
        assert "interrupted" in stderr
        assert names(tmp_path) == ["a.lst", "root"]

    def test_kill_leaves_no_files_under_the_final_names(self, slow: Slow, tmp_path: Path) -> None:
        with slow() as process:
            time.sleep(0.1)
            process.kill()
        assert [name for name in names(tmp_path) if not name.startswith(".")] == ["a.lst", "root"]

    def test_existing_files_are_kept(self, slow: Slow, tmp_path: Path) -> None:
        (tmp_path / "a.rec").write_text("old")
        (tmp_path / "a.idx").write_text("old")
        with slow() as process:
            process.send_signal(signal.SIGINT)
        assert (tmp_path / "a.rec").read_text() + (tmp_path / "a.idx").read_text() == "oldold"

    def test_ignored_sigint_does_not_interrupt(self, tmp_path: Path) -> None:
        write_list(tmp_path / "a.lst", ["coffee/00.jpg"] * 100)
        command = [*IM2REC, "--resize", "500", str(tmp_path / "a"), str(PHOTOS)]
        with start(command, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as process:
            while process.poll() is None:
                process.send_signal(signal.SIGINT)
                time.sleep(0.01)
        assert process.returncode == 0
        assert names(tmp_path) == ["a.idx", "a.lst", "a.rec"]

    def test_exception_in_progress_is_raised(self, tmp_path: Path) -> None:
        def progress(done: int, total: int, skipped: int) -> None:
            raise LookupError(f"{done} {total} {skipped}")

        lst = write_list(tmp_path / "a.lst", ["plain.jpg"])
        with pytest.raises(LookupError, match="1 1 0"):
            pack(lst, ODD, progress=progress)
        assert names(tmp_path) == ["a.lst"]


class TestLeftovers:
    def test_leftovers_of_a_killed_run_are_removed_by_the_next(self, slow: Slow, tmp_path: Path) -> None:
        with slow() as process:
            process.kill()
        leftovers = [name for name in names(tmp_path) if name.startswith(".")]
        assert leftovers
        for end in ("idx", "rsum", "skipped.jsonl"):
            (tmp_path / f".a.{end}.123abc.tmp").touch()
        write_list(tmp_path / "a.lst", ["cat/00.jpg", "missing.jpg"])
        assert run_im2rec("--pass-through", tmp_path / "a", tmp_path / "root") == 1
        assert names(tmp_path) == ["a.idx", "a.lst", "a.rec", "a.skipped.jsonl", "root"]

    def test_files_of_a_running_pack_are_not_removed(
        self, slow: Slow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with slow() as process:
            before = names(tmp_path)
            assert_refused(1, "a.rec: another run is writing it", capsys, tmp_path / "a", tmp_path / "root")
            assert names(tmp_path) == before
            process.send_signal(signal.SIGINT)
        assert names(tmp_path) == ["a.lst", "root"]


def write_mask(path: Path, photo: Path) -> None:
    """Write a mask of zeros of the size of a photo."""
    with Image.open(photo) as image:
        Image.new("L", image.size).save(path)


class TestChecksums:
    def test_checksums_do_not_change_other_files(self, tmp_path: Path) -> None:
        shutil.copy(GOLDEN / "all.lst", tmp_path)
        assert run_im2rec("--pass-through", "--checksum", tmp_path / "all", PHOTOS) == 0
        assert names(tmp_path) == ["all.idx", "all.lst", "all.rec", "all.rsum"]
        digest = hashlib.sha256((tmp_path / "all.rec").read_bytes()).hexdigest()
        assert f"{digest}  all.rec" in (GOLDEN / "sha256.txt").read_text().splitlines()
        assert (tmp_path / "all.idx").read_bytes() == (GOLDEN / "all.idx").read_bytes()

    def test_checksums_detect_a_flipped_bit_of_an_image(self, tmp_path: Path) -> None:
        shutil.copy(GOLDEN / "all.lst", tmp_path)
        pack(tmp_path / "all.lst", PHOTOS, pass_through=True, checksum=True)
        data = bytearray((tmp_path / "all.rec").read_bytes())
        data[1000] ^= 1
        (tmp_path / "all.rec").write_bytes(data)
        with pytest.raises(RecordError, match=r"record 0 at byte 0.*all\.rsum"):
            read_records(tmp_path / "all.rec")

    def test_checksums_of_an_earlier_run_are_removed(self, tmp_path: Path) -> None:
        lst = write_list(tmp_path / "a.lst", ["plain.jpg"])
        pack(lst, ODD, checksum=True)
        assert (tmp_path / "a.rsum").exists()
        pack(lst, ODD)
        assert names(tmp_path) == ["a.idx", "a.lst", "a.rec"]

    def test_checksums_are_written_for_masks(self, tmp_path: Path) -> None:
        (tmp_path / "masks").mkdir()
        write_mask(tmp_path / "masks" / "00.png", PHOTOS / "cat/00.jpg")
        lst = write_list(tmp_path / "a.lst", ["00.jpg"])
        pack(lst, PHOTOS / "cat", pass_through=True, checksum=True, masks=tmp_path / "masks")
        ends = ("idx", "rec", "rsum")
        expected = ["a.lst", *(f"a{name}.{end}" for name in ("", "_mask") for end in ends), "masks"]
        assert names(tmp_path) == sorted(expected)


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the inode and modification time of each file; both change when a file is rewritten."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


class TestResuming:
    LISTS: ClassVar[dict[str, list[str]]] = {
        "a_0.lst": ["cat/00.jpg", "missing.jpg", "cat/01.jpg"],
        "a_1.lst": ["cat/02.jpg", "cat/03.jpg"],
        "a_2.lst": ["coffee/00.jpg"],
    }

    @pytest.fixture
    def complete(self, tmp_path: Path) -> dict[str, bytes]:
        """Pack the lists without interruption and return the files by name."""
        for name, images in self.LISTS.items():
            write_list(tmp_path / name, images)
        assert self.run(tmp_path) == 1
        return {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def run(self, folder: Path, *options: str) -> int:
        return run_im2rec("--pass-through", "--checksum", *options, folder / "a", PHOTOS)

    def test_only_missing_files_are_packed(
        self, complete: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "a_1.idx").unlink()
        before = stamps(tmp_path)
        capsys.readouterr()
        assert self.run(tmp_path, "--resume") == 1
        after = stamps(tmp_path)
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed == {"a_1.rec", "a_1.idx", "a_1.rsum"}
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == complete
        captured = capsys.readouterr()
        assert [line.endswith("complete already") for line in captured.out.splitlines()] == [True, False, True]
        assert "line 2: missing.jpg: no such file" in captured.err

    @pytest.mark.parametrize("name", ["a_0.rec", "a_0.idx", "a_0.rsum", "a_0.skipped.jsonl"])
    @pytest.mark.parametrize("damage", ["missing", "truncated"])
    def test_incomplete_files_are_packed_again(
        self, name: str, damage: str, complete: dict[str, bytes], tmp_path: Path
    ) -> None:
        if damage == "missing":
            (tmp_path / name).unlink()
        else:
            (tmp_path / name).write_bytes(complete[name][:-3])
        assert self.run(tmp_path, "--resume") == 1
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == complete

    def test_changed_list_is_packed_again(self, complete: dict[str, bytes], tmp_path: Path) -> None:
        write_list(tmp_path / "a_2.lst", ["cat/05.jpg"])
        assert pack(tmp_path / "a_2.lst", PHOTOS, pass_through=True, resume=True).kept is False
        assert (tmp_path / "a_2.rec").read_bytes() != complete["a_2.rec"]

    def test_resume_after_a_kill_writes_the_bytes_of_an_undisturbed_run(
        self, complete: dict[str, bytes], tmp_path: Path
    ) -> None:
        """The process kills itself while it writes the list after the given number of complete ones."""
        script = """
import os, sys
import recio.im2rec._command as cli

def pack(*arguments, **settings):
    global left
    left -= 1
    if left < 0:
        settings["progress"] = lambda *_: os.kill(os.getpid(), 9)
    return original(*arguments, **settings)

original, cli.pack, left = cli.pack, pack, settings["lists"]
cli.main(settings["arguments"])
"""
        for lists in range(3):
            for path in tmp_path.glob("*.*"):
                if path.suffix != ".lst":
                    path.unlink()
            arguments = ["--pass-through", "--checksum", str(tmp_path / "a"), str(PHOTOS)]
            killed = subprocess.run(python(script, {"lists": lists, "arguments": arguments}), check=False)
            assert killed.returncode == -signal.SIGKILL
            assert len(list(tmp_path.glob("*.idx"))) == lists
            assert list(tmp_path.glob(".*.tmp"))
            assert self.run(tmp_path, "--resume") == 1
            assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == complete

    def test_masks_are_checked_for_completeness(self, tmp_path: Path) -> None:
        (tmp_path / "masks").mkdir()
        write_mask(tmp_path / "masks" / "00.png", PHOTOS / "cat/00.jpg")
        lst = write_list(tmp_path / "a.lst", ["00.jpg"])
        settings: dict[str, Any] = {"pass_through": True, "masks": tmp_path / "masks", "resume": True}
        assert [pack(lst, PHOTOS / "cat", **settings).kept for _ in range(2)] == [False, True]
        (tmp_path / "a_mask.idx").unlink()
        assert pack(lst, PHOTOS / "cat", **settings).kept is False


class TestFullDisk:
    @pytest.mark.parametrize("limit", [0, 100, 50_000, 800_000])
    def test_full_disk_leaves_no_files(self, limit: int, tmp_path: Path) -> None:
        """A limit on the file size simulates the full disk: writing beyond it fails."""
        shutil.copy(GOLDEN / "all.lst", tmp_path)
        command = [*IM2REC, "--pass-through", str(tmp_path / "all"), str(PHOTOS)]
        done = subprocess.run(
            command,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        )
        assert done.returncode == 1
        assert "File too large" in done.stderr
        assert "all.rec" in done.stderr
        assert names(tmp_path) == ["all.lst"]


class TestProgress:
    def test_progress_is_shown_on_a_terminal(self, tmp_path: Path) -> None:
        pytest.importorskip("tqdm")
        write_list(tmp_path / "a.lst", ["plain.jpg", "tiny.jpg"])
        shown = on_terminal(*IM2REC, tmp_path / "a", ODD)
        assert "2/2" in shown
        assert "img/s" in shown

    def test_progress_is_silent_in_a_pipe(self, tmp_path: Path) -> None:
        write_list(tmp_path / "a.lst", ["plain.jpg"])
        command = [*IM2REC, str(tmp_path / "a"), str(ODD)]
        assert subprocess.run(command, check=True, capture_output=True).stderr == b""

    def test_missing_tqdm_is_reported_once(self, tmp_path: Path) -> None:
        for name in ("a.lst", "a_0.lst"):
            write_list(tmp_path / name, ["plain.jpg"])
        program = "import sys; sys.modules['tqdm'] = None; from recio.im2rec import main; sys.exit(main())"
        shown = on_terminal(sys.executable, "-c", program, tmp_path / "a", ODD)
        assert shown.strip() == "for a progress bar: pip install 'recio[cli]'"

    def test_progress_counts_to_the_end(self, tmp_path: Path) -> None:
        calls = []
        lst = write_list(tmp_path / "a.lst", ["plain.jpg", "missing.jpg"])
        pack(lst, ODD, progress=lambda *call: calls.append(call))
        assert calls[-1] == (2, 2, 1)
