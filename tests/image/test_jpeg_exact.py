"""JPEGs decode to libjpeg-turbo's pixels: not one level of one of them differs, in colour or in grey.

Of some thousand images the settings are drawn, from fixed seeds; what encoders hardly make is in `data/jpeg`.
What is damaged is tested elsewhere.
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
AROUND_BLOCKS = [size + apart for size in (48, 64, 80, 96, 128) for apart in (-1, 0, 1)]
PRIMES = [43, 53, 61, 71, 89, 101, 113]

every_kind = pytest.mark.parametrize("kind", KINDS)
every_coding = pytest.mark.parametrize("coding", CODINGS)


def differences(data: bytes) -> list[str]:
    """Compare in colour and in grey."""
    found = {name: difference(imdecode(data, flag), libjpeg(data, flag)) for flag, name in ((1, "colour"), (0, "grey"))}
    return [f"{name}: {what}" for name, what in found.items() if what]


def assert_exact(cases: Iterable[Settings]) -> None:
    """Compare all, and name the first ten that differ."""
    compared = [(case, differences(encode(case))) for case in cases]
    wrong = [f"{case}: {'; '.join(found)}" for case, found in compared if found]
    assert not wrong, "\n".join([f"{len(wrong)} of {len(compared)} differ", *wrong[:10]])


@every_kind
@every_coding
def test_every_small_size(kind: Kind, coding: Coding) -> None:
    """Each of 1 to 40 as a width and as a height."""
    draw = random.Random(kind + coding)
    shuffled = [draw.sample(SMALL, len(SMALL)) for _ in range(3)]
    sizes = [(width, height) for heights in shuffled for width, height in zip(SMALL, heights, strict=True)]
    sizes += [(side, 1) for side in SMALL] + [(1, side) for side in SMALL]
    assert_exact(
        Settings(width, height, kind, coding, draw.randint(50, 100), content=draw.choice(CONTENTS))
        for width, height in sizes
    )


@every_kind
def test_every_quality(kind: Kind) -> None:
    draw = random.Random(kind)
    assert_exact(
        Settings(draw.randint(9, 70), draw.randint(9, 70), kind, draw.choice(CODINGS), quality, content=content)
        for quality, content in product(range(1, 101), CONTENTS)
    )


@every_kind
@every_coding
def test_restart_intervals(kind: Kind, coding: Coding) -> None:
    """From one MCU to more than the image has."""
    draw = random.Random(kind + coding)
    assert_exact(
        Settings(draw.randint(1, 90), draw.randint(1, 90), kind, coding, draw.randint(30, 95), restarts)
        for restarts in [1, 2, 3, 5, 7, 8, 11, 16, 60, 1000] * 3
    )


@every_kind
def test_sizes_around_whole_blocks_and_primes(kind: Kind) -> None:
    sides = AROUND_BLOCKS + PRIMES
    draw = random.Random(kind)
    assert_exact(
        Settings(width, height, kind, draw.choice(CODINGS), draw.randint(50, 100), draw.choice([0, 0, 4]))
        for width, height in zip(sides * 3, draw.sample(sides * 3, len(sides) * 3), strict=True)
    )


@every_kind
@every_coding
def test_sizes_of_photographs(kind: Kind, coding: Coding) -> None:
    draw = random.Random(kind + coding)
    assert_exact(
        Settings(draw.randint(200, 700), draw.randint(200, 500), kind, coding, quality, content=content)
        for quality, content in zip((60, 85, 92, 97, 100), CONTENTS, strict=True)
    )


@pytest.mark.parametrize("size", [(700, 1), (1, 700), (700, 9), (9, 700), (700, 700)])
@every_kind
def test_long_and_narrow(kind: Kind, size: tuple[int, int]) -> None:
    assert_exact([Settings(*size, kind)])


@pytest.mark.parametrize("kind", ["rgb", "cmyk", "ycck"])
def test_other_colour_spaces(kind: Kind) -> None:
    """Of four components OpenCV's conversion is the measure."""
    draw = random.Random(kind)
    assert_exact(
        Settings(draw.randint(1, 100), draw.randint(1, 100), kind, coding, draw.randint(1, 100), restarts, content)
        for coding, content, restarts, _ in product(CODINGS, CONTENTS, (0, 3), range(3))
    )


# Three components are YCbCr, unless Adobe's segment or their names say RGB; a JFIF segment
# outweighs both.
@pytest.mark.parametrize("names", [bytes([1, 2, 3]), b"RGB", bytes([0, 1, 2]), b"rgb", bytes([1, 2, 4])])
@pytest.mark.parametrize("transform", [None, 0, 1, 2])
@pytest.mark.parametrize("jfif", [True, False])
def test_the_colour_space_is_told_as_libjpeg_tells_it(names: bytes, transform: int | None, jfif: bool) -> None:
    data = encode(Settings(20, 20))
    data = data if jfif else jpegs.without(data, APP0)
    data = data if transform is None else jpegs.with_transform(data, transform)
    assert differences(jpegs.with_names(data, names)) == []


@pytest.mark.parametrize("transform", [None, 0, 1, 2])
def test_four_components_are_cmyk_unless_adobe_says_ycck(transform: int | None) -> None:
    data = jpegs.without(encode(Settings(20, 20, "cmyk")), APP14)
    assert differences(data if transform is None else jpegs.with_transform(data, transform)) == []


@every_kind
def test_steps_of_sixteen_bits(kind: Kind) -> None:
    """Quantisation steps over 255 make the frame an extended sequential one."""
    for size in (8, 33, 60):
        data = jpegs.with_wide_steps(encode(Settings(size, size + 5, kind)))
        assert header(data).process == SOF1
        assert differences(data) == []


@pytest.mark.parametrize("path", FIXTURES, ids=[path.stem for path in FIXTURES])
def test_files_that_encoders_hardly_make(path: Path) -> None:
    data = path.read_bytes()
    assert differences(data) == []
    for flag in (0, 1):
        assert_same(imdecode(data, flag), opencv(data, flag))


@every_kind
@every_coding
@pytest.mark.parametrize("restarts", [0, 3])
def test_the_files_are_what_their_settings_say(kind: Kind, coding: Coding, restarts: int) -> None:
    """A test of the tests: they compare what they mean to."""
    first = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2), "4:4:0": (1, 2), "4:1:1": (4, 1)}
    sampling = [first[kind], (1, 1), (1, 1)] if kind in YCC else [(1, 1)]
    process = SOF2 if coding == "progressive" else SOF0
    data = encode(Settings(60, 45, kind, coding, restarts=restarts))
    assert header(data) == (process, (60, 45), sampling, restarts)
    assert bool(jpegs.restart_markers(data)) == bool(restarts)
    if coding == "optimised":
        assert len(data) < len(encode(Settings(60, 45, kind, "baseline", restarts=restarts)))
