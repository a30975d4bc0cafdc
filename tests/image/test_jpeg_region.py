"""`imdecode` of a region: bit-identical to a crop of the full image."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recio.image import imdecode
from tests.support.jpegs import (
    APP1,
    CODINGS,
    FIXTURES,
    KINDS,
    Coding,
    Content,
    Kind,
    Settings,
    assert_same,
    encode,
    with_segment,
)
from tests.support.records import ODD, noise, png

Region = tuple[int, int, int, int]

RECTANGLES = 20
WIDTH, HEIGHT = 133, 117
"""Sides that are no multiples of any MCU's."""

every_kind = pytest.mark.parametrize("kind", KINDS)
every_coding = pytest.mark.parametrize("coding", CODINGS)


def rectangle(rng: random.Random, width: int, height: int) -> Region:
    """Sample a rectangle inside an image of this size, with short sides as likely as long ones."""
    w, h = (min(side, round(side ** rng.random())) for side in (width, height))
    return rng.randint(0, width - w), rng.randint(0, height - h), w, h


def at_the_edges(width: int, height: int) -> list[Region]:
    """Return the full image, its corners, lines along its sides, and regions with bounds around those of blocks."""
    corners = [(x, y, 1, 1) for x in (0, width - 1) for y in (0, height - 1)]
    lines = [(0, 0, width, 1), (0, height - 1, width, 1), (0, 0, 1, height), (width - 1, 0, 1, height)]
    blocks = [(x, y, 16, 16) for x in (7, 8, 9, 15, 16, 17) for y in (7, 8, 16, 17) if x + 16 <= width]
    return [(0, 0, width, height), *corners, *lines, *blocks, *((16, 16, w, w) for w in (1, 7, 8, 9, 15, 17))]


def assert_crops_match(data: bytes, regions: list[Region], **settings: Any) -> None:  # noqa: ANN401
    """Compare decoded regions with crops of the full image."""
    full = imdecode(data, **settings)
    for x, y, w, h in regions:
        pixels = imdecode(data, **settings, region=(x, y, w, h))
        assert pixels.flags.c_contiguous
        assert_same(pixels, full[y : y + h, x : x + w], (x, y, w, h))


def size(data: bytes) -> tuple[int, int]:
    """Return the width and the height of the upright image."""
    height, width = imdecode(data).shape[:2]
    return width, height


def rectangles(data: bytes, seed: str, count: int = RECTANGLES) -> list[Region]:
    rng = random.Random(seed)
    return [rectangle(rng, *size(data)) for _ in range(count)]


def exif(orientation: int) -> bytes:
    """Return EXIF data with an orientation."""
    tags = Image.Exif()
    tags[0x112] = orientation
    return tags.tobytes()


def with_orientation(orientation: int, data: bytes) -> bytes:
    """Add an orientation to a JPEG."""
    return with_segment(data, APP1, exif(orientation))


def png_with_orientation(orientation: int) -> bytes:
    """Encode a PNG with an orientation."""
    file = io.BytesIO()
    Image.fromarray(noise(30, 40)).save(file, "PNG", exif=exif(orientation))
    return file.getvalue()


@every_kind
@every_coding
@pytest.mark.parametrize("restarts", [0, 5])
@pytest.mark.parametrize("content", ["photo", "noise"])
def test_region_equals_a_crop_of_the_full_image(kind: Kind, coding: Coding, restarts: int, content: Content) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind, coding, restarts=restarts, content=content))
    assert_crops_match(data, rectangles(data, f"{kind} {coding} {restarts} {content}"))


@every_kind
@every_coding
def test_regions_at_the_edges_of_the_image_and_of_blocks(kind: Kind, coding: Coding) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind, coding, content="noise"))
    assert_crops_match(data, at_the_edges(WIDTH, HEIGHT))


@pytest.mark.parametrize("kind", ["rgb", "cmyk", "ycck"])
@every_coding
def test_regions_of_other_color_spaces(kind: Kind, coding: Coding) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind, coding))
    assert_crops_match(data, rectangles(data, kind))


