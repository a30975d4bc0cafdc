"""The command ``recio``: verify, repair, summarize, index, merge, split and shuffle record files.

=========== =================================================================
_commands   the subcommands: arguments, a call of `recio.files`, output
_format     results as lines of text and as JSON
_base       parser, output, errors and exit codes; shared with ``im2rec``
_progress   progress bars; shared with ``im2rec``
=========== =================================================================

``recio`` is also ``python -m recio.cli``.
"""

from recio.cli._commands import main

__all__ = ["main"]
