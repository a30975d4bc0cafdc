"""Fixtures that several test files share, and what holds for every test."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .support import leftovers
from .support.processes import children, interruptible, let_children_be_interrupted
from .support.records import RecordFile, start_counting_threads, write_photos, write_records, write_tiny
from .support.servers.fixtures import bucket, hub, moto, s3

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["bucket", "hub", "moto", "s3"]

ROOT = str(Path(__file__).parents[1])
# Tests start processes, which import from here too, whatever folder they all run in.
sys.path.append(ROOT)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [ROOT, os.environ.get("PYTHONPATH")]))


def pytest_configure(config: pytest.Config) -> None:
    """Prepare for processes that tests start, and those that they leave."""
    let_children_be_interrupted()
    leftovers.adopt_orphans()
    # The processes of pytest-xdist have the mark of the one that started them.
    if not hasattr(config, "workerinput"):
        leftovers.start_guard()


@pytest.fixture(autouse=True)
def _no_process_left() -> Iterator[None]:
    """Kill the processes that a test leaves, and fail then."""
    before = children()
    yield
    assert leftovers.end(before) == [], "the test left processes"


@pytest.fixture(autouse=True)
def _threads_of_this_test() -> None:
    """Let `threads` ignore the threads of iterators that other tests in this process left."""
    start_counting_threads()


@pytest.fixture(name="interruptible")
def _interruptible() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, even where it was ignored when pytest started."""
    with interruptible():
        yield


@pytest.fixture
def records() -> list[bytes]:
    """Ten records of 0 to 9 bytes, no two alike."""
    return [b"0123456789"[:n] for n in range(10)]


@pytest.fixture
def file(tmp_path: Path, records: list[bytes]) -> RecordFile:
    """Write the ten `records`, indexed by their numbers."""
    return write_records(tmp_path, records, "ten")


@pytest.fixture
def ten(tmp_path: Path) -> RecordFile:
    """Write ten small images, labelled by their numbers."""
    return write_tiny(tmp_path, 10)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write the photographs, for all tests of a module."""
    return write_photos(tmp_path_factory.mktemp("photos"))
