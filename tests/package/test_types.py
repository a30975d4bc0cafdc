"""Type checkers accept what the README and the pages show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOPS = """
from recio.image import ImageDetIter, ImageIter
from recio.io import ImageBatch, ImageDetRecordIter, ImageMaskRecordIter, ImageRecordIter

for batches in (
    ImageRecordIter(path_imgrec="a.rec", data_shape=(3, 8, 8), batch_size=2),
    ImageDetRecordIter(path_imgrec="a.rec", data_shape=(3, 8, 8), batch_size=2),
    ImageMaskRecordIter(path_imgrec="a.rec", path_maskrec="b.rec", data_shape=(3, 8, 8), batch_size=2),
    ImageIter(2, (3, 8, 8), path_imgrec="a.rec"),
    ImageDetIter(2, (3, 8, 8), path_imgrec="a.rec"),
):
    batches.set_epoch(batches.epoch + 1)
    first: ImageBatch = batches.next()
    for batch in batches:
        x, y = batch.data[0], batch.label[0]
        ids = batch.index
        n = len(x) - batch.pad
        print(x.shape, y.dtype, ids[:n].tolist(), batch.provide_data[0].shape)
"""


def snippets(page: str) -> list[str]:
    """Return the Python snippets of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)


def test_loops_are_clean_under_mypy_strict(tmp_path: Path) -> None:
    """Each snippet of the README, with the names that those before it define, and the loop of each iterator."""
    pytest.importorskip("mypy")
    loops = [text for text in snippets("README.md") if "for batch in" in text]
    assert len(loops) >= 2
    sources = [LOOPS, *(text if "import recio" in text else f"import recio as mx\n{text}" for text in loops)]
    paths = [tmp_path / f"loop{number}.py" for number in range(len(sources))]
    for path, source in zip(paths, sources, strict=True):
        path.write_text(source, encoding="utf-8")
    options = ["--strict", "--config-file", "", "--cache-dir", str(ROOT / ".mypy_cache" / "loops")]
    command = [sys.executable, "-m", "mypy", *options, *map(str, paths)]
    checked = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT / "python")
    assert checked.returncode == 0, checked.stdout
