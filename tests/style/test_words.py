"""Plain words and narrow comments in all sources."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .sources import ROOT, comments, docs, messages, sources

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CONTRADICTION = re.compile(r"; (it is|they are)\b")
"""`x=0; it is at least 1`: write `x must be at least 1, got 0`."""
VAGUE_START = re.compile(r"(Gives?|Tells?|Says?|Be)\b")
"""Write Return, Report, Raise or a noun."""
WIDTH = 100
MAY_BE_WIDE = re.compile(r"https?://|^\s*//[/!] \|")
"""Links and rows of tables cannot be wrapped."""


def found(path: Path, lines: Iterable[tuple[int, str]], pattern: re.Pattern[str]) -> list[str]:
    """Return the lines in which a pattern occurs, with their places."""
    return [f"{path.relative_to(ROOT)}:{line}: {text}" for line, text in lines if pattern.search(text)]


def test_messages_say_what_must_be() -> None:
    assert [hit for path in sources(".rs", ".py", ".pyi") for hit in found(path, messages(path), CONTRADICTION)] == []


def test_docs_begin_with_plain_words() -> None:
    start = re.compile(f"^{VAGUE_START.pattern}")
    assert [hit for path in sources(".rs", ".py", ".pyi") for hit in found(path, docs(path), start)] == []


def test_comments_are_at_most_100_columns_wide() -> None:
    wide = [
        f"{path.relative_to(ROOT)}:{number}: {len(line)}"
        for path in sources(".rs", ".py", ".pyi")
        for number, line in comments(path)
        if len(line) > WIDTH and not MAY_BE_WIDE.search(line)
    ]
    assert wide == []
