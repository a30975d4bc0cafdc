"""Folders of images: what is written, and trees of other programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.convert import convert, rows
from recio.datasets import RecordDataset
from recio.im2rec import make_list, pack
from tests.support.records import PHOTOS

from .sets import IMAGES, SETS, labeled, same, tree, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def image_folder(root: Path, names: Sequence[str]) -> Path:
    """Write a tree of images."""
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(IMAGES[number % len(IMAGES)])
    return root


def test_folders_have_the_names_of_the_classes(tmp_path: Path) -> None:
    file = write(tmp_path, "a", labeled([1, 0, 2]))
    convert(file.rec, tmp_path / "a", classes=["cat", "dog", "mouse"])
    assert tree(tmp_path / "a") == [
        "cat/000000001.jpg",
        "dog/000000000.jpg",
        "images.classes.txt",
        "images.lst",
        "mouse/000000002.jpg",
    ]
    assert (tmp_path / "a" / "images.lst").read_text() == (
        "0\t1.0\tdog/000000000.jpg\n1\t0.0\tcat/000000001.jpg\n2\t2.0\tmouse/000000002.jpg\n"
    )
    assert (tmp_path / "a" / "dog" / "000000000.jpg").read_bytes() == IMAGES[0]


def test_im2rec_packs_the_folder_again(tmp_path: Path) -> None:
    for name in ("of im2rec", "with several labels", "with labels of float32"):
        file = write(tmp_path, "a", SETS[name])
        folder = tmp_path / name
        convert(file.rec, folder)
        pack(folder / "images.lst", folder, pass_through=True, pack_label=True)
        assert same(file, folder / "images.rec")


@pytest.mark.parametrize(
    "classes",
    [
        ["dog", "cat"],
        ["../../up", "x"],
        ["/abs", "x"],
        [".", "x"],
        ["..", "x"],
        ["", "x"],
        ["a/b", "x"],
        ["a\\b", "x"],
        [".hidden", "x"],
        ["images.lst", "x"],
        ["a\tb", "x"],
        [" a", "x"],
        ["a", "a"],
        ["A", "a"],
        ["a" * 256, "x"],
        ["a\nb", "x"],
        ["\x1b[2J", "x"],
        ["__MACOSX", "x"],
        ["a\0", "x"],
        ["\udcff", "\udcfff"],
    ],
)
def test_names_that_are_no_folders_in_order_are_numbers(tmp_path: Path, classes: list[str]) -> None:
    """A name leads nowhere else, and ImageFolder, which sorts the names, finds the labels."""
    file = write(tmp_path, "a", labeled([1, 0]))
    (tmp_path / "in").mkdir()
    convert(file.rec, tmp_path / "in" / "a", classes=classes)
    assert {path.name for path in (tmp_path / "in" / "a").iterdir() if path.is_dir()} == {"0", "1"}
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a"]


def test_numbers_have_zeros_in_front(tmp_path: Path) -> None:
    """So they sort as the labels do."""
    convert(write(tmp_path, "a", labeled([0, 9, 10, 100])).rec, tmp_path / "a")
    assert sorted(path.name for path in (tmp_path / "a").iterdir() if path.is_dir()) == ["000", "009", "010", "100"]


def test_other_labels_have_one_folder(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", SETS["with several labels"]).rec, tmp_path / "a")
    assert [path.name for path in (tmp_path / "a").iterdir() if path.is_dir()] == ["images"]


def test_file_of_what_is_not_usual_exists_only_if_needed(tmp_path: Path) -> None:
    for name, exists in (("of im2rec", False), ("with new keys", True), ("with unusual headers", True)):
        convert(write(tmp_path, "a", SETS[name]).rec, tmp_path / name)
        assert (tmp_path / name / "images.jsonl").exists() == exists


def test_tree_has_labels_as_im2rec_lists_them(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["b/1.jpg", "b/2.JPEG", "a/1.png", "c/d/1.jpg"])
    (root / "b" / "note.txt").write_text("no image")
    report = convert(root, tmp_path / "a.rec")
    assert (report.records, report.classes) == (4, 3)
    make_list(tmp_path / "b", root, recursive=True, shuffle=False)
    pack(tmp_path / "b.lst", root, pass_through=True)
    assert (tmp_path / "a.rec").read_bytes() == (tmp_path / "b.rec").read_bytes()
    assert (tmp_path / "a.idx").read_bytes() == (tmp_path / "b.idx").read_bytes()
    assert (tmp_path / "a.classes.txt").read_bytes() == (tmp_path / "b.classes.txt").read_bytes()


def test_folder_without_subfolders_is_one_class_without_a_name(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["1.jpg", "2.jpg"])
    report = convert(root, tmp_path / "a.rec")
    assert (report.records, report.classes) == (2, None)
    assert RecordDataset(tmp_path / "a.rec").labels().tolist() == [0, 0]


def test_labels_of_a_file_of_classes(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg", "b/1.jpg"])
    (tmp_path / "names.txt").write_text("b\na\n")
    convert(root, tmp_path / "a.rec", classes=tmp_path / "names.txt")
    assert RecordDataset(tmp_path / "a.rec").labels().tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"tree: a cannot be converted: no class of the file of classes; 1 images"):
        convert(root, tmp_path / "b.rec", classes=["b"])


def test_name_that_is_no_text(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "a" / os.fsdecode(b"\xff.jpg")).write_bytes(b"i")
    with pytest.raises(ValueError, match=r"a/\\udcff\.jpg cannot be converted: the name is not UTF-8"):
        rows(root)


def test_links_in_a_tree(tmp_path: Path) -> None:
    """A link within the tree is followed; one that leads out of it is an error, as in any list."""
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "a" / "2.jpg").symlink_to("1.jpg")
    assert [row.image for row in rows(root)] == [IMAGES[0]] * 2
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "a" / "3.jpg").symlink_to(tmp_path / "secret.jpg")
    with pytest.raises(RecordError, match=r"3\.jpg"):
        convert(root, tmp_path / "a.rec")
    assert not (tmp_path / "a.rec").exists()


def test_folder_that_is_met_twice(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "b").symlink_to("a")
    with pytest.raises(ValueError, match=r"b cannot be converted: a link to a folder of the root"):
        rows(root)


@pytest.mark.parametrize("path", ["../secret.jpg", "/etc/hostname", "a/../../secret.jpg"])
def test_list_that_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "images.lst").write_text(f"0\t0\t{path}\n")
    with pytest.raises(RecordError, match=r"outside|leaves"):
        list(rows(root))


@pytest.mark.parametrize("text", ["x\n", "0\t0\n", "0\tx\ta.jpg\n", "-1\t0\ta.jpg\n"])
def test_damaged_list(tmp_path: Path, text: str) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "images.lst").write_text(text)
    with pytest.raises(RecordError, match=r"images\.lst"):
        rows(root)


def test_image_of_a_list_that_is_missing(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "images.lst").write_text("0\t0\ta/1.jpg\n1\t0\ta/2.jpg\n")
    with pytest.raises(FileNotFoundError, match=r"2\.jpg"):
        convert(root, tmp_path / "a.rec")
    assert not (tmp_path / "a.rec").exists()


def test_several_lists(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg", "b.lst", "c.lst"])
    with pytest.raises(ValueError, match=r"tree: it has several lists, b\.lst and c\.lst; keep one"):
        rows(root)


@pytest.mark.parametrize("line", ["{", "3", '{"key": 0}', '{"key": -1, "id": 1, "recio": null}', "[" * 100_000])
def test_damaged_file_of_what_is_not_usual(tmp_path: Path, line: str) -> None:
    root = image_folder(tmp_path / "tree", ["a/1.jpg"])
    (root / "images.lst").write_text("0\t0\ta/1.jpg\n")
    (root / "images.jsonl").write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"images\.jsonl: line 1 must have key, id and recio"):
        rows(root)


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    with pytest.raises(FileNotFoundError, match="no images in the folder"):
        rows(tmp_path / "tree")


def test_photographs(tmp_path: Path) -> None:
    """The photographs of the tests, as the pages of the documentation pack them."""
    report = convert(PHOTOS[0].parents[1], tmp_path / "photos.tar")
    assert (report.records, report.classes) == (len(PHOTOS), len({path.parent for path in PHOTOS}))
    assert convert(tmp_path / "photos.tar", tmp_path / "photos.rec").records == len(PHOTOS)
    assert len(list(RecordDataset(tmp_path / "photos.rec"))) == len(PHOTOS)
