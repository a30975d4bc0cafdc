"""Row R40: a folder or file below the root that is replaced by a link, or a pipe, while images are read."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

from recio import RecordError
from recio._recio import SandboxedFolder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 1.5


def race(root: Path, path: str, swap: Callable[[], None]) -> dict[str, int]:
    """Read a file while another thread replaces it; return how often each content or error came."""
    folder = SandboxedFolder(root, allow_outside=False)
    outcomes, has_ended = dict.fromkeys(("inside", "refused"), 0), False

    def replace() -> None:
        while not has_ended:
            swap()

    swapper = threading.Thread(target=replace)
    swapper.start()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            outcome = folder.read(path).decode()
        except (RecordError, OSError):
            outcome = "refused"
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    has_ended = True
    swapper.join(10)
    print(f"R40: {outcomes}")  # noqa: T201 the figure is the point
    return outcomes


def swapping(name: Path, other: Path) -> Callable[[], None]:
    """Return a function that exchanges two names."""
    spare = name.with_name("spare")

    def swap() -> None:
        name.rename(spare)
        other.rename(name)
        spare.rename(other)

    return swap


def test_nothing_is_read_through_a_folder_that_becomes_a_link(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder, text in ((root / "cat", "inside"), (outside, "outside")):
        folder.mkdir(parents=True)
        (folder / "a.jpg").write_text(text)
    (root / "link").symlink_to(outside)
    outcomes = race(root, "cat/a.jpg", swapping(root / "cat", root / "link"))
    assert "outside" not in outcomes
    assert outcomes["inside"] > 0


def test_file_that_becomes_a_link_or_a_pipe_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret").write_text("outside")
    makers: list[Callable[[Path], None]] = [
        lambda path: path.symlink_to(tmp_path / "secret"),
        lambda path: path.symlink_to("../secret"),
        os.mkfifo,
    ]
    for number, make in enumerate(makers):
        name, other = root / f"{number}.jpg", root / f"other{number}"
        name.write_text("inside")
        make(other)
        outcomes = race(root, name.name, swapping(name, other))
        assert set(outcomes) == {"inside", "refused"}
        assert min(outcomes.values()) > 0