@pytest.mark.parametrize("path", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_regions_of_files_that_encoders_rarely_write(path: Any) -> None:  # noqa: ANN401
    data = path.read_bytes()
    assert_crops_match(data, rectangles(data, path.stem))


@pytest.mark.parametrize("settings", [{"flag": 0}, {"to_rgb": False}])
@every_kind
def test_regions_in_gray_and_in_bgr(kind: Kind, settings: dict[str, Any]) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind))
    assert_crops_match(data, rectangles(data, kind), **settings)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["4:2:0", "4:2:2", "4:4:4", "gray"])
@every_coding
def test_region_refers_to_the_upright_image(kind: Kind, coding: Coding, orientation: int) -> None:
    """EXIF orientations 5 to 8 exchange width and height."""
    data = with_orientation(orientation, encode(Settings(WIDTH, HEIGHT, kind, coding)))
    assert size(data) == ((WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH))
    assert_crops_match(data, [*rectangles(data, f"{kind} {coding} {orientation}"), (0, 0, 20, 10), (0, 0, *size(data))])


@pytest.mark.parametrize("name", ["alpha.png", "gray16.png", "palette.png", "photo.bmp", "photo.webp"])
def test_regions_of_other_formats(name: str) -> None:
    data = (ODD / name).read_bytes()
    assert_crops_match(data, [*rectangles(data, name, 10), *at_the_edges(*size(data))])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_of_a_png_with_orientation(orientation: int) -> None:
    data = png_with_orientation(orientation)
    assert_crops_match(data, rectangles(data, str(orientation)))


def test_region_of_a_one_pixel_image() -> None:
    for data in (encode(Settings(1, 1)), png(noise(1, 1))):
        assert_crops_match(data, [(0, 0, 1, 1)])


def test_region_is_written_into_out() -> None:
    data = encode(Settings(60, 50))
    out = np.empty((20, 30, 3), np.uint8)
    assert imdecode(data, out=out, region=(11, 12, 30, 20)) is out
    assert_same(out, imdecode(data)[12:32, 11:41])
    with pytest.raises(ValueError, match=r"out must be uint8 \(20, 31, 3\), as the image, got "):
        imdecode(data, out=out, region=(11, 12, 31, 20))


def test_region_may_have_numpy_integers() -> None:
    data = encode(Settings(60, 50))
    x, y, w, h = np.array([11, 12, 30, 20])
    assert_same(imdecode(data, region=(x, y, w, h)), imdecode(data)[12:32, 11:41])


@pytest.mark.parametrize(
    "region",
    [
        (-1, 0, 5, 5),
        (0, -1, 5, 5),
        (0, 0, 0, 5),
        (0, 0, 5, 0),
        (0, 0, -5, 5),
        (0, 0, 61, 5),
        (0, 0, 5, 51),
        (56, 0, 5, 5),
        (0, 46, 5, 5),
        (60, 50, 1, 1),
        (2**31, 0, 1, 1),
        (1, 1, 2**32 - 1, 2**32 - 1),
        (2**63, 0, 1, 1),
        (1, 1, 2**64 - 1, 2**64 - 1),
    ],
)
def test_region_outside_the_image_raises_value_error(region: Region) -> None:
    for data in (encode(Settings(60, 50)), png(noise(50, 60))):
        with pytest.raises(ValueError, match="region"):
            imdecode(data, region=region)


def test_bounds_are_those_of_the_upright_image() -> None:
    data = with_orientation(6, encode(Settings(60, 50)))
    assert imdecode(data, region=(0, 0, 50, 60)).shape == (60, 50, 3)
    with pytest.raises(ValueError, match="region"):
        imdecode(data, region=(0, 0, 60, 50))


@pytest.mark.parametrize("region", [(0, 0, 5), (0, 0, 5, 5, 5), 7, "0055", (0.0, 0.5, 5, 5)])
def test_invalid_region_raises(region: Any) -> None:  # noqa: ANN401
    with pytest.raises((TypeError, ValueError)):
        imdecode(encode(Settings(60, 50)), region=region)
