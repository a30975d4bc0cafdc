"""Row R14: Ctrl-C at any moment of loading and of packing is heard at once, and leaves nothing behind."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from tests.support.faults import contents
from tests.support.loops import LOOPS
from tests.support.records import write_images
from tests.support.writings import TINY, write_list

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.faults import Outcome, Runner

PATIENCE = 0.5
"""Seconds until KeyboardInterrupt."""


@pytest.fixture(scope="module")
def place(workshop: Path) -> Path:
    """Create a list that takes hours to pack, and images that take long to decode, in several scans."""
    rows, columns = np.mgrid[:1000, :1000]
    grey = ((rows + columns) >> 5).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    write_images(workshop / "inputs", [jpeg] * 20, "slow")
    place = workshop / "interrupted"
    place.mkdir()
    write_list(place, "a", [f"{number % TINY:02}.png" for number in range(20_000)])
    return place


@pytest.mark.timeout(600)
@pytest.mark.alone
@pytest.mark.parametrize("interrupts", [42, pytest.param(200, marks=pytest.mark.slow)])
def test_ctrl_c_at_any_time_is_handled_promptly_and_leaves_nothing(
    runner: Runner, place: Path, interrupts: int
) -> None:
    """Each of the three works has a third of the interrupts."""
    draw = random.Random(3)
    before = contents(place)
    outcomes: list[Outcome] = []
    for number in range(interrupts):
        work = list(LOOPS)[number % len(LOOPS)]
        outcome = runner.run(work, place, signal=signal.SIGINT, after=draw.uniform(0, 0.25))
        assert (outcome.ended, outcome.error, outcome.left) == (0, "KeyboardInterrupt: ", []), work
        assert contents(place) == before, work
        outcomes.append(outcome)
    times = sorted(outcome.caught - outcome.sent for outcome in outcomes)
    p99 = times[min(len(times) * 99 // 100, len(times) - 1)]
    print(f"KeyboardInterrupt after {times[len(times) // 2]:.3f} s, p99 {p99:.3f} s, of {len(times)}")  # noqa: T201
    assert p99 <= PATIENCE
