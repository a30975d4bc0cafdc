"""Checks of the iterators' arguments: each returns the value that it accepts, or raises an error with its name."""

from __future__ import annotations

import difflib
import operator
from numbers import Integral
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import DTypeLike


def refuse_unknown(iterator: str, unknown: Iterable[str], known: Iterable[str]) -> None:
    """Raise for keywords that an iterator does not have, with the nearest that it has."""
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise TypeError(f"{iterator} got an unexpected keyword argument {name!r}{hint}")


def seed(name: str, value: object) -> int:
    """Give a seed, a whole number of 64 bits."""
    if not isinstance(value, int | np.integer) or not 0 <= value < 1 << 64:
        raise ValueError(f"{name}={value!r}; it is a whole number from 0 to 2^64-1")
    return int(value)


def image_dtype(value: DTypeLike | None) -> np.dtype[Any]:
    """Give the type of the data; float32 for ``None``, as in MXNet."""
    try:
        return np.dtype("float32" if value is None else value)
    except TypeError:
        raise ValueError(f"dtype={value!r}; it is float32, float16, uint8 or int8") from None


def keywords(settings: dict[str, Any]) -> dict[str, Any]:
    """Give the settings with flags as booleans and numbers as numbers; what is neither raises with its name."""
    return {name: _CHECKS[name](name, value) if name in _CHECKS else value for name, value in settings.items()}


def uint8(name: str, value: object) -> int:
    """Give a level of 8 bits."""
    number = _integer(name, value)
    if not 0 <= number <= 255:  # noqa: PLR2004
        raise ValueError(f"{name}={number}; it is a level from 0 to 255")
    return number


def _flag(name: str, value: object) -> bool:
    if isinstance(value, bool | int | np.bool_) and value in (0, 1):
        return bool(value)
    raise TypeError(f"{name}={value!r}; it is True or False")


def _integer(name: str, value: Any) -> int:  # noqa: ANN401 whatever the caller gave
    number = integer(name, value)
    if abs(number) >= 1 << 63:
        raise ValueError(f"{name}={value!r}; that is too large")
    return number


def _number(name: str, value: Any) -> float:  # noqa: ANN401 whatever the caller gave
    try:
        if not isinstance(value, str):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name}={value!r}; it is a number")


def _number_or_none(name: str, value: Any) -> float | None:  # noqa: ANN401 whatever the caller gave
    return None if value is None else _number(name, value)


def _angle(name: str, value: Any) -> float:  # noqa: ANN401 whatever the caller gave
    """Leave a whole number whole: angles are then drawn from whole ones."""
    number = _number(name, value)
    return int(number) if isinstance(value, Integral) else number


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name}={value!r}; it is a string")
    return value


_CHANCES = ("hue", "saturation", "illumination", "contrast")

_CHECKS: dict[str, Callable[[str, Any], object]] = {
    **dict.fromkeys(("rand_crop", "random_resized_crop", "mirror", "rand_mirror", "shuffle", "round_batch"), _flag),
    **dict.fromkeys(("mxnet_quirks", "verbose", "antialias"), _flag),
    **dict.fromkeys(("batch_size", "label_width", "resize", "pad", "fill_value", "inter_method"), _integer),
    **dict.fromkeys(("num_parts", "part_index", "prefetch_buffer"), _integer),
    "preprocess_threads": lambda name, value: None if value is None else _integer(name, value),
    "max_rotate_angle": _angle,
    **dict.fromkeys(("min_crop_size", "max_crop_size", "device_id", "shuffle_chunk_size"), _integer),
    **dict.fromkeys(("label_pad_value", "scale", "max_shear_ratio", "max_img_size", "min_img_size"), _number),
    **dict.fromkeys(("max_random_scale", "min_random_scale", "brightness", "contrast", "saturation"), _number),
    **dict.fromkeys(("random_h", "random_s", "random_l", "pca_noise", "rotate"), _number),
    **dict.fromkeys(("label_pad_width", "num_crop_sampler"), _integer),
    **dict.fromkeys(("rand_crop_prob", "rand_mirror_prob", "rand_pad_prob", "max_pad_scale"), _number),
    **dict.fromkeys((f"random_{name}_prob" for name in _CHANCES), _number),
    **dict.fromkeys((f"max_random_{name}" for name in _CHANCES), _number),
    "emit_overlap_thresh": _number,
    **dict.fromkeys([f"{kind}_{channel}" for kind in ("mean", "std") for channel in "rgba"], _number),
    **dict.fromkeys(("min_random_area", "max_random_area"), _number_or_none),
    **dict.fromkeys(("min_aspect_ratio", "max_aspect_ratio"), _number_or_none),
    "layout": _text,
}


def image_shape(value: Sequence[Any]) -> tuple[int, int, int]:
    """Give (channels, height, width)."""
    if not hasattr(value, "__iter__"):
        raise TypeError(f"data_shape={value!r}; it is (channels, height, width)")
    sides = tuple(_integer("data_shape", side) for side in value)
    if len(sides) != 3 or sides[0] not in (1, 3, 4) or min(sides) < 1:  # noqa: PLR2004
        raise ValueError(
            f"data_shape={sides}; it is (channels, height, width) with 1, 3 or 4 channels and sides of at least 1"
        )
    return sides


def integer(name: str, value: SupportsIndex) -> int:
    """Give a whole number."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}; it is a whole number") from None


def positive(name: str, value: SupportsIndex) -> int:
    """Give a whole number that is at least 1."""
    number = integer(name, value)
    if number < 1:
        raise ValueError(f"{name}={number}; it is at least 1")
    return number


def sample_shape(name: str, value: Sequence[int] | int) -> tuple[int, ...]:
    """Give the shape of a sample; a number is that of a vector."""
    sides = tuple(value) if hasattr(value, "__iter__") else (value,)
    return tuple(positive(name, side) for side in sides)


def shard(samples: int, num_parts: int, part_index: int) -> range:
    """Give the numbers of the samples in a part; parts differ by at most one sample."""
    parts, index = positive("num_parts", num_parts), integer("part_index", part_index)
    if not 0 <= index < parts:
        raise ValueError(f"part_index={index}, num_parts={parts}; part_index is from 0 to num_parts-1")
    return range(samples * index // parts, samples * (index + 1) // parts)


def dtype(value: DTypeLike | None, *choices: str) -> np.dtype[Any]:
    """Give the type of the data, one of `choices`; the first for ``None``."""
    try:
        given = np.dtype(choices[0] if value is None else value)
    except TypeError:
        given = None
    if given is None or given.name not in choices:
        raise ValueError(f"dtype={value!r}; it is {' or '.join(choices)}")
    return given
