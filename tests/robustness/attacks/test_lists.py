"""Row R7: lists, and folders that they point into, that were made to do harm. Each case says what it tries.

A list comes from anywhere. What it names may be packed and passed on, so by default nothing outside the root is read;
nothing is waited for that never comes; and, whatever happens, no file but the four of the list is made or changed, in
any folder: a hash of the whole tree is held against one of before. ``test_im2rec.py`` has what the command says.
"""

from __future__ import annotations

import hashlib
import math
import os
import socket
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from recio import DecodeError, RecordError
from recio.im2rec import PackReport, make_list, pack
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, unpack
from tests.support.records import labels, noise, png

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = png(noise(8, 8, seed=666))
GOOD = png(noise(8, 8, seed=1))


@dataclass(frozen=True)
class Place:
    """The root that a list's paths are relative to, a folder beside it with a secret, and one with the list."""

    folder: Path

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def secret(self) -> Path:
        return self.folder / "outside" / "secret.png"

    @property
    def lst(self) -> Path:
        return self.folder / "target" / "a.lst"

    def write(self, content: str | bytes) -> Path:
        self.lst.write_bytes(content.encode() if isinstance(content, str) else content)
        return self.lst

    def target(self) -> set[str]:
        return {path.name for path in self.lst.parent.iterdir()}

    def tree(self) -> dict[str, str]:
        """Return the contents of all folders but the list's: hashes of files, targets of links."""
        return {str(path.relative_to(self.folder)): fingerprint(path) for path in sorted(self._others())}

    def _others(self) -> Iterator[Path]:
        for path in self.folder.rglob("*"):
            if self.lst.parent not in path.parents:
                yield path


