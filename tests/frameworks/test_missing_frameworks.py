"""What is said where a framework is not installed."""

from __future__ import annotations

from tests.support.processes import run_python


def test_pytorch_is_missing() -> None:
    done = run_python('import sys; sys.modules["torch"] = None; import recio; import recio.torch')
    assert "recio.torch needs PyTorch, and the module torch is missing: pip install torch" in done.stderr
