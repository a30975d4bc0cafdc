"""Write the images into a folder, with the digests of OpenCV's pixels.

    python -m tests.support.formats.make_images FOLDER
    python -m tests.support.formats.make_images tests/data/formats --corpus

The second form makes the corpus of `make test`: a ZIP file for each format, of tiny pictures, with their digests.
OpenCV 4.8.1 does not decode GIF: `digests` makes those digests with a newer OpenCV.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path

from tests.support.formats import bmp_files, gif_files, png_files, tiff_files, webp_files
from tests.support.formats.digests import CORPUS_SHARES, write_archive, write_digests

MODULES = {"png": png_files, "bmp": bmp_files, "gif": gif_files, "webp": webp_files, "tiff": tiff_files}

CORPUS_SIZE = (13, 11)


def generate(folder: Path) -> None:
    """Write all images."""
    for module in MODULES.values():
        for name, payload in module.files():
            (folder / name).write_bytes(payload)


def write_corpus(folder: Path) -> None:
    """Write a ZIP file of tiny images for each format, each content once."""
    for kind, module in MODULES.items():
        images: dict[str, bytes] = {}
        for name, payload in module.files([CORPUS_SIZE]):
            is_chosen = zlib.crc32(name.encode()) % CORPUS_SHARES[kind] == 0
            if is_chosen and payload not in images.values() and len(payload) < 4096:
                images[name] = payload
        write_archive(folder / f"{kind}.zip", images)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpus", action="store_true")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.corpus:
        write_corpus(args.folder)
    else:
        generate(args.folder)
        write_digests(args.folder, "reference.json")


if __name__ == "__main__":
    main()
