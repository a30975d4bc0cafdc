"""Sparse files: large files that take little room."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def write_sparse(path: Path, length: int, pieces: dict[int, bytes]) -> None:
    """Write a file of holes, but for these pieces by offset; the test is skipped where there are no such files."""
    try:
        with path.open("wb") as file:
            os.truncate(file.fileno(), length)
            for offset, piece in pieces.items():
                file.seek(offset)
                file.write(piece)
    except OSError as error:
        pytest.skip(f"no sparse files of {length} bytes here: {error}")
    if path.stat().st_blocks * 512 > 1 << 26:
        pytest.skip("no sparse files here")
