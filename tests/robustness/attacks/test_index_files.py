"""Row R6: index files that were made to do harm. Each case says what it tries.

Whatever an index says, what is read is a record of the file, whole, or there is an error that names the index and its
line, or the record file and the byte; nothing is read beyond a record, and no number of the index decides how much
memory is taken. ``test_index.py`` has the damage that happens by itself.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from recio import RecordError
from recio.datasets import RecordDataset
from recio.recordio import MXIndexedRecordIO
from tests.support.framing import MAGIC
from tests.support.processes import run_python
from tests.support.records import RecordFile, image_record, noise, numbers, open_iter, png, write_records

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

RECORDS = 12
FAKE = 5
"""The record that holds a whole frame of another, off the grid, behind its image."""
SPLIT = 7
"""The record of several parts."""


@dataclass(frozen=True)
class Victim:
    """A sound record file, and where things are in it."""

    file: RecordFile
    records: list[bytes]

    @property
    def size(self) -> int:
        return self.file.rec.stat().st_size

    def line(self, number: int, key: int | None = None) -> bytes:
        """Return the correct line of a record."""
        return b"%d\t%d\n" % (number if key is None else key, self.file.offsets[number])

    def lines(self, count: int = RECORDS) -> bytes:
        """Return the correct lines of the first records."""
        return b"".join(map(self.line, range(count)))

    def parts(self) -> list[int]:
        """Return the offsets of the headers of the split record."""
        content = self.file.rec.read_bytes()
        start, end = self.file.offsets[SPLIT : SPLIT + 2]
        return [at for at in range(start, end, 4) if content[at : at + 4] == MAGIC]

    def fake(self) -> int:
        """Return the offset of the fake frame, which is not a multiple of 4."""
        return self.file.rec.read_bytes().index(MAGIC, self.file.offsets[FAKE] + 8)


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    coded = [png(noise(8, 8, seed=n)) for n in range(RECORDS)]
    coded[FAKE] += b"x" * (-(24 + len(coded[FAKE])) % 4 + 1) + MAGIC + b"\x04\0\0\0" + b"evil"
    coded[SPLIT] += b"x" * (-(24 + len(coded[SPLIT])) % 4) + MAGIC * 2 + b"tail"
    records = [image_record(image, n) for n, image in enumerate(coded)]
    return Victim(write_records(tmp_path, records), records)


# What it tries, the index that it tries it with, and what the error says: none if there is nothing
# to object to.
Attack = tuple["Callable[[Victim], bytes]", str | None]


def word(text: str) -> Attack:
    """Stand where an offset should."""
    return lambda v: v.line(0) + f"1\t{text}\n".encode(), "line 2: the offset must be an integer"


def key(text: str) -> Attack:
    """Stand where a key should."""
    return lambda v: v.line(0) + text.encode() + v.line(1)[1:], "line 2: "


def place(at: Callable[[Victim], int], said: str) -> Attack:
    """Point at a byte of the file that is no beginning of a record."""
    return lambda v: v.line(0) + b"1\t%d\n" % at(v), said


def whole(content: bytes, said: str) -> Attack:
    """Paths that are not regular files."""
    return lambda _: content, said


PLACES = {
    "the length of a record taken for a header": place(lambda v: v.file.offsets[1] + 4, "magic 0x"),
    "a payload taken for a header": place(lambda v: v.file.offsets[1] + 8, "magic 0x"),
    "an image taken for a header": place(lambda v: v.file.offsets[1] + 32, "magic 0x"),
    "the second part of a record taken for a record": place(
        lambda v: v.parts()[1], "a middle fragment where a record must begin"
    ),
    "the last part of a record taken for a record": place(
        lambda v: v.parts()[-1], "a last fragment where a record must begin"
    ),
    "a fake frame in a payload": place(lambda v: v.fake(), "is not a multiple of 4"),
    "the word before a fake frame": place(lambda v: v.fake() // 4 * 4, "magic 0x"),
    "the word behind the head of a fake frame": place(lambda v: v.fake() // 4 * 4 + 4, "magic 0x"),
    "the last word of the file": place(lambda v: v.size - 4, "the file ends 4 bytes into a header"),
    "the last byte of the file": place(lambda v: v.size - 1, "is not a multiple of 4"),
    "the end of the file": place(lambda v: v.size, "past the end"),
    "a word behind the file": place(lambda v: v.size + 4, "past the end"),
    "a page behind the file": place(lambda v: v.size // 4096 * 4096 + 4096, "past the end"),
    "one byte too few": place(lambda v: v.file.offsets[1] - 1, "is not a multiple of 4"),
    "one word too few": place(lambda v: v.file.offsets[1] - 4, "magic 0x"),
    "2^31 - 4, the last of signed 32 bits": place(lambda _: 2**31 - 4, "past the end"),
    "2^31, negative in 32 bits": place(lambda _: 2**31, "past the end"),
    "2^32, which 32 bits take for 0": place(lambda _: 2**32, "past the end"),
    "a record's offset and 2^32": place(lambda v: v.file.offsets[1] + 2**32, "past the end"),
    "2^53 + 4, which a double rounds": place(lambda _: 2**53 + 4, "past the end"),
    "2^63 - 4, the last that a file can have": place(lambda _: 2**63 - 4, "past the end"),
    "2^63, negative in 64 bits": place(lambda _: 2**63, "past the end"),
    "2^64 - 8, to which a header's length adds to 0": place(lambda _: 2**64 - 8, "past the end"),
    "2^64 less the file, which adds to 0": place(lambda v: 2**64 - v.size, "past the end"),
    "a record's offset and 2^64": place(lambda v: v.file.offsets[1] + 2**64, "from 0 to 2^64-1"),
}
WORDS = {
    "minus nothing": word("-0"),
    "the least of 64 bits": word("-9223372036854775808"),
    "a full stop": word("8."),
    "a fraction without a whole": word(".5"),
    "not a number": word("nan"),
    "infinity": word("inf"),
    "a truth value": word("True"),
    "nothing": word("None"),
    "an octal number": word("0o10"),
    "a binary number": word("0b1000"),
    "a number of another language": word("8L"),
    "thousands": word("1,000"),
    "full-width digits": word("\uff18"),
    "a power": word("8\u00b2"),
    "a number that is turned around": word("\u202e8"),
    "digits that are glued": word("\u200d8"),
    "a digit too many for 64 bits": word("1" + "0" * 20),
    "four thousand digits": word("1" * 4000),
    "a zero byte in a number": word("8\x00"),
    "a format string": word("%n%n%n"),
    "a command": word("$(id)"),
}
KEYS = {
    "a key of 2^64": key(str(2**64)),
    "a key that is negative": key("-1"),
    "a key that is not a number": key("nan"),
    "a key of another alphabet": key("\u0661"),
    "a key with a zero byte": key("1\x00"),
    "a key in quotes": key('"1"'),
    "the same key with zeros before it": (
        lambda v: v.line(0) + b"000" + v.line(1, key=0),
        "duplicate key 0, first in line 1",
    ),
    "the same key at the far end": (lambda v: v.lines() + b"0\t%d\n" % v.file.offsets[3], "first in line"),
    "the same offset with zeros before it": (
        lambda v: v.lines(3) + b"9\t000%d\n" % v.file.offsets[1],
        "first in line 2",
    ),
    "every line twice": (lambda v: v.lines() * 2, "first in line 1"),
    "one record under very many keys": (
        lambda v: b"".join(v.line(1, key=n) for n in range(10_000)),
        "first in line 1",
    ),
    "one key for very many records": (
        lambda v: b"".join(v.line(n, key=1) for n in range(RECORDS)),
        "first in line 1",
    ),
}
FILES = {
    "the record file itself": (lambda v: v.file.rec.read_bytes(), "a key without an offset"),
    "a list": whole(b"0\t1.000000\ta.png\n", '"1.000000"'),
    "a picture": whole(png(noise(8, 8)), "line 1: "),
    "a pickle": whole(pickle.dumps({0: 0}), "line 1: "),
    "JSON": whole(b'{"0": 0}', "line 1: "),
    "an archive": whole(gzip.compress(b"0\t0\n", mtime=0), "line 1: "),
    "a program": whole(b"\x7fELF\x02\x01\x01" + bytes(57), "line 1: "),
    "a script": whole(b"#!/bin/sh\nid\n", "line 1: "),
    "UTF-16": whole("0\t0\n".encode("utf-16"), "line 1: "),
    "UTF-16 without a mark": whole("0\t0\n".encode("utf-16-le"), "line 1: "),
    "UTF-8 with a mark": whole("\ufeff0\t0\n".encode(), "line 1: "),
    "a mark in the middle": whole("0\t0\n\ufeff1\t8\n".encode(), "line 2: "),
    "separators of lines that are none here": whole("0\t0\u20281\t8\n".encode(), "line 1: "),
    "semicolons": whole(b"0;0\n1;8\n", "line 1: "),
    "a line as long as two books": (
        lambda v: v.line(0) + b"1\t8" + b" " * (2 << 20) + b"\n",
        "line 2: longer than 4096 bytes",
    ),
    "a key, and the end": (lambda v: v.line(0) + b"1\t", "line 2: a key without an offset"),
    "a number that was cut": (lambda v: v.lines()[:-2], ""),
}
HARMLESS = {
    "the records backwards": (lambda v: b"".join(map(v.line, reversed(range(RECORDS)))), None),
    "a column that looks like an offset": (lambda v: b"".join(v.line(n)[:-1] + b"\t2\n" for n in range(RECORDS)), None),
    "a column that is no text": (lambda v: b"".join(v.line(n)[:-1] + b"\t\xff\x00\n" for n in range(RECORDS)), None),
    "keys at the end of 64 bits": (lambda v: b"".join(v.line(n, 2**64 - 1 - n) for n in range(RECORDS)), None),
    "very many blank lines": (lambda v: (b"\n" * 100_000).join(map(v.line, range(RECORDS))), None),
    "zeros before every number": (lambda v: v.lines().replace(b"\t", b"\t" + b"0" * 30), None),
}
ATTACKS: dict[str, Attack] = PLACES | WORDS | KEYS | FILES
every_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())


def by_key(file: RecordFile) -> list[bytes]:
    with MXIndexedRecordIO(file.idx, file.rec, "r") as reader:
        return [reader.read_idx(key) for key in reader.keys]


def as_text(file: RecordFile) -> list[bytes]:
    with MXIndexedRecordIO(file.idx, file.rec, "r", key_type=str) as reader:
        return [reader.read_idx(key) for key in reader.keys]


def in_batches(file: RecordFile) -> list[int]:
    return numbers(open_iter(file, path_imgidx=file.idx))


def by_data_set(file: RecordFile) -> list[Any]:
    return list(RecordDataset(file.rec, path_imgidx=file.idx))


@every_attack
@pytest.mark.parametrize("read", [by_key, in_batches, by_data_set])
def test_damaged_index_is_refused_at_its_line(
    attack: Attack, read: Callable[[RecordFile], list[Any]], victim: Victim
) -> None:
    make, said = attack
    victim.file.idx.write_bytes(make(victim))
    with pytest.raises(RecordError) as caught:
        read(victim.file)
    assert said is not None
    assert said in str(caught.value)
    assert caught.value.path in (str(victim.file.idx), str(victim.file.rec))
    assert str(caught.value).startswith(caught.value.path)


@every_attack
def test_index_with_str_keys_returns_only_written_records(attack: Attack, victim: Victim) -> None:
    """With keys of text, read by other code, some attacks are no more than odd names; no record is ever wrong."""
    victim.file.idx.write_bytes(attack[0](victim))
    try:
        reader = MXIndexedRecordIO(victim.file.idx, victim.file.rec, "r", key_type=str)
    except RecordError:
        return
    found = []
    for name in reader.keys:
        with contextlib.suppress(RecordError):
            found.append(reader.read_idx(name))
    assert all(record in victim.records for record in found)
    reader.close()


def test_cr_line_ends_hide_no_records(victim: Victim) -> None:
    """Lines that end as a Mac's once did are one line to some; to read only its first entry would lose the others."""
    victim.file.idx.write_bytes(victim.lines().replace(b"\n", b"\r"))
    try:
        found = by_key(victim.file)
    except RecordError:
        return
    assert found == victim.records


