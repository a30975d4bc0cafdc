"""Pictures to encode, and what the encoders have in common."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

Files = Iterator[tuple[str, bytes]]
"""Names and contents of image files."""

Size = tuple[int, int]

SIZES: list[Size] = [(37, 29), (64, 48), (1, 1), (129, 3), (33, 70)]
"""Width and height of the pictures."""


def picture(seed: int, size: Size, channels: int, dtype: type = np.uint8) -> NDArray[Any]:
    """Return gradients with noise and flat areas, of shape (height, width, channels)."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[:height, :width]
    top = np.iinfo(dtype).max
    planes = []
    for _ in range(channels):
        a, b, c = rng.random(3)
        plane = (a * x / width + b * y / height + c * np.sin(x / 5 + y / 7)) % 1
        plane += rng.normal(0, 0.05, plane.shape)
        plane[height // 3 : height // 2] = rng.random()
        planes.append(np.clip(plane, 0, 1) * top)
    made: NDArray[Any] = np.rint(np.stack(planes, -1)).astype(dtype)
    return made


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image encoded by Pillow."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def run(command: list[str], payload: bytes, suffix: str, out_suffix: str) -> bytes | None:
    """Run an encoder; IN and OUT in its command become paths. Return None if it fails or is not installed."""
    if shutil.which(command[0]) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        paths = {"IN": Path(folder) / f"in{suffix}", "OUT": Path(folder) / f"out{out_suffix}"}
        paths["IN"].write_bytes(payload)
        words = [word.replace("IN", str(paths["IN"])).replace("OUT", str(paths["OUT"])) for word in command]
        done = subprocess.run(words, capture_output=True, check=False)
        if done.returncode or not paths["OUT"].exists():
            return None
        return paths["OUT"].read_bytes()


def all_of(name: str, payload: bytes, suffix: str, out_suffix: str, commands: dict[str, list[str]]) -> Files:
    """Yield the results of those commands that work."""
    for label, command in commands.items():
        made = run(command, payload, suffix, out_suffix)
        if made is not None:
            yield f"{name}-{label}{out_suffix}", made
