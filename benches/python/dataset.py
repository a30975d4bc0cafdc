"""Data set of the benchmarks: a folder of JPEGs, packed once by recio's im2rec.

Packed data sets are kept in the build folder under a fingerprint of their source files: a second run
starts immediately, and a changed folder is packed again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from recio import im2rec
from recio.image import imencode, imread
from workload import BATCH

PHOTOGRAPHS = Path(__file__).parents[2] / "tests" / "data" / "photos"

COPIES = 4
"""Copies of each variant of a photograph: 30 x 8 x 4 = 960 images, about a second of work."""

MIN_IMAGES = 4 * BATCH
"""Minimum number of images; a shorter epoch has no steady state to time."""


def photographs(folder: Path) -> Path:
    """Generate several hundred JPEGs from the tests' photographs, unless the folder exists.

    Each photograph is rotated and mirrored into the eight symmetries of the square and encoded again:
    the bytes differ, but the detail, and so the work of decoding, is the same.
    """
    if folder.exists():
        return folder
    partial = folder.with_name(folder.name + ".part")
    for photograph in sorted(PHOTOGRAPHS.glob("*/*.jpg")):
        target = partial / photograph.parent.name
        target.mkdir(parents=True, exist_ok=True)
        for number, variant in enumerate(symmetries(imread(str(photograph)))):
            data = imencode(variant, ".jpg")
            for copy in range(COPIES):
                (target / f"{photograph.stem}-{number}-{copy}.jpg").write_bytes(data)
    return partial.rename(folder)


def symmetries(image: np.ndarray) -> list[np.ndarray]:
    """Return an image rotated by 0, 90, 180 and 270 degrees, each plain and mirrored."""
    rotations = [np.rot90(image, quarter_turns) for quarter_turns in range(4)]
    return [np.ascontiguousarray(view) for rotated in rotations for view in (rotated, rotated[:, ::-1])]


def pack(root: Path, build: Path) -> Path:
    """Pack the JPEGs under a folder with their bytes unchanged, and return the path prefix.

    Raises
    ------
    ValueError
        If there are fewer than `MIN_IMAGES` JPEGs.
    RuntimeError
        If im2rec fails; it has printed the reason.
    """
    prefix = build / fingerprint(root) / "images"
    if prefix.with_suffix(".idx").exists():  # written last
        return prefix
    prefix.parent.mkdir(parents=True, exist_ok=True)
    listing = ["--list", "--recursive", "--exts", ".jpg", ".jpeg"]
    packing = ["--pass-through"]
    for flags in (listing, packing):
        # `--exts` takes all words up to the next option, so the positional arguments come first.
        if im2rec.main([str(prefix), str(root), *flags]) != 0:
            raise RuntimeError(f"{root}: im2rec {' '.join(flags)} failed")
    return prefix


def fingerprint(root: Path) -> str:
    """Return a hash of the paths, sizes and modification times of a folder's JPEGs."""
    files = sorted(p for p in root.resolve().rglob("*") if p.suffix.lower() in {".jpg", ".jpeg"})
    if len(files) < MIN_IMAGES:
        raise ValueError(f"{root}: at least {MIN_IMAGES} JPEGs are needed, got {len(files)}")
    lines = (f"{p}\t{p.stat().st_size}\t{p.stat().st_mtime_ns}\n" for p in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]
