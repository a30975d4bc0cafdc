"""JPEGs with chosen settings, their pixels as decoded by libjpeg-turbo, and their segments.

OpenCV and Pillow encode them. Both contain libjpeg-turbo, whose default pixels (accurate integer IDCT, triangle filter
for the chroma) are the reference; for four components it is OpenCV's pixels, since Pillow converts those differently.
Independent of pytest.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import cv2
import numpy as np
from PIL import Image

from tests.support.records import DATA, PHOTOS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

Kind = Literal["4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "gray", "rgb", "cmyk", "ycck"]
Coding = Literal["baseline", "optimized", "progressive"]
Content = Literal["photo", "noise", "flat", "edges", "saturated"]

UNFINISHED = sorted((DATA / "jpeg").glob("unfinished-*.jpg"))
"""Progressive files without their last scans."""
FIXTURES = sorted({*(DATA / "jpeg").glob("*.jpg")} - {*UNFINISHED})
"""Kinds of files that neither OpenCV nor Pillow writes."""

YCC: dict[Kind, int] = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "4:4:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "4:1:1": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}
KINDS: list[Kind] = [*YCC, "gray"]
"""Kinds that OpenCV encodes."""
CODINGS: list[Coding] = ["baseline", "optimized", "progressive"]
CONTENTS: list[Content] = ["photo", "noise", "flat", "edges", "saturated"]

SOF0, SOF1, SOF2, DHT, RST0, SOI, EOI, SOS, DQT, DRI = 0xC0, 0xC1, 0xC2, 0xC4, 0xD0, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD
APP0, APP1, APP14, COM = 0xE0, 0xE1, 0xEE, 0xFE
END = bytes([0xFF, EOI])

MARKER_AFTER_SCAN = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True)
class Settings:
    """Settings of a JPEG to encode."""

    width: int
    height: int
    kind: Kind = "4:2:0"
    coding: Coding = "baseline"
    quality: int = 90
    restarts: int = 0
    """MCUs between two restart markers, or 0."""
    content: Content = "photo"


class Segment(NamedTuple):
    """Marker segment from its 0xFF to its end; the data of a scan follows the SOS segment."""

    marker: int
    start: int
    end: int


class Header(NamedTuple):
    """Header fields of a file."""

    process: int
    """The marker of the frame: SOF0, SOF1, SOF2."""
    size: tuple[int, int]
    """Width, height."""
    sampling: list[tuple[int, int]]
    """Horizontal and vertical factor of each component."""
    restarts: int


def encode(settings: Settings) -> bytes:
    """Encode an image with these settings."""
    pixels = render(settings)
    if settings.kind in KINDS:
        return _opencv(pixels, settings)
    data = _pillow(pixels, settings)
    # Pillow writes CMYK; the same bytes marked as YCCK are other colors.
    return with_transform(data, 2) if settings.kind == "ycck" else data


def _opencv(pixels: NDArray[np.uint8], settings: Settings) -> bytes:
    options = {
        cv2.IMWRITE_JPEG_QUALITY: settings.quality,
        cv2.IMWRITE_JPEG_PROGRESSIVE: int(settings.coding == "progressive"),
        cv2.IMWRITE_JPEG_OPTIMIZE: int(settings.coding == "optimized"),
        cv2.IMWRITE_JPEG_RST_INTERVAL: settings.restarts,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: YCC.get(settings.kind, YCC["4:2:0"]),
    }
    flat = [number for option in options.items() for number in option]
    return cv2.imencode(".jpg", pixels[..., ::-1], flat)[1].tobytes()


def _pillow(pixels: NDArray[np.uint8], settings: Settings) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels, "RGB" if settings.kind == "rgb" else "CMYK").save(
        file,
        "JPEG",
        keep_rgb=settings.kind == "rgb",
        quality=settings.quality,
        progressive=settings.coding == "progressive",
        optimize=settings.coding == "optimized",
        restart_marker_blocks=settings.restarts,
    )
    return file.getvalue()


def render(settings: Settings) -> NDArray[np.uint8]:
    """Render an image, which depends on the settings only."""
    rng = np.random.default_rng([settings.width, settings.height, settings.quality, len(settings.kind)])
    image = _RENDER[settings.content](rng, settings.height, settings.width)
    channels = {"gray": [1], "cmyk": [0, 1, 2, 1], "ycck": [0, 1, 2, 1]}.get(settings.kind, [0, 1, 2])
    return np.ascontiguousarray(image[..., channels])


def _photo(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Crop a photograph, and enlarge the crop if the photograph is smaller."""
    photograph = _pixels(PHOTOS[rng.integers(len(PHOTOS))])
    h, w = min(height, photograph.shape[0]), min(width, photograph.shape[1])
    y, x = (rng.integers(0, full - crop + 1) for full, crop in zip(photograph.shape, (h, w), strict=False))
    return cv2.resize(photograph[y : y + h, x : x + w], (width, height)).astype(np.uint8)


