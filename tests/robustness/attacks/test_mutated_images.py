"""R48: mutated PNG, BMP, GIF, WebP and TIFF files are images or errors, without a crash, output or more memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest

import recio
from tests.support.formats.digests import CORPUS_SHARES, read_archive
from tests.support.measure import measure
from tests.support.records import DATA

if TYPE_CHECKING:
    from numpy.typing import NDArray

MUTATIONS = 1_500
LIMITS = recio.Limits(bytes=8 << 20)
MAX_RISE = 32 << 20
"""An image as large as the limit, the array that it is copied to, and the memory of the interpreter."""


def mutated(rng: np.random.Generator, payload: bytes) -> bytes:
    """Return a file that is cut, or in which bits, bytes or numbers are changed."""
    out = bytearray(payload)
    match int(rng.integers(0, 5)):
        case 0:
            del out[int(rng.integers(0, len(out))) :]
        case 1:
            for at in rng.integers(0, len(out), int(rng.integers(1, 9))):
                out[at] ^= 1 << int(rng.integers(0, 8))
        case 2:
            at = int(rng.integers(0, min(len(out), 200)))
            out[at : at + 4] = int(rng.choice([0, 1, 255, 65_535, 1 << 24, (1 << 31) - 1, (1 << 32) - 1])).to_bytes(
                4, "little"
            )
        case 3:
            at, length = rng.integers(0, len(out)), rng.integers(1, 30)
            del out[int(at) : int(at + length)]
        case _:
            at = int(rng.integers(0, len(out)))
            out[at:at] = rng.bytes(int(rng.integers(1, 30)))
    return bytes(out)


def decode_all(payloads: list[bytes], seed: int) -> NDArray[np.uint8]:
    """Decode mutated files in gray and color."""
    rng = np.random.default_rng(seed)
    decoded = 0
    for number in range(MUTATIONS):
        payload = mutated(rng, payloads[int(rng.integers(0, len(payloads)))])
        try:
            decoded += recio.image.imdecode(payload, flag=number % 2, limits=LIMITS).size > 0
        except recio.DecodeError:
            continue
    return np.zeros(decoded, np.uint8)


@pytest.mark.parametrize("kind", CORPUS_SHARES)
def test_mutated_files_are_images_or_errors(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    payloads = list(read_archive(DATA / "formats" / f"{kind}.zip")[0].values())
    taken = measure(partial(decode_all, payloads, 1))
    assert taken.rise < MAX_RISE, taken
    assert taken.said.startswith("a picture"), taken
    assert capfd.readouterr() == ("", "")
