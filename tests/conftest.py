"""Fixtures that several test files share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.records import RecordFile, write_photos, write_records, write_tiny

ROOT = str(Path(__file__).parents[1])
# Tests start processes, which import from here too, whatever folder they all run in.
sys.path.append(ROOT)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))


@pytest.fixture
def records() -> list[bytes]:
    """Ten records of 0 to 9 bytes, no two alike."""
    return [b"0123456789"[:n] for n in range(10)]


@pytest.fixture
def file(tmp_path: Path, records: list[bytes]) -> RecordFile:
    """Give a file of the ten `records`, indexed by their numbers."""
    return write_records(tmp_path, records, "ten")


@pytest.fixture
def ten(tmp_path: Path) -> RecordFile:
    """Give a file of ten small images, labelled by their numbers."""
    return write_tiny(tmp_path, 10)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Give a file of the photographs, for all tests of a module."""
    return write_photos(tmp_path_factory.mktemp("photos"))