@cache
def _pixels(path: Path) -> NDArray[Any]:
    image = cv2.imread(str(path))
    assert image is not None
    return image


def _noise(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def _flat(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    return np.broadcast_to(rng.integers(0, 256, 3, np.uint8), (height, width, 3))


def _edges(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Paint overlapping rectangles."""
    image = np.zeros((height, width, 3), np.uint8)
    for _ in range(12):
        top, bottom = np.sort(rng.integers(0, height + 1, 2))
        left, right = np.sort(rng.integers(0, width + 1, 2))
        image[top:bottom, left:right] = rng.integers(0, 256, 3, np.uint8)
    return image


def _saturated(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Paint tiles in black, white and saturated colors, which overshoot most."""
    tiles = rng.integers(0, 2, (height // 3 + 1, width // 5 + 1, 3), np.uint8) * np.uint8(255)
    return tiles.repeat(3, axis=0).repeat(5, axis=1)[:height, :width]


_RENDER = {"photo": _photo, "noise": _noise, "flat": _flat, "edges": _edges, "saturated": _saturated}


def libjpeg(data: bytes, flag: int = 1) -> NDArray[np.uint8]:
    """Decode with libjpeg-turbo: shape (height, width, 3), R, G, B; with `flag` 0 (height, width, 1), its gray."""
    with Image.open(io.BytesIO(data)) as image:
        if image.mode == "CMYK":
            return opencv(data, flag)
        if flag == 0:
            image.draft("L", None)  # libjpeg's gray; `convert` would compute it from R, G, B
        pixels = np.asarray(image if flag == 0 else image.convert("RGB"))
    return pixels.reshape(*pixels.shape[:2], -1)


def opencv(data: bytes, flag: int = 1) -> NDArray[np.uint8]:
    """Decode with OpenCV, to the same shape."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    assert image is not None
    return image.reshape(*image.shape[:2], -1)[..., ::-1].astype(np.uint8)


def difference(actual: NDArray[np.uint8], expected: NDArray[np.uint8]) -> str | None:
    """Describe the difference of two images: how many values differ, by how much, and where first; None if equal."""
    if actual.shape != expected.shape:
        return f"the shape is {actual.shape}, expected {expected.shape}"
    distance = np.abs(actual.astype(int) - expected)
    if not distance.any():
        return None
    first = tuple(int(i) for i in np.argwhere(distance)[0])
    count = f"{np.count_nonzero(distance)} of {distance.size} values differ by up to {distance.max()}"
    return f"{count}, first at {first}: {actual[first]}, expected {expected[first]}"


def assert_same(actual: NDArray[np.uint8], expected: NDArray[np.uint8], where: object = "") -> None:
    """Raise AssertionError if two images differ; `where` identifies them in the message."""
    message = difference(actual, expected)
    assert message is None, f"{where}: {message}"


def segments(data: bytes) -> list[Segment]:
    """List the marker segments between SOI and EOI."""
    return list(_segments(data))


def _segments(data: bytes) -> Iterator[Segment]:
    at = 2
    while data[at + 1] != EOI:
        segment = Segment(data[at + 1], at, at + 2 + int.from_bytes(data[at + 2 : at + 4]))
        yield segment
        at = end_of_scan(data, segment.end) if segment.marker == SOS else segment.end


def end_of_scan(data: bytes, start: int) -> int:
    """Find the marker after a scan's data, which begins at `start`."""
    marker = MARKER_AFTER_SCAN.search(data, start)
    assert marker
    return marker.start()


def scans(data: bytes) -> list[range]:
    """Return the byte range of each scan's data, including restart markers."""
    starts = [segment.end for segment in segments(data) if segment.marker == SOS]
    return [range(start, end_of_scan(data, start)) for start in starts]


def frame(data: bytes) -> Segment:
    """Find the frame segment, which has the size and the components."""
    return next(segment for segment in segments(data) if segment.marker in {SOF0, SOF1, SOF2})


def header(data: bytes) -> Header:
    """Read the header fields of a file."""
    sof = frame(data)
    height, width = (int.from_bytes(data[sof.start + at : sof.start + at + 2]) for at in (5, 7))
    factors = data[sof.start + 11 : sof.end : 3]
    dri_values = [data[s.start + 4 : s.end] for s in segments(data) if s.marker == DRI]
    restarts = int.from_bytes(dri_values[0]) if dri_values else 0
    return Header(sof.marker, (width, height), [(both >> 4, both & 15) for both in factors], restarts)


def without(data: bytes, marker: int) -> bytes:
    """Remove all segments with a marker."""
    kept = data
    for segment in reversed(segments(data)):
        if segment.marker == marker:
            kept = kept[: segment.start] + kept[segment.end :]
    return kept


def with_bytes(data: bytes, at: int, content: bytes) -> bytes:
    """Overwrite some bytes."""
    return data[:at] + content + data[at + len(content) :]


def with_segment(data: bytes, marker: int, content: bytes) -> bytes:
    """Insert a segment after SOI."""
    return data[:2] + bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content + data[2:]


def with_transform(data: bytes, transform: int) -> bytes:
    """Set the transform of Adobe's segment: 0 none, 1 YCbCr, 2 YCCK."""
    return with_segment(without(data, APP14), APP14, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


def with_names(data: bytes, names: bytes) -> bytes:
    """Rename the components of a file with one scan."""
    sof = frame(data)
    sos = next(segment for segment in segments(data) if segment.marker == SOS)
    for number, name in enumerate(names):
        data = with_bytes(data, sof.start + 10 + 3 * number, bytes([name]))
        data = with_bytes(data, sos.start + 5 + 2 * number, bytes([name]))
    return data


def with_wide_steps(data: bytes) -> bytes:
    """Write the quantization steps with 16 bits, which needs an extended sequential frame."""
    sof = frame(data)
    data = with_bytes(data, sof.start, bytes([0xFF, SOF1]))
    for segment in reversed([segment for segment in segments(data) if segment.marker == DQT]):
        number, steps = data[segment.start + 4], data[segment.start + 5 : segment.end]
        wide = b"".join(step.to_bytes(2) for step in steps)
        content = bytes([0xFF, DQT, 0, 131, 0x10 | number]) + wide
        data = data[: segment.start] + content + data[segment.end :]
    return data


def restart_markers(data: bytes) -> list[int]:
    """Find the positions of the restart markers."""
    return [
        scan.start + match.start()
        for scan in scans(data)
        for match in re.finditer(rb"\xff[\xd0-\xd7]", data[scan.start : scan.stop])
    ]


def with_fill_bytes(data: bytes) -> bytes:
    """Insert 0 to 3 fill bytes 0xFF before each marker but SOI."""
    positions = [segment.start for segment in segments(data)] + restart_markers(data) + [data.rindex(END)]
    for number, at in enumerate(sorted(positions, reverse=True)):
        data = data[:at] + b"\xff" * (number % 4) + data[at:]
    return data


def of_many_scans(count: int) -> bytes:
    """Build a progressive JPEG of one gray block with 1 to 127 scans: DC, each AC coefficient, the last bit of each.

    Every table has a single code of one bit; every scan is the bit 0: no difference, or the end of the block.
    """
    bands = [(0, 0), *((k, 0x01) for k in range(1, 64)), *((k, 0x10) for k in range(1, 64))][:count]
    sof = bytes([0xFF, SOF2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0])
    dqt = bytes([0xFF, DQT, 0, 67, 0]) + b"\1" * 64
    dht = b"".join(bytes([0xFF, DHT, 0, 20, table, 1, *[0] * 15, 0]) for table in (0x00, 0x10))
    sos = b"".join(bytes([0xFF, SOS, 0, 8, 1, 1, 0, k, k, bits, 0x7F]) for k, bits in bands)
    return bytes([0xFF, SOI]) + dqt + sof + dht + sos + END
