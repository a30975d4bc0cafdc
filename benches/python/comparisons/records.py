"""Record files of a million records of 200 bytes, compared with plain Python on the same bytes."""

from __future__ import annotations

import os
import random
import shutil
import struct
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from comparisons.case import Case
from recio import files
from recio.io import ImageRecordIter
from recio.recordio import MXIndexedRecordIO, MXRecordIO, rec2idx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parents[3] / "build" / "bench" / "small-records"
RECORDS = 1_000_000
MAGIC = 0xCED7230A
READS = 20_000
"""Records that a call of a case of single records reads or writes."""


def cases() -> Iterator[Case]:
    """Yield the cases of small records."""
    rec, idx = make_records()
    offsets = [int(line.split("\t")[1]) for line in idx.read_text().splitlines()]
    yield from _cases_of_single_records(rec, idx, offsets)
    yield from _cases_of_files(rec, idx)


def _cases_of_single_records(rec: Path, idx: Path, offsets: list[int]) -> Iterator[Case]:
    reader, plain = MXRecordIO(rec, "r"), rec.open("rb")
    yield Case(
        "read, 200-byte records", "read and struct.unpack", lambda: _read(reader), lambda: _read_plain(plain), 1.5
    )
    by_key, descriptor = MXIndexedRecordIO(idx, rec, "r"), plain.fileno()
    keys = random.Random(0).choices(range(RECORDS), k=READS)
    yield Case(
        "read_idx, 200-byte records, random keys",
        "os.pread and struct.unpack",
        lambda: [by_key.read_idx(key) for key in keys],
        lambda: [_pread(descriptor, offsets[key]) for key in keys],
        1.2,
    )
    payload = os.pread(descriptor, 200, 8)
    yield Case(
        "write_idx, 200-byte records",
        "write of a plain file and index",
        lambda: _write(payload),
        lambda: _write_plain(payload),
        2.0,
    )


def _read(reader: MXRecordIO) -> None:
    for _ in range(READS):
        if reader.read() is None:
            reader.reset()


def _read_plain(file: BinaryIO) -> None:
    for _ in range(READS):
        if _next_plain(file) is None:
            file.seek(0)


def _next_plain(file: BinaryIO) -> bytes | None:
    header = file.read(8)
    if not header:
        return None
    magic, length = struct.unpack("<II", header)
    if magic != MAGIC:
        raise ValueError("no record")
    record = file.read(length)
    file.read(-length % 4)
    return record


def _pread(descriptor: int, offset: int) -> bytes:
    magic, length = struct.unpack("<II", os.pread(descriptor, 8, offset))
    if magic != MAGIC:
        raise ValueError("no record")
    return os.pread(descriptor, length, offset + 8)


def _write(payload: bytes) -> None:
    with MXIndexedRecordIO(FOLDER / "written.idx", FOLDER / "written.rec", "w") as writer:
        for key in range(READS):
            writer.write_idx(key, payload)


def _write_plain(payload: bytes) -> None:
    padding = bytes(-len(payload) % 4)
    with (FOLDER / "plain.rec").open("wb") as rec, (FOLDER / "plain.idx").open("w") as idx:
        for key in range(READS):
            idx.write(f"{key}\t{rec.tell()}\n")
            rec.write(struct.pack("<II", MAGIC, len(payload)))
            rec.write(payload)
            rec.write(padding)
        for file in (rec, idx):
            file.flush()
            os.fsync(file.fileno())


def _cases_of_files(rec: Path, idx: Path) -> Iterator[Case]:
    merged, copy = FOLDER / "merged.rec", FOLDER / "copy.rec"
    seeds = cycle(range(100))
    outputs: dict[str, tuple[Callable[[], object], float]] = {
        "merge": (lambda: files.merge([rec], merged), 4),
        "split into 4": (lambda: files.split(rec, 4, out=FOLDER / "shard"), 4),
        "shuffle": (lambda: files.shuffle(rec, merged, seed=next(seeds)), 6),
        "rec2idx": (lambda: rec2idx(rec, FOLDER / "rebuilt.idx"), 2),
    }
    for name, (run, goal) in outputs.items():
        yield Case(f"{name}, 1 M records of 200 bytes", "copying the file", run, lambda: _copy(rec, copy), goal)
    alone = FOLDER / "alone.rec"
    alone.unlink(missing_ok=True)
    alone.hardlink_to(rec)
    for path, name in ((rec, "an index beside it"), (alone, "no index")):
        yield Case(
            f"ImageRecordIter, 1 M records, {name}",
            "reading the index in Python",
            partial(_open, path),
            lambda: [int(line.split("\t")[1]) for line in idx.open()],
            1.0,
        )


def _copy(source: Path, target: Path) -> None:
    """Copy a file, and bring it to the disk, as the tools do."""
    with source.open("rb") as file, target.open("wb") as out:
        shutil.copyfileobj(file, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())


def _open(rec: Path) -> None:
    with ImageRecordIter(path_imgrec=rec, data_shape=(3, 8, 8), batch_size=1, on_error="raise", verbose=False):
        pass


def make_records() -> tuple[Path, Path]:
    """Return a record file of a million image records of 200 bytes, without images, and its index."""
    rec, idx = FOLDER / "small.rec", FOLDER / "small.idx"
    if not idx.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        body = random.Random(0).randbytes(176)
        with MXIndexedRecordIO(idx, rec, "w") as writer:
            for key in range(RECORDS):
                writer.write_idx(key, struct.pack("<IfQQ", 0, key % 1000, key, 0) + body)
    return rec, idx
