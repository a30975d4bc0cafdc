"""States of iterators: plain dicts of at most 1 KiB of JSON.

A state is made of the position of an iterator and of the settings that its batches depend on. A state that is loaded is
compared with the settings of the iterator. What does not fit into 1 KiB is folded: settings are replaced by digests,
the longest first. A digest shows only that a setting differs, not how.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import reprlib
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 1024
"""Length of a state as JSON, unless positions alone are longer: those of more than six iterators in one."""

_VERSION = 1
_KEYS = {"recio", "iterator", "position", "settings"}
_FOLDED = re.compile("#[0-9a-f]{12}")
_ABSENT = object()
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 4
_SHORT.maxdict = _SHORT.maxlist = _SHORT.maxtuple = 40
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 200


def make(kind: str, position: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Make a state.

    Parameters
    ----------
    kind : str
        Class of the iterator.
    position : dict
        Position of the iterator: values that JSON can hold, including states of other iterators.
    settings : dict
        Settings that the batches depend on, by name. Numbers are compared by value, tuples and arrays as lists.

    Returns
    -------
    dict
        ``recio``: version of this form; ``iterator``: `kind`; ``position``; ``settings``. It shares no objects with the
        arguments.
    """
    text = json.dumps({"recio": _VERSION, "iterator": kind, "position": position, "settings": _plain(settings)})
    state: dict[str, Any] = json.loads(text)
    _fold(state, len(text) - MAX_BYTES)
    return state


def fit(state: object, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the position in a state, after comparing its class and settings.

    Raises
    ------
    ValueError
        If they differ; the message names each setting that does.
    """
    if not _is_state(state):
        raise not_a_state(state)
    if state["recio"] != _VERSION:
        raise ValueError(f"the state has version {shown(state['recio'])}; this recio reads version {_VERSION}")
    if state["iterator"] != kind:
        raise ValueError(f"the state is of {_name(state['iterator'])}, not of {kind}")
    differences = list(_differences(state["settings"], _plain(settings)))
    if differences:
        raise ValueError(f"the state does not fit this {kind}: {'; '.join(differences)}")
    position: dict[str, Any] = state["position"]
    return position


def number(position: dict[str, Any], name: str, maximum: int, step: int = 1) -> int:
    """Return an integer in a position.

    Raises
    ------
    ValueError
        If it is not an integer from 0 to `maximum`, or not a multiple of `step`.
    """
    value = position.get(name)
    if not isinstance(value, int) or not 0 <= value <= maximum:
        raise ValueError(f"the state's {name} must be from 0 to {maximum} here, got {shown(value)}")
    if value % step:
        raise ValueError(f"the state's {name} must be a multiple of {step} here, got {value}")
    return value


def not_a_state(value: object) -> ValueError:
    """Make the error for a value that is no state."""
    return ValueError(f"this is no state of a recio iterator, as state_dict returns it: {shown(value):.100}")


def state_of(iterator: object) -> Any:  # noqa: ANN401 any value, if the iterator is the caller's
    """Return the state of an iterator inside another.

    Raises
    ------
    NotImplementedError
        If it has none.
    """
    return _method(iterator, "state_dict")()


def load_into(name: str, iterator: object, state: Any) -> None:  # noqa: ANN401 any value, if the iterator is the caller's
    """Load a state into an iterator inside another; errors begin with `name`.

    Raises
    ------
    ValueError
        If the state does not fit.
    NotImplementedError
        If the iterator has no states.
    """
    try:
        _method(iterator, "load_state_dict")(state)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _method(iterator: object, name: str) -> Any:  # noqa: ANN401 a method
    method = getattr(iterator, name, None)
    if method is None:
        raise NotImplementedError(f"{type(iterator).__name__} has no state: it lacks {name}")
    return method


def _is_state(state: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(state, dict)
        and state.keys() >= _KEYS
        and isinstance(state["position"], dict)
        and isinstance(state["settings"], dict | str)
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 of many types
    """Convert a setting so that equal settings are equal JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        # JSON has no infinities.
        return (int(value) if value.is_integer() else value) if math.isfinite(value) else str(value)
    return value


def _differences(theirs: Any, ours: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401 settings, or their digest
    if isinstance(theirs, str):
        if theirs != _digest_of_all(ours):
            yield "the settings differ; there are too many for the state to hold which"
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        their, our = theirs.get(name, _ABSENT), ours.get(name, _ABSENT)
        if _is_folded(their) and our is not _ABSENT:
            our = _digest(our)
        if their != our:
            yield f"{_name(name)}: {shown(their)} in the state, {shown(our)} here"


def shown(value: object) -> str:
    """Return a value of any type, size and depth as text for a message."""
    return "absent" if value is _ABSENT else _SHORT.repr(value)


def _name(value: object) -> str:
    return value if isinstance(value, str) and value.isidentifier() else shown(value)


def _fold(state: dict[str, Any], excess: int) -> None:
    """Fold settings, also those of states in the position, until the excess is gone or all are folded."""
    if excess <= 0:
        return
    states = list(_states(state))
    single = [
        (one["settings"], name) for one in states if isinstance(one["settings"], dict) for name in one["settings"]
    ]
    for entries, digest in ((single, _digest), ([(one, "settings") for one in states], _digest_of_all)):
        for holder, name in sorted(entries, key=lambda entry: _length(entry[0][entry[1]]), reverse=True):
            if excess <= 0:
                return
            value = holder[name]
            holder[name] = min(value, digest(value), key=_length)
            excess -= _length(value) - _length(holder[name])


def _length(value: object) -> int:
    return len(json.dumps(value))


def _states(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 any item of a state
    """Yield a state and the states in its position."""
    if _is_state(value):
        yield value
        value = value["position"]
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _states(item)


def _is_folded(value: object) -> bool:
    return isinstance(value, str) and _FOLDED.fullmatch(value) is not None


def _digest(value: Any) -> str:  # noqa: ANN401 a setting
    """Return the digest of a setting; a digest is its own digest."""
    if _is_folded(value):
        digest: str = value
        return digest
    return f"#{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]}"


def _digest_of_all(settings: dict[str, Any] | str) -> str:
    """Return the digest of settings, which is the same whether some of them are folded or none."""
    if isinstance(settings, str):
        return settings
    return _digest({name: _digest(value) for name, value in settings.items()})
