"""``im2rec --list``: what is listed and what is not, the names of classes, and flags of older versions."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from recio.im2rec import make_list
from tests.support.commands import run_im2rec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write(root: Path, *names: str) -> Path:
    """Write empty files."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def listed(path: Path) -> list[str]:
    """Return the label and the path of each line of a list, by index."""
    lines = sorted(path.read_text().splitlines(), key=lambda line: int(line.split("\t")[0]))
    return [f"{float(label):.0f} {name}" for _, label, name in (line.split("\t") for line in lines)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write(tmp_path / "root", "2/a.jpg", "10/a.jpg", "10/2.jpg", "10/10.jpg", "b c/a.jpg")


class TestFlags:
    """Flags of the script before MXNet 1.0, whose values argparse converted by ``bool``."""

    EXPECTED = ("0 10/10.jpg", "0 10/2.jpg", "0 10/a.jpg", "1 2/a.jpg", "2 b c/a.jpg")

    @pytest.mark.parametrize(
        "flags",
        [
            "--list --recursive",
            "--list=1 --recursive=1",
            "--list=True --recursive=true",
            "--list True --recursive True",
            "--list 1 --recursive 1 --shuffle 1",
            "--list True --recursive True --pass-through False --center_crop=0",
            "--list=yes --recursive --shuffle --num_thread=4",
        ],
    )
    def test_flags_may_have_values(self, flags: str, root: Path, tmp_path: Path) -> None:
        assert run_im2rec(*flags.split(), tmp_path / "a", root) == 0
        assert listed(tmp_path / "a.lst") == [*self.EXPECTED]

    @pytest.mark.parametrize("flag", ["--no-shuffle", "--shuffle=0", "--shuffle False", "--no_shuffle=1"])
    def test_order_is_that_of_names_without_shuffling(self, flag: str, root: Path, tmp_path: Path) -> None:
        assert run_im2rec("--list", "--recursive", *flag.split(), tmp_path / "a", root) == 0
        assert [line.split("\t")[0] for line in (tmp_path / "a.lst").read_text().splitlines()] == [*"01234"]

    def test_false_flag_has_no_effect(self, root: Path, tmp_path: Path) -> None:
        assert run_im2rec("--list", "--recursive=0", tmp_path / "a", write(root, "x.jpg")) == 0
        assert listed(tmp_path / "a.lst") == ["0 x.jpg"]

    def test_arguments_of_mxnets_program_name_the_options(
        self, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_im2rec(tmp_path / "a.lst", root, tmp_path / "a.rec", "resize=256", "label_width=1") == 2
        assert "key=value is an argument of MXNet's C++ program im2rec" in capsys.readouterr().err

    def test_values_after_the_positions_are_found(self, root: Path, tmp_path: Path) -> None:
        assert run_im2rec(tmp_path / "a", root, "--list", "True", "--recursive", "1") == 0
        assert listed(tmp_path / "a.lst") == [*self.EXPECTED]

    def test_prefix_and_root_may_look_like_values(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write(tmp_path / "1", "x.jpg")
        monkeypatch.chdir(tmp_path)
        assert run_im2rec("--list", "True", "1") == 0
        assert listed(tmp_path / "True.lst") == ["0 x.jpg"]

    def test_test_ratio_has_no_effect_without_train_ratio(
        self, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The command of MXNet's data tutorial; its im2rec.py writes one list then."""
        assert run_im2rec("--list", "--recursive", "--test-ratio=0.2", tmp_path / "a", root) == 0
        assert [path.name for path in tmp_path.glob("*.lst")] == ["a.lst"]
        assert listed(tmp_path / "a.lst") == [*self.EXPECTED]
        assert "warning: test_ratio=0.2 has no effect, as train_ratio is 1" in capsys.readouterr().err
        with pytest.warns(UserWarning, match="pass train_ratio=0.8"):
            make_list(tmp_path / "a", root, recursive=True, test_ratio=0.2)


class TestIgnored:
    """What is no image of the user is ignored with a line, and the exit code is 0."""

    def test_other_extensions_are_counted(self, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        write(root, "2/b.webp", "2/c.webp", "10/d.BMP", "10/e.bmp", "10/f.bmp", "10/README")
        assert run_im2rec("--list", "--recursive", tmp_path / "a", root) == 0
        assert "ignored: 6 other files (3 .bmp, 2 .webp, 1 no extension); --exts" in capsys.readouterr().err

    def test_hidden_folders_and_metadata_are_no_classes(
        self, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(root, ".ipynb_checkpoints/x.jpg", "10/.git/x.jpg", "__MACOSX/10/._a.jpg", "b c/._a.jpg")
        assert run_im2rec("--list", "--recursive", tmp_path / "a", root) == 0
        assert listed(tmp_path / "a.lst") == [*TestFlags.EXPECTED]
        stderr = capsys.readouterr().err
        for line in (".ipynb_checkpoints: a hidden folder", "10/.git: a hidden folder", "__MACOSX: metadata of macOS"):
            assert f"ignored: {line}" in stderr
        assert "1 metadata of macOS (._*)" in stderr

    @pytest.mark.parametrize(
        "name",
        ["@eaDir", "#recycle", "@Recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".AppleDouble"],
    )
    def test_folders_of_the_system_are_no_classes(self, name: str, root: Path, tmp_path: Path) -> None:
        report = make_list(tmp_path / "a", write(root, f"{name}/x.jpg", f"10/{name}/x.jpg"), recursive=True)
        assert [*report.labels] == ["10", "2", "b c"]
        assert [line.split(": ")[0] for line in report.ignored] == sorted([f"10/{name}", name])

    def test_hidden_root_is_listed(self, tmp_path: Path) -> None:
        make_list(tmp_path / "a", write(tmp_path / ".root", "x.jpg"), recursive=True)
        assert listed(tmp_path / "a.lst") == ["0 x.jpg"]

    def test_images_in_subfolders_only_name_recursive(
        self, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run_im2rec("--list", tmp_path / "a", root) == 1
        assert "3 subfolders; --recursive (recursive=True) includes them" in capsys.readouterr().err
        assert make_list(tmp_path / "a", write(root, "x.jpg")).ignored == [
            "3 subfolders; --recursive (recursive=True) includes them"
        ]


class TestClasses:
    def test_names_of_classes_are_written_beside_each_list(self, root: Path, tmp_path: Path) -> None:
        report = make_list(tmp_path / "a", root, recursive=True, train_ratio=0.5, test_ratio=0.2)
        assert report.classes == tmp_path / "a.classes.txt"
        names = {path.name: path.read_text() for path in tmp_path.glob("*.txt")}
        assert names == {f"a{end}.classes.txt": "10\n2\nb c\n" for end in ("", "_train", "_val", "_test")}

    def test_names_of_an_earlier_list_are_removed(self, root: Path, tmp_path: Path) -> None:
        make_list(tmp_path / "a", root, recursive=True)
        assert make_list(tmp_path / "a", root / "2").classes is None
        assert list(tmp_path.glob("*.txt")) == []

    def test_names_have_escapes_for_what_a_line_cannot_hold(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", "a\nb\x1b[31m/x.jpg", "c/x.jpg")
        report = make_list(tmp_path / "a", root, recursive=True)
        assert report.classes is not None
        assert report.classes.read_text() == "a\\nb\\x1b[31m\nc\n"
        assert listed(tmp_path / "a.lst") == ["1 c/x.jpg"]

    def test_folders_that_are_all_numbers_name_natural_sort(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Their labels are those of the text order: ``10`` comes before ``2``."""
        root = write(tmp_path / "root", "2/x.jpg", "10/x.jpg")
        assert run_im2rec("--list", "--recursive", tmp_path / "a", root) == 0
        assert "10 is label 0" in (text := capsys.readouterr().err)
        assert "--natural-sort (natural_sort=True)" in text
        assert run_im2rec("--list", "--recursive", "--natural-sort", tmp_path / "a", root) == 0
        assert "natural" not in capsys.readouterr().err

    def test_folders_that_are_no_classes_are_named(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "c.txt").write_text("other\n")
        with pytest.raises(FileNotFoundError, match=r"no folder with images is in .*c.txt: 10, 2, b c"):
            make_list(tmp_path / "a", root, recursive=True, classes=tmp_path / "c.txt")

    def test_classes_of_another_list_determine_the_labels(
        self, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        make_list(tmp_path / "train", root, recursive=True)
        val = write(tmp_path / "val", "b c/x.jpg", "2/x.jpg", "new/x.jpg")
        options = ("--list", "--recursive", "--classes", tmp_path / "train.classes.txt")
        assert run_im2rec(*options, tmp_path / "val", val) == 1
        assert listed(tmp_path / "val.lst") == ["1 2/x.jpg", "2 b c/x.jpg"]
        assert (tmp_path / "val.classes.txt").read_text() == (tmp_path / "train.classes.txt").read_text()
        assert "new: no class of the file of classes; 1 images" in capsys.readouterr().err

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"2\n10\n2\n", "line 3 repeats the class '2' of line 1"),
            (b"2\n\n10\n", "line 2 is empty"),
            (b"", "line 1 is empty"),
            (b"\xff\n", "not UTF-8"),
        ],
    )
    def test_invalid_files_of_classes_are_refused(self, text: bytes, message: str, root: Path, tmp_path: Path) -> None:
        (tmp_path / "classes").write_bytes(text)
        with pytest.raises(ValueError, match=message):
            make_list(tmp_path / "a", root, recursive=True, classes=tmp_path / "classes")
        assert not list(tmp_path.glob("*.lst"))

    def test_windows_line_ends_and_byte_order_mark_are_read(self, root: Path, tmp_path: Path) -> None:
        (tmp_path / "classes").write_bytes(b"\xef\xbb\xbfb c\r\n2\r\n10\r\n")
        report = make_list(tmp_path / "a", root, recursive=True, classes=tmp_path / "classes")
        assert report.labels == {"b c": 0, "2": 1, "10": 2}

    def test_natural_sort_sorts_numbers_by_value(self, root: Path, tmp_path: Path) -> None:
        assert run_im2rec("--list", "--recursive", "--natural-sort", tmp_path / "a", root) == 0
        assert listed(tmp_path / "a.lst") == ["0 2/a.jpg", "1 10/2.jpg", "1 10/10.jpg", "1 10/a.jpg", "2 b c/a.jpg"]


@pytest.fixture
def removed(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that is removed after the test, however deep it is: pytest removes folders recursively."""
    yield tmp_path / "deep"
    subprocess.run(["rm", "-rf", tmp_path / "deep"], check=True)  # noqa: S607


class TestLinks:
    """Each real folder is listed once."""

    def test_folders_that_link_to_each_other_are_listed_once(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", "a/x.jpg", "b/y.jpg")
        (root / "a" / "to_b").symlink_to(root / "b")
        (root / "b" / "to_a").symlink_to("../a")
        report = make_list(tmp_path / "a", root, recursive=True)
        assert listed(tmp_path / "a.lst") == ["0 a/x.jpg", "1 b/y.jpg"]
        assert [path for path, _ in report.skipped] == ["a/to_b", "b/to_a"]

    def test_folder_outside_is_listed_once_by_its_first_link(self, tmp_path: Path) -> None:
        root, outside = write(tmp_path / "root", "z/z.jpg"), write(tmp_path / "outside", "x.jpg", "deep/y.jpg")
        (outside / "back").symlink_to(outside)
        for name in ("a", "b"):
            (root / name).symlink_to(outside)
        report = make_list(tmp_path / "a", root, recursive=True)
        assert listed(tmp_path / "a.lst") == ["0 a/x.jpg", "1 a/deep/y.jpg", "2 z/z.jpg"]
        assert [path for path, _ in report.skipped] == ["a/back", "b"]

    def test_folder_in_a_hidden_store_is_listed_by_its_link(self, tmp_path: Path) -> None:
        root = write(tmp_path / "root", ".store/cat/x.jpg")
        (root / "cat").symlink_to(".store/cat")
        make_list(tmp_path / "a", root, recursive=True)
        assert listed(tmp_path / "a.lst") == ["0 cat/x.jpg"]

    def test_folders_may_be_a_thousand_levels_deep(self, tmp_path: Path, removed: Path) -> None:
        deep = "/".join("d" * 1200)
        root = write(removed, "x.jpg")
        for levels in range(1200):
            # Path.mkdir and os.makedirs recurse.
            (root / deep[: 2 * levels + 1]).mkdir()
        write(root, f"{deep}/x.jpg")
        make_list(tmp_path / "a", root, recursive=True)
        assert listed(tmp_path / "a.lst") == ["0 x.jpg", f"1 {deep}/x.jpg"]
