"""Checks of the iterators' arguments.

A check takes the name and the value of an argument. It returns the value converted to its type, or raises a TypeError
or a ValueError with both. What the native pipeline checks itself, ranges above all, is not checked here.
"""

from __future__ import annotations

import difflib
import inspect
import operator
import re
from numbers import Integral
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from recio._loader.synonyms import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Check: TypeAlias = "Callable[[str, Any], Any]"

REQUIRED: Any = inspect.Parameter.empty
"""Default of a keyword that must be given."""

_INT32_END = 1 << 31
_INT64_END = 1 << 63
_UINT64_END = 1 << 64
_UINT8_MAX = 255


def anything(_: str, value: Any) -> Any:  # noqa: ANN401
    """Accept any value: it is checked where it is used."""
    return value


class Keyword(NamedTuple):
    """Default of a keyword, and the check of its value."""

    default: Any
    check: Check = anything


def check_keywords(table: Mapping[str, Keyword], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Check the values of keywords, and return them converted to their types."""
    return {name: table[name].check(name, value) for name, value in arguments.items()}


def refuse_unknown(iterator: str, unknown: Iterable[str], known: Iterable[str]) -> None:
    """Raise a TypeError for keywords that an iterator does not have.

    The message names the keyword for what other libraries mean by the name, or else the nearest one.
    """
    for name in unknown:
        raise TypeError(f"{iterator} got an unexpected keyword argument {name!r}{_hint(name, [*known])}")


def _hint(name: str, known: Iterable[str]) -> str:
    if meant := suggestion(name, known):
        return f"; {meant}"
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else ""


def flag(name: str, value: object) -> bool:
    """Check a boolean; 0 and 1 are accepted too, and text as MXNet parses it: ``'True'``, ``'0'`` ..."""
    if isinstance(value, str):
        value = _BOOLEANS.get(value.strip().lower(), value)
    if isinstance(value, int | np.integer | np.bool_) and value in (0, 1):
        return bool(value)
    raise TypeError(f"{name} must be True or False, got {value!r}")


def truth(name: str, value: object) -> bool:
    """Check a boolean that MXNet's Python code takes by its truth: `None` and any number are accepted as well."""
    if value is None or isinstance(value, int | float | np.number):
        return bool(value)
    return flag(name, value)


_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")


def integer(name: str, value: Any) -> int:  # noqa: ANN401
    """Check an integer of 64 bits; text that is one is accepted too, as in MXNet."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r}") from None
    if abs(number) >= _INT64_END:
        raise ValueError(f"{name} must fit into 64 bits, got {value!r}")
    return number


def natural(name: str, value: Any) -> int:  # noqa: ANN401
    """Check an integer that is at least 0."""
    checked = integer(name, value)
    if checked < 0:
        raise ValueError(f"{name} must be at least 0, got {checked}")
    return checked


def positive(name: str, value: Any) -> int:  # noqa: ANN401
    """Check an integer that is at least 1."""
    checked = integer(name, value)
    if checked < 1:
        raise ValueError(f"{name} must be at least 1, got {checked}")
    return checked


def positive_or_minus_one(name: str, value: Any) -> int:  # noqa: ANN401
    """Check an integer that is at least 1, or -1 for none."""
    number = integer(name, value)
    if number < 1 and number != -1:
        raise ValueError(f"{name} must be at least 1, or -1 for none, got {number}")
    return number


def uint8(name: str, value: Any) -> int:  # noqa: ANN401
    """Check an integer from 0 to 255."""
    number = integer(name, value)
    if not 0 <= number <= _UINT8_MAX:
        raise ValueError(f"{name} must be from 0 to {_UINT8_MAX}, got {number}")
    return number


def color_flag(name: str, value: Any) -> int:  # noqa: ANN401
    """Check the flag of MXNet's decoders: 1 for color, 0 for gray."""
    number = integer(name, value)
    if number not in (0, 1):
        raise ValueError(f"{name} must be 1 (color) or 0 (gray), got {number}")
    return number


def seed(name: str, value: object) -> int:
    """Check a seed: an integer from 0 to 2**64 - 1."""
    if not isinstance(value, int | np.integer) or not 0 <= value < _UINT64_END:
        raise ValueError(f"{name} must be an integer from 0 to 2^64-1, got {value!r}")
    return int(value)


def signed_seed(name: str, value: object) -> int:
    """Check a seed of MXNet's, which may be text, and from -2**31 on: -1 means 2**64 - 1, and so on."""
    number = int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
    if isinstance(number, int | np.integer) and -_INT32_END <= number < 0:
        return int(number) % _UINT64_END
    return seed(name, number)


def number(name: str, value: Any) -> float:  # noqa: ANN401
    """Check a number; text that is one is accepted too, as in MXNet."""
    try:
        # Python allows underscores in numbers, C++ does not.
        if not isinstance(value, str) or "_" not in value:
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name} must be a number, got {value!r}")


def numbers(name: str, value: Any) -> Any:  # noqa: ANN401
    """Check a number, or a sequence of numbers, or text of either, as in MXNet: ``'(0.1, 0.3)'``."""
    values = _split(value)
    if not isinstance(values, list | tuple):
        return number(name, values)
    return type(values)(number(name, each) for each in values)


