"""Base of the commands ``recio`` and ``im2rec``: argument parser, output, errors and exit codes."""

from __future__ import annotations

import argparse
import os
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from recio._storage import Storage, storage
from recio._util import printable
from recio.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

OK, MISUSED, INTERRUPTED = 0, 2, 130
"""The exit codes that both commands share."""


class CommandParser(argparse.ArgumentParser):
    """Argument parser that keeps the line breaks of its texts.

    Parameters
    ----------
    **options
        As of `argparse.ArgumentParser`.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 those of argparse
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)

    def error(self, message: str) -> NoReturn:
        """Report a wrong argument, which may be a name of a file, and exit with 2."""
        super().error(printable(message))


def integer_from(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Make the ``type`` of an argument that is an integer in a range."""

    def integer(text: str) -> int:
        value = int(text)
        if value < minimum or (maximum is not None and value > maximum):
            limits = f"at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
            raise argparse.ArgumentTypeError(f"must be {limits}, got {value}")
        return value

    return integer


def add_storage_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument with the options of stores."""
    parser.add_argument(
        "--storage-option",
        metavar="KEY=VALUE",
        action="append",
        type=_storage_option,
        default=[],
        help="an option for URLs such as s3://bucket/a.rec; may be repeated",
    )


def _storage_option(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        # It may be secret.
        raise argparse.ArgumentTypeError("must be KEY=VALUE")
    return name, value


def storage_of(arguments: argparse.Namespace) -> Storage:
    """Return with what paths are opened, by the arguments of `add_storage_options`."""
    return storage(dict(arguments.storage_option), None)


def run_command(
    prog: str,
    command: Callable[[], int],
    exit_codes: Mapping[type[Exception], int],
    describe: Callable[[Exception], str],
) -> int:
    """Run a command; report an error in one line on standard error.

    Parameters
    ----------
    prog : str
        The program's name, which begins the line.
    command : callable
        Does the work, and returns an exit code.
    exit_codes : mapping of exception class to int
        The errors to report, and their exit codes; the first class that matches counts. Others are raised.
    describe : callable
        Makes the message of an error.

    Returns
    -------
    int
        The exit code.
    """
    _open_closed_streams()
    try:
        return command()
    except KeyboardInterrupt:
        return fail(prog, "interrupted; no half-written file is left", INTERRUPTED)
    except BrokenPipeError:
        _discard_output()
        return 1
    except tuple(exit_codes) as error:
        return fail(prog, describe(error), next(code for kind, code in exit_codes.items() if isinstance(error, kind)))


def _open_closed_streams() -> None:
    """Open standard streams that were closed, as no output: a data file must not get their descriptors."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number, which is this one.
            os.open(os.devnull, os.O_RDWR)


def _discard_output() -> None:
    """Send what is still buffered to nowhere: whoever read the output has closed it, which is no error."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def describe_error(error: Exception) -> str:
    """Return an error's message; one of the operating system without its number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror is not None:
        return f"{os.fsdecode(error.filename)}: {error.strerror}"
    return str(error)


def fail(prog: str, message: str, exit_code: int) -> int:
    """Write an error to standard error, and return the exit code."""
    write_lines(sys.stderr, [f"{prog}: {message}"])
    return exit_code


def add_limits(add: Callable[..., object]) -> None:
    """Add the options of `recio.Limits` to a parser or a group, whose ``add_argument`` is passed."""
    defaults = Limits()
    add("--max-side", type=int, default=defaults.side, metavar="N", help=f"largest side of an image ({defaults.side})")
    add("--max-pixels", type=int, default=defaults.pixels, metavar="N", help=f"most pixels ({defaults.pixels})")
    add("--max-bytes", type=int, default=defaults.bytes, metavar="N", help=f"most bytes decoded ({defaults.bytes})")
    add("--max-scans", type=int, default=defaults.scans, metavar="N", help=f"most scans of a JPEG ({defaults.scans})")


def limits_of(arguments: argparse.Namespace) -> Limits:
    """Return the limits that the options of `add_limits` set."""
    return Limits(arguments.max_side, arguments.max_pixels, arguments.max_bytes, arguments.max_scans)


_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def byte_size(text: str) -> int:
    """Parse a number of bytes, for argparse: ``1000``, ``500K``, ``1.5G`` (powers of 1024)."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"a size must be a number with K, M, G, T or nothing, got {text!r}")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def write_lines(stream: TextIO | None, lines: Iterable[str]) -> None:
    """Write lines, with escapes for what a terminal would act on and for what the stream's encoding lacks.

    A stream that was closed when the process started is None.
    """
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    escaped = (printable(line).encode(encoding, "backslashreplace").decode(encoding) for line in lines)
    stream.writelines(f"{line}\n" for line in escaped)
    stream.flush()
