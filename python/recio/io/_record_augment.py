"""From the keywords of `ImageRecordIter` to the steps of its augmentation: MXNet's, in MXNet's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio._recio import Step
from recio.io._keywords import AUGMENTATION, MAX_SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

FULL_AREA = (0.08, 1.0)
"""The areas of a random resized crop for which no range is given, as fractions of the image's."""
FULL_ASPECT = (3 / 4, 4 / 3)
"""The ratios of width to height, likewise."""
BILINEAR = 1
"""MXNet's number of that method."""


def refuse_augmentation(given: dict[str, Any]) -> None:
    """Raise for keywords that ask for what `aug_list` is to do."""
    asked = [name for name, keyword in AUGMENTATION.items() if given[name] != keyword.default]
    if asked:
        raise ValueError(f"aug_list takes the place of {', '.join(asked)}; give the one or the other")


def steps(given: dict[str, Any], size: tuple[int, int]) -> list[Step]:
    """Give the steps that the keywords ask for; ``size`` is the width and height of the output."""
    interp, fill = given["inter_method"], given["fill_value"]
    found = []
    if given["resize"] != -1:
        found.append(Step.resize_short(given["resize"], interp))
    aspect = _aspect(given)
    found += _affine(given, aspect, fill)
    if given["pad"]:
        found.append(Step.pad(given["pad"], fill))
    found.append(_crop(given, size, aspect))
    found += _colours(given)
    if given["mirror"] or given["rand_mirror"]:
        found.append(Step.mirror(1.0 if given["mirror"] else 0.5))
    return antialiased(given, found)


def antialiased(given: dict[str, Any], found: list[Step]) -> list[Step]:
    """Give the steps as they are or, if `antialias` asks for it, such that those that resize do so without aliases."""
    if not given["antialias"]:
        return found
    if given["inter_method"] != BILINEAR:
        raise ValueError(f"antialias=True is for inter_method=1 (bilinear), not for {given['inter_method']}")
    return [step.antialiased() for step in found]


def _aspect(given: dict[str, Any]) -> tuple[float, float] | None:
    """MXNet's rule: without a minimum, the maximum is the distance from 1 in both directions. None: no range."""
    low, high = given["min_aspect_ratio"], given["max_aspect_ratio"]
    if low is None and not high:
        return None
    if low is None:
        return (1 - high, 1 + high)
    return (low, FULL_ASPECT[1] if high is None else high)


def _affine(given: dict[str, Any], aspect: tuple[float, float] | None, fill: int) -> list[Step]:
    """Give MXNet's affine step, if anything asks for it."""
    if given["random_resized_crop"]:
        aspect = None
    angles, angle = _angles(given["rotate"], given["rotate_list"]), given["max_rotate_angle"]
    scale = (given["min_random_scale"], given["max_random_scale"])
    side = (given["min_img_size"], given["max_img_size"])
    plain = (1, 1), (0, MAX_SIDE)
    if not (angles or angle or given["max_shear_ratio"] or (scale, side) != plain or aspect not in (None, (1, 1))):
        return []
    settings = {
        "angles": angles or None,
        "whole_angle": angle if isinstance(angle, int) else None,
        "angle": float(angle),
        "shear": given["max_shear_ratio"],
        "scale": scale,
        "aspect": aspect or (1.0, 1.0),
        "side": side,
        "value": fill,
        "interp": given["inter_method"],
    }
    return [Step.affine(settings)]


def _angles(rotate: float, rotate_list: str | Sequence[float] | None) -> list[float]:
    """Give the angles to choose from: those of the list, or else the one."""
    listed = (
        [angle for angle in rotate_list.split(",") if angle.strip()] if isinstance(rotate_list, str) else rotate_list
    )
    try:
        angles = [float(angle) for angle in ([] if listed is None else listed)]
    except (TypeError, ValueError) as error:
        raise type(error)(f"rotate_list={rotate_list!r}; it is a list of angles, in degrees") from None
    if angles:
        return angles
    return [] if rotate in (-1, 0) else [rotate]


def _crop(given: dict[str, Any], size: tuple[int, int], aspect: tuple[float, float] | None) -> Step:
    interp, random = given["inter_method"], given["rand_crop"]
    area = given["min_random_area"], given["max_random_area"]
    square = given["min_crop_size"], given["max_crop_size"]
    if given["random_resized_crop"]:
        _refuse_beside_resized_crop(given, square)
        low, high = area
        full = FULL_AREA[0] if low is None else low, FULL_AREA[1] if high is None else high
        return Step.resized_crop(size, full, _resized_aspect(given, aspect), log=False, interp=interp)
    if not {*area} <= {None, 1}:
        raise ValueError("min_random_area and max_random_area need random_resized_crop=True")
    if square != (-1, -1):
        # One of them alone is the side.
        low, high = (side if side != -1 else max(square) for side in square)
        return Step.square((low, high), size, random, interp)
    return Step.cover(size, random, interp)


def _refuse_beside_resized_crop(given: dict[str, Any], square: tuple[int, int]) -> None:
    for name, is_given in (
        ("rand_crop", given["rand_crop"]),
        ("min_crop_size, max_crop_size", square != (-1, -1)),
        ("min_random_scale, max_random_scale", (given["min_random_scale"], given["max_random_scale"]) != (1, 1)),
    ):
        if is_given:
            raise ValueError(f"{name} and random_resized_crop exclude each other")


def _resized_aspect(given: dict[str, Any], aspect: tuple[float, float] | None) -> tuple[float, float]:
    """MXNet takes a maximum of 0 for none, so for one that is given alone."""
    if aspect is None and given["max_aspect_ratio"] is not None:
        return (1.0, 1.0)
    return aspect or FULL_ASPECT


def _colours(given: dict[str, Any]) -> list[Step]:
    """Give MXNet's steps on colours, in whole levels."""
    quirks = given["mxnet_quirks"]
    enhance = [given[name] for name in ("brightness", "contrast", "saturation")]
    shift = [given[name] for name in ("random_h", "random_l", "random_s")]
    found = []
    if any(enhance):
        found.append(Step.enhance(enhance, swapped=quirks))
    if any(shift):
        found.append(Step.hls(shift, wrap=not quirks))
    if given["pca_noise"]:
        found.append(Step.pca(given["pca_noise"]))
    return found
