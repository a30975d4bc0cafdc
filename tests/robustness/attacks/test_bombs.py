"""R8: small files that ask for much get a typed error, or a picture, within two seconds of CPU time and the limits."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pytest

from recio.image import imdecode
from recio.io import ImageRecordIter
from tests.support.bombs.bomb import MOST_BYTES, Bomb
from tests.support.bombs.jpeg import JPEG_BOMBS
from tests.support.bombs.other import OTHER_BOMBS
from tests.support.bombs.png import PNG_BOMBS
from tests.support.measure import Taken, measure, slowness
from tests.support.records import write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

BOMBS = [*PNG_BOMBS, *JPEG_BOMBS, *OTHER_BOMBS]
MOST_RISE = MOST_BYTES * 11 // 10
MOST_TOUCHED = 3 * MOST_BYTES
"""Coefficients, pixels and smaller buffers, once each."""

Damage = Literal["error", "fill"]

bombs = partial(pytest.mark.parametrize, "bomb", ids=str)
damages = pytest.mark.parametrize("on_damage", ["error", "fill"])


def _check(bomb: Bomb, work: Callable[[], NDArray[Any]]) -> None:
    taken = measure(work)
    limit = bomb.seconds
    if taken.seconds > limit:
        limit *= slowness()
    assert taken.seconds <= limit, taken
    assert taken.touched <= MOST_TOUCHED, taken
    assert taken.rise <= MOST_RISE, taken
    assert _is_as_told(bomb, taken), taken


def _is_as_told(bomb: Bomb, taken: Taken) -> bool:
    return bomb.refused is None or bomb.refused in taken.said


def test_there_are_at_least_15_bombs() -> None:
    assert len({bomb.name for bomb in BOMBS}) == len(BOMBS) >= 15


@bombs(BOMBS)
def test_bomb_is_decoded_or_refused_within_time_and_memory(bomb: Bomb) -> None:
    _check(bomb, partial(imdecode, bomb.make()))


@bombs(JPEG_BOMBS)
def test_filling_takes_no_longer(bomb: Bomb) -> None:
    _check(bomb, partial(imdecode, bomb.make(), on_damage="fill"))


@damages
@bombs([*PNG_BOMBS, *JPEG_BOMBS])
def test_bomb_in_a_record_takes_no_longer(bomb: Bomb, on_damage: Damage, tmp_path: Path) -> None:
    image = bytes(24) + bomb.make()
    file = write_records(tmp_path, [image], "bomb")

    def first() -> NDArray[Any]:
        records = ImageRecordIter(
            path_imgrec=file.rec,
            path_imgidx=file.idx,
            data_shape=(3, 8, 8),
            batch_size=1,
            resize=8,
            on_damage=on_damage,
            preprocess_threads=1,
            prefetch_buffer=1,
        )
        with records:
            data: NDArray[Any] = records.next().data[0]
            return data

    _check(bomb, first)