@pytest.mark.parametrize("attack", HARMLESS.values(), ids=HARMLESS.keys())
def test_unusual_index_finds_every_record(attack: Attack, victim: Victim) -> None:
    victim.file.idx.write_bytes(attack[0](victim))
    assert sorted(by_key(victim.file)) == sorted(victim.records)
    assert sorted(in_batches(victim.file)) == list(range(RECORDS))
    assert len(by_data_set(victim.file)) == RECORDS


def test_there_are_at_least_60_attacks() -> None:
    print(f"R6: {len(ATTACKS)} attacks, and {len(HARMLESS)} that are only odd")  # noqa: T201 the figure is the point
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("cut", range(1, 60))
def test_truncated_index_returns_complete_records_or_raises(cut: int, victim: Victim) -> None:
    victim.file.idx.write_bytes(victim.lines()[:-cut])
    try:
        found = by_key(victim.file)
    except RecordError:
        return
    assert found == victim.records[: len(found)]


class TestPaths:
    """What is no file with text in it."""

    def test_a_folder(self, victim: Victim, tmp_path: Path) -> None:
        with pytest.raises(IsADirectoryError):
            MXIndexedRecordIO(tmp_path, victim.file.rec, "r")

    def test_a_link_to_itself(self, victim: Victim) -> None:
        victim.file.idx.unlink()
        victim.file.idx.symlink_to(victim.file.idx.name)
        with pytest.raises(OSError, match="symbolic links"):
            by_key(victim.file)

    def test_a_device_without_end(self, victim: Victim) -> None:
        with pytest.raises(OSError, match="not a regular file"):
            MXIndexedRecordIO("/dev/zero", victim.file.rec, "r")


