"""The command ``recio``: what can be done to whole record files, from a shell.

============ ==============================================================
_commands    arguments in, a call of `recio.files`, words out
_output      what is said of a result: for people, and as JSON
_errors      errors, told in a line; exit codes
_progress    progress bars, those of im2rec too
============ ==============================================================

It needs click, which ``pip install 'recio[cli]'`` installs; without it the command says so. ``recio`` is also
``python -m recio.cli``.
"""

from __future__ import annotations

import sys

HINT = "recio: this command needs click: pip install 'recio[cli]'\n"
UNUSABLE = 2
"""The exit code of a command that cannot be run."""


def main() -> int:
    """Run the command with the arguments of the process.

    Returns
    -------
    int
        The exit code where there is no click. With it, the command ends the process itself.
    """
    try:
        from recio.cli._commands import recio  # noqa: PLC0415 click may not be there
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.stderr.write(HINT)
        return UNUSABLE
    return int(recio(prog_name="recio") or 0)
