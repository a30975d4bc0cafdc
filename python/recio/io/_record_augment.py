"""Augmentation keywords of `ImageRecordIter` as steps of the native pipeline, in MXNet's order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recio._recio import Step
from recio.io._keywords import AUGMENTATION, MAX_SIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

AREA = (0.08, 1.0)
"""Default range of the area of a random resized crop, as a fraction of the image's area."""
ASPECT = (3 / 4, 4 / 3)
"""Default range of its ratio of width to height."""
BILINEAR = 1
"""MXNet's number of this interpolation."""


def refuse_augmentation(given: dict[str, Any]) -> None:
    """Raise if an augmentation keyword is given together with `aug_list`."""
    augmenting = [name for name, keyword in AUGMENTATION.items() if given[name] != keyword.default]
    if augmenting:
        raise ValueError(f"aug_list replaces {', '.join(augmenting)}; pass either")


def augmentation_steps(given: dict[str, Any], size: tuple[int, int]) -> list[Step]:
    """Return the steps of the augmentation keywords; ``size`` is the width and height of the output."""
    interp, fill = given["inter_method"], given["fill_value"]
    steps = []
    if given["resize"] != -1:
        steps.append(Step.resize_short(given["resize"], interp))
    aspect = _aspect(given)
    steps += _affine(given, aspect, fill)
    if given["pad"]:
        steps.append(Step.pad(given["pad"], fill))
    steps.append(_crop(given, size, aspect))
    steps += _color_steps(given)
    if given["mirror"] or given["rand_mirror"]:
        steps.append(Step.mirror(1.0 if given["mirror"] else 0.5))
    return antialiased(given, steps)


def antialiased(given: dict[str, Any], steps: list[Step]) -> list[Step]:
    """Return the steps, with antialiased resizing if the keyword `antialias` is True."""
    if not given["antialias"]:
        return steps
    if given["inter_method"] != BILINEAR:
        raise ValueError(f"antialias=True needs inter_method=1 (bilinear), got {given['inter_method']}")
    return [step.antialiased() for step in steps]


def _aspect(given: dict[str, Any]) -> tuple[float, float] | None:
    """Return the range of the aspect ratio, by MXNet's rule: a maximum m alone means 1 - m to 1 + m."""
    low, high = given["min_aspect_ratio"], given["max_aspect_ratio"]
    if low is None and not high:
        return None
    if low is None:
        return (1 - high, 1 + high)
    return (low, ASPECT[1] if high is None else high)


def _affine(given: dict[str, Any], aspect: tuple[float, float] | None, fill: int) -> list[Step]:
    """Return MXNet's affine step, if a keyword needs it."""
    if given["random_resized_crop"]:
        aspect = None
    angles, angle = _angles(given["rotate"], given["rotate_list"]), given["max_rotate_angle"]
    scale = (given["min_random_scale"], given["max_random_scale"])
    side = (given["min_img_size"], given["max_img_size"])
    identity = (1, 1), (0, MAX_SIDE)
    if not (angles or angle or given["max_shear_ratio"] or (scale, side) != identity or aspect not in (None, (1, 1))):
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
    """Return the angles to choose from: those of the list or, without one, the fixed angle."""
    listed = (
        [angle for angle in rotate_list.split(",") if angle.strip()] if isinstance(rotate_list, str) else rotate_list
    )
    try:
        angles = [float(angle) for angle in ([] if listed is None else listed)]
    except (TypeError, ValueError) as error:
        raise type(error)(f"rotate_list must be a list of angles in degrees, got {rotate_list!r}") from None
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
        area = AREA[0] if low is None else low, AREA[1] if high is None else high
        return Step.resized_crop(size, area, _resized_aspect(given, aspect), log=False, interp=interp)
    if not {*area} <= {None, 1}:
        raise ValueError("min_random_area and max_random_area need random_resized_crop=True")
    if square != (-1, -1):
        # If only one is given, it is the side.
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
    """Return the aspect ratios of a random resized crop; MXNet takes a maximum of 0 for 1 - 0 to 1 + 0."""
    if aspect is None and given["max_aspect_ratio"] is not None:
        return (1.0, 1.0)
    return aspect or ASPECT


def _color_steps(given: dict[str, Any]) -> list[Step]:
    """Return MXNet's steps on colors, in 8-bit values."""
    quirks = given["mxnet_quirks"]
    enhance = [given[name] for name in ("brightness", "contrast", "saturation")]
    shift = [given[name] for name in ("random_h", "random_l", "random_s")]
    steps = []
    if any(enhance):
        steps.append(Step.enhance(enhance, swapped=quirks))
    if any(shift):
        steps.append(Step.hls(shift, wrap=not quirks))
    if given["pca_noise"]:
        steps.append(Step.pca(given["pca_noise"]))
    return steps
