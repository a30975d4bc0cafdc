"""JPEGs decode to exactly libjpeg-turbo's pixels, in color and in gray.

The settings of some thousand images are sampled from fixed seeds; files that encoders rarely write are in `data/jpeg`.
Damaged files are tested elsewhere.
"""

from __future__ import annotations

import random
from itertools import product
from typing import TYPE_CHECKING

import pytest

from recio.image import imdecode
from tests.support import jpegs
from tests.support.jpegs import (
    APP0,
    APP14,
    CODINGS,
    CONTENTS,
    FIXTURES,
    KINDS,
    SOF0,
    SOF1,
    SOF2,
    YCC,
    Coding,
    Kind,
    Settings,
    assert_same,
    difference,
    encode,
    header,
    libjpeg,
    opencv,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SMALL = range(1, 41)
AROUND_BLOCKS = [size + offset for size in (48, 64, 80, 96, 128) for offset in (-1, 0, 1)]
PRIMES = [43, 53, 61, 71, 89, 101, 113]

every_kind = pytest.mark.parametrize("kind", KINDS)
every_coding = pytest.mark.parametrize("coding", CODINGS)


def differences(data: bytes) -> list[str]:
    """Compare the pixels in color and in gray with libjpeg-turbo's."""
    by_mode = {
        name: difference(imdecode(data, flag), libjpeg(data, flag)) for flag, name in ((1, "color"), (0, "gray"))
    }
    return [f"{name}: {message}" for name, message in by_mode.items() if message]


def assert_exact(cases: Iterable[Settings]) -> None:
    """Compare all cases, and report the first ten that differ."""
    compared = [(case, differences(encode(case))) for case in cases]
    failures = [f"{case}: {'; '.join(messages)}" for case, messages in compared if messages]
    assert not failures, "\n".join([f"{len(failures)} of {len(compared)} differ", *failures[:10]])


@every_kind
@every_coding
def test_every_small_size(kind: Kind, coding: Coding) -> None:
    """Each width and each height from 1 to 40."""
    rng = random.Random(kind + coding)
    shuffled = [rng.sample(SMALL, len(SMALL)) for _ in range(3)]
    sizes = [(width, height) for heights in shuffled for width, height in zip(SMALL, heights, strict=True)]
    sizes += [(side, 1) for side in SMALL] + [(1, side) for side in SMALL]
    assert_exact(
        Settings(width, height, kind, coding, rng.randint(50, 100), content=rng.choice(CONTENTS))
        for width, height in sizes
    )


@every_kind
def test_every_quality(kind: Kind) -> None:
    rng = random.Random(kind)
    assert_exact(
        Settings(rng.randint(9, 70), rng.randint(9, 70), kind, rng.choice(CODINGS), quality, content=content)
        for quality, content in product(range(1, 101), CONTENTS)
    )


@every_kind
@every_coding
def test_restart_intervals(kind: Kind, coding: Coding) -> None:
    """From one MCU to more MCUs than the image has."""
    rng = random.Random(kind + coding)
    assert_exact(
        Settings(rng.randint(1, 90), rng.randint(1, 90), kind, coding, rng.randint(30, 95), restarts)
        for restarts in [1, 2, 3, 5, 7, 8, 11, 16, 60, 1000] * 3
    )


@every_kind
def test_sizes_around_block_multiples_and_primes(kind: Kind) -> None:
    sides = AROUND_BLOCKS + PRIMES
    rng = random.Random(kind)
    assert_exact(
        Settings(width, height, kind, rng.choice(CODINGS), rng.randint(50, 100), rng.choice([0, 0, 4]))
        for width, height in zip(sides * 3, rng.sample(sides * 3, len(sides) * 3), strict=True)
    )


@every_kind
@every_coding
def test_sizes_of_photographs(kind: Kind, coding: Coding) -> None:
    rng = random.Random(kind + coding)
    assert_exact(
        Settings(rng.randint(200, 700), rng.randint(200, 500), kind, coding, quality, content=content)
        for quality, content in zip((60, 85, 92, 97, 100), CONTENTS, strict=True)
    )


@pytest.mark.parametrize("size", [(700, 1), (1, 700), (700, 9), (9, 700), (700, 700)])
@every_kind
def test_long_and_narrow(kind: Kind, size: tuple[int, int]) -> None:
    assert_exact([Settings(*size, kind)])


@pytest.mark.parametrize("kind", ["rgb", "cmyk", "ycck"])
def test_other_color_spaces(kind: Kind) -> None:
    """The reference for four components is OpenCV's conversion."""
    rng = random.Random(kind)
    assert_exact(
        Settings(rng.randint(1, 100), rng.randint(1, 100), kind, coding, rng.randint(1, 100), restarts, content)
        for coding, content, restarts, _ in product(CODINGS, CONTENTS, (0, 3), range(3))
    )


# Three components are YCbCr, unless Adobe's segment or their names declare RGB; a JFIF segment
# overrides both.
@pytest.mark.parametrize("names", [bytes([1, 2, 3]), b"RGB", bytes([0, 1, 2]), b"rgb", bytes([1, 2, 4])])
@pytest.mark.parametrize("transform", [None, 0, 1, 2])
@pytest.mark.parametrize("jfif", [True, False])
def test_color_space_is_detected_as_in_libjpeg(names: bytes, transform: int | None, jfif: bool) -> None:
    data = encode(Settings(20, 20))
    data = data if jfif else jpegs.without(data, APP0)
    data = data if transform is None else jpegs.with_transform(data, transform)
    assert differences(jpegs.with_names(data, names)) == []


@pytest.mark.parametrize("transform", [None, 0, 1, 2])
def test_four_components_are_cmyk_unless_adobe_declares_ycck(transform: int | None) -> None:
    data = jpegs.without(encode(Settings(20, 20, "cmyk")), APP14)
    assert differences(data if transform is None else jpegs.with_transform(data, transform)) == []


@every_kind
def test_16_bit_quantization_steps(kind: Kind) -> None:
    """Quantization steps over 255 need an extended sequential frame."""
    for size in (8, 33, 60):
        data = jpegs.with_wide_steps(encode(Settings(size, size + 5, kind)))
        assert header(data).process == SOF1
        assert differences(data) == []


@pytest.mark.parametrize("path", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_files_that_encoders_rarely_write(path: Path) -> None:
    data = path.read_bytes()
    assert differences(data) == []
    for flag in (0, 1):
        assert_same(imdecode(data, flag), opencv(data, flag))


@every_kind
@every_coding
@pytest.mark.parametrize("restarts", [0, 3])
def test_encoded_files_match_their_settings(kind: Kind, coding: Coding, restarts: int) -> None:
    """Check the helper: the files compared have the intended settings."""
    luma = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2), "4:4:0": (1, 2), "4:1:1": (4, 1)}
    sampling = [luma[kind], (1, 1), (1, 1)] if kind in YCC else [(1, 1)]
    process = SOF2 if coding == "progressive" else SOF0
    data = encode(Settings(60, 45, kind, coding, restarts=restarts))
    assert header(data) == (process, (60, 45), sampling, restarts)
    assert bool(jpegs.restart_markers(data)) == bool(restarts)
    if coding == "optimized":
        assert len(data) < len(encode(Settings(60, 45, kind, "baseline", restarts=restarts)))
