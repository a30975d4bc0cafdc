"""``im2rec --seekable`` and ``--baseline``: JPEGs with the same pixels that decode faster.

The former have a restart marker after each row of MCUs, the latter replace progressive ones.

The pixels are compared as decoded by recio and, through Pillow and OpenCV, by libjpeg-turbo.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from recio.im2rec import main, pack
from recio.image import imdecode
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, unpack
from tests.support.jpegs import (
    APP0,
    APP1,
    CODINGS,
    COM,
    FIXTURES,
    Coding,
    Kind,
    Settings,
    assert_same,
    encode,
    header,
    libjpeg,
    opencv,
    restart_markers,
    segments,
    with_segment,
    with_wide_steps,
)
from tests.support.records import DATA, ODD, PHOTOS, digest, noise, png

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from recio._recio import RemotePath

KINDS: list[Kind] = ["4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "gray", "rgb", "cmyk", "ycck"]
SIZES = [(1, 1), (7, 9), (16, 16), (17, 33), (160, 8), (8, 160), (211, 143)]


def pack_files(folder: Path, files: Iterable[bytes], **options: Any) -> list[bytes]:  # noqa: ANN401 of many types
    """Pack files, unchanged by default, and return the images of the records."""
    folder.mkdir(exist_ok=True)
    count = 0
    for number, data in enumerate(files):
        (folder / f"{number}.jpg").write_bytes(data)
        count += 1
    lst = folder / "a.lst"
    lst.write_text("".join(f"{n}\t{n}\t{n}.jpg\n" for n in range(count)))
    report = pack(lst, folder, **{"pass_through": True, "seekable": True, **options})
    assert (report.records, report.skipped) == (count, [])
    return read(report.rec)


def read(rec: Path | RemotePath) -> list[bytes]:
    """Return the images of a record file."""
    with MXIndexedRecordIO(rec.with_suffix(".idx"), rec, "r") as records:
        return [bytes(unpack(records.read_idx(key))[1]) for key in records.keys]


def assert_seekable(data: bytes) -> None:
    """Check that each row of MCUs begins with a restart."""
    _, (width, height), sampling, restarts = header(data)
    across, down = (max(factors) for factors in zip(*sampling, strict=True))
    assert restarts == -(-width // (8 * across))
    assert len(restart_markers(data)) == -(-height // (8 * down)) - 1


def assert_same_pixels(actual: bytes, expected: bytes) -> None:
    for flag in (1, 0):
        assert_same(imdecode(actual, flag), imdecode(expected, flag), "recio")
        assert_same(libjpeg(actual, flag), libjpeg(expected, flag), "libjpeg by Pillow")
        assert_same(opencv(actual, flag), opencv(expected, flag), "libjpeg by OpenCV")


def is_progressive(jpeg: bytes) -> bool:
    with Image.open(io.BytesIO(jpeg)) as image:
        return "progressive" in image.info


def count_changed(files: list[bytes], folder: Path) -> int:
    """Pack files, compare the pixels and return how many files were changed."""
    images = pack_files(folder, files)
    count = 0
    for image, file in zip(images, files, strict=True):
        assert len(image) <= len(file) * (1.1 if is_progressive(file) else 1)
        if image != file:
            assert_seekable(image)
            assert_same_pixels(image, file)
            count += 1
    return count


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("coding", CODINGS)
def test_pixels_stay_the_same(kind: Kind, coding: Coding, tmp_path: Path) -> None:
    files = [
        encode(Settings(width, height, kind, coding, restarts=restarts))
        for width, height in SIZES
        for restarts in (0, 3)
    ]
    count = count_changed(files, tmp_path)
    assert count > (len(files) / 2 if coding == "baseline" else 0)


def test_pixels_of_unusual_files_stay_the_same(tmp_path: Path) -> None:
    assert count_changed([path.read_bytes() for path in FIXTURES], tmp_path) > len(FIXTURES) / 2


def test_photos_keep_their_pixels_and_get_smaller(tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in PHOTOS]
    assert count_changed(photos, tmp_path) == len(photos)
    assert sum(path.stat().st_size for path in PHOTOS) > 1.01 * sum(len(image) for image in read(tmp_path / "a.rec"))


def test_16_bit_quantization_tables_are_kept(tmp_path: Path) -> None:
    assert count_changed([with_wide_steps(encode(Settings(60, 50)))], tmp_path) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_kept(orientation: int, tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x112] = orientation
    file = with_segment(encode(Settings(60, 50)), APP1, tags.tobytes())
    [image] = pack_files(tmp_path, [file])
    assert image != file
    with Image.open(io.BytesIO(image)) as opened:
        assert opened.getexif()[0x112] == orientation
    assert_same(imdecode(image), imdecode(file))


def test_comments_and_metadata_keep_their_order(tmp_path: Path) -> None:
    file = encode(Settings(60, 50))
    for marker, content in ((COM, b"last"), (0xE2, b"ICC_PROFILE\0\1\1and so on"), (COM, b""), (APP1, b"first")):
        file = with_segment(file, marker, content)
    [image] = pack_files(tmp_path, [file])
    assert image != file

    def metadata(data: bytes) -> list[bytes]:
        return [data[s.start : s.end] for s in segments(data) if s.marker >= APP0]

    assert metadata(image) == metadata(file)


def test_second_conversion_changes_nothing(tmp_path: Path) -> None:
    once = pack_files(tmp_path / "once", [path.read_bytes() for path in [*PHOTOS[:6], *FIXTURES]])
    assert pack_files(tmp_path / "twice", once) == once


def test_bytes_do_not_depend_on_threads(tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in PHOTOS]
    single, threaded = (pack_files(tmp_path / str(n), photos, num_thread=n) for n in (1, 3))
    assert single == threaded


def test_other_formats_and_damaged_jpegs_are_packed_unchanged(tmp_path: Path) -> None:
    photo = encode(Settings(60, 50))
    names = ["alpha.png", "photo.webp", "photo.bmp", "garbage.jpg", "not-an-image.txt", "cut.jpg"]
    files = [photo[:-40], photo[:30], png(noise(9, 9)), *((ODD / name).read_bytes() for name in names)]
    assert pack_files(tmp_path, files) == files


def test_jpeg_that_would_get_too_large_is_packed_unchanged(tmp_path: Path) -> None:
    # A flat image has so little data that restart markers outweigh better tables, progressive or
    # not.
    files = []
    for progressive in (False, True):
        out = io.BytesIO()
        Image.new("RGB", (8, 4000), "teal").save(out, "JPEG", progressive=progressive, optimize=True)
        files.append(out.getvalue())
    assert pack_files(tmp_path, files) == files


def test_jpeg_with_more_than_10_blocks_per_mcu_is_packed_unchanged(tmp_path: Path) -> None:
    file = (DATA / "jpeg" / "apart-more-than-10-blocks.jpg").read_bytes()
    assert pack_files(tmp_path, [file]) == [file]


@pytest.mark.parametrize("options", [{}, {"resize": 70}, {"color": 0}, {"center_crop": True, "quality": 60}])
def test_encoded_images_are_seekable_and_smaller(options: dict[str, Any], tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in PHOTOS[:8]]
    plain = pack_files(tmp_path / "plain", photos, pass_through=False, seekable=False, **options)
    images = pack_files(tmp_path / "seekable", photos, pass_through=False, **options)
    for image, expected in zip(images, plain, strict=True):
        assert len(image) < len(expected)
        assert_seekable(image)
        assert_same_pixels(image, expected)


def test_encoded_pngs_are_unchanged(tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in PHOTOS[:3]]
    options = {"pass_through": False, "encoding": ".png", "quality": 1}
    plain = pack_files(tmp_path / "plain", photos, seekable=False, **options)
    assert pack_files(tmp_path / "seekable", photos, **options) == plain


RESIZED_CROP = {"random_resized_crop": True, "min_random_area": 0.08, "max_random_area": 1.0}


@pytest.mark.parametrize("steps", [RESIZED_CROP, {"rand_crop": True, "resize": 150}, {}])
def test_batches_are_equal(steps: dict[str, Any], tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in PHOTOS]
    batches = []
    for name, seekable in (("plain", False), ("seekable", True)):
        pack_files(tmp_path / name, photos, seekable=seekable)
        iterator = ImageRecordIter(
            path_imgrec=tmp_path / name / "a.rec",
            path_imgidx=tmp_path / name / "a.idx",
            data_shape=(3, 100, 100),
            batch_size=8,
            dtype="uint8",
            shuffle=True,
            rand_mirror=True,
            seed=7,
            **steps,
        )
        batches.append(digest(iterator))
    assert batches[0] == batches[1]


def test_masks_are_packed_unchanged(tmp_path: Path) -> None:
    photo = encode(Settings(60, 50))
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / "0.png").write_bytes(png(noise(50, 60, 1)))
    [image] = pack_files(tmp_path, [photo], masks=masks)
    assert image != photo
    assert read(tmp_path / "a_mask.rec") == [(masks / "0.png").read_bytes()]


def test_damaged_jpegs_keep_their_pixels(tmp_path: Path) -> None:
    """Also if the damage is one that a decoder does not notice."""
    rng = np.random.default_rng(5)
    files = []
    for coding in CODINGS:
        file = encode(Settings(90, 70, coding=coding, content="noise"))
        for _ in range(60):
            data = bytearray(file)
            data[rng.integers(len(data) // 2, len(data))] = rng.integers(256)
            files.append(bytes(data))
    images = pack_files(tmp_path, files)
    changed = [(image, file) for image, file in zip(images, files, strict=True) if image != file]
    assert len(changed) > 30
    for image, file in changed:
        assert_same(imdecode(image), imdecode(file))


@pytest.mark.parametrize("kind", KINDS)
def test_only_progressive_jpegs_become_baseline(kind: Kind, tmp_path: Path) -> None:
    settings = [Settings(211, 143, kind, coding, restarts=3) for coding in CODINGS]
    files = [with_segment(encode(one), COM, b"kept") for one in settings]
    images = pack_files(tmp_path, files, seekable=False, baseline=True)
    for image, file in zip(images, files, strict=True):
        assert (image != file) == is_progressive(file)
        assert not is_progressive(image)
        if image != file:
            assert not restart_markers(image)
            assert [image[s.start : s.end] for s in segments(image) if s.marker == COM] == [b"\xff\xfe\x00\x06kept"]
            assert_same_pixels(image, file)
    assert pack_files(tmp_path / "twice", images, seekable=False, baseline=True) == images


def test_seekable_includes_baseline(tmp_path: Path) -> None:
    photos = [path.read_bytes() for path in [*PHOTOS[:3], *FIXTURES]]
    seekable = pack_files(tmp_path / "seekable", photos)
    assert pack_files(tmp_path / "both", photos, baseline=True) == seekable


def test_command_has_baseline(tmp_path: Path) -> None:
    file = encode(Settings(60, 50, coding="progressive"))
    (tmp_path / "0.jpg").write_bytes(file)
    (tmp_path / "a.lst").write_text("0\t0\t0.jpg\n")
    assert main(["--pass-through", "--baseline", str(tmp_path / "a"), str(tmp_path)]) == 0
    [image] = read(tmp_path / "a.rec")
    assert not is_progressive(image)
    assert_same_pixels(image, file)


def test_command_has_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.lst").write_text(f"0\t0\t{PHOTOS[0].name}\n")
    assert main(["--pass-through", "--seekable", str(tmp_path / "a"), str(PHOTOS[0].parent)]) == 0
    [image] = read(tmp_path / "a.rec")
    assert_seekable(image)
    assert "1 records" in capsys.readouterr().out
