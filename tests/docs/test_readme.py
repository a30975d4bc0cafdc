"""The README's examples run, in order, on the photographs of tests/data."""

from __future__ import annotations

import doctest
import importlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from recio import im2rec
from recio.image import imread

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PHOTOS = Path(__file__).parents[1] / "data" / "photos"
MODULES = [
    "recio.image._augmenter",
    "recio.image._codec",
    "recio.image._functional",
    "recio._loader.base",
    "recio.io._image_record",
    "recio.recordio._record_io",
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
    assert len(examples) == 5
    scope: dict[str, Any] = {}
    for example in examples:
        exec(compile(example, "README.md", "exec"), scope)  # noqa: S102 our own README
    assert scope["x"].shape == (8, 3, 224, 224)
    assert scope["real"] == 30 - 3 * 8


PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/features.md", "docs/fuzzing.md", "docs/reliability.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)", (ROOT / page).read_text(encoding="utf-8"))
    folder = (ROOT / page).parent
    assert [link for link in links if not (folder / link).exists()] == []


def test_the_features_name_all_that_is_public_in_mxnet() -> None:
    features = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    names = json.loads((PHOTOS.parent / "mxnet_signatures.json").read_text())
    public = {name.partition(".")[2] for name in names if "#" not in name}
    assert [name for name in sorted(public) if f"`{name}`" not in features] == []


@pytest.mark.parametrize("example", ["detection", "segmentation"])
def test_an_example_leaves_its_picture(example: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / f"{example}.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    picture = imread(tmp_path / f"{example}.png")
    assert picture.shape == (2 * 240, 8 * 240, 3)
    assert picture.std() > 20


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0
