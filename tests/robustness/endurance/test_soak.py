"""Row R16: as many batches as a training reads in a day; memory, files and threads do not grow."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("arguments", [["--batches", "864000"], ["--batches", "156250", "--photographs"]], ids=" ".join)
def test_a_day_of_reading_leaks_nothing(arguments: list[str]) -> None:
    subprocess.run([sys.executable, "-m", "tests.robustness.endurance.soak", *arguments], check=True)
