"""Fixtures of the tests in which things go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.faults import Runner
from tests.support.processes import interruptible
from tests.support.writings import make_inputs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a folder with the inputs of all writings."""
    folder = tmp_path_factory.mktemp("workshop")
    make_inputs(folder)
    return folder


@pytest.fixture(scope="session")
def runner(workshop: Path) -> Iterator[Runner]:
    """Start the process that does the writings."""
    with interruptible(), Runner(workshop) as started:
        yield started
