"""The stand-in for ``mxnet``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from recio.compat.mxnet import install, uninstall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@pytest.fixture
def mx() -> Iterator[ModuleType]:
    """Install the alias and return ``mxnet``."""
    install()
    yield importlib.import_module("mxnet")
    uninstall()
