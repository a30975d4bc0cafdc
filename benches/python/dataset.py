"""The images of the throughput bench: a folder of JPEGs, packed once by recio's own im2rec.

Packed sets are kept under the build folder and named by what they were made of, so that a
second run starts at once and a changed folder is packed anew.
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
"""How often each variant of a photograph is written: 30 x 8 x 4 = 960 images, a second or so."""

FEWEST = 4 * BATCH
"""Images below which an epoch has no middle to time."""


def photographs(folder: Path) -> Path:
    """Make some hundred JPEGs of the tests' photographs, unless the folder is there already.

    Each is turned and mirrored into the eight symmetries of the square and encoded again:
    other bytes, but as much detail, and so as much work to decode.
    """
    if folder.exists():
        return folder
    made = folder.with_name(folder.name + ".part")
    for photograph in sorted(PHOTOGRAPHS.glob("*/*.jpg")):
        target = made / photograph.parent.name
        target.mkdir(parents=True, exist_ok=True)
        for number, variant in enumerate(symmetries(imread(str(photograph)))):
            data = imencode(variant, ".jpg")
            for copy in range(COPIES):
                (target / f"{photograph.stem}-{number}-{copy}.jpg").write_bytes(data)
    return made.rename(folder)


def symmetries(image: np.ndarray) -> list[np.ndarray]:
    """Turn an image by 0, 90, 180 and 270 degrees, plain and mirrored."""
    turned = [np.rot90(image, quarter) for quarter in range(4)]
    return [np.ascontiguousarray(view) for each in turned for view in (each, each[:, ::-1])]


def pack(root: Path, build: Path) -> Path:
    """Pack the JPEGs below a folder, bytes untouched, and give the packed set's prefix.

    Raises
    ------
    ValueError
        If they are fewer than four batches.
    RuntimeError
        If im2rec fails; it has said why.
    """
    prefix = build / fingerprint(root) / "images"
    if prefix.with_suffix(".idx").exists():  # written last
        return prefix
    prefix.parent.mkdir(parents=True, exist_ok=True)
    listing = ["--list", "--recursive", "--exts", ".jpg", ".jpeg"]
    packing = ["--pass-through"]
    for flags in (listing, packing):
        # `--exts` takes all words up to the next option, so the places come first.
        if im2rec.main([str(prefix), str(root), *flags]) != 0:
            raise RuntimeError(f"{root}: im2rec {' '.join(flags)} failed")
    return prefix


def fingerprint(root: Path) -> str:
    """Name a folder by its JPEGs: their paths, sizes and times of change."""
    files = sorted(p for p in root.resolve().rglob("*") if p.suffix.lower() in {".jpg", ".jpeg"})
    if len(files) < FEWEST:
        raise ValueError(f"{root}: {len(files)} JPEGs; a measurement needs {FEWEST}")
    lines = (f"{p}\t{p.stat().st_size}\t{p.stat().st_mtime_ns}\n" for p in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]
