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


def refuse_augmentation(args: dict[str, Any]) -> None:
    """Raise if an augmentation keyword is given together with `aug_list`."""
    augmenting = [name for name, keyword in AUGMENTATION.items() if args[name] != keyword.default]
    if augmenting:
        raise ValueError(f"aug_list replaces {', '.join(augmenting)}; pass either")


def augmentation_steps(args: dict[str, Any], size: tuple[int, int]) -> list[Step]:
    """Return the steps of the augmentation keywords; ``size`` is the width and height of the output."""
    interp, fill = args["inter_method"], args["fill_value"]
    steps = []
    if args["resize"] != -1:
        steps.append(Step.resize_short(args["resize"], interp))
    aspect = _aspect(args)
    steps += _affine(args, aspect, fill)
    if args["pad"]:
        steps.append(Step.pad(args["pad"], fill))
    steps.append(_crop(args, size, aspect))
    steps += _color_steps(args)
    if args["mirror"] or args["rand_mirror"]:
        steps.append(Step.mirror(1.0 if args["mirror"] else 0.5))
    return antialiased(args, steps)


def antialiased(args: dict[str, Any], steps: list[Step]) -> list[Step]:
    """Return the steps, with antialiased resizing if the keyword `antialias` is True."""
    if not args["antialias"]:
        return steps
    if args["inter_method"] != BILINEAR:
        raise ValueError(f"antialias=True needs inter_method=1 (bilinear), got {args['inter_method']}")
    return [step.antialiased() for step in steps]


def _aspect(args: dict[str, Any]) -> tuple[float, float] | None:
    """Return the range of the aspect ratio, by MXNet's rule: a maximum m alone means 1 - m to 1 + m."""
    low, high = args["min_aspect_ratio"], args["max_aspect_ratio"]
    if low is None and not high:
        return None
    if low is None:
        return (1 - high, 1 + high)
    return (low, ASPECT[1] if high is None else high)


def _affine(args: dict[str, Any], aspect: tuple[float, float] | None, fill: int) -> list[Step]:
    """Return MXNet's affine step, if a keyword needs it."""
    if args["random_resized_crop"]:
        aspect = None
    angles, angle = _angles(args["rotate"], args["rotate_list"]), args["max_rotate_angle"]
    scale = (args["min_random_scale"], args["max_random_scale"])
    side = (args["min_img_size"], args["max_img_size"])
    identity = (1, 1), (0, MAX_SIDE)
    if not (angles or angle or args["max_shear_ratio"] or (scale, side) != identity or aspect not in (None, (1, 1))):
        return []
    settings = {
        "angles": angles or None,
        "integer_angle": angle if isinstance(angle, int) else None,
        "angle": float(angle),
        "shear": args["max_shear_ratio"],
        "scale": scale,
        "aspect": aspect or (1.0, 1.0),
        "side": side,
        "value": fill,
        "interp": args["inter_method"],
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


def _crop(args: dict[str, Any], size: tuple[int, int], aspect: tuple[float, float] | None) -> Step:
    interp, random = args["inter_method"], args["rand_crop"]
    area = args["min_random_area"], args["max_random_area"]
    square = args["min_crop_size"], args["max_crop_size"]
    if args["random_resized_crop"]:
        _refuse_beside_resized_crop(args, square)
        low, high = area
        area = AREA[0] if low is None else low, AREA[1] if high is None else high
        return Step.resized_crop(size, area, _resized_aspect(args, aspect), log=False, interp=interp)
    if not {*area} <= {None, 1}:
        raise ValueError("min_random_area and max_random_area need random_resized_crop=True")
    if square != (-1, -1):
        # If only one is given, it is the side.
        low, high = (side if side != -1 else max(square) for side in square)
        return Step.square((low, high), size, random, interp)
    return Step.cover(size, random, interp)


def _refuse_beside_resized_crop(args: dict[str, Any], square: tuple[int, int]) -> None:
    for name, is_given in (
        ("rand_crop", args["rand_crop"]),
        ("min_crop_size, max_crop_size", square != (-1, -1)),
        (
            "min_random_scale, max_random_scale",
            (args["min_random_scale"], args["max_random_scale"]) != (1, 1),
        ),
    ):
        if is_given:
            raise ValueError(f"{name} and random_resized_crop exclude each other")


def _resized_aspect(args: dict[str, Any], aspect: tuple[float, float] | None) -> tuple[float, float]:
    """Return the aspect ratios of a random resized crop; MXNet takes a maximum of 0 for 1 - 0 to 1 + 0."""
    if aspect is None and args["max_aspect_ratio"] is not None:
        return (1.0, 1.0)
    return aspect or ASPECT


def _color_steps(args: dict[str, Any]) -> list[Step]:
    """Return MXNet's steps on colors, in 8-bit values."""
    quirks = args["mxnet_quirks"]
    enhance = [args[name] for name in ("brightness", "contrast", "saturation")]
    shift = [args[name] for name in ("random_h", "random_l", "random_s")]
    steps = []
    if any(enhance):
        steps.append(Step.enhance(enhance, swapped=quirks))
    if any(shift):
        steps.append(Step.hls(shift, wrap=not quirks))
    if args["pca_noise"]:
        steps.append(Step.pca(args["pca_noise"]))
    return steps
