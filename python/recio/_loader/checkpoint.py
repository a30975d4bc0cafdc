"""What the states of iterators look like: plain dicts that JSON can hold, of 1 KiB at most.

An iterator says where it is (the position) and what its batches depend on (the settings); here the two become a state,
and a state that comes back is held against the settings of the iterator that gets it. What does not fit into 1 KiB is
folded: a digest takes the place of a setting, the longest first, and tells only that it differs, not how. Knows nothing
of batches, nor what positions and settings mean.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 1024
"""The length of a state as JSON, unless positions alone are longer: those of more than six iterators in one."""

_VERSION = 1
_KEYS = {"recio", "iterator", "position", "settings"}
_FOLDED = re.compile("#[0-9a-f]{12}")
_ABSENT = object()


def make(kind: str, position: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Make a state.

    Parameters
    ----------
    kind : str
        The iterator's class.
    position : dict
        Where it is: what JSON can hold, states of other iterators included.
    settings : dict
        By name, what its batches depend on. Numbers count by their value, tuples and arrays as lists.

    Returns
    -------
    dict
        ``recio``: the version of this form; ``iterator``: `kind`; ``position``; ``settings``. It shares nothing with
        what was given.
    """
    state = {"recio": _VERSION, "iterator": kind, "position": position, "settings": _plain(settings)}
    text = json.dumps(state)
    own: dict[str, Any] = json.loads(text)
    _fold(own, len(text) - MOST_BYTES)
    return own


def fit(state: object, kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Give the position in a state that was made for the same class and settings.

    Raises
    ------
    ValueError
        If it was not; the message names each setting that differs.
    """
    if not _is_state(state):
        raise no_state(state)
    if state["recio"] != _VERSION:
        raise ValueError(f"the state has version {state['recio']}; this recio reads version {_VERSION}")
    if state["iterator"] != kind:
        raise ValueError(f"the state is of {state['iterator']}, not of {kind}")
    differences = list(_differences(state["settings"], _plain(settings)))
    if differences:
        raise ValueError(f"the state does not fit this {kind}: {'; '.join(differences)}")
    position: dict[str, Any] = state["position"]
    return position


def number(position: dict[str, Any], name: str, most: int) -> int:
    """Give a whole number of a position.

    Raises
    ------
    ValueError
        If it is none, or not from 0 to `most`.
    """
    value = position.get(name)
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError(f"the state's {name} is {value!r}; here it is from 0 to {most}")
    return value


def no_state(given: object) -> ValueError:
    """Make the error that says so."""
    return ValueError(f"no state of a recio iterator, as state_dict gives it: {given!r:.100}")


def of(iterator: object) -> Any:  # noqa: ANN401 of a caller's iterator, what it gives
    """Give the state of an iterator within another.

    Raises
    ------
    NotImplementedError
        If it has none.
    """
    return _method(iterator, "state_dict")()


def load(name: str, iterator: object, state: Any) -> None:  # noqa: ANN401 of a caller's iterator, what it gave
    """Have an iterator within another, where it has this name, go to where a state was taken.

    Raises
    ------
    ValueError
        If it does not fit.
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
    """Give a setting so that those that are equal are equal as JSON."""
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        # JSON has no infinities.
        return (int(value) if value.is_integer() else value) if math.isfinite(value) else str(value)
    return value


def _differences(theirs: Any, ours: dict[str, Any]) -> Iterator[str]:  # noqa: ANN401 settings, or their digest
    if isinstance(theirs, str):
        if theirs != _digest_of_all(ours):
            yield "the settings differ; there are too many for the state to tell which"
        return
    for name in [*ours, *(name for name in theirs if name not in ours)]:
        their, our = theirs.get(name, _ABSENT), ours.get(name, _ABSENT)
        if _is_folded(their) and our is not _ABSENT:
            our = _digest(our)
        if their != our:
            yield f"{name}: {_shown(their)} in the state, {_shown(our)} here"


def _shown(value: object) -> str:
    return "absent" if value is _ABSENT else repr(value)


def _fold(state: dict[str, Any], excess: int) -> None:
    """Fold settings, also those of states in the position, until the excess is gone or there are none left."""
    if excess <= 0:
        return
    states = list(_states(state))
    single = [
        (one["settings"], name) for one in states if isinstance(one["settings"], dict) for name in one["settings"]
    ]
    for places, digest in ((single, _digest), ([(one, "settings") for one in states], _digest_of_all)):
        for holder, name in sorted(places, key=lambda place: _length(place[0][place[1]]), reverse=True):
            if excess <= 0:
                return
            whole = holder[name]
            holder[name] = min(whole, digest(whole), key=_length)
            excess -= _length(whole) - _length(holder[name])


def _length(part: object) -> int:
    return len(json.dumps(part))


def _states(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 a part of a state
    """Give a state and those in its position."""
    if _is_state(value):
        yield value
        value = value["position"]
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _states(part)


def _is_folded(value: object) -> bool:
    return isinstance(value, str) and _FOLDED.fullmatch(value) is not None


def _digest(value: Any) -> str:  # noqa: ANN401 a setting
    """Give the digest of a setting; a digest is its own."""
    if _is_folded(value):
        digest: str = value
        return digest
    return f"#{hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]}"


def _digest_of_all(settings: dict[str, Any] | str) -> str:
    """Give the digest of settings, which is the same whether some of them are folded or none."""
    if isinstance(settings, str):
        return settings
    return _digest({name: _digest(value) for name, value in settings.items()})
