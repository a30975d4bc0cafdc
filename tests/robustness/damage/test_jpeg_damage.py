"""Damaged JPEGs: an error that names the byte, or, if asked for, libjpeg-turbo's picture; and what is no damage.

A damaged JPEG is never a picture unless `on_damage="fill"` says so, and no bytes whatever end the process or take long.
"""

from __future__ import annotations

import contextlib
import io
import random
import re
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from recio import DecodeError
from recio.image import imdecode
from tests.support import jpegs
from tests.support.jpegs import (
    APP0,
    APP1,
    APP14,
    CODINGS,
    COM,
    DHT,
    DQT,
    DRI,
    END,
    FIXTURES,
    KINDS,
    SOF0,
    SOS,
    UNFINISHED,
    Coding,
    Kind,
    Settings,
    assert_same,
    encode,
    libjpeg,
    restart_markers,
    scans,
    segments,
    with_bytes,
    without,
)

if TYPE_CHECKING:
    from pathlib import Path

PLACES = 40
AT_BYTE = re.compile(r"at byte (\d+)")

BASELINE = encode(Settings(100, 90))
RESTARTS = encode(Settings(100, 90, restarts=3))
PROGRESSIVE = encode(Settings(100, 90, coding="progressive"))
FILES = {"baseline": BASELINE, "restarts": RESTARTS, "progressive": PROGRESSIVE}

every_file = pytest.mark.parametrize("data", FILES.values(), ids=FILES)
every_kind = pytest.mark.parametrize("kind", KINDS)


