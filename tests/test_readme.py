"""The README's examples run, in order, on the photographs of tests/data."""

from __future__ import annotations

import doctest
import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from recio import im2rec

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PHOTOS = Path(__file__).parent / "data" / "photos"
MODULES = [
    "recio.image._codec",
    "recio.image._transform",
    "recio.io._base",
    "recio.io._record",
    "recio.recordio._files",
    "recio.recordio._header",
]


def blocks(language: str) -> list[str]:
    """Give the code blocks of a language, in order."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_example_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "photos").symlink_to(PHOTOS)
    monkeypatch.chdir(tmp_path)
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("im2rec ")]
    assert len(commands) == 2
    for command in commands:
        assert im2rec.main(shlex.split(command)[1:]) == 0
    examples = blocks("python")
    assert len(examples) == 3
    scope: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), scope)  # noqa: S102 our own README
    assert scope["x"].shape == (8, 3, 224, 224)
    assert scope["real"] == 30 - 3 * 8


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) >= 9
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
