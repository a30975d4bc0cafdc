"""`imdecode` of a region: the same pixels as cut out of the whole image, to the last bit, whatever lies around them."""

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
"""Sides that end in the middle of every kind of MCU."""

every_kind = pytest.mark.parametrize("kind", KINDS)
every_coding = pytest.mark.parametrize("coding", CODINGS)


def rectangle(draw: random.Random, width: int, height: int) -> Region:
    """Draw a rectangle inside an image of this size; its sides of all lengths, the short ones as likely as the long."""
    w, h = (min(side, round(side ** draw.random())) for side in (width, height))
    return draw.randint(0, width - w), draw.randint(0, height - h), w, h


def at_the_edges(width: int, height: int) -> list[Region]:
    """Return the entire image, the corners, the lines along the sides, and regions near block borders."""
    corners = [(x, y, 1, 1) for x in (0, width - 1) for y in (0, height - 1)]
    lines = [(0, 0, width, 1), (0, height - 1, width, 1), (0, 0, 1, height), (width - 1, 0, 1, height)]
    blocks = [(x, y, 16, 16) for x in (7, 8, 9, 15, 16, 17) for y in (7, 8, 16, 17) if x + 16 <= width]
    return [(0, 0, width, height), *corners, *lines, *blocks, *((16, 16, w, w) for w in (1, 7, 8, 9, 15, 17))]


def assert_cut_out(data: bytes, regions: list[Region], **settings: Any) -> None:  # noqa: ANN401
    """Compare regions with the same parts of the whole."""
    whole = imdecode(data, **settings)
    for x, y, w, h in regions:
        found = imdecode(data, **settings, region=(x, y, w, h))
        assert found.flags.c_contiguous
        assert_same(found, whole[y : y + h, x : x + w], (x, y, w, h))


def size(data: bytes) -> tuple[int, int]:
    """Return the width and the height of the upright image."""
    height, width = imdecode(data).shape[:2]
    return width, height


def rectangles(data: bytes, seed: str, count: int = RECTANGLES) -> list[Region]:
    draw = random.Random(seed)
    return [rectangle(draw, *size(data)) for _ in range(count)]


def exif(orientation: int) -> bytes:
    """Return EXIF data with an orientation."""
    tags = Image.Exif()
    tags[0x112] = orientation
    return tags.tobytes()


def turned(orientation: int, data: bytes) -> bytes:
    """Insert an orientation into a JPEG."""
    return with_segment(data, APP1, exif(orientation))


def turned_png(orientation: int) -> bytes:
    """Make a PNG that says how it is to be turned."""
    file = io.BytesIO()
    Image.fromarray(noise(30, 40)).save(file, "PNG", exif=exif(orientation))
    return file.getvalue()


@every_kind
@every_coding
@pytest.mark.parametrize("restarts", [0, 5])
@pytest.mark.parametrize("content", ["photo", "noise"])
def test_a_region_is_cut_out_of_the_whole(kind: Kind, coding: Coding, restarts: int, content: Content) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind, coding, restarts=restarts, content=content))
    assert_cut_out(data, rectangles(data, f"{kind} {coding} {restarts} {content}"))


@every_kind
@every_coding
def test_regions_at_the_edges_of_the_image_and_of_blocks(kind: Kind, coding: Coding) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind, coding, content="noise"))
    assert_cut_out(data, at_the_edges(WIDTH, HEIGHT))


@pytest.mark.parametrize("kind", ["rgb", "cmyk", "ycck"])
@every_coding
def test_of_other_colour_spaces(kind: Kind, coding: Coding) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind, coding))
    assert_cut_out(data, rectangles(data, kind))


@pytest.mark.parametrize("path", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_of_files_that_encoders_hardly_make(path: Any) -> None:  # noqa: ANN401
    data = path.read_bytes()
    assert_cut_out(data, rectangles(data, path.stem))


@pytest.mark.parametrize("settings", [{"flag": 0}, {"to_rgb": False}])
@every_kind
def test_in_grey_and_with_the_channels_the_other_way(kind: Kind, settings: dict[str, Any]) -> None:
    data = encode(Settings(WIDTH, HEIGHT, kind))
    assert_cut_out(data, rectangles(data, kind), **settings)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["4:2:0", "4:2:2", "4:4:4", "grey"])
@every_coding
def test_the_region_is_of_the_upright_image(kind: Kind, coding: Coding, orientation: int) -> None:
    """As EXIF says how to turn it: with 5 to 8, width and height change places."""
    data = turned(orientation, encode(Settings(WIDTH, HEIGHT, kind, coding)))
    assert size(data) == ((WIDTH, HEIGHT) if orientation < 5 else (HEIGHT, WIDTH))
    assert_cut_out(data, [*rectangles(data, f"{kind} {coding} {orientation}"), (0, 0, 20, 10), (0, 0, *size(data))])


@pytest.mark.parametrize("name", ["alpha.png", "gray16.png", "palette.png", "photo.bmp", "photo.webp"])
def test_of_other_formats(name: str) -> None:
    data = (ODD / name).read_bytes()
    assert_cut_out(data, [*rectangles(data, name, 10), *at_the_edges(*size(data))])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_of_a_png_that_is_to_be_turned(orientation: int) -> None:
    data = turned_png(orientation)
    assert_cut_out(data, rectangles(data, str(orientation)))


def test_of_an_image_of_one_pixel() -> None:
    for data in (encode(Settings(1, 1)), png(noise(1, 1))):
        assert_cut_out(data, [(0, 0, 1, 1)])


def test_the_region_is_put_into_out() -> None:
    data = encode(Settings(60, 50))
    out = np.empty((20, 30, 3), np.uint8)
    assert imdecode(data, out=out, region=(11, 12, 30, 20)) is out
    assert_same(out, imdecode(data)[12:32, 11:41])
    with pytest.raises(ValueError, match=r"out must be uint8 \(20, 31, 3\), as the image, got "):
        imdecode(data, out=out, region=(11, 12, 31, 20))


def test_a_region_of_numpys_integers_is_one_too() -> None:
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
def test_a_region_that_is_not_inside_the_image_is_a_value_error(region: Region) -> None:
    for data in (encode(Settings(60, 50)), png(noise(50, 60))):
        with pytest.raises(ValueError, match="region"):
            imdecode(data, region=region)


def test_inside_is_meant_of_the_upright_image() -> None:
    data = turned(6, encode(Settings(60, 50)))
    assert imdecode(data, region=(0, 0, 50, 60)).shape == (60, 50, 3)
    with pytest.raises(ValueError, match="region"):
        imdecode(data, region=(0, 0, 60, 50))


@pytest.mark.parametrize("region", [(0, 0, 5), (0, 0, 5, 5, 5), 7, "0055", (0.0, 0.5, 5, 5)])
def test_what_is_no_region_is_an_error(region: Any) -> None:  # noqa: ANN401
    with pytest.raises((TypeError, ValueError)):
        imdecode(encode(Settings(60, 50)), region=region)