def fingerprint(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return f"mode {path.stat().st_mode:o}"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Create the folders with all traps; check at the end that nothing in them has changed."""
    made = Place(tmp_path)
    for folder in (made.root / "sub", made.secret.parent, made.lst.parent):
        folder.mkdir(parents=True)
    made.secret.write_bytes(SECRET)
    (made.root / "good.png").write_bytes(GOOD)
    (made.root / "sub" / "good.png").write_bytes(GOOD)
    lay_traps(made)
    before = made.tree()
    yield made
    assert made.tree() == before
    assert made.target() <= {"a.lst", "a.classes.txt", "a.rec", "a.idx", "a.skipped.jsonl"}


def lay_traps(place: Place) -> None:
    """Lay links, pipes, sockets and folders into the root."""
    root = place.root
    (root / "link.png").symlink_to(place.secret)
    (root / "chain.png").symlink_to("link.png")
    (root / "up").symlink_to("..")
    (root / "out").symlink_to(place.secret.parent)
    (root / "relative.png").symlink_to("../outside/secret.png")
    (root / "loop.png").symlink_to("loop.png")
    (root / "dangling.png").symlink_to(place.folder / "outside" / "new.png")
    (root / "zero.png").symlink_to("/dev/zero")
    (root / "inner.png").symlink_to("sub/good.png")
    os.mkfifo(root / "pipe.png")
    (root / "folder.png").mkdir()
    (root / "empty.png").touch()
    with socket.socket(socket.AF_UNIX) as listener:
        # A socket's path may have a hundred bytes; a test's folder has more.
        back = os.getcwd()  # noqa: PTH109 to go back to
        os.chdir(root)
        listener.bind("socket.png")
        os.chdir(back)


OUTSIDE = "leaves its root folder"
LINK = "a link leads out of the root folder"
ODD = "not a regular file"
NONE = "no such file"

# What it tries, the path that it tries it with ({} is the folder with everything), and the reason
# why it is left out.
PATHS = {
    "one folder up": ("../outside/secret.png", OUTSIDE),
    "many folders up": ("../" * 40 + "etc/passwd", OUTSIDE),
    "down and further up": ("sub/../../outside/secret.png", OUTSIDE),
    "up behind a dot": ("./.././outside/secret.png", OUTSIDE),
    "up behind two slashes": ("sub//..//..//outside/secret.png", OUTSIDE),
    "up through a folder that is not there": ("none/../../outside/secret.png", OUTSIDE),
    "up and back to a file that is not there": ("../root/none.png", OUTSIDE),
    "from the top": ("{}/outside/secret.png", OUTSIDE),
    "from the top by two slashes": ("/{}/outside/secret.png", OUTSIDE),
    "from the top into a folder that begins like the root": ("{}/root2/good.png", OUTSIDE),
    "the passwords": ("/etc/passwd", OUTSIDE),
    "the process's environment": ("/proc/self/environ", OUTSIDE),
    "the process's memory": ("/proc/self/mem", OUTSIDE),
    "the process's root": ("/proc/self/root/etc/passwd", OUTSIDE),
    "standard input": ("/dev/stdin", OUTSIDE),
    "the terminal": ("/dev/tty", OUTSIDE),
    "a device without end": ("/dev/zero", OUTSIDE),
    "a link to a file outside": ("link.png", LINK),
    "a link to a link to a file outside": ("chain.png", LINK),
    "a relative link to a file outside": ("relative.png", LINK),
    "through a link to a folder outside": ("out/secret.png", LINK),
    "through a link upwards": ("up/outside/secret.png", LINK),
    "a link to a device": ("zero.png", LINK),
    "through a link upwards and back": ("up/root/up/outside/secret.png", LINK),
    "a link to itself": ("loop.png", "symbolic links"),
    "a link to nothing": ("dangling.png", NONE),
    "a pipe that nobody writes to": ("pipe.png", ODD),
    "a socket": ("socket.png", ODD),
    "a folder": ("folder.png", ODD),
    "a folder by a slash": ("sub/", ODD),
    "the root": (".", ODD),
    "a file as a folder": ("good.png/", "Not a directory"),
    "below a file": ("good.png/../../outside/secret.png", OUTSIDE),
    "an empty file": ("empty.png", "empty"),
    "a name of 300 letters": ("a" * 300, "too long"),
    "a path of 10,000 letters": ("a/" * 5000, "too long"),
    "the home folder": ("~/.ssh/id_rsa", NONE),
    "a variable": ("$HOME/.ssh/id_rsa", NONE),
    "a pattern": ("*.png", NONE),
    "a command": ("$(touch owned).png", NONE),
    "a command by a semicolon": ("good.png;touch owned", NONE),
    "an option": ("--allow-outside", NONE),
    "an address of a file": ("file:///etc/passwd", NONE),
    "an address of the net": ("http://localhost/a.png", NONE),
    "escapes of an address": ("%2e%2e/outside/secret.png", NONE),
    "escapes of a string": ("\\x2e\\x2e/outside/secret.png", NONE),
    "a drive": ("C:\\secret.png", NONE),
    "a share": ("\\\\server\\share\\secret.png", NONE),
    "backslashes": ("..\\outside\\secret.png", NONE),
    "dots that look like two": ("\u2025/outside/secret.png", NONE),
    "full-width dots": ("\uff0e\uff0e/outside/secret.png", NONE),
    "a name that is shown backwards": ("\u202egnp.doog", NONE),
    "a name of other letters that look the same": (unicodedata.normalize("NFD", "go\u00f6d.png"), NONE),
    "capitals": ("GOOD.PNG", NONE),
}
# Likewise, of a whole list beside a good line; the reason is of the line that has it, or none if it
# is no harm.
LINES: dict[str, tuple[bytes, str | None]] = {
    "a negative index": (b"-1\t0\tgood.png\n", "the index must be an integer"),
    "an index of 2^64": (b"18446744073709551616\t0\tgood.png\n", "the index must be an integer"),
    "a fraction of an index": (b"1.0\t0\tgood.png\n", "the index must be an integer"),
    "an index that is no number": (b"nan\t0\tgood.png\n", "the index must be an integer"),
    "no index": (b"\t0\tgood.png\n", "got 2 fields"),
    "the index of another image": (b"0\t0\tgood.png\n", "duplicate index"),
    "a label of text": (b"1\tcat\tgood.png\n", "the label must be a number"),
    "no label": (b"1\tgood.png\n", "got 2 fields"),
    "an empty label": (b"1\t\tgood.png\n", "the label must be a number"),
    "a hexadecimal label": (b"1\t0x10\tgood.png\n", "the label must be a number"),
    "a label with a comma": (b"1\t1,5\tgood.png\n", "the label must be a number"),
    "a label of a list": (b"1\t[1, 2]\tgood.png\n", "the label must be a number"),
    "no path": (b"1\t0\t\n", "got 2 fields"),
    "a path of spaces": (b"1\t0\t   \n", "got 2 fields"),
    "spaces for tabs": (b"1 0 good.png\n", "got 1 field"),
    "a path with a zero byte": (b"1\t0\tgood.png\0.jpg\n", "the path contains a NUL character"),
    "a zero byte and nothing": (b"1\t0\t\0\n", "the path contains a NUL character"),
    "zero bytes": (b"\0\0\0\0\n", "got 1 field"),
    "a line of a megabyte": (b"1" * (1 << 20) + b"\n", "got 1 field"),
    "a line that ends like a Mac's": (b"1\t0\tgood.png\r2\t0\tgood.png\n", "the label must be a number"),
    "a million labels": (b"1" + b"\t7" * 1_000_000 + b"\tgood.png\n", None),
    "not a number": (b"1\tnan\tgood.png\n", None),
    "infinity": (b"1\tinf\tgood.png\n", None),
    "a label past float32": (b"1\t1e39\tgood.png\n", "is not representable as float32"),
    "a label past float64": (b"1\t1e400\tgood.png\n", "is not representable as float64"),
    "a label of 5,000 digits": (b"1\t" + b"9" * 5000 + b"\tgood.png\n", "is not representable as float64"),
    "a label of 5,000 zeros": (b"1\t0." + b"0" * 5000 + b"1\tgood.png\n", None),
    "lines that end like Windows's": (b"1\t0\tgood.png\r\n", None),
    "white space around all": (b" 1 \t 0 \t good.png \n", None),
    "a line without end": (b"1\t0\tgood.png", None),
    "blank lines": (b"\n\n \n\t\n1\t0\tgood.png\n\n", None),
}
TOLD = {
    "bytes that are not UTF-8": b"0\t0\tgood.png\n1\t0\t\xff\xfe.png\n",
    "UTF-16": "0\t0\tgood.png\n".encode("utf-16"),
    "an image": GOOD,
}


def try_path(place: Place, path: str) -> str:
    """List a good image, and after it the path."""
    path = path.format(place.folder)
    place.write(f"0\t0\tgood.png\n1\t0\t{path}\n")
    return path


def packed_images(packed: PackReport) -> list[bytes]:
    with MXIndexedRecordIO(packed.idx, packed.rec, "r") as reader:
        return [unpack(reader.read_idx(key))[1] for key in reader.keys]


every_path = pytest.mark.parametrize(("path", "reason"), PATHS.values(), ids=PATHS.keys())
every_line = pytest.mark.parametrize(("line", "reason"), LINES.values(), ids=LINES.keys())


class TestIm2rec:
    """`recio.im2rec.pack`."""

    @every_path
    @pytest.mark.parametrize("pass_through", [False, True])
    def test_path_outside_the_root_or_to_no_file_is_skipped(
        self, path: str, reason: str, place: Place, pass_through: bool
    ) -> None:
        try_path(place, path)
        packed = pack(place.lst, place.root, pass_through=pass_through, encoding=".png", color=-1, num_thread=2)
        (skipped,) = packed.skipped
        assert (skipped.line, reason in skipped.reason) == (2, True), skipped.reason
        assert len(packed_images(packed)) == 1
        if pass_through:
            assert packed_images(packed) == [GOOD]

    @every_line
    def test_invalid_line_is_skipped(self, line: bytes, reason: str | None, place: Place) -> None:
        place.write(b"0\t0\tgood.png\n" + line)
        packed = pack(place.lst, place.root, pass_through=True, pack_label=True)
        assert [reason is not None and reason in skipped.reason for skipped in packed.skipped] == [True] * bool(reason)
        assert packed_images(packed) == [GOOD] * (1 if reason else 2)

    @pytest.mark.parametrize("content", TOLD.values(), ids=TOLD.keys())
    def test_other_file_is_an_error_and_writes_nothing(self, content: bytes, place: Place) -> None:
        place.write(content)
        with pytest.raises(RecordError, match=r"a\.lst: (this is .*, not a list: )?the list is not UTF-8"):
            pack(place.lst, place.root)
        assert place.target() == {"a.lst"}

    def test_byte_order_mark_is_not_part_of_the_first_index(self, place: Place) -> None:
        place.write("\ufeff7\t0\tgood.png\n")
        packed = pack(place.lst, place.root, pass_through=True)
        assert packed.idx.read_text() == "7\t0\n"

    def test_a_million_labels_are_packed_unchanged(self, place: Place) -> None:
        place.write("0" + "".join(f"\t{n}" for n in range(1_000_000)) + "\tgood.png\n")
        packed = pack(place.lst, place.root, pass_through=True, pack_label=True)
        with MXIndexedRecordIO(packed.idx, packed.rec, "r") as reader:
            header, image = unpack(reader.read_idx(0))
        np.testing.assert_array_equal(header.label, np.arange(1_000_000, dtype=np.float32))
        assert image == GOOD

    @pytest.mark.parametrize("link", ["a.rec", "a.idx", "a.skipped.jsonl"])
    @pytest.mark.parametrize("to", ["secret.png", "new.png"], ids=["a file", "nothing"])
    def test_link_at_an_output_path_is_replaced_and_not_followed(self, link: str, to: str, place: Place) -> None:
        place.write("0\t0\tgood.png\n1\t0\tnone.png\n")
        (place.lst.parent / link).symlink_to(place.secret.parent / to)
        packed = pack(place.lst, place.root, pass_through=True)
        assert packed_images(packed) == [GOOD]
        assert not (place.lst.parent / link).is_symlink()

    @pytest.mark.parametrize("name", ["a.rec", "a.idx"])
    def test_folder_at_an_output_path_is_an_error_and_leaves_no_file(self, name: str, place: Place) -> None:
        place.write("0\t0\tgood.png\n")
        (place.lst.parent / name).mkdir()
        with pytest.raises(OSError, match=name.replace(".", r"\.")):
            pack(place.lst, place.root, pass_through=True)
        assert place.target() <= {"a.lst", name}


class TestFolders:
    """`recio.im2rec.make_list`, in a folder with traps."""

    def test_pipes_sockets_folders_and_loops_are_not_listed(self, place: Place) -> None:
        make_list(place.lst.with_suffix(""), place.root, recursive=False)
        named = {line.split("\t")[2] for line in place.lst.read_text().splitlines()}
        assert not named & {"pipe.png", "socket.png", "folder.png", "loop.png", "dangling.png", "zero.png"}
        assert {"good.png", "inner.png"} <= named

    def test_links_out_of_the_root_are_not_packed(self, place: Place) -> None:
        make_list(place.lst.with_suffix(""), place.root, recursive=True)
        packed = pack(place.lst, place.root, pass_through=True)
        assert set(packed_images(packed)) == {GOOD}


# Of the paths that lead out, those behind which there is an image.
READABLE = [
    *("../outside/secret.png", "sub/../../outside/secret.png", "./.././outside/secret.png"),
    *("sub//..//..//outside/secret.png", "{}/outside/secret.png", "/{}/outside/secret.png"),
    *("link.png", "chain.png", "relative.png", "out/secret.png", "up/outside/secret.png"),
    "up/root/up/outside/secret.png",
]


def images_of(place: Place, **settings: Any) -> ImageIter:  # noqa: ANN401 ImageIter's own
    return ImageIter(1, (3, 8, 8), path_imglist=place.lst, path_root=place.root, **settings)


def second_of(place: Place, **settings: Any) -> Any:  # noqa: ANN401 labels are of many shapes, settings ImageIter's own
    """Return the labels of the list's second image, read by `ImageIter`."""
    batches = images_of(place, **settings)
    batches.next()
    return labels(batches.next())


class TestImageIter:
    """`recio.image.ImageIter` over a list."""

    @every_path
    def test_path_to_no_image_is_an_error_without_waiting(self, path: str, reason: str, place: Place) -> None:
        tried = try_path(place, path)
        if path in READABLE:
            assert reason in (OUTSIDE, LINK)
            return
        with pytest.raises((DecodeError, OSError, ValueError)) as caught:
            second_of(place)
        said = getattr(caught.value, "filename", None) or str(caught.value)
        assert tried[:50].split("\0")[0] in said

    @pytest.mark.parametrize("path", READABLE)
    def test_path_outside_the_root_is_refused_unless_allowed(self, path: str, place: Place) -> None:
        try_path(place, path)
        with pytest.raises(RecordError, match=rf"record 1: .*({OUTSIDE}|{LINK}), which needs allow_outside"):
            second_of(place)
        assert second_of(place, allow_outside=True) == [0]

    @pytest.mark.parametrize("path", READABLE)
    def test_next_sample_refuses_a_path_outside_the_root(self, path: str, place: Place) -> None:
        try_path(place, path)
        batches, allowed = images_of(place), images_of(place, allow_outside=True)
        assert batches.next_sample()[1] == allowed.next_sample()[1] == GOOD
        with pytest.raises(RecordError, match=rf"{OUTSIDE}|{LINK}"):
            batches.next_sample()
        assert allowed.next_sample()[1] in (GOOD, SECRET)

    def test_skipped_path_is_reported(self, place: Place) -> None:
        try_path(place, "../outside/secret.png")
        batches = images_of(place, on_error="skip")
        assert sum(1 for _ in batches) == 1
        (error,) = batches.errors
        assert OUTSIDE in error.reason

    def test_path_given_by_the_caller_is_read(self, place: Place) -> None:
        batches = ImageIter(1, (3, 8, 8), imglist=[[7, "../outside/secret.png"]], path_root=place.root)
        assert labels(batches.next()) == [7]

    def test_images_with_objects_must_be_inside_the_root(self, place: Place) -> None:
        place.write("0\t2\t5\t1\t0.1\t0.1\t0.9\t0.9\t../outside/secret.png\n")
        settings: dict[str, Any] = {"path_imglist": place.lst, "path_root": place.root}
        with pytest.raises(RecordError, match=OUTSIDE):
            ImageDetIter(1, (3, 8, 8), **settings).next()
        ImageDetIter(1, (3, 8, 8), **settings, allow_outside=True).next()

    @every_line
    def test_invalid_line_is_an_error_with_its_number(self, line: bytes, reason: str | None, place: Place) -> None:
        place.write(b"0\t0\tgood.png\n" + line)
        if reason is not None or line.count(b"\t") > 100:
            with pytest.raises(ValueError, match=r"a\.lst: line 2: |1000000 labels|root/: record 1: "):
                second_of(place)
        else:
            (label,) = second_of(place)
            assert math.isnan(label) or label >= 0

    @pytest.mark.parametrize("content", TOLD.values(), ids=TOLD.keys())
    def test_other_file_is_an_error(self, content: bytes, place: Place) -> None:
        place.write(content)
        with pytest.raises(ValueError, match=r"a\.lst|decode"):
            second_of(place)


@pytest.mark.parametrize("content", TOLD.values(), ids=TOLD.keys())
def test_labels_are_not_read_from_another_file(content: bytes, place: Place) -> None:
    place.write("0\t0\tgood.png\n")
    packed = pack(place.lst, place.root, pass_through=True)
    place.write(content)
    with pytest.raises(RecordError, match=r"a\.lst: (this is .*, not a list: )?the list is not UTF-8"):
        ImageRecordIter(path_imgrec=packed.rec, path_imglist=place.lst, data_shape=(3, 8, 8), batch_size=1)


def test_there_are_at_least_50_attacks() -> None:
    print(f"R7: {len(PATHS)} paths, {len(LINES)} lines, {len(TOLD)} files")  # noqa: T201 the figure is the point
    assert len(PATHS) >= 50
