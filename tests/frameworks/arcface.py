"""The changes of arcface_torch's ``train_v2.py`` that docs/insightface.md shows, and a small set of faces."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.faces import face_images, write_face_set

if TYPE_CHECKING:
    from recio.torch import ImageRecordLoader
    from tests.support.faces import FaceSet

PAGE = Path(__file__).parents[2] / "docs" / "insightface.md"
COUNTS = (12, 20, 9, 25, 15)
"""Images of each identity: 81 together, which no batch size divides."""
GLOBAL_BATCH = 16
STEPS = 6
"""Batches of an epoch."""


class Change(NamedTuple):
    """Lines of a script, and those that replace them."""

    removed: str
    added: str


def changes() -> list[Change]:
    """Return the changes in the diff of the page."""
    diff = re.search(r"^```diff\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert diff is not None
    return [Change(_lines(hunk, "-"), _lines(hunk, "+")) for hunk in diff[1].split("@@\n")]


def _lines(hunk: str, sign: str) -> str:
    return "".join(line[1:] for line in hunk.splitlines(keepends=True) if line[0] == sign)


def changed(script: str) -> str:
    """Apply the changes to a script."""
    for removed, added in changes():
        assert script.count(removed) == 1, removed
        script = script.replace(removed, added)
    return script


def open_loader(root: Path | str, ranks: int = 1) -> ImageRecordLoader:
    """Run the page's import and loader, on the CPU."""
    imported, opened, _ = (textwrap.dedent(change.added) for change in changes())
    cfg = SimpleNamespace(rec=root, batch_size=GLOBAL_BATCH // ranks, seed=2048)
    scope: dict[str, Any] = {"cfg": cfg, "local_rank": "cpu"}
    exec(imported + opened, scope)  # noqa: S102 lines of this repository
    loader: ImageRecordLoader = scope["train_loader"]
    return loader


def ids(loader: ImageRecordLoader) -> list[int]:
    """Return the keys of the images in the batch that was returned last, without those that only fill it."""
    batches = loader._batches
    numbers: list[int] = batches.getindex().tolist()
    return numbers[: len(numbers) - batches.getpad()]


def write_faces(root: Path) -> FaceSet:
    """Write a set of faces."""
    return write_face_set(root, COUNTS, face_images(COUNTS))
