"""Safe reader of pickles with plain data: no code in them is run.

A pickle is a program for a stack machine that can call any function, so the module `pickle` must not read a downloaded
file. The machine here supports only the opcodes that build bytes, strings, lists, tuples, integers and booleans, and
the few function names of `_numpy_pickle`, each replaced by a function of that module: by them, NumPy writes its scalars
and arrays, and Python 3 writes bytes in protocols 0 to 2. `pickletools` splits the program into opcodes; nothing of
`pickle` is used.
"""

from __future__ import annotations

import pickletools
from typing import TYPE_CHECKING, Any

from recio.datasets._numpy_pickle import FUNCTIONS, Array, DType, Function

if TYPE_CHECKING:
    from collections.abc import Callable

_BASE_OPCODES, _BYTES_PER_OPCODE = 100_000, 16
"""The limit on opcodes: a base, and one more for so many bytes.

An opcode of one byte may take a hundred bytes of memory. An image has up to ten opcodes, and hundreds of bytes or more.
"""


def build(program: bytes) -> object:
    """Return the object that a pickle builds.

    Raises
    ------
    ValueError
        If the data is not a pickle, or has other opcodes. The message names the opcode and its offset.
    """
    machine, max_opcodes = _Machine(), _BASE_OPCODES + len(program) // _BYTES_PER_OPCODE
    for number, (opcode, argument, offset) in enumerate(pickletools.genops(program)):
        if opcode.name == "STOP":
            break
        if number == max_opcodes:
            raise ValueError(f"byte {offset}: the {max_opcodes}th opcode, more than lists of images take")
        try:
            _OPCODES[opcode.name](machine, argument)
        except (LookupError, TypeError, ValueError):
            shown = opcode.name if argument is None else f"{opcode.name} {str(argument)[:60]!r}"
            raise ValueError(f"byte {offset}: the pickle opcode {shown} is refused") from None
    if len(machine.stack) != 1:
        raise ValueError(f"a pickle of {len(machine.stack)} values")
    return machine.stack[0]


class _Machine:
    """Stack machine; each method carries out an opcode, and takes the opcode's argument."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}

    def push(self, value: object) -> None:
        self.stack.append(value)

    def push_latin(self, value: str) -> None:
        """Push a string of Python 2: bytes, which `pickletools` shows as characters."""
        self.push(value.encode("latin-1"))

    def push_function(self, name: str) -> None:
        """Push the function that replaces one named ``module function``."""
        self.push(FUNCTIONS[name])

    def push_named_function(self, _: None) -> None:
        module, name = self.take(2)
        if type(module) is not str or type(name) is not str or " " in module + name:
            raise ValueError
        self.push_function(f"{module} {name}")

    def call(self, _: None) -> None:
        function, arguments = self.take(2)
        if type(function) is not Function or type(arguments) is not tuple:
            raise TypeError
        self.push(function.call(*arguments))

    def set_state(self, _: None) -> None:
        (state,) = self.take(1)
        target = self.stack[-1]
        if type(target) not in (Array, DType) or type(state) is not tuple:
            raise TypeError
        target.set_state(*state)

    def mark(self, _: None) -> None:
        self._marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        return self.take(len(self.stack) - self._marks.pop())

    def take(self, count: int) -> list[Any]:
        start = len(self.stack) - count
        if start < 0:
            raise IndexError
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def append(self, _: None) -> None:
        self._extend(self.take(1))

    def append_all(self, _: None) -> None:
        self._extend(self.since_mark())

    def _extend(self, values: list[Any]) -> None:
        target = self.stack[-1]
        # None occurs only in the states of NumPy's dtypes.
        if type(target) is not list or any(value is None for value in values):
            raise TypeError
        target.extend(values)

    def keep(self, number: int | None) -> None:
        """Store the top of the stack in the memo: under this number or, from protocol 4 on, under the next one."""
        self._memo[len(self._memo) if number is None else number] = self.stack[-1]

    def recall(self, number: int) -> None:
        self.push(self._memo[number])


def _pushes(make: Callable[[_Machine], object]) -> Callable[[_Machine, Any], None]:
    return lambda machine, _: machine.push(make(machine))


_OPCODES: dict[str, Callable[[_Machine, Any], None]] = {
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
    "NONE": _pushes(lambda _: None),
    "BYTEARRAY8": lambda machine, value: machine.push(bytes(value)),
    "GLOBAL": _Machine.push_function,
    "STACK_GLOBAL": _Machine.push_named_function,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.set_state,
}
