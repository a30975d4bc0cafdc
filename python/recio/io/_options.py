"""From the keywords of `ImageRecordIter` to the settings of the native pipeline, and what to say of unknown ones."""

from __future__ import annotations

import difflib
import operator
import os
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
        # MXNet's own defaults ask for nothing either.
        if not {*area} <= {None, 1} or aspect[0] is not None or aspect[1] not in (None, 0):
            raise ValueError(
                "min_random_area, max_random_area, min_aspect_ratio, max_aspect_ratio need random_resized_crop=True"
            )
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


def checked(settings: dict[str, Any]) -> dict[str, Any]:
    """Give the settings with flags as booleans and numbers as numbers; what is neither raises with its name."""
    return {name: _CHECKS[name](name, value) if name in _CHECKS else value for name, value in settings.items()}


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool | int | np.bool_) and value in (0, 1):
        return bool(value)
    raise TypeError(f"{name}={value!r}; it is True or False")


def _integer(name: str, value: Any) -> int:  # noqa: ANN401 whatever the caller gave
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}; it is a whole number") from None
    if abs(number) >= 1 << 63:
        raise ValueError(f"{name}={value!r}; that is too large")
    return number


def _number(name: str, value: Any) -> float:  # noqa: ANN401 whatever the caller gave
    if isinstance(value, str):
        raise TypeError(f"{name}={value!r}; it is a number")
    return float(value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}={value!r}; it is a string")
    return value


_CHECKS: dict[str, Callable[[str, Any], object]] = {
    **dict.fromkeys(("rand_crop", "mirror", "rand_mirror", "shuffle", "round_batch"), _flag),
    **dict.fromkeys(("batch_size", "label_width", "resize", "pad", "fill_value", "inter_method"), _integer),
    **dict.fromkeys(("num_parts", "part_index", "preprocess_threads", "prefetch_buffer"), _integer),
    **dict.fromkeys(("label_pad_value", "scale"), _number),
    "layout": _text,
}


def shape(value: Sequence[Any]) -> tuple[int, int, int]:
    """Give (channels, height, width)."""
    sides = tuple(value)
    if len(sides) != 3:  # noqa: PLR2004
        raise ValueError(f"data_shape={sides}; it is (channels, height, width)")
    return sides
