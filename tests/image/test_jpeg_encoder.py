"""``imencode`` makes the JPEGs of libjpeg-turbo, byte for byte, as OpenCV and Pillow write them."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from PIL import Image

from recio import Limits
from recio.image import imdecode, imencode
from tests.support.jpegs import CONTENTS, YCC, Content, Kind, Settings, render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from recio.image._codec import Subsampling

SUBSAMPLINGS: dict[Kind, Subsampling] = {"4:2:0": "4:2:0", "4:2:2": "4:2:2", "4:4:4": "4:4:4"}
KINDS: list[Kind] = [*SUBSAMPLINGS, "gray"]

every_kind = pytest.mark.parametrize("kind", KINDS)


def actual(image: NDArray[np.uint8], settings: Settings) -> bytes:
    """Encode B, G, R or gray."""
    subsampling = SUBSAMPLINGS.get(settings.kind, "4:2:0")
    return imencode(image[..., ::-1], quality=settings.quality, subsampling=subsampling)


def opencv(image: NDArray[np.uint8], settings: Settings) -> bytes:
    parameters = [cv2.IMWRITE_JPEG_QUALITY, settings.quality]
    if settings.kind in YCC:
        parameters += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, YCC[settings.kind]]
    return cv2.imencode(".jpg", image, parameters)[1].tobytes()


def pillow(image: NDArray[np.uint8], settings: Settings) -> bytes:
    file = io.BytesIO()
    is_gray = settings.kind == "gray"
    pixels = image[..., 0] if is_gray else np.ascontiguousarray(image[..., ::-1])
    subsampling: Any = -1 if is_gray else settings.kind
    Image.fromarray(pixels).save(file, "JPEG", quality=settings.quality, subsampling=subsampling)
    return file.getvalue()


def assert_exact(cases: Iterable[Settings]) -> None:
    """Compare all cases, and report the first ten that differ."""
    failures, count = [], 0
    for count, case in enumerate(cases, 1):  # noqa: B007 counted
        image = render(case)
        encoded = actual(image, case)
        failures += [f"{case}: {other.__name__}" for other in (opencv, pillow) if other(image, case) != encoded]
    assert count > 0
    assert not failures, "\n".join([f"{len(failures)} of {2 * count} differ", *failures[:10]])


@every_kind
def test_every_small_size(kind: Kind) -> None:
    """Each width and each height from 1 to 40."""
    rng = random.Random(kind)
    sides = range(1, 41)
    sizes = [(width, height) for width in sides for height in (1, width, rng.choice(sides), rng.choice(sides))]
    assert_exact(
        Settings(width, height, kind, "baseline", rng.randint(1, 100), content=rng.choice(CONTENTS))
        for width, height in sizes
    )


@every_kind
@pytest.mark.parametrize("content", CONTENTS)
def test_every_quality(kind: Kind, content: Content) -> None:
    rng = random.Random(kind + content)
    assert_exact(
        Settings(rng.randint(50, 150), rng.randint(50, 150), kind, "baseline", quality, content=content)
        for quality in range(1, 101)
    )


@every_kind
@pytest.mark.parametrize("size", [(1000, 17), (17, 1000), (640, 480), (65_500, 2)])
def test_large_images(kind: Kind, size: tuple[int, int]) -> None:
    assert_exact(Settings(*size, kind, "baseline", quality, content="photo") for quality in (75, 100))


def test_quality_is_clipped() -> None:
    image = render(Settings(20, 30, "4:2:0", "baseline", 50))
    assert imencode(image, quality=-5) == imencode(image, quality=0) == imencode(image, quality=1)
    assert imencode(image, quality=1000) == imencode(image, quality=100)


def test_longest_side_is_that_of_the_format() -> None:
    """A JPEG can have 65,535 pixels a side; libjpeg refuses more than 65,500."""
    image = np.zeros((1, 65_535), np.uint8)
    assert imdecode(imencode(image), 0, limits=Limits(side=65_535)).shape == (1, 65_535, 1)


@pytest.mark.parametrize("shape", [(0, 5, 3), (5, 0, 3), (1, 65_536, 3), (65_536, 1)])
def test_impossible_sizes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=rf"from 1 to 65535 pixels a side, got {shape[1]}x{shape[0]}"):
        imencode(np.zeros(shape, np.uint8))


def test_unknown_subsampling_is_refused() -> None:
    with pytest.raises(ValueError, match=r"subsampling must be '4:2:0', '4:2:2' or '4:4:4', got '4:1:1'"):
        imencode(np.zeros((8, 8, 3), np.uint8), subsampling="4:1:1")  # type: ignore[arg-type]
