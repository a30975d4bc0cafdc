"""From the keywords of `ImageRecordIter` to the settings of the native pipeline, and what to say of unknown ones."""

from __future__ import annotations

import difflib
import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import DTypeLike

    from recio._paths import StrPath

    Paths: TypeAlias = StrPath | Sequence[StrPath] | None

FULL_AREA = (0.08, 1.0)
"""The areas of a random resized crop for which no range is given, as fractions of the image's."""
FULL_ASPECT = (3 / 4, 4 / 3)
"""The ratios of width to height, likewise."""

# MXNet's parameters that recio does not have yet.
_LATER = frozenset({
    "aug_seq", "brightness", "contrast", "ctx", "device_id", "max_crop_size", "max_img_size", "max_random_contrast",
    "max_random_illumination", "max_random_scale", "max_rotate_angle", "max_shear_ratio", "mean_img", "min_crop_size",
    "min_img_size", "min_random_scale", "pca_noise", "random_h", "random_l", "random_s", "rotate", "rotate_list",
    "saturation", "seed_aug", "shuffle_chunk_seed", "shuffle_chunk_size",
})  # fmt: skip


def paths(value: Paths) -> list[str]:
    """Give the paths in ``"a.rec;b.rec"``, in a list of paths, or in one path-like object."""
    if value is None:
        return []
    if isinstance(value, str):
        return [path for path in value.split(";") if path]
    if isinstance(value, os.PathLike):
        return [os.fspath(value)]
    return [os.fspath(path) for path in value]


def cores() -> int:
    """Count the cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def refuse(unknown: Iterable[str], known: Iterable[str]) -> None:
    """Raise for keywords that are not known, with the nearest that is."""
    for name in unknown:
        if name in _LATER:
            raise NotImplementedError(f"ImageRecordIter: {name} is a parameter of MXNet's that recio does not have yet")
        near = difflib.get_close_matches(name, [*known, *_LATER], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"ImageRecordIter got an unexpected keyword argument {name!r}{hint}")


def resized_crop(
    wanted: bool,
    rand_crop: bool,
    area: tuple[float | None, float | None],
    aspect: tuple[float | None, float | None],
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Give the ranges of area and aspect ratio of a random resized crop; ``None`` if none is wanted."""
    if not wanted:
        for names, values in (("random_area", area), ("aspect_ratio", aspect)):
            if values != (None, None):
                raise ValueError(f"min_{names} and max_{names} need random_resized_crop=True")
        return None
    if rand_crop:
        raise ValueError("rand_crop and random_resized_crop exclude each other")
    return _area(*area), _aspect(*aspect)


def _area(low: float | None, high: float | None) -> tuple[float, float]:
    return FULL_AREA[0] if low is None else low, FULL_AREA[1] if high is None else high


def _aspect(low: float | None, high: float | None) -> tuple[float, float]:
    """MXNet's rule: without a minimum, the maximum is the distance from 1 in both directions."""
    if high is None:
        return (FULL_ASPECT[0] if low is None else low), FULL_ASPECT[1]
    return (1 - high, 1 + high) if low is None else (low, high)


def dtype(value: DTypeLike | None) -> np.dtype[Any]:
    """Give the type of the data; float32 for ``None``, as in MXNet."""
    try:
        return np.dtype("float32" if value is None else value)
    except TypeError:
        raise ValueError(f"dtype={value!r}; it is float32, float16, uint8 or int8") from None


def shape(value: Sequence[Any]) -> tuple[int, int, int]:
    """Give (channels, height, width)."""
    sides = tuple(value)
    if len(sides) != 3:  # noqa: PLR2004
        raise ValueError(f"data_shape={sides}; it is (channels, height, width)")
    return sides
