"""WebDataset: what is written, and what other programs write."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import webdataset
from webdataset.tariterators import group_by_keys, tar_file_expander

from recio import RecordError
from recio.convert import convert, rows
from recio.datasets import RecordDataset
from tests.support.records import PHOTOS

from .sets import IMAGES, SETS, labeled, same, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def make(path: Path, members: Sequence[tuple[str, bytes]], kind: int = tarfile.USTAR_FORMAT) -> Path:
    """Write a tar file."""
    with tarfile.open(path, "w", format=kind) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def samples(path: Path) -> list[dict[str, Any]]:
    """Read the samples of a tar file by WebDataset."""
    # Not by `WebDataset`, which leaves the file open.
    with path.open("rb") as stream:
        return list(group_by_keys(tar_file_expander([{"url": str(path), "stream": stream}])))


def labels(path: Path, **options: Any) -> list[list[float]]:  # noqa: ANN401 those of rows
    """Return the labels of all rows."""
    return [row.labels.tolist() for row in rows(path, **options)]


def test_webdataset_reads_what_is_written(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", labeled([2, 0, 1])).rec, tmp_path / "a.tar")
    found = samples(tmp_path / "a.tar")
    assert [(sample["__key__"], sample["jpg"], sample["cls"]) for sample in found] == [
        ("000000000", IMAGES[0], b"2"),
        ("000000001", IMAGES[1], b"0"),
        ("000000002", IMAGES[2], b"1"),
    ]
    assert all("json" not in sample for sample in found)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("with labels of float32", {"label": float(np.float32(0.1))}),
        ("with several labels", {"label": [0, float(np.float32(0.1)), -0.0]}),
        ("with new keys", {"id": 100}),
        ("with large ids", {"id": (1 << 64) - 1}),
    ],
)
def test_json_has_what_cls_has_not(tmp_path: Path, name: str, first: dict[str, Any]) -> None:
    convert(write(tmp_path, "a", SETS[name]).rec, tmp_path / "a.tar")
    found = samples(tmp_path / "a.tar")
    assert json.loads(found[0]["json"]) == first
    assert len({frozenset(sample) for sample in found}) == 1, "all samples have the same fields"


def test_members_are_the_same_on_each_machine(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", labeled([1])).rec, tmp_path / "a.tar")
    content = (tmp_path / "a.tar").read_bytes()
    assert len(content) % tarfile.RECORDSIZE == 0
    assert content[257:265] == b"ustar\x0000"
    with tarfile.open(tmp_path / "a.tar") as archive:
        for member in archive:
            assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0, 0, 0, "", "")
            assert (member.mode, member.type) == (0o644, tarfile.REGTYPE)


@pytest.mark.parametrize("write_keys", [lambda n: f"{n:06d}", lambda n: f"train/n0144_{n}"])
def test_what_webdataset_writes(tmp_path: Path, write_keys: Any) -> None:  # noqa: ANN401
    with webdataset.TarWriter(str(tmp_path / "a.tar")) as sink:
        for n in range(3):
            sink.write({"__key__": write_keys(n), "jpg": IMAGES[n], "cls": 5 - n, "json": {"url": "x", "id": "y"}})
    found = list(rows(tmp_path / "a.tar"))
    assert [(row.key, row.id, row.labels.tolist(), row.image) for row in found] == [
        (n, n, [5 - n], IMAGES[n]) for n in range(3)
    ]


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_each_kind_of_tar(tmp_path: Path, kind: int) -> None:
    folder = "/".join(["a" * 60] * 3)
    path = make(tmp_path / "a.tar", [(f"{folder}/x{n}.{end}", b"1") for n in range(2) for end in ("jpg", "cls")], kind)
    assert [(row.key, row.image) for row in rows(path)] == [(0, b"1"), (1, b"1")]


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "png", "webp", "seg.png"])
def test_suffixes_of_images(tmp_path: Path, suffix: str) -> None:
    path = make(tmp_path / "a.tar", [(f"5.{suffix}", b"image"), ("5.cls", b"3\n")])
    assert [(row.key, row.image, row.labels.tolist()) for row in rows(path)] == [(5, b"image", [3])]


@pytest.mark.parametrize(
    ("field", "content", "expected"),
    [
        ("cls", b" 7 ", [7]),
        ("json", b"3", [3]),
        ("json", b"[1, 2.5]", [1, 2.5]),
        ("json", b'{"label": [1, NaN]}', [1, float("nan")]),
        ("json", b'{"label": "dog"}', [1]),
        ("txt", b"dog\n", [1]),
        ("txt", b"0.5", [0.5]),
    ],
)
def test_labels(tmp_path: Path, field: str, content: bytes, expected: list[float]) -> None:
    path = make(tmp_path / "a.tar", [("a.jpg", b"i"), (f"a.{field}", content)])
    assert np.array_equal(labels(path, classes=["cat", "dog"]), [expected], equal_nan=True)


def test_cls_is_a_number_even_where_names_are_numbers(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", [("a.jpg", b"i"), ("a.cls", b"5")])
    assert labels(path, classes=["5", "7"]) == [[5]]


def test_fields_by_option(tmp_path: Path) -> None:
    members = [("1.left.jpg", b"l"), ("1.right.jpg", b"r"), ("1.json", b'{"age": 7}'), ("1.score", b"0.5")]
    path = make(tmp_path / "a.tar", members)
    with pytest.raises(RecordError, match="the sample has several images; --image-column"):
        list(rows(path))
    (row,) = rows(path, image_column="right.jpg", label_column="age")
    assert (row.image, row.labels.tolist()) == (b"r", [7])
    assert labels(path, image_column="left.jpg", label_column="score") == [[0.5]]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("b.cls", b"1")], r"record 1 at byte 2048: sample 'b': fields 'cls': the sample has no image"),
        ([("b.jpg", b"i")], r"record 1 at byte 2048: sample 'b': fields 'jpg': it has no label; --label-column"),
        ([("b.jpg", b"i"), ("b.cls", b"x")], "sample 'b': the label 'x' is no number"),
        ([("b.jpg", b"i"), ("b.cls", b"\xff")], "sample 'b': 'utf-8' codec can't decode"),
        ([("b.jpg", b"i"), ("b.json", b"{")], "sample 'b': the field 'json' must be JSON"),
        ([("b.jpg", b"i"), ("b.json", b"[" * 100_000)], "sample 'b': "),
        ([("b.jpg", b"i"), ("b.jpg", b"j")], "the sample 'b' has two fields 'jpg'"),
        ([("b.jpg", b"i"), ("b.cls", b"1e400")], "the label '1e400' would become inf: labels are float32"),
        ([("b.jpg", b"i"), ("b.cls", b"9" * 40)], "the label 9{40} would become inf: labels are float32"),
        ([("b.jpg", b"i"), ("b.json", b"1" * 400)], "the label 1+ would become inf: labels are float32"),
        ([("b.jpg", b"i"), ("b.json", b'{"label": {}}')], "sample 'b': a label must be a number, got {}"),
    ],
)
def test_damaged_samples(tmp_path: Path, members: list[tuple[str, bytes]], message: str) -> None:
    path = make(tmp_path / "a.tar", [("a.jpg", b"i"), ("a.cls", b"1"), *members])
    with pytest.raises(RecordError, match=message) as raised:
        list(rows(path))
    assert raised.value.path == str(path)
    assert raised.value.offset is not None


def test_members_that_are_no_samples(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (("dir", tarfile.DIRTYPE), ("link.jpg", tarfile.SYMTYPE), ("pipe.jpg", tarfile.FIFOTYPE)):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        for name in ("__meta__", "__x__/a.jpg", ".hidden", "README", "1.jpg", "1.cls"):
            member = tarfile.TarInfo(name)
            member.size = 1
            archive.addfile(member, io.BytesIO(b"5"))
    assert [(row.key, row.image) for row in rows(tmp_path / "a.tar")] == [(1, b"5")]


def test_hostile_names_stay_inside_of_the_output(tmp_path: Path) -> None:
    names = ("../../../evil", "/evil", "a/../../evil", "..", "a\0b")
    members = [(f"{name}{n}.{end}", b"0") for n, name in enumerate(names) for end in ("jpg", "cls")]
    path = make(tmp_path / "a.tar", members, tarfile.PAX_FORMAT)
    (tmp_path / "in").mkdir()
    convert(path, tmp_path / "in" / "out")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["a.tar", "in"]
    assert [found.name for found in (tmp_path / "in").iterdir()] == ["out"]


def test_several_files(tmp_path: Path) -> None:
    for n in range(4):
        make(tmp_path / f"s-{n:05d}.tar", [(f"{n}.jpg", b"i"), (f"{n}.cls", b"%d" % n)])
    expected = [[float(n)] for n in range(4)]
    assert labels(tmp_path / "s-{00000..00003}.tar") == expected
    assert labels(tmp_path / "s-*.tar") == expected
    assert labels(tmp_path) == expected
    assert [row.key for row in rows([tmp_path / "s-00002.tar", tmp_path / "s-00001.tar"])] == [2, 1]
    with pytest.raises(FileNotFoundError, match="no such tar file"):
        rows(tmp_path / "s-{00000..00004}.tar")
    with pytest.raises(FileNotFoundError, match="no such tar file"):
        rows(tmp_path / "x*.tar")
    with pytest.raises(ValueError, match=r"\{0..9999999\}: the first number must be at most the last, and 1000000"):
        rows(tmp_path / "s-{0..9999999}.tar")


def test_truncated_file_at_every_place(tmp_path: Path) -> None:
    """Python's `tarfile` takes many of these for the end."""
    file = write(tmp_path, "a", labeled([0, 1], [IMAGES[0][:700]]))
    convert(file.rec, tmp_path / "a.tar")
    content = (tmp_path / "a.tar").read_bytes()
    end = len(content.rstrip(b"\0")) // 512 * 512 + 512
    for length in range(0, end + 512, 100):
        (tmp_path / "b.tar").write_bytes(content[:length])
        with pytest.raises(RecordError, match=r"b\.tar"):
            convert(tmp_path / "b.tar", tmp_path / "b.rec")
    assert not (tmp_path / "b.rec").exists()
    (tmp_path / "b.tar").write_bytes(content[: end + 512])
    convert(tmp_path / "b.tar", tmp_path / "b.rec")
    assert same(file, tmp_path / "b.rec")


