"""R46: PNG, BMP, GIF, WebP and TIFF have OpenCV's pixels, in gray, in color and as stored, or are refused by name.

The images are of other encoders (`tests/support/formats`); OpenCV 4.8.1 made the digests, for GIF OpenCV 4.14.
`make test-formats` compares several thousand more.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import recio
from recio.image import imdecode
from recio.recordio import IRHeader, pack, unpack_img
from tests.support.formats.compare import counted
from tests.support.formats.digests import read_archive
from tests.support.records import DATA, noise, png

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFUSED = {
    "png": set(),
    "bmp": {"the bit masks"},
    "gif": set(),
    "webp": set(),
    "tiff": {
        "signed samples are not supported",
        "JPEG compression of",
        "the photometric interpretation 8 (L*a*b* colors) is not supported",
        "32 bits per sample are not supported",
    },
}
"""What is refused though OpenCV decodes it."""


@pytest.mark.parametrize("kind", REFUSED)
def test_images_of_other_encoders_have_the_pixels_of_opencv_or_are_refused_by_name(kind: str) -> None:
    images, references = read_archive(DATA / "formats" / f"{kind}.zip")
    counts, others = counted(images, references)
    assert counts["DIFFERS"] == 0, others
    assert counts["equal"] > 0.6 * 3 * len(images), counts
    name = {"webp": "WebP"}.get(kind, kind.upper())
    for other in others:
        reason = other.split("refused: ")
        if len(reason) == 2:
            assert any(reason[1].startswith(f"{name}: {text}") for text in REFUSED[kind]), other


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunk(payload: bytes, before: bytes, inserted: bytes) -> bytes:
    """Return a PNG with a chunk before the first one of a kind."""
    at = payload.index(before) - 4
    return payload[:at] + inserted + payload[at:]


def exif(kind: int) -> bytes:
    """Return EXIF data with the orientation 6, of type SHORT (3) or LONG (4)."""
    return b"II*\0\x08\0\0\0\x01\0\x12\x01" + struct.pack("<HII", kind, 1, 6) + bytes(4)


def unpacked(payload: bytes) -> NDArray[Any]:
    """Return the image as stored."""
    return unpack_img(pack(IRHeader(0, 0.0, 0, 0), payload))[1]


@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_exif_orientation_of_a_png_is_applied_wherever_it_is(before: bytes, kind: int) -> None:
    plain = png(noise(20, 30))
    turned = with_chunk(plain, before, chunk(b"eXIf", exif(kind)))
    assert (imdecode(turned) == np.rot90(imdecode(plain), -1)).all()
    assert (unpacked(turned) == unpacked(plain)).all()


def test_exif_orientation_of_a_jpeg_may_be_of_type_long() -> None:
    plain = (DATA / "odd-images" / "tiny.jpg").read_bytes()
    segment = b"Exif\0\0" + exif(4)
    turned = plain[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + plain[2:]
    assert (imdecode(turned) == np.rot90(imdecode(plain), -1)).all()


def test_gray_of_a_color_png_is_computed_in_linear_light_if_its_gamma_is_known() -> None:
    plain = png(np.full((2, 2, 3), (255, 0, 0), np.uint8))
    gammas = {None: 76, 45455: 147, 90000: 86, 95238: 76, 100000: 76, 105000: 76}
    for gamma, gray in gammas.items():
        payload = plain if gamma is None else with_chunk(plain, b"IDAT", chunk(b"gAMA", struct.pack(">I", gamma)))
        assert imdecode(payload, flag=0).max() == imdecode(payload, flag=0).min() == gray, gamma
        assert (imdecode(payload) == (255, 0, 0)).all()


def test_a_profile_that_only_names_srgb_is_not_srgb() -> None:
    plain = png(noise(8, 8))
    profile = b"sRGB\0\0" + zlib.compress(b"sRGB" * 50)
    named = with_chunk(plain, b"IDAT", chunk(b"iCCP", profile))
    assert (imdecode(named, flag=0) == imdecode(plain, flag=0)).all()


@pytest.mark.parametrize("name", ["photo.webp"])
def test_a_webp_cut_at_any_of_its_last_bytes_is_an_error(name: str) -> None:
    payload = (DATA / "odd-images" / name).read_bytes()
    assert imdecode(payload).size
    for missing in range(1, 40):
        with pytest.raises(recio.DecodeError, match="WebP: the file is cut short: it has"):
            imdecode(payload[:-missing])
    # Data after the image are no damage.
    assert (imdecode(payload + b"more") == imdecode(payload)).all()


def test_errors_state_the_format_what_is_wrong_and_the_byte() -> None:
    odd = DATA / "odd-images"
    png_file, bmp, webp = ((odd / name).read_bytes() for name in ("alpha.png", "photo.bmp", "photo.webp"))
    gif = read_archive(DATA / "formats" / "gif.zip")[0]["gif-0-0-pil9.gif"]
    tiff = next(data for name, data in read_archive(DATA / "formats" / "tiff.zip")[0].items() if "lzw" in name)
    flipped = bytearray(png_file)
    flipped[5000] ^= 1
    for payload, text in [
        (png_file[:5000], r"PNG: the file is cut short: it has 5000 bytes, but the chunk IDAT at byte \d+ needs \d+"),
        (bytes(flipped), r"PNG: the chunk IDAT at byte \d+ is damaged: its checksum is wrong"),
        (bmp[:5000], r"BMP: the file is cut short: it has 5000 bytes, but 270 at byte \d+ are needed"),
        (webp[:500], r"WebP: the file is cut short: it has 500 bytes, but \d+ at byte 8 are needed"),
        (gif[:-20], r"GIF: the file is cut short|GIF: the image data end at byte \d+ after \d+ of \d+ pixels"),
        (
            tiff[:4] + b"\xff\xff\0\0" + tiff[8:],
            r"TIFF: the file is cut short: it has \d+ bytes, but 2 at byte 65535 are needed",
        ),
        (b"II*\0\x08\0\0\0\0\0\0\0\0\0", "TIFF: the tag ImageWidth is missing"),
    ]:
        with pytest.raises(recio.DecodeError, match=text):
            imdecode(payload)
