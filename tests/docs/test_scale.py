"""The tables of docs/scale.md are those that the script computes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benches" / "python" / "scale.py"


def test_the_tables_are_those_of_the_script() -> None:
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8").splitlines()
    lines = done.stdout.splitlines()
    assert len(lines) > 10
    assert [line for line in lines if line and line not in page] == []


def test_opening_is_measured() -> None:
    command = [sys.executable, str(SCRIPT), "--measure", "--records", "100000"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("100,000 records in 100 shards; ")
    assert "memory a record: " in done.stdout
