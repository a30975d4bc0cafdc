"""Framing equals MXNet's, byte for byte, in both directions (R1).

``data/framing`` was written by MXNet 1.9.1 from the payloads of `framing.cases`. The generated records are compared
with the second implementation of the format in ``tests/support/framing.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio.recordio import MXIndexedRecordIO, rec2idx
from tests.support.framing import cases, encode, generated
from tests.support.records import DATA, RecordFile, read_all, write, write_records

if TYPE_CHECKING:
    from pathlib import Path

MXNETS = RecordFile(DATA / "framing" / "cases.rec", DATA / "framing" / "cases.idx")
ROUND_TRIPS = 10_000


def frames(file: RecordFile) -> list[bytes]:
    """Return each record with its framing."""
    content, offsets = file.rec.read_bytes(), file.offsets
    return [content[start:end] for start, end in zip(offsets, [*offsets[1:], len(content)], strict=True)]


def test_frames_equal_mxnets(tmp_path: Path) -> None:
    payloads = cases()
    written = write_records(tmp_path, payloads)
    differing = [
        payload.hex()
        for payload, actual, expected in zip(payloads, frames(written), frames(MXNETS), strict=True)
        if actual != expected
    ]
    assert (differing, written.idx.read_bytes()) == ([], MXNETS.idx.read_bytes())
    print(f"R1: {len(payloads)} cases, {len(differing)} that differ")  # noqa: T201 reports the figure
    assert len(payloads) >= 500


def test_mxnets_frames_are_read_in_order_and_by_key() -> None:
    payloads = cases()
    assert read_all(MXNETS.rec) == (payloads, None)
    with MXIndexedRecordIO(MXNETS.idx, MXNETS.rec, "r") as reader:
        assert [reader.read_idx(key) for key in reversed(range(len(payloads)))] == payloads[::-1]


def test_rebuilt_index_has_mxnets_offsets(tmp_path: Path) -> None:
    rec2idx(MXNETS.rec, tmp_path / "new.idx")
    assert RecordFile(MXNETS.rec, tmp_path / "new.idx").offsets == MXNETS.offsets


def test_round_trip_of_ten_thousand_generated_records(tmp_path: Path) -> None:
    records = list(generated(ROUND_TRIPS, seed=1))
    path = write(tmp_path / "a.rec", records)
    assert path.read_bytes() == b"".join(map(encode, records))
    assert read_all(path) == (records, None)
    print(f"R1: {len(records)} round trips, {path.stat().st_size} bytes")  # noqa: T201 reports the figure
