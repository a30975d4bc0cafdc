"""Pickles of plain data, read without running what is in them.

A pickle is a program for a stack machine that may call any function there is, so the module `pickle` must not read one
that was downloaded. The machine here is another: it has the steps that build bytes, strings, lists, tuples, whole
numbers and truth values, and no others. The one call that it knows by name, of ``_codecs.encode``, is how Python 3
writes bytes in protocols 0 to 2; it is not called either. Of `pickle` nothing is used; `pickletools` takes the program
apart into its steps, and does no more.
"""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_ENCODE = object()
"""Stands on the stack for the function ``_codecs.encode``."""
_STEPS_FREE, _BYTES_A_STEP = 100_000, 16
"""A step of one byte may take a hundred in memory. An image takes up to ten steps, and hundreds of bytes at least."""


def build(program: bytes) -> object:
    """Give what a pickle builds.

    Raises
    ------
    ValueError
        If it is not a pickle, or one that takes other steps. The message names the step and its byte.
    """
    machine, most = _Machine(), _STEPS_FREE + len(program) // _BYTES_A_STEP
    for number, (opcode, argument, at) in enumerate(pickletools.genops(program)):
        if opcode.name == "STOP":
            break
        if number == most:
            raise ValueError(f"byte {at}: the {most}th step, more than lists of images take")
        try:
            _STEPS[opcode.name](machine, argument)
        except (LookupError, TypeError, ValueError):
            said = opcode.name if argument is None else f"{opcode.name} {str(argument)[:60]!r}"
            raise ValueError(f"byte {at}: a pickle's step {said}, which is refused here") from None
    if len(machine.stack) != 1:
        raise ValueError(f"a pickle of {len(machine.stack)} values")
    return machine.stack[0]


class _Machine:
    """The stack, and the steps on it; each takes the argument that stands in the program."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def push(self, value: object) -> None:
        self.stack.append(value)

    def push_latin(self, value: str) -> None:
        """Push what Python 2 called a string: bytes, which pickletools shows as characters."""
        self.push(value.encode("latin-1"))

    def push_encode(self, name: str) -> None:
        if name != "_codecs encode":
            raise ValueError
        self.push(_ENCODE)

    def call_encode(self, _: None) -> None:
        text, encoding = self.stack.pop()
        if self.stack.pop() is not _ENCODE or type(text) is not str or encoding != "latin1":
            raise ValueError
        self.push_latin(text)

    def mark(self, _: None) -> None:
        self._marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        return self.take(len(self.stack) - self._marks.pop())

    def take(self, count: int) -> list[Any]:
        at = len(self.stack) - count
        if at < 0:
            raise IndexError
        taken = self.stack[at:]
        del self.stack[at:]
        return taken

    def append(self, _: None) -> None:
        self._extend(self.take(1))

    def append_all(self, _: None) -> None:
        self._extend(self.since_mark())

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if type(target) is not list:
            raise TypeError
        target.extend(values)

    def keep(self, number: int | None) -> None:
        """Remember the top of the stack: under this number or, in protocol 4 and later, the next."""
        self._memo[len(self._memo) if number is None else number] = self.stack[-1]

    def recall(self, number: int) -> None:
        self.push(self._memo[number])


def _pushes(make: Callable[[_Machine], object]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(make(machine))


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME"), lambda _machine, _argument: None),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), _Machine.push),
    **dict.fromkeys(("UNICODE", "BINUNICODE", "SHORT_BINUNICODE"), _Machine.push),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"), _Machine.push),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), _Machine.push_latin),
    "NEWTRUE": _pushes(lambda _: True),
    "NEWFALSE": _pushes(lambda _: False),
    "EMPTY_LIST": _pushes(lambda _: []),
    "EMPTY_TUPLE": _pushes(lambda _: ()),
    "MARK": _Machine.mark,
    "LIST": _pushes(lambda machine: machine.since_mark()),
    "TUPLE": _pushes(lambda machine: tuple(machine.since_mark())),
    "TUPLE1": _pushes(lambda machine: tuple(machine.take(1))),
    "TUPLE2": _pushes(lambda machine: tuple(machine.take(2))),
    "TUPLE3": _pushes(lambda machine: tuple(machine.take(3))),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.append_all,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Machine.keep),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Machine.recall),
    "GLOBAL": _Machine.push_encode,
    "REDUCE": _Machine.call_encode,
}
