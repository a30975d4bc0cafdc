"""`on_damage="fill"`: the pixels of libjpeg-turbo, as in Pillow, for JPEGs with any damage in their scans."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from recio import DecodeError, verify
from recio.im2rec import pack
from recio.image import imdecode
from recio.recordio import IRHeader, MXIndexedRecordIO, MXRecordIO, pack as pack_record, unpack
from tests.support.jpeg_damage import damage, libjpeg_filled
from tests.support.jpegs import (
    APP0,
    APP1,
    APP14,
    CODINGS,
    COM,
    END,
    FIXTURES,
    KINDS,
    SOF0,
    UNFINISHED,
    Kind,
    Settings,
    assert_same,
    difference,
    encode,
    frame,
    libjpeg,
    opencv,
    restart_markers,
    scans,
    with_bytes,
)
from tests.support.records import DATA

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = (DATA / "odd-images" / "plain.jpg").read_bytes()
FILES = [
    *(path.read_bytes() for path in [*FIXTURES, *UNFINISHED]),
    *(
        encode(Settings(100, 90, kind, coding, restarts=restarts))
        for kind in KINDS
        for coding in CODINGS
        for restarts in (0, 1, 4, 13)
    ),
]
"""Fixtures of all kinds of scans, and files with restarts after one MCU, after some, and after about two rows."""


def is_misread(data: bytes) -> bool:
    """Whether libjpeg-turbo's fast path may misread the data: a repeated 0xFF, then 0, is one byte for other decoders.

    It decodes the MCU without that byte first, then with it, and does not clear the coefficients in between.
    """
    return b"\xff\xff\x00" in data


class TestRandomDamage:
    """2,400 damaged files."""

    @pytest.mark.parametrize("seed", range(24))
    def test_pixels_are_libjpegs(self, seed: int) -> None:
        rng = random.Random(seed)
        unknown = 0
        for number in range(100):
            kind, data = damage(rng.choice(FILES), rng)
            flag = rng.choice([1, 1, 0])
            expected = libjpeg_filled(data, flag)
            if expected is None:
                unknown += 1
                continue
            image = imdecode(data, flag, on_damage="fill")
            message = difference(image, expected)
            if message and is_misread(data):
                unknown += 1
                continue
            assert message is None, f"file {number}, {kind}: {message}"
        assert unknown <= 10

    @pytest.mark.parametrize("seed", range(4))
    def test_regions_are_crops(self, seed: int) -> None:
        rng = random.Random(100 + seed)
        for number in range(100):
            kind, data = damage(rng.choice(FILES), rng)
            try:
                image = imdecode(data, on_damage="fill")
            except DecodeError:
                continue
            height, width, _ = image.shape
            left, top = rng.randrange(width), rng.randrange(height)
            region = (left, top, rng.randint(1, width - left), rng.randint(1, height - top))
            cropped = imdecode(data, on_damage="fill", region=region)
            expected = image[top : top + region[3], left : left + region[2]]
            assert_same(cropped, expected, f"file {number}, {kind}: {region}")

    @pytest.mark.parametrize("seed", range(4))
    def test_what_is_accepted_without_filling_is_the_same(self, seed: int) -> None:
        rng = random.Random(200 + seed)
        for number in range(100):
            kind, data = damage(rng.choice(FILES), rng)
            try:
                image = imdecode(data)
            except DecodeError:
                continue
            assert_same(imdecode(data, on_damage="fill"), image, f"file {number}, {kind}")


class TestRestarts:
    """A lost restart marker costs what is between two, not the rest of the image."""

    @pytest.mark.parametrize("restarts", [1, 7, 20])
    def test_lost_marker_costs_one_interval(self, restarts: int) -> None:
        data = encode(Settings(300, 200, "4:2:0", restarts=restarts))
        markers = restart_markers(data)
        at = markers[len(markers) // 3]
        lost = data[:at] + data[at + 2 :]
        image = imdecode(lost, on_damage="fill")
        assert_same(image, libjpeg(lost))
        mcus = (imdecode(data) != image).reshape(-1, 8, 300, 3).any(axis=(1, 3)).sum() / 16
        assert mcus <= 3 * (restarts + 2)

    def test_lost_512_bytes_of_a_seekable_file_cost_a_few_rows(self, tmp_path: Path) -> None:
        (tmp_path / "0.jpg").write_bytes(PLAIN)
        (tmp_path / "a.lst").write_text("0\t0\t0.jpg\n")
        report = pack(tmp_path / "a.lst", tmp_path, pass_through=True, seekable=True)
        with MXIndexedRecordIO(report.rec.with_suffix(".idx"), report.rec, "r") as records:
            data = bytes(unpack(records.read_idx(0))[1])
        assert len(restart_markers(data)) > 10
        start = scans(data)[0].start + len(scans(data)[0]) // 3
        lost = data[:start] + data[start + 512 :]
        image, full = imdecode(lost, on_damage="fill"), imdecode(data)
        assert_same(image, libjpeg(lost))
        assert (image != full).any(axis=2).mean() < 0.1
        height, width, _ = full.shape
        lower = (0, height - 50, width, 50)
        assert_same(imdecode(lost, on_damage="fill", region=lower), full[-50:])

    @pytest.mark.parametrize("padding", [b"\xff\x00", b"\xff", b"\xff\xff\xff", b"\xff\x00" * 20])
    def test_padding_of_ones_before_a_marker_is_no_damage(self, padding: bytes, tmp_path: Path) -> None:
        """Some webcams write a byte 0xFF, with or without its stuffed 0, before restart markers and at the end."""
        sound = encode(Settings(100, 90, "4:2:2", restarts=3))
        data = sound
        for at in [*restart_markers(data), data.rindex(END)][::-1]:
            data = data[:at] + padding * (at % 3) + data[at:]
        assert_same(imdecode(data), imdecode(sound))
        assert_same(imdecode(data), libjpeg(data))
        assert_same(imdecode(data), opencv(data))
        with MXRecordIO(tmp_path / "a.rec", "w") as records:
            records.write(pack_record(IRHeader(0, 0, 0, 0), data))
        assert verify(tmp_path / "a.rec").ok

    def test_other_data_before_a_marker_is_damage(self) -> None:
        data = encode(Settings(100, 90, "4:2:2", restarts=3))
        at = restart_markers(data)[2]
        with pytest.raises(DecodeError, match="a restart marker is missing or misplaced"):
            imdecode(data[:at] + b"\xfe" + data[at:])


class TestMissingScans:
    """libjpeg estimates low frequencies that a progressive file lacks from the blocks around."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("size", [(100, 90), (16, 16), (15, 9), (24, 72), (8, 8), (131, 40)])
    def test_first_scans_alone_are_smoothed_like_libjpeg(self, kind: Kind, size: tuple[int, int]) -> None:
        data = encode(Settings(*size, kind, "progressive"))
        for scan in scans(data):
            for end in (scan.stop, (scan.start + scan.stop) // 2):
                cut = data[:end] + END
                for flag in (1, 0):
                    expected = libjpeg_filled(cut, flag)
                    assert expected is not None
                    assert_same(imdecode(cut, flag, on_damage="fill"), expected, end)

    @pytest.mark.parametrize("factors", [0x22, 0x12, 0x14, 0x13, 0x41])
    def test_sampling_factors_of_a_gray_file_matter_to_libjpeg(self, factors: int) -> None:
        for size in ((64, 72), (33, 120), (100, 90)):
            data = encode(Settings(*size, "gray", "progressive"))
            data = with_bytes(data, frame(data).start + 11, bytes([factors]))
            for scan in scans(data):
                cut = data[: scan.stop] + END
                assert_same(imdecode(cut, on_damage="fill"), libjpeg(cut), size)

    def test_smoothed_region_is_a_crop(self) -> None:
        data = encode(Settings(200, 150, "4:2:0", "progressive"))
        cut = data[: scans(data)[0].stop] + END
        full = imdecode(cut, on_damage="fill")
        for region in ((0, 0, 200, 8), (30, 40, 50, 60), (190, 140, 10, 10)):
            left, top, width, height = region
            cropped = imdecode(cut, on_damage="fill", region=region)
            assert_same(cropped, full[top : top + height, left : left + width], region)

    def test_cut_within_the_tables_between_scans_shows_the_scans_before(self) -> None:
        """libjpeg-turbo takes bytes that it makes up for tables, and refuses them."""
        data = encode(Settings(100, 90, "4:2:0", "progressive"))
        first, second = scans(data)[:2]
        cut = data[: second.start - 5]
        assert first.stop < len(cut)
        assert_same(imdecode(cut, on_damage="fill"), libjpeg(data[: first.stop] + END))


class TestSegmentLengths:
    """Segments whose length is less than that of the length itself."""

    @pytest.mark.parametrize("length", [0, 1])
    @pytest.mark.parametrize("marker", [APP0, APP1, 0xEC, APP14, COM, 0xDC])
    @pytest.mark.parametrize("behind", [b"", b"some text"])
    def test_segment_that_no_image_needs_is_skipped_like_libjpeg(self, length: int, marker: int, behind: bytes) -> None:
        segment = bytes([0xFF, marker, 0, length]) + behind
        for at in (2, frame(PLAIN).start):
            data = PLAIN[:at] + segment + PLAIN[at:]
            assert_same(imdecode(data), imdecode(PLAIN))
            assert_same(imdecode(data), opencv(data))

    @pytest.mark.parametrize("length", [0, 1])
    @pytest.mark.parametrize("marker", [0xC4, 0xDB, 0xDD, SOF0, 0xDA])
    def test_other_segment_is_an_error_with_the_reason(self, length: int, marker: int) -> None:
        at = frame(PLAIN).start
        data = PLAIN[:at] + bytes([0xFF, marker, 0, length]) + PLAIN[at:]
        reason = f"damaged at byte {at + 4}: the length of a marker segment must be at least 2"
        with pytest.raises(DecodeError, match=reason):
            imdecode(data)
