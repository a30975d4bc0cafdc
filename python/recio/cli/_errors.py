"""Errors of the command ``recio``: one line each, and an exit code that says whose fault it is.

===== ==================================================================================
code  it means
===== ==================================================================================
0     all is done, and sound
1     a record file is damaged
2     a file cannot be read or written, or the arguments are wrong
130   interrupted; what was being written is not there
===== ==================================================================================
"""

from __future__ import annotations

import errno
from typing import IO, TYPE_CHECKING, Any

import click

from recio.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable

SOUND, DAMAGED, FAILED, INTERRUPTED = 0, 1, 2, 130


class Failure(click.ClickException):
    """An error that ends the command: a file cannot be read or written, or an argument makes no sense."""

    exit_code = FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to standard error, as other commands do."""
        click.echo(f"recio: {self.format_message()}", file=file, err=True)


class Damage(Failure):
    """A record file is damaged."""

    exit_code = DAMAGED


class Interruption(Failure):
    """The user has had enough."""

    exit_code = INTERRUPTED


def told(call: Callable[[], object]) -> object:
    """Make a call; turn what it raises into a `Failure`."""
    try:
        return call()
    except KeyboardInterrupt:
        raise Interruption("interrupted; nothing half-written is left") from None
    except RecordError as error:
        raise Damage(str(error)) from None
    except OSError as error:
        if error.errno == errno.EPIPE:
            # Whoever read the output has read enough; click ends quietly.
            raise
        raise Failure(in_words(error)) from None
    except ValueError as error:
        raise Failure(str(error)) from None


def in_words(error: OSError) -> str:
    """Give an error of the system without its number."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{click.format_filename(error.filename)}: {error.strerror}"


class Command(click.Group):
    """A group of commands, the errors of which are told."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        return told(lambda: super(Command, self).invoke(ctx))
