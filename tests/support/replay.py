"""What a plan says, carried out by OpenCV and NumPy on a whole image: the model that the pipeline is compared with.

A plan has what was drawn for an image (`ImageRecordIter.plan`). The images are RGB levels, shape (height, width, 3).
Grey and hue are those of OpenCV 4, which rounds a few colours differently than the OpenCV 3 of MXNet's wheel does, so
where they matter the comparison is within a level, or of all but few pixels. Everything else is exact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from recio.io import ImageRecordIter

    Levels = NDArray[np.uint8]
    Entry = dict[str, Any]

METHODS = [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA, cv2.INTER_LANCZOS4]


def replay(plan: Entry, image: Levels, *, quirks: bool = False) -> Levels:
    """Return the image after a plan; with `quirks` as in MXNet: gray with swapped weights, hues that are clamped."""
    for entry in plan["steps"]:
        operation = _OPERATIONS[entry["operation"]]
        image = _window(operation(image, entry, quirks), entry["window"])
    return image[:, ::-1] if plan["mirror"] else image


def entries(plan: Entry, operation: str) -> list[Entry]:
    """Return a plan's steps of one kind."""
    return [entry for entry in plan["steps"] if entry["operation"] == operation]


def draws(batches: ImageRecordIter, operation: str, count: int = 1000) -> list[Entry]:
    """Draw the plan of the first record for `count` epochs, which decodes nothing; give all steps of one kind."""
    return [entry for epoch in range(count) for entry in entries(batches.plan(0, epoch), operation)]


def assert_replayed(
    batches: ImageRecordIter, images: Sequence[Levels], *, quirks: bool = False, tolerance: int = 0, few: float = 0
) -> None:
    """Check the first batch, uint8 and NHWC, of all `images`: all but `few` of each one's pixels, a share of them.

    `tolerance` is in levels.
    """
    found = batches.next().data[0]
    for number, (image, pixels) in enumerate(zip(found, images, strict=True)):
        expected = replay(batches.plan(number), pixels, quirks=quirks)
        differs = (np.abs(expected.astype(int) - image) > tolerance).any(axis=2)
        assert differs.mean() <= few, f"image {number}: {differs.sum()} of {differs.size} pixels differ"


def _window(image: Levels, window: tuple[int, int, int, int]) -> Levels:
    x, y, width, height = window
    return image[y : y + height, x : x + width]


def _decode(image: Levels, _entry: Entry, _quirks: bool) -> Levels:
    return image


def _resize(image: Levels, entry: Entry, _quirks: bool) -> Levels:
    return _levels(cv2.resize(image, entry["size"], interpolation=METHODS[entry["interp"]]))


def _border(image: Levels, entry: Entry, _quirks: bool) -> Levels:
    width, height = entry["size"]
    left, top = entry["corner"]
    right, bottom = width - left - image.shape[1], height - top - image.shape[0]
    return _levels(
        cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=tuple(entry["value"]))
    )


def _warp(image: Levels, entry: Entry, _quirks: bool) -> Levels:
    matrix, border = np.array(entry["matrix"], np.float32), tuple(entry["value"])
    image, method = np.ascontiguousarray(image), METHODS[entry["interp"]]
    return _levels(cv2.warpAffine(image, matrix, entry["size"], flags=method, borderValue=border))


def _flip(image: Levels, _entry: Entry, _quirks: bool) -> Levels:
    return image[:, ::-1]


def _colour(image: Levels, entry: Entry, quirks: bool) -> Levels:
    (name,) = entry.keys() - {"operation", "window"}
    return _COLOURS[name](image, entry[name], quirks)


def _brightness(image: Levels, alpha: float, _quirks: bool) -> Levels:
    return _rounded(image * np.float32(alpha))


def _contrast(image: Levels, alpha: float, quirks: bool) -> Levels:
    return _rounded(image * np.float32(alpha) + (1 - np.float32(alpha)) * np.float32(_grey(image, quirks).mean()))


def _saturation(image: Levels, alpha: float, quirks: bool) -> Levels:
    return _rounded(image * np.float32(alpha) + (1 - np.float32(alpha)) * _grey(image, quirks)[..., None])


def _hls(image: Levels, shift: tuple[int, int, int], quirks: bool) -> Levels:
    hls = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HLS).astype(int) + shift
    hue, rest = hls[..., :1], hls[..., 1:]
    hue = hue.clip(0, 180) if quirks else hue % 180
    shifted = np.concatenate([hue, rest.clip(0, 255)], axis=2).astype(np.uint8)
    return _levels(cv2.cvtColor(shifted, cv2.COLOR_HLS2RGB))


def _shift(image: Levels, shift: tuple[float, float, float], _quirks: bool) -> Levels:
    return _levels((image + np.array(shift, np.float32)).clip(0, 255))


def _grey(image: Levels, quirks: bool) -> Levels:
    """MXNet tells OpenCV that its B, G, R are R, G, B."""
    code = cv2.COLOR_BGR2GRAY if quirks else cv2.COLOR_RGB2GRAY
    return _levels(cv2.cvtColor(np.ascontiguousarray(image), code))


def _rounded(image: NDArray[np.float32]) -> Levels:
    return _levels(image.round().clip(0, 255))


def _levels(image: Any) -> Levels:  # noqa: ANN401 OpenCV says no more of what it gives
    return np.asarray(image, np.uint8)


_OPERATIONS: dict[str, Callable[[Levels, Entry, bool], Levels]] = {
    "decode": _decode,
    "resize": _resize,
    "border": _border,
    "warp": _warp,
    "flip": _flip,
    "levels": _colour,
}
_COLOURS: dict[str, Callable[[Levels, Any, bool], Levels]] = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hls": _hls,
    "shift": _shift,
}