def make_holes(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 36)


# What it tries, how many bytes it is, and how many entries it has when it is read.
MEMORY = {
    "a line of 100 MB": (lambda path: path.write_bytes(b"0\t" + b"4" * 100_000_000), 0),
    "100 MB of blank lines": (lambda path: path.write_bytes(b"\n" * 100_000_000), 0),
    "100 MB of spaces": (lambda path: path.write_bytes(b" " * 100_000_000), 0),
    "64 GB of nothing": (make_holes, 0),
    "two million entries backwards": (
        lambda path: path.write_text("".join(f"{n}\t{n * 4}\n" for n in reversed(range(2_000_000)))),
        2_000_000,
    ),
}
PEAK = """
from pathlib import Path
from recio import RecordError
from recio.recordio import MXIndexedRecordIO

def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])

before = peak()
try:
    MXIndexedRecordIO(settings["idx"], settings["rec"], "r")
except RecordError:
    pass
print(peak() - before)
"""


@pytest.mark.parametrize(
    ("make", "entries"),
    [
        *(pytest.param(*case, id=name) for name, case in MEMORY.items()),
        pytest.param(
            lambda path: path.write_text("".join(f"{n}\t{n * 4}\n" for n in range(2_000_000)) + "0\t0\n"),
            2_000_001,
            id="two million entries, the last of which is the first",
        ),
    ],
)
def test_index_takes_at_most_64_mib_and_24_bytes_an_entry(
    make: Callable[[Path], object], entries: int, tmp_path: Path
) -> None:
    file = RecordFile(tmp_path / "a.rec", tmp_path / "a.idx")
    file.rec.touch()
    os.truncate(file.rec, 8_000_000)
    make(file.idx)
    done = run_python(PEAK, idx=str(file.idx), rec=str(file.rec))
    peak = int(done.stdout) << 10
    print(f"R6: {peak >> 10} KiB for {entries} entries")  # noqa: T201 the figure is the point
    assert peak <= (64 << 20) + 24 * entries