def true_or_numbers(name: str, text: str) -> Any:  # noqa: ANN401
    """Parse text that is a boolean by its name, ``None``, a number, or a tuple of numbers."""
    choices = {"true": True, "false": False, "none": None}
    return choices[text.lower()] if text.lower() in choices else numbers(name, text)


def integers(name: str, value: Any) -> Any:  # noqa: ANN401
    """Check an integer, or a sequence of integers, or text of either."""
    values = _split(value)
    if not isinstance(values, list | tuple):
        return integer(name, values)
    return type(values)(integer(name, each) for each in values)


def _split(value: Any) -> Any:  # noqa: ANN401
    """Return the items of a tuple that is text, in parentheses or brackets; return other values as they are."""
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] + text[-1:] not in ("()", "[]"):
        return value
    items = text[1:-1].split(",")
    # A comma may follow the last item. Python 2 wrote integers as 3L.
    return [item.strip().removesuffix("L") for item in (items if items[-1].strip() else items[:-1])]


def nonnegative(name: str, value: Any) -> float:  # noqa: ANN401
    """Check a number that is at least 0."""
    checked = number(name, value)
    # So written, the comparison refuses NaN too.
    if not checked >= 0:
        raise ValueError(f"{name} must be at least 0, got {value}")
    return checked


def number_kept_integer(name: str, value: Any) -> float:  # noqa: ANN401
    """Check a number; an integer stays one."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    checked = number(name, value)
    return int(checked) if isinstance(value, Integral) else checked


def text(name: str, value: object) -> str:
    """Check a string."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, got {value!r}")
    return value


MAX_EPOCH = 2**40 - 1
"""Largest number of an epoch."""


def function(name: str, value: Any) -> Callable[..., Any]:  # noqa: ANN401
    """Check that a value is a function, or can be called like one."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {type(value).__name__}")
    checked: Callable[..., Any] = value
    return checked


def epoch(value: object, maximum: int = MAX_EPOCH) -> int:
    """Check the number of an epoch."""
    if isinstance(value, str):
        raise TypeError(f"epoch must be an integer, got {value!r}")
    number = integer("epoch", value)
    if not 0 <= number <= maximum:
        raise ValueError(f"epoch must be from 0 to {maximum}, got {number}")
    return number


def optional(check: Check) -> Check:
    """Make a check that accepts ``None`` too, also as text, as in MXNet."""
    return lambda name, value: None if value is None or value == "None" else check(name, value)


def one_of(*choices: str, hint: str = "") -> Check:
    """Make a check that accepts some strings; the message for others may end with a hint."""

    def check(name: str, value: object) -> object:
        if value not in choices:
            raise ValueError(f"{name} must be {_listed(choices)}, got {value!r}{hint}")
        return value

    return check


def dtype(*choices: str) -> Check:
    """Make a check that accepts some dtypes; ``None`` means the first, as in MXNet."""

    def check(name: str, value: Any) -> np.dtype[Any]:  # noqa: ANN401
        try:
            checked = np.dtype(choices[0] if value is None else value)
        except TypeError:
            checked = None
        if checked is None or checked.name not in choices:
            raise ValueError(f"{name} must be {_listed(choices)}, got {value!r}")
        return checked

    return check


def image_shape(name: str, value: Any) -> tuple[int, int, int]:  # noqa: ANN401
    """Check the shape of an image: channels, height and width, also as text: ``'(3,224,224)'``."""
    values = _split(value)
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        raise TypeError(f"{name} must be (channels, height, width), got {value!r}")
    try:
        sides = tuple(integer(name, side) for side in values)
    except TypeError:
        raise TypeError(f"{name} must be (channels, height, width), three integers, got {value!r}") from None
    if len(sides) != 3 or sides[0] not in (1, 3, 4) or min(sides) < 1:  # noqa: PLR2004
        raise ValueError(
            f"{name} must be (channels, height, width) with 1, 3 or 4 channels and sides of at least 1, got {sides}"
        )
    return sides


def sample_shape(name: str, value: Any) -> tuple[int, ...]:  # noqa: ANN401
    """Check the shape of a sample; a number is the length of a vector. Text as for `image_shape`."""
    values = _split(value)
    if isinstance(values, str) or not hasattr(values, "__iter__"):
        return (positive(name, values),)
    try:
        return tuple(positive(name, side) for side in values)
    except TypeError:
        if not isinstance(value, str):
            raise
        raise TypeError(f"{name} must be an integer, or a tuple of integers, got {value!r}") from None


def shard(samples: int, num_parts: int, part_index: int) -> range:
    """Check a shard and return the indices of its samples; shards differ by at most one sample."""
    parts, index = positive("num_parts", num_parts), integer("part_index", part_index)
    if not 0 <= index < parts:
        raise ValueError(f"part_index must be from 0 to {parts - 1} with num_parts={parts}, got {index}")
    return range(samples * index // parts, samples * (index + 1) // parts)


def _listed(choices: Iterable[str]) -> str:
    *first, last = map(repr, choices)
    return f"{', '.join(first)} or {last}" if first else last
