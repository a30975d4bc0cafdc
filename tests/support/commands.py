"""The command ``im2rec`` within the process of the tests."""

from __future__ import annotations

from recio.im2rec import main


def run_im2rec(*arguments: object) -> int:
    """Run ``im2rec``; return its exit code."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as error:
        return int(error.code or 0)
