"""Arguments of older versions of MXNet's ``im2rec.py``, translated to today's flags.

Before MXNet 1.0 the flags were options with a value, which argparse converted by ``bool``: ``--list=1``,
``--recursive True``, ``--shuffle 0``. Here the value counts: ``0`` and ``False`` mean no, where ``bool("0")`` was true.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

PARAMETER = re.compile(r"[a-z_]+=.*")
VALUES = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
DEFAULT = "--shuffle"
"""A flag of MXNet's that has no effect; the others are false by default."""
OPPOSITES = {DEFAULT: "--no-shuffle"}


def translate_flags(parser: argparse.ArgumentParser, argv: Sequence[str]) -> list[str]:
    """Return arguments with flags in place of options with a value, and ``-`` for ``_`` in names.

    A value that is an argument of its own, as in ``--list True``, counts as one only if there are more arguments than
    PREFIX and ROOT, which may be called ``1`` too.
    """
    actions = parser._actions  # noqa: SLF001 argparse has no other list of them
    names = {name for action in actions if action.nargs == 0 for name in action.option_strings}
    flags = {name for name in names | {*OPPOSITES} if name.startswith("--") and name != "--help"}
    arguments = [_with_hyphens(argument) for argument in argv]
    translated = [flag for argument in arguments for flag in _flag(parser, argument, flags)]
    _, extra = parser.parse_known_args(translated)
    if not extra:
        return translated
    if any(PARAMETER.fullmatch(argument) for argument in extra):
        parser.error(
            "key=value is an argument of MXNet's C++ program im2rec; here it is an option: "
            "im2rec --resize 256 PREFIX ROOT packs PREFIX.lst"
        )
    return [flag for argument in _joined(arguments, flags) for flag in _flag(parser, argument, flags)]


def _with_hyphens(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return f"{name.replace('_', '-')}{equals}{value}" if name.startswith("--") else argument


def _joined(arguments: Sequence[str], flags: set[str]) -> Iterator[str]:
    """Yield the arguments, each flag joined with the value after it."""
    rest = list(reversed(arguments))
    while rest:
        argument = rest.pop()
        has_value = argument in flags and rest and rest[-1].lower() in VALUES
        yield f"{argument}={rest.pop()}" if has_value else argument


def _flag(parser: argparse.ArgumentParser, argument: str, flags: set[str]) -> Iterator[str]:
    """Yield the flag that an argument means; nothing if it is the default."""
    name, equals, value = argument.partition("=")
    if name not in flags:
        yield argument
        return
    if equals and value.lower() not in VALUES:
        parser.error(f"{name} must be 1, 0, true or false, got {value!r}")
    is_true = VALUES[value.lower()] if equals else True
    flag = name if is_true else OPPOSITES.get(name, DEFAULT)
    if flag != DEFAULT:
        yield flag
