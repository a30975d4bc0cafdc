"""Seeded damage to JPEGs, as disks, networks and faulty programs do it, and libjpeg-turbo's image of the result."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from PIL import ImageFile

from tests.support.jpegs import DRI, END, SOS, libjpeg, restart_markers, scans, segments

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray


class Damaged(NamedTuple):
    """A damaged JPEG, and how it was damaged."""

    kind: str
    data: bytes


def cut(data: bytes, rng: random.Random) -> bytes:
    """Cut the file off within the data of a scan."""
    return data[: _in_scan(data, rng)]


def cut_and_ended(data: bytes, rng: random.Random) -> bytes:
    """Cut the file off within the data of a scan, and add an end marker."""
    return cut(data, rng) + END


def lost_bytes(data: bytes, rng: random.Random) -> bytes:
    """Remove up to 600 bytes that begin within the data of a scan."""
    start = _in_scan(data, rng)
    return data[:start] + data[start + _few(rng, 600) :]


def zeroed_bytes(data: bytes, rng: random.Random) -> bytes:
    """Set up to 600 bytes of a scan to zero."""
    scan = _scan(data, rng)
    start = rng.randrange(scan.start, scan.stop)
    count = min(_few(rng, 600), scan.stop - start)
    return data[:start] + bytes(count) + data[start + count :]


def flipped_bits(data: bytes, rng: random.Random) -> bytes:
    """Flip 1 to 4 bits of scans."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        changed[_in_scan(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def changed_bytes(data: bytes, rng: random.Random) -> bytes:
    """Change 1 to 4 bytes of scans to any value."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        changed[_in_scan(data, rng)] = rng.choice([0, 0xFF, 0xD9, rng.randrange(256)])
    return bytes(changed)


def lost_restart(data: bytes, rng: random.Random) -> bytes:
    """Remove 1 to 3 restart markers."""
    for _ in range(rng.randint(1, 3)):
        at = _restart(data, rng)
        data = data[:at] + data[at + 2 :]
    return data


def lost_interval(data: bytes, rng: random.Random) -> bytes:
    """Remove 1 to 5 restart markers with the data after them."""
    markers = restart_markers(data)
    first = rng.randrange(len(markers))
    after = min(first + rng.randint(1, 5), len(markers) - 1)
    return data[: markers[first]] + data[markers[after] :]


def repeated_interval(data: bytes, rng: random.Random) -> bytes:
    """Repeat 1 to 5 restart markers and the data after them."""
    markers = restart_markers(data)
    first = rng.randrange(len(markers))
    after = markers[min(first + rng.randint(1, 5), len(markers) - 1)]
    return data[:after] + data[markers[first] :]


def swapped_restarts(data: bytes, rng: random.Random) -> bytes:
    """Swap the numbers of two restart markers."""
    one, other = _restart(data, rng), _restart(data, rng)
    changed = bytearray(data)
    changed[one + 1], changed[other + 1] = data[other + 1], data[one + 1]
    return bytes(changed)


def renumbered_restart(data: bytes, rng: random.Random) -> bytes:
    """Change the number of 1 to 3 restart markers."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        changed[_restart(data, rng) + 1] = 0xD0 + rng.randrange(8)
    return bytes(changed)


def extra_restart(data: bytes, rng: random.Random) -> bytes:
    """Insert 1 to 3 restart markers."""
    for _ in range(rng.randint(1, 3)):
        at = _in_scan(data, rng)
        data = data[:at] + bytes([0xFF, 0xD0 + rng.randrange(8)]) + data[at:]
    return data


def extra_marker(data: bytes, rng: random.Random) -> bytes:
    """Insert a code that is no marker of a JPEG image, or an end marker."""
    at = _in_scan(data, rng)
    return data[:at] + bytes([0xFF, rng.choice([1, 2, 0x7F, 0xBF, 0xD9])]) + data[at:]


def lost_scans(data: bytes, rng: random.Random) -> bytes:
    """Remove 1 to 4 scans, but not the first."""
    parts = _scan_parts(data)
    for _ in range(min(rng.randint(1, 4), len(parts) - 2)):
        del parts[rng.randrange(2, len(parts))]
    return b"".join(parts) + END


def last_scans_lost(data: bytes, rng: random.Random) -> bytes:
    """Remove all scans from some scan on."""
    parts = _scan_parts(data)
    return b"".join(parts[: rng.randrange(2, len(parts))]) + END


def swapped_scans(data: bytes, rng: random.Random) -> bytes:
    """Swap two scans, but not the first."""
    parts = _scan_parts(data)
    one, other = rng.randrange(2, len(parts)), rng.randrange(2, len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return b"".join(parts) + END


def repeated_scan(data: bytes, rng: random.Random) -> bytes:
    """Repeat a scan with the data of another."""
    parts = _scan_parts(data)
    parts.insert(rng.randrange(1, len(parts) + 1), parts[rng.randrange(1, len(parts))])
    return b"".join(parts) + END


def other_interval(data: bytes, rng: random.Random) -> bytes:
    """Change the restart interval."""
    segment = next(segment for segment in segments(data) if segment.marker == DRI)
    interval = rng.choice([0, 1, 2, 7, rng.randrange(1 << 16)])
    return data[: segment.start + 4] + interval.to_bytes(2) + data[segment.end :]


ANY: list[Callable[[bytes, random.Random], bytes]] = [
    cut,
    cut_and_ended,
    lost_bytes,
    zeroed_bytes,
    flipped_bits,
    changed_bytes,
    extra_restart,
    extra_marker,
]
"""Damage to any JPEG."""
RESTARTS = [
    lost_restart,
    lost_interval,
    repeated_interval,
    swapped_restarts,
    renumbered_restart,
    other_interval,
]
"""Damage to JPEGs with restart markers."""
SCANS = [lost_scans, last_scans_lost, swapped_scans, repeated_scan]
"""Damage to JPEGs with several scans."""


def damage(data: bytes, rng: random.Random) -> Damaged:
    """Damage a JPEG in a random way that it allows."""
    kinds = [*ANY]
    if restart_markers(data):
        kinds += RESTARTS * 2
    if len(scans(data)) > 1:
        kinds += SCANS
    kind = rng.choice(kinds)
    return Damaged(kind.__name__, kind(data, rng))


def libjpeg_filled(data: bytes, flag: int = 1) -> NDArray[np.uint8] | None:
    """Decode a damaged JPEG with libjpeg-turbo; None if it shows nothing of it.

    libjpeg's own readers insert end markers for missing data, as many as are read; Pillow waits for more data.
    """
    before, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, True
    try:
        image = libjpeg(data + END * (1 << 15), flag)
    except (OSError, SyntaxError):
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before
    # Pillow returns the rows before an error. An error between scans leaves all black.
    return image if image.any() else None


def _scan(data: bytes, rng: random.Random) -> range:
    found = [scan for scan in scans(data) if scan]
    return rng.choices(found, [len(scan) for scan in found])[0]


def _in_scan(data: bytes, rng: random.Random) -> int:
    return rng.choice(_scan(data, rng))


def _restart(data: bytes, rng: random.Random) -> int:
    return rng.choice(restart_markers(data))


def _few(rng: random.Random, limit: int) -> int:
    """Return a number up to a limit, small ones more often."""
    return int(limit ** rng.random())


def _scan_parts(data: bytes) -> list[bytes]:
    """Split a JPEG before each SOS segment, without its end marker."""
    starts = [segment.start for segment in segments(data) if segment.marker == SOS]
    edges = [0, *starts, data.rindex(END)]
    return [data[start:end] for start, end in pairwise(edges)]
