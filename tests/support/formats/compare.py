"""Compare recio's pixels with the digests of OpenCV's.

    python -m tests.support.formats.compare FOLDER

Each image is decoded as gray, as color and as stored. It must have OpenCV's pixels, or be refused with the name of the
format. Prints the counts, and every difference; exits with 1 if there is one.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import recio
from tests.support.formats.digests import CORPUS_SHARES, digest

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(payload: bytes, flag: int) -> NDArray[Any]:
    """Return what `cv2.imdecode` would."""
    if flag == -1:
        header = recio.recordio.IRHeader(0, 0.0, 0, 0)
        return recio.recordio.unpack_img(recio.recordio.pack(header, payload))[1]
    pixels = recio.image.imdecode(payload, flag=flag)
    return pixels[..., 0] if flag == 0 else pixels[..., ::-1]


def compared(name: str, payload: bytes, expected: dict[str, Any]) -> dict[str, str]:
    """Return the outcome for each flag: 'equal', 'refused: ...', 'both refuse', 'OpenCV refuses' or 'DIFFERS: ...'."""
    return {flag: _outcome(name, payload, int(flag), wanted) for flag, wanted in expected.items()}


def _outcome(name: str, payload: bytes, flag: int, wanted: list[Any] | None) -> str:
    try:
        pixels = decode(payload, flag)
    except recio.DecodeError as error:
        return "both refuse" if wanted is None else f"refused: {error}"
    if wanted is None:
        return "OpenCV refuses"
    found = digest(pixels)
    if found == wanted or (flag != -1 and _is_better(name, payload, pixels)):
        return "equal"
    return f"DIFFERS: {found} instead of {wanted}"


def _is_better(name: str, payload: bytes, pixels: NDArray[Any]) -> bool:
    """Return whether libtiff has shifted rows of the last tile of 16-bit gray, and these are the right pixels."""
    if not re.match(r"tiff-\d-(gray|white)16.*-(t16|t48|bigtiff-tiles)", name):
        return False
    stored = decode(payload, -1) >> 8
    gray = 255 - stored if "white" in name else stored
    return bool((pixels == (gray if pixels.ndim == 2 else gray[..., None])).all())


def right(name: str, references: dict[str, Any]) -> dict[str, Any]:
    """Return the digests of a file, or those of a file with the same pixels where OpenCV's are wrong.

    OpenCV takes separate planes of 16 bits for pixels, and turns each tile instead of the image.
    """
    expected: dict[str, Any] = references[name]
    if "-tiles-orient" in name:
        expected = references.get(name.replace("-tiles-", "-rgb8-"), dict.fromkeys(expected))
    twin = name.replace("-separate-", "-contig-")
    if re.match(r"tiff-\d-tf-.*16-separate", name):
        return {**expected, "-1": references.get(twin, {}).get("-1")}
    return expected


def counted(images: dict[str, bytes], references: dict[str, Any]) -> tuple[Counter[str], list[str]]:
    """Return how many outcomes of each kind there are, and those that are not equal."""
    counts: Counter[str] = Counter()
    others = []
    for name in references:
        for flag, outcome in compared(name, images[name], right(name, references)).items():
            kind = outcome.split(":")[0]
            counts[kind] += 1
            if kind not in ("equal", "both refuse"):
                others.append(f"{name}, flag {flag}: {outcome}")
    return counts, others


def main(folder: Path) -> int:
    """Compare all images of a folder."""
    references = json.loads((folder / "reference.json").read_text())["files"]
    # OpenCV 4.8.1 does not decode GIF.
    references.update(json.loads((folder / "reference-gif.json").read_text())["files"])
    total: Counter[str] = Counter()
    for kind in CORPUS_SHARES:
        digests = {name: digests for name, digests in references.items() if name.startswith(kind)}
        counts, others = counted({name: (folder / name).read_bytes() for name in digests}, digests)
        total += counts
        sys.stdout.write(f"{kind}: {len(digests)} images, {dict(counts)}\n")
        (folder / f"{kind}.txt").write_text("\n".join(others))
    sys.stdout.write(f"{len(references)} images, {dict(total)}; what is not equal is listed in {folder}/*.txt\n")
    return int(total["DIFFERS"] > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
