"""Frameworks that train; tests of those that are not installed are skipped."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.records import write_tiny

if TYPE_CHECKING:
    from tests.support.records import RecordFile

NEEDED = {
    "test_torch*.py": ("torch", "torchvision"),
    "test_arcface.py": ("torch", "torchvision"),
    "test_lightning.py": ("torch", "lightning"),
    "test_accelerate.py": ("torch", "accelerate"),
    "test_torchdata.py": ("torch", "torchdata"),
    "test_grain.py": ("grain",),
    "test_jax.py": ("jax",),
    "test_keras.py": ("keras", "jax"),
    "test_tensorflow.py": ("tensorflow",),
}
"""Frameworks that the tests in a file need."""

collect_ignore_glob = [
    files for files, needed in NEEDED.items() if not all(importlib.util.find_spec(name) for name in needed)
]

# TensorFlow imports Keras, which chooses its backend then.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> RecordFile:
    """Write 22 small images, labeled by their numbers: an odd number of batches of 4, the last with pad."""
    return write_tiny(tmp_path_factory.mktemp("tiny"), 22)