def test_flipped_bits_in_headers_are_errors(tmp_path: Path) -> None:
    convert(write(tmp_path, "a", labeled([0, 1])).rec, tmp_path / "a.tar")
    content = (tmp_path / "a.tar").read_bytes()
    whole = list(rows(tmp_path / "a.tar"))
    second = next(at for at in range(512, len(content), 512) if content[at : at + 9] == b"000000001")
    for at in (*range(0, 512, 3), *range(second, second + 512, 3)):
        damaged = bytearray(content)
        damaged[at] ^= 0x10
        (tmp_path / "b.tar").write_bytes(damaged)
        try:
            found = list(rows(tmp_path / "b.tar"))
        except RecordError:
            continue
        assert [(row.key, row.image) for row in found] == [(row.key, row.image) for row in whole], at


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "this is no sound tar file: empty file"),
        (b"\x1f\x8b" + b"x" * 600, "the file is compressed; decompress it first"),
        (b"x" * 2000, "this is no sound tar file"),
    ],
)
def test_other_files(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(RecordError, match=message):
        list(rows(tmp_path / "a.tar"))


def test_archives_one_after_another_are_no_archive(tmp_path: Path) -> None:
    """Readers stop at the first end, so that samples would be lost without a word."""
    path = make(tmp_path / "a.tar", [("1.jpg", b"i"), ("1.cls", b"1")])
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(RecordError, match="after the end of the tar file there are more bytes"):
        list(rows(path))


def test_size_that_is_a_lie(tmp_path: Path) -> None:
    path = make(tmp_path / "a.tar", [("1.jpg", b"i"), ("1.cls", b"1")])
    member = tarfile.TarInfo("1.jpg")
    member.size = 1 << 60
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + path.read_bytes())
    with pytest.raises(RecordError, match=r"the member '1.jpg' is 1152921504606846976 bytes, and the file ends before"):
        list(rows(path))


def test_names_of_classes_are_beside_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "a", labeled([0, 1]))
    (tmp_path / "a.classes.txt").write_text("cat\ndog\n")
    assert convert(file.rec, tmp_path / "b.tar").classes == 2
    assert (tmp_path / "b.classes.txt").read_text() == "cat\ndog\n"
    convert(tmp_path / "b.tar", tmp_path / "c.rec")
    assert RecordDataset(tmp_path / "c.rec").classes == ["cat", "dog"]


def test_photographs_decode(tmp_path: Path) -> None:
    members = [
        (f"{n}.{end}", PHOTOS[n].read_bytes() if end == "jpg" else b"1") for n in range(3) for end in ("jpg", "cls")
    ]
    convert(make(tmp_path / "a.tar", members), tmp_path / "a.rec")
    assert all(image.ndim == 3 for image, _ in RecordDataset(tmp_path / "a.rec"))
