"""Modules for frameworks that are not installed."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("grain", "recio.grain needs Grain: pip install grain"),
        ("keras", "recio.keras needs Keras 3: pip install keras"),
        ("tensorflow", "recio.tensorflow needs TensorFlow: pip install tensorflow"),
        ("torch", "recio.torch needs PyTorch, and the module torch is missing: pip install torch"),
    ],
)
def test_the_error_says_what_to_install(module: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"recio.{module}", raising=False)
    with pytest.raises(ModuleNotFoundError, match=message) as caught:
        importlib.import_module(f"recio.{module}")
    assert caught.value.name == module
