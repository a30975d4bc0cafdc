"""From the keywords of `ImageDetRecordIter` to the steps of its augmentation: MXNet's, in MXNet's order."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from recio._recio import Step
from recio.io import _options
from recio.io._steps import antialiased, side

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHARES = ("overlap", "sample_coverage", "object_coverage")


def steps(given: dict[str, Any], size: tuple[int, int]) -> list[Step]:
    """Give the steps that the keywords ask for; ``size`` is the width and height of the output."""
    interp = given["inter_method"]
    found = []
    if given["resize"] != -1:
        found.append(Step.resize_short(side("resize", given["resize"]), interp))
    found += _colours(given)
    if given["rand_mirror_prob"]:
        found.append(Step.mirror(given["rand_mirror_prob"]))
    if given["rand_pad_prob"]:
        fill = _options.level("fill_value", given["fill_value"])
        found.append(Step.scale_pad(given["rand_pad_prob"], given["max_pad_scale"], fill))
    if given["rand_crop_prob"] and given["num_crop_sampler"]:
        found.append(Step.sample(given["rand_crop_prob"], _samplers(given), _share(given)))
    found.append(_resize(given, size))
    return antialiased(given, found)


def _colours(given: dict[str, Any]) -> list[Step]:
    chances = {
        name: (given[f"max_random_{name}"], given[f"random_{name}_prob"])
        for name in ("hue", "illumination", "saturation", "contrast")
    }
    if not any(probability for _, probability in chances.values()):
        return []
    contrast = chances.pop("contrast")
    return [Step.sometimes(list(chances.values()), contrast)]


def _samplers(given: dict[str, Any]) -> list[dict[str, Any]]:
    count = given["num_crop_sampler"]
    if count < 0:
        raise ValueError(f"num_crop_sampler={count}; it is at least 0")
    ranges = {name: _ranges(given, f"{name}s", count) for name in ("scale", "aspect_ratio", *_SHARES)}
    ranges["aspect"] = ranges.pop("aspect_ratio")
    trials = [operator.index(number) for number in _each(given, "max_crop_trials", count)]
    return [{**{name: pairs[i] for name, pairs in ranges.items()}, "trials": trials[i]} for i in range(count)]


def _ranges(given: dict[str, Any], name: str, count: int) -> list[tuple[float, float]]:
    low, high = (_each(given, f"{end}_crop_{name}", count) for end in ("min", "max"))
    return list(zip(low, high, strict=True))


def _each(given: dict[str, Any], name: str, count: int) -> Sequence[Any]:
    """Give a number for each sampler; one alone is for all."""
    value = given[name]
    numbers = list(value) if isinstance(value, list | tuple) else [value]
    if len(numbers) not in (1, count):
        raise ValueError(f"{name}={value!r}; it is one number, or num_crop_sampler={count} of them")
    return numbers * count if len(numbers) == 1 else numbers


def _share(given: dict[str, Any]) -> float | None:
    mode = given["crop_emit_mode"]
    if mode not in ("center", "overlap"):
        raise ValueError(f"crop_emit_mode={mode!r}; it is 'center' or 'overlap'")
    share: float = given["emit_overlap_thresh"]
    return share if mode == "overlap" else None


def _resize(given: dict[str, Any], size: tuple[int, int]) -> Step:
    mode, interp = given["resize_mode"], given["inter_method"]
    if mode not in ("force", "shrink", "fit"):
        raise ValueError(f"resize_mode={mode!r}; it is 'force', 'shrink' or 'fit'")
    return Step.resize(size, interp) if mode == "force" else Step.within(size, mode == "fit", interp)
