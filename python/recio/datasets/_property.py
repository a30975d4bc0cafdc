"""The file ``property`` beside a record file of InsightFace: a line ``identities,height,width``, others ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from recio._recio import RecordError

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 200


class FaceProperty(NamedTuple):
    """What the file says."""

    num_classes: int
    height: int
    width: int


def read_property(path: Path) -> FaceProperty | None:
    """Read the file; ``None`` if there is none.

    Raises
    ------
    recio.RecordError
        If its first line is not three whole numbers with commas between.
    """
    try:
        with path.open("rb") as file:
            line = file.readline(_LONGEST)
    except FileNotFoundError:
        return None
    words = line.strip().split(b",")
    if len(words) != len(FaceProperty._fields) or not all(word.strip().isdigit() for word in words):
        damage = RecordError(f"{path}: the first line is {line!r}, not identities,height,width")
        damage.path = str(path)
        raise damage
    return FaceProperty(*map(int, words))
