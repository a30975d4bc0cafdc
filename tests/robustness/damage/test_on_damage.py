"""`on_damage`: wherever images are decoded, damage is an error that names the remedy, or it is filled."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import recio
from recio import DecodeError
from recio.datasets import FaceRecordDataset, RecordDataset
from recio.im2rec import main, pack
from recio.image import ImageDetIter, ImageIter, batch, imdecode, imread
from recio.io import ImageDetRecordIter, ImageMaskRecordIter, ImageRecordIter
from recio.recordio import IRHeader, MXIndexedRecordIO, pack as pack_record, unpack, unpack_img
from tests.support.jpegs import END, Settings, assert_same, encode, scans
from tests.support.records import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from recio._recio import RemotePath

    Reader = Callable[..., NDArray[Any]]

PLAIN = (DATA / "odd-images" / "plain.jpg").read_bytes()
PROGRESSIVE = (DATA / "odd-images" / "progressive.jpg").read_bytes()
DAMAGED = {
    "truncated": PLAIN[: len(PLAIN) // 2],
    "ended": PLAIN[: len(PLAIN) // 2] + END,
    "without scans": PROGRESSIVE[: scans(PROGRESSIVE)[2].stop] + END,
    "truncated progressive": PROGRESSIVE[: len(PROGRESSIVE) // 2],
}
REMEDY = 'on_damage="fill"'
HEIGHT, WIDTH, _ = imdecode(PLAIN).shape
SHAPE = (3, HEIGHT, WIDTH)
assert imdecode(PROGRESSIVE).shape[:2] == (HEIGHT, WIDTH)
BOX = [2, 5, 0, 0.1, 0.1, 0.9, 0.9]


def record_file(folder: Path, image: bytes, label: Any = 0.0) -> Path:  # noqa: ANN401 number or list
    """Write a record file of one image."""
    rec = folder / "a.rec"
    with MXIndexedRecordIO(folder / "a.idx", rec, "w") as records:
        records.write_idx(0, pack_record(IRHeader(0, label, 0, 0), image))
    return rec


def chw(image: NDArray[Any]) -> NDArray[Any]:
    return image.transpose(1, 2, 0).astype(np.uint8)


def by_imread(folder: Path, image: bytes, **options: Any) -> NDArray[Any]:  # noqa: ANN401
    (folder / "a.jpg").write_bytes(image)
    return imread(folder / "a.jpg", **options)


def by_unpack_img(iscolor: int) -> Reader:
    def read(folder: Path, image: bytes, **options: Any) -> NDArray[Any]:  # noqa: ANN401
        del folder
        return unpack_img(pack_record(IRHeader(0, 0, 0, 0), image), iscolor, **options)[1][..., ::-1]

    return read


def by_data_set(class_: type[RecordDataset]) -> Reader:
    def read(folder: Path, image: bytes, **options: Any) -> NDArray[Any]:  # noqa: ANN401
        pixels: NDArray[Any] = class_(path_imgrec=record_file(folder, image), **options)[0][0]
        return pixels

    return read


def by_record_iter(class_: Any, label: Any = 0.0) -> Reader:  # noqa: ANN401
    def read(folder: Path, image: bytes, **options: Any) -> NDArray[Any]:  # noqa: ANN401
        rec = record_file(folder, image, label)
        if class_ is ImageMaskRecordIter:
            mask = io.BytesIO()
            Image.new("L", (WIDTH, HEIGHT)).save(mask, "PNG")
            with MXIndexedRecordIO(folder / "m.idx", folder / "m.rec", "w") as records:
                records.write_idx(0, pack_record(IRHeader(0, 0, 0, 0), mask.getvalue()))
            options["path_maskrec"] = folder / "m.rec"
        return chw(class_(path_imgrec=rec, data_shape=SHAPE, batch_size=1, **options).next().data[0][0])

    return read


def by_image_iter(class_: Any, label: Any = 0.0) -> Reader:  # noqa: ANN401
    def read(folder: Path, image: bytes, **options: Any) -> NDArray[Any]:  # noqa: ANN401
        rec = record_file(folder, image, label)
        batches = class_(1, SHAPE, path_imgrec=rec, aug_list=[], **options)
        return chw(batches.next().data[0][0])

    return read


class _WithHook(ImageIter):
    """An iterator whose hook decodes, in the calling thread."""

    def imdecode(self, s: Any) -> NDArray[np.uint8]:  # noqa: ANN401
        return super().imdecode(s)


def by_batch(_: Path, image: bytes, **options: Any) -> NDArray[Any]:  # noqa: ANN401
    pixels: NDArray[Any] = batch([image], SHAPE, [], dtype="uint8", layout="NHWC", **options)[0]
    return pixels


READERS: dict[str, Reader] = {
    "imdecode": lambda _, image, **options: imdecode(image, **options),
    "imread": by_imread,
    "batch": by_batch,
    "unpack_img as stored": by_unpack_img(-1),
    "unpack_img in color": by_unpack_img(1),
    "RecordDataset": by_data_set(RecordDataset),
    "FaceRecordDataset": by_data_set(FaceRecordDataset),
    "ImageRecordIter": by_record_iter(ImageRecordIter),
    "ImageDetRecordIter": by_record_iter(ImageDetRecordIter, BOX),
    "ImageMaskRecordIter": by_record_iter(ImageMaskRecordIter),
    "ImageIter": by_image_iter(ImageIter),
    "ImageDetIter": by_image_iter(ImageDetIter, BOX),
    "a subclass of ImageIter": by_image_iter(_WithHook),
}

every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)
every_damage = pytest.mark.parametrize("image", DAMAGED.values(), ids=DAMAGED)


@every_reader
@every_damage
def test_damage_is_an_error_that_names_the_remedy(read: Reader, image: bytes, tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match=REMEDY):
        read(tmp_path, image)


@every_reader
@every_damage
def test_damage_is_filled_as_by_imdecode(read: Reader, image: bytes, tmp_path: Path) -> None:
    assert_same(read(tmp_path, image, on_damage="fill"), imdecode(image, on_damage="fill"))


@every_reader
def test_damaged_header_names_no_remedy_and_is_always_an_error(read: Reader, tmp_path: Path) -> None:
    at = PLAIN.index(b"\xff\xdb")
    image = PLAIN[: at + 4] + b"\xff" + PLAIN[at + 5 :]
    for options in ({}, {"on_damage": "fill"}):
        with pytest.raises(DecodeError) as caught:
            read(tmp_path, image, **options)
        assert REMEDY not in str(caught.value)


@every_reader
def test_other_value_is_refused(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"on_damage must be .error. or .fill., got .ignore."):
        read(tmp_path, PLAIN, on_damage="ignore")


class TestIm2rec:
    """Packing images whose data is damaged."""

    @pytest.fixture
    def lst(self, tmp_path: Path) -> Path:
        (tmp_path / "0.jpg").write_bytes(DAMAGED["truncated"])
        (tmp_path / "1.jpg").write_bytes(encode(Settings(40, 30)))
        (tmp_path / "a.lst").write_text("0\t0\t0.jpg\n1\t0\t1.jpg\n")
        return tmp_path / "a.lst"

    @staticmethod
    def images(rec: Path | RemotePath) -> dict[int, bytes]:
        with MXIndexedRecordIO(rec.with_suffix(".idx"), rec, "r") as records:
            return {int(key): bytes(unpack(records.read_idx(key))[1]) for key in records.keys}

    @pytest.mark.parametrize("color", [1, 0, -1])
    def test_damage_is_skipped_or_filled(self, lst: Path, color: Any) -> None:  # noqa: ANN401
        report = pack(lst, lst.parent, color=color, encoding=".png")
        assert ([*self.images(report.rec)], len(report.skipped)) == ([1], 1)
        assert REMEDY in report.skipped[0].reason
        report = pack(lst, lst.parent, color=color, encoding=".png", on_damage="fill")
        assert (report.skipped, report.report.exists()) == ([], False)
        flag = 0 if color == 0 else 1
        expected = imdecode(DAMAGED["truncated"], flag, on_damage="fill")
        assert_same(imdecode(self.images(report.rec)[0], flag), expected)

    def test_command(self, lst: Path, capsys: pytest.CaptureFixture[str]) -> None:
        arguments = [str(lst.with_suffix("")), str(lst.parent)]
        assert main(arguments) == 1
        assert "--on-damage fill decodes it" in capsys.readouterr().err
        assert REMEDY in json.loads(lst.with_suffix(".skipped.jsonl").read_text())["reason"]
        assert main([*arguments, "--on-damage", "fill"]) == 0
        assert [*self.images(lst.with_suffix(".rec"))] == [0, 1]

    def test_files_are_copied_as_they_are(self, lst: Path) -> None:
        report = pack(lst, lst.parent, pass_through=True, on_damage="fill")
        assert self.images(report.rec)[0] == DAMAGED["truncated"]

    def test_other_value_is_refused(self, lst: Path) -> None:
        other: Any = "ignore"
        with pytest.raises(ValueError, match="on_damage must be 'error' or 'fill', got 'ignore'"):
            pack(lst, lst.parent, on_damage=other)


@every_damage
def test_verify_reports_the_image_as_damaged(image: bytes, tmp_path: Path) -> None:
    report = recio.verify(record_file(tmp_path, image))
    assert not report.ok
    assert [problem.record for problem in report.problems] == [0]
    assert REMEDY not in report.problems[0].reason
