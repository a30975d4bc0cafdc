"""Where an iterator is, as plain data: what `state_dict` gives and `load_state_dict` takes."""

from __future__ import annotations

from typing import Any

_VERSION = 1


def make(kind: str, position: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Give a state: the iterator's class, where it is, and what its batches depend on."""
    return {"recio": _VERSION, "iterator": kind, "position": position, "settings": _plain(settings)}


def fit(state: dict[str, Any], kind: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Give the position of a state, if it is of such an iterator.

    Raises
    ------
    ValueError
        If it is not; the message names each difference.
    """
    if not isinstance(state, dict) or state.get("recio") != _VERSION:
        raise ValueError(f"this is no state of an iterator of this recio: {state!r:.80}")
    if state["iterator"] != kind:
        raise ValueError(f"the state is of {state['iterator']}, this is {kind}")
    told, here = state["settings"], _plain(settings)
    differences = [
        f"{name}: {told.get(name)!r} in the state, {here.get(name)!r} here"
        for name in {**told, **here}
        if told.get(name) != here.get(name)
    ]
    if differences:
        raise ValueError(f"the state does not fit this iterator: {'; '.join(differences)}")
    position: dict[str, Any] = state["position"]
    return position


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Give the settings as they come back from JSON."""
    return {name: [*value] if isinstance(value, tuple) else value for name, value in settings.items()}