def places_inside_scans(data: bytes) -> list[int]:
    """Choose forty bytes of the scans' data, neither the first nor the last of a scan."""
    inside = [at for scan in scans(data) for at in scan[1:-1]]
    return [inside[number * len(inside) // PLACES] for number in range(PLACES)]


def damage(data: bytes) -> int:
    """Decode what is damaged; give the byte that the error names."""
    with pytest.raises(DecodeError) as caught:
        imdecode(data)
    named = AT_BYTE.search(str(caught.value))
    assert named, str(caught.value)
    return int(named[1])


class TestCutOff:
    """Files whose end is missing."""

    @every_file
    @pytest.mark.parametrize("end", [b"", END], ids=["no EOI", "EOI"])
    def test_truncated_scan_is_an_error_with_position(self, data: bytes, end: bytes) -> None:
        for place in places_inside_scans(data):
            assert place - 8 <= damage(data[:place] + end) <= place + 2, place

    @every_file
    def test_scan_without_its_last_byte_is_an_error(self, data: bytes) -> None:
        damage(data[: scans(data)[-1].stop - 1] + END)

    @pytest.mark.parametrize("path", UNFINISHED, ids=[path.stem for path in UNFINISHED])
    def test_progressive_file_without_its_last_scans_is_an_error(self, path: Path) -> None:
        """What libjpeg smooths without a word."""
        assert damage(path.read_bytes()) == path.stat().st_size

    @every_file
    def test_truncated_header_is_an_error(self, data: bytes) -> None:
        for place in range(3, scans(data)[0].start):
            with pytest.raises(DecodeError):
                imdecode(data[:place])


class TestDamagedScans:
    """Files that are long enough, but wrong."""

    def test_invalid_code_is_an_error_near_its_byte(self) -> None:
        """At the end of its MCU at the latest.

        No table has a code of sixteen ones; a code and its bits are 27 at most, so one begins in these 64.
        """
        for place in places_inside_scans(BASELINE)[:-4]:
            ones = b"\0" + b"\xff\0" * 8 + b"\0"
            assert place <= damage(with_bytes(BASELINE, place, ones)) <= place + 64

    def test_misordered_restart_markers_are_an_error_at_the_first_one(self) -> None:
        second, third = restart_markers(RESTARTS)[1:3]
        swapped = with_bytes(with_bytes(RESTARTS, second, b"\xff\xd2"), third, b"\xff\xd1")
        assert second - 8 <= damage(swapped) <= second + 2

    def test_missing_restart_marker_is_an_error(self) -> None:
        for at in restart_markers(RESTARTS)[:-1]:
            assert at - 8 <= damage(RESTARTS[:at] + RESTARTS[at + 2 :])

    def test_missing_restart_interval_is_an_error(self) -> None:
        second, third = restart_markers(RESTARTS)[1:3]
        assert second - 8 <= damage(RESTARTS[:second] + RESTARTS[third:]) <= second + 2

    def test_unannounced_restart_marker_is_an_error(self) -> None:
        at = scans(BASELINE)[0].start + 200
        assert at - 8 <= damage(BASELINE[:at] + b"\xff\xd0" + BASELINE[at:]) <= at + 2

    def test_other_marker_in_a_scan_is_an_error(self) -> None:
        at = scans(BASELINE)[0].start + 200
        assert at - 8 <= damage(BASELINE[:at] + b"\xff\xfe\0\2" + BASELINE[at:]) <= at + 2


# Where a header is changed, counted from the start of the segment, and to what.
HEADERS: dict[str, tuple[int, int, bytes]] = {
    "height 0": (SOF0, 5, b"\0\0"),
    "width 0": (SOF0, 7, b"\0\0"),
    "five components": (SOF0, 9, b"\5"),
    "sampling 0 across": (SOF0, 11, b"\x02"),
    "sampling 0 down": (SOF0, 11, b"\x20"),
    "sampling 5 across": (SOF0, 11, b"\x51"),
    "sampling 15 down": (SOF0, 14, b"\x1f"),
    "two components of one name": (SOF0, 13, b"\1"),
    "a table of steps that there is not": (SOF0, 12, b"\3"),
    "a fifth table of steps": (SOF0, 12, b"\4"),
    "a frame of length 2": (SOF0, 2, b"\0\2"),
    "a frame of length 0": (SOF0, 2, b"\0\0"),
    "no components in the scan": (SOS, 4, b"\0"),
    "five components in the scan": (SOS, 4, b"\5"),
    "a component that the frame has not": (SOS, 5, b"\x63"),
    "a component twice in the scan": (SOS, 7, b"\1"),
    "a table of codes that there is not": (SOS, 6, b"\x33"),
    "a fifth table of codes": (SOS, 6, b"\x44"),
    "more codes of one bit than two": (DHT, 5, b"\3"),
    "more codes than the segment holds": (DHT, 20, b"\xff"),
    "a fifth table of codes defined": (DHT, 4, b"\4"),
    "steps of neither 8 nor 16 bits": (DQT, 4, b"\x20"),
    "a fifth table of steps defined": (DQT, 4, b"\4"),
    "a table of steps that is too short": (DQT, 3, b"\x20"),
}

UNSUPPORTED: dict[str, tuple[int, bytes]] = {
    "12 bits": (4, b"\x0c"),
    "no components": (9, b"\0"),
    "two components": (9, b"\2"),
    "lossless": (1, b"\xc3"),
    "hierarchical": (1, b"\xc5"),
    "arithmetic": (1, b"\xc9"),
}
"""What a frame may say that recio does not decode: where, and what."""


class TestHeaders:
    """Files whose header contradicts itself, or lacks something."""

    @pytest.mark.parametrize(("marker", "offset", "content"), HEADERS.values(), ids=HEADERS)
    def test_invalid_header_is_an_error(self, marker: int, offset: int, content: bytes) -> None:
        segment = next(segment for segment in segments(BASELINE) if segment.marker == marker)
        damage(with_bytes(BASELINE, segment.start + offset, content))

    @pytest.mark.parametrize(("offset", "content"), UNSUPPORTED.values(), ids=UNSUPPORTED)
    def test_unsupported_jpeg_is_reported_as_unsupported(self, offset: int, content: bytes) -> None:
        with pytest.raises(DecodeError, match="not supported"):
            imdecode(with_bytes(BASELINE, jpegs.frame(BASELINE).start + offset, content))

    @pytest.mark.parametrize("marker", [DQT, SOF0, SOS])
    def test_missing_segment_is_an_error(self, marker: int) -> None:
        damage(without(BASELINE, marker))

    def test_missing_huffman_tables_default_to_the_standard_ones(self) -> None:
        """Frames of motion JPEG have none; libjpeg-turbo presumes those of ITU-T T.81, K.3."""
        image = libjpeg(BASELINE)
        out = io.BytesIO()
        Image.fromarray(image).save(out, "JPEG", quality=90, subsampling=2)
        frame = without(out.getvalue(), DHT)
        assert_same(imdecode(frame), libjpeg(frame))
        progressive = io.BytesIO()
        Image.fromarray(image).save(progressive, "JPEG", progressive=True)
        damage(without(progressive.getvalue(), DHT))

    def test_second_frame_is_an_error(self) -> None:
        sof = jpegs.frame(BASELINE)
        damage(BASELINE[: sof.end] + BASELINE[sof.start :])

    def test_restart_interval_segment_of_wrong_length_is_an_error(self) -> None:
        damage(jpegs.with_segment(BASELINE, DRI, b"\0\0\0"))

    def test_progressive_file_may_have_100_scans(self) -> None:
        assert_same(imdecode(jpegs.of_many_scans(100)), np.full((8, 8, 3), 128, np.uint8))

    def test_101st_scan_is_refused_with_the_limit(self) -> None:
        """Each scan costs a pass over the whole image: a small file could take minutes."""
        with pytest.raises(DecodeError, match=r"\b100\b"):
            imdecode(jpegs.of_many_scans(101))


class TestNoDamage:
    """What a JPEG may have, or is forgiven, as nothing of the image is missing."""

    @every_file
    @pytest.mark.parametrize("behind", [b"\0" * 100, b"text", b"\xff", b"\xff\xff\xff", b"\xff\xd3", BASELINE])
    def test_bytes_after_the_image(self, data: bytes, behind: bytes) -> None:
        assert_same(imdecode(data + behind), libjpeg(data))

    @every_file
    def test_missing_end_of_image(self, data: bytes) -> None:
        assert data.endswith(END)
        for complete in (data[:-2], data[:-1]):
            assert_same(imdecode(complete), libjpeg(data))

    @every_file
    def test_fill_bytes_before_markers(self, data: bytes) -> None:
        filled = jpegs.with_fill_bytes(data)
        assert len(filled) > len(data)
        assert_same(imdecode(filled), libjpeg(data))

    @every_file
    @pytest.mark.parametrize("marker", [APP0, APP1, APP14, COM])
    def test_application_and_comment_segments(self, data: bytes, marker: int) -> None:
        for content in (b"", b"\xff\xd9", b"Exif\0\0", b"\xff" * 5000):
            assert_same(imdecode(jpegs.with_segment(data, marker, content)), libjpeg(data))


class TestHostileBytes:
    """Whatever the bytes: an image or a DecodeError, soon."""

    FILES = (
        *(encode(Settings(40, 30, kind, coding, restarts=2)) for kind in KINDS for coding in CODINGS),
        *(path.read_bytes() for path in FIXTURES[::4]),
    )

    def decode(self, data: bytes, **settings: Any) -> None:  # noqa: ANN401
        start = time.thread_time()
        with contextlib.suppress(DecodeError):
            imdecode(data, **settings)
        assert time.thread_time() - start < 1

    def mutated(self, data: bytes, draw: random.Random, start: int = 2) -> bytes:
        """Change one byte to eight, behind SOI."""
        changed = bytearray(data)
        for _ in range(draw.randint(1, 8)):
            changed[draw.randrange(start, len(data))] = draw.choice([0, 1, 0xFF, draw.randrange(256)])
        return bytes(changed)

    @pytest.mark.parametrize("seed", range(20))
    def test_changed_bytes(self, seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(100):
            self.decode(self.mutated(draw.choice(self.FILES), draw))

    @pytest.mark.parametrize("seed", range(5))
    def test_changed_bytes_of_scans_with_fill(self, seed: int) -> None:
        """The size stays: filling an image of 16,000 pixels a side takes its time."""
        draw = random.Random(seed)
        for _ in range(100):
            data = draw.choice(self.FILES)
            self.decode(self.mutated(data, draw, scans(data)[0].start), on_damage="fill")

    def test_spliced_files(self) -> None:
        draw = random.Random(0)
        for _ in range(300):
            one, other = draw.sample(self.FILES, 2)
            self.decode(one[: draw.randrange(len(one))] + other[draw.randrange(len(other)) :])


@pytest.fixture
def _pillow_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Pillow give libjpeg's picture of files that are cut off."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


@pytest.mark.usefixtures("_pillow_fills")
class TestFilling:
    """`on_damage="fill"`: the picture that libjpeg-turbo makes of what there is, the rest grey."""

    @every_kind
    @pytest.mark.parametrize("coding", ["baseline", "optimized"])
    @pytest.mark.parametrize("restarts", [0, 3])
    @pytest.mark.parametrize("end", [b"", END], ids=["no EOI", "EOI"])
    def test_truncated_scan_is_filled_like_libjpeg(self, kind: Kind, coding: Coding, restarts: int, end: bytes) -> None:
        data = encode(Settings(100, 90, kind, coding, restarts=restarts))
        for place in places_inside_scans(data) + restart_markers(data):
            cut = data[:place] + end
            for flag in (1, 0):
                assert_same(imdecode(cut, flag, on_damage="fill"), libjpeg(cut, flag), place)

    @every_kind
    def test_missing_rows_are_gray(self, kind: Kind) -> None:
        data = encode(Settings(64, 320, kind))
        half = scans(data)[0].start + len(scans(data)[0]) // 2
        image = imdecode(data[:half], on_damage="fill")
        assert (image[-64:] == 128).all()
        assert_same(image[:32], imdecode(data)[:32])

    @every_file
    def test_fill_does_not_change_a_complete_file(self, data: bytes) -> None:
        assert_same(imdecode(data, on_damage="fill"), imdecode(data))

    def test_damaged_header_cannot_be_filled(self) -> None:
        for data in (without(BASELINE, DQT), without(BASELINE, SOF0), BASELINE[: scans(BASELINE)[0].start - 5]):
            with pytest.raises(DecodeError):
                imdecode(data, on_damage="fill")

    def test_other_value_is_a_value_error(self) -> None:
        other: Any = "ignore"
        with pytest.raises(ValueError, match="on_damage must be 'error' or 'fill', got 'ignore'"):
            imdecode(BASELINE, on_damage=other)
