"""Reference renderer: runs a plan on a full image with OpenCV and NumPy, to compare the pipeline with.

A plan holds the random parameters sampled for an image (`ImageRecordIter.plan`). The images are uint8 RGB, shape
(height, width, 3). Gray and hue are those of OpenCV 4, which rounds a few colors differently than the OpenCV 3 of
MXNet's wheel, so where they matter the comparison allows a difference of 1, or a few pixels. Everything else is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recio.io import ImageRecordIter

    Pixels = NDArray[np.uint8]
    Step = dict[str, Any]

METHODS = [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4]


def replay(plan: Step, image: Pixels, *, quirks: bool = False) -> Pixels:
    """Render a plan on an image; with `quirks` as MXNet does: gray with exchanged weights, hues clamped."""
    for step in plan["steps"]:
        operation = _OPERATIONS[step["operation"]]
        image = _crop(operation(image, step, quirks), step["window"])
    return image[:, ::-1] if plan["mirror"] else image


def steps_of(plan: Step, operation: str) -> list[Step]:
    """Return the steps of a plan with one operation."""
    return [step for step in plan["steps"] if step["operation"] == operation]


def sampled_steps(batches: ImageRecordIter, operation: str, count: int = 1000) -> list[Step]:
    """Plan the first record for `count` epochs, without decoding, and return all steps with one operation."""
    return [step for epoch in range(count) for step in steps_of(batches.plan(0, epoch), operation)]


def assert_replayed(
    batches: ImageRecordIter,
    images: Sequence[Pixels],
    *,
    quirks: bool = False,
    tolerance: int = 0,
    max_differing: float = 0,
) -> None:
    """Check the first batch, uint8 and NHWC, of all `images` against the reference renderer.

    Up to the fraction `max_differing` of the pixels of each image may differ by more than `tolerance`.
    """
    rendered = batches.next().data[0]
    for number, (image, pixels) in enumerate(zip(rendered, images, strict=True)):
        expected = replay(batches.plan(number), pixels, quirks=quirks)
        differs = (np.abs(expected.astype(int) - image) > tolerance).any(axis=2)
        assert differs.mean() <= max_differing, f"image {number}: {differs.sum()} of {differs.size} pixels differ"


def _crop(image: Pixels, window: tuple[int, int, int, int]) -> Pixels:
    x, y, width, height = window
    return image[y : y + height, x : x + width]


def _decode(image: Pixels, _step: Step, _quirks: bool) -> Pixels:
    return image


def _resize(image: Pixels, step: Step, _quirks: bool) -> Pixels:
    return _as_uint8(cv2.resize(image, step["size"], interpolation=METHODS[step["interp"]]))


def _border(image: Pixels, step: Step, _quirks: bool) -> Pixels:
    width, height = step["size"]
    left, top = step["corner"]
    right, bottom = width - left - image.shape[1], height - top - image.shape[0]
    return _as_uint8(
        cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=tuple(step["value"]))
    )


def _warp(image: Pixels, step: Step, _quirks: bool) -> Pixels:
    matrix, border = np.array(step["matrix"], np.float32), tuple(step["value"])
    image, method = np.ascontiguousarray(image), METHODS[step["interp"]]
    return _as_uint8(cv2.warpAffine(image, matrix, step["size"], flags=method, borderValue=border))


def _flip(image: Pixels, _step: Step, _quirks: bool) -> Pixels:
    return image[:, ::-1]


def _color(image: Pixels, step: Step, quirks: bool) -> Pixels:
    (name,) = step.keys() - {"operation", "window"}
    return _COLORS[name](image, step[name], quirks)


def _brightness(image: Pixels, alpha: float, _quirks: bool) -> Pixels:
    return _round(image * np.float32(alpha))


def _contrast(image: Pixels, alpha: float, quirks: bool) -> Pixels:
    return _round(image * np.float32(alpha) + (1 - np.float32(alpha)) * np.float32(_gray(image, quirks).mean()))


def _saturation(image: Pixels, alpha: float, quirks: bool) -> Pixels:
    return _round(image * np.float32(alpha) + (1 - np.float32(alpha)) * _gray(image, quirks)[..., None])


def _hls(image: Pixels, shift: tuple[int, int, int], quirks: bool) -> Pixels:
    hls = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HLS).astype(int) + shift
    hue, rest = hls[..., :1], hls[..., 1:]
    hue = hue.clip(0, 180) if quirks else hue % 180
    shifted = np.concatenate([hue, rest.clip(0, 255)], axis=2).astype(np.uint8)
    return _as_uint8(cv2.cvtColor(shifted, cv2.COLOR_HLS2RGB))


def _shift(image: Pixels, shift: tuple[float, float, float], _quirks: bool) -> Pixels:
    return _as_uint8((image + np.array(shift, np.float32)).clip(0, 255))


def _gray(image: Pixels, quirks: bool) -> Pixels:
    """Convert to gray; with `quirks`, R and B have exchanged weights, as in MXNet."""
    code = cv2.COLOR_BGR2GRAY if quirks else cv2.COLOR_RGB2GRAY
    return _as_uint8(cv2.cvtColor(np.ascontiguousarray(image), code))


def _round(image: NDArray[np.float32]) -> Pixels:
    return _as_uint8(image.round().clip(0, 255))


def _as_uint8(image: Any) -> Pixels:  # noqa: ANN401 OpenCV's return types are imprecise
    return np.asarray(image, np.uint8)


_OPERATIONS: dict[str, Callable[[Pixels, Step, bool], Pixels]] = {
    "decode": _decode,
    "resize": _resize,
    "border": _border,
    "warp": _warp,
    "flip": _flip,
    "levels": _color,
}
_COLORS: dict[str, Callable[[Pixels, Any, bool], Pixels]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hls": _hls,
    "shift": _shift,
}
