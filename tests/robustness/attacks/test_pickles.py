"""Files of face pairs (``.bin``) that were made to do harm. Each case says what it tries.

Such a file is a pickle, a program for whoever reads it with `pickle`. ``test_face_dataset.py`` has the calls that
recio's reader does not make and damage anywhere; here are programs that try to reach one by a way around, and ones that
would have the reader allocate more than the file holds, or work for ever.
"""

from __future__ import annotations

import os
import pickle
import struct
import time
from typing import TYPE_CHECKING

import pytest

from recio import RecordError
from recio.datasets import read_bin
from tests.support.processes import run_python

if TYPE_CHECKING:
    from pathlib import Path

LOTS = 20_000
PROGRAMS: dict[str, bytes] = {
    "a function by its place in the registry of extensions": b"\x80\x02\x82\x01.",
    "the same by two bytes": b"\x80\x02\x83\x01\x00.",
    "the same by four bytes": b"\x80\x02\x84\x01\x00\x00\x00.",
    "a class that is made by its name": b"(ios\nsystem\n.",
    "a class that is made from the stack": b"(cos\nsystem\nS'id'\no.",
    "an object of a new kind": b"\x80\x02cbuiltins\nobject\n)\x81.",
    "an object of a new kind with names": b"\x80\x04cbuiltins\nobject\n)}\x92.",
    "a state that is set": b"\x80\x02](K\x01e}b.",
    "attributes by a dotted name": b"\x80\x04\x8c\x02os\x8c\x0bpath.system\x93.",
    "an attribute of the function that is known": b"\x80\x04\x8c\x07_codecs\x8c\x06encode\x93\x8c\x08__self__\x86R.",
    "the function that is known, as a value": b"\x80\x02(lc_codecs\nencode\na.",
    "the function that is known, kept and called with itself": b"c_codecs\nencode\nq\x00h\x00h\x00\x86R.",
    "what is known, with another coding": b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00utf-7tR.",
    "what is known, with a coding that runs": b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00bz2tR.",
    "a name with a line break in it": b"c_codecs\nencode\nos\nsystem\n(tR.",
    "an identity that its reader would look up": b"P0\n.",
    "the same from the stack": b"K\x00Q.",
    "memory of another process": b"\x80\x05\x97.",
    "memory that may be written": b"\x80\x05\x96\x01\x00\x00\x00\x00\x00\x00\x00a\x98.",
    "a dictionary": b"\x80\x02}q\x00.",
    "a set": b"\x80\x04\x8f.",
    "a frozen set": b"\x80\x04(\x91.",
    "a number of 2 GB": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "bytes of 2^63": b"\x80\x04\x8e" + struct.pack("<q", 2**63 - 1) + b".",
    "bytes of a negative length": b"\x80\x04\x8e" + struct.pack("<q", -1) + b".",
    "bytes of 4 GB": b"\x80\x03B\xff\xff\xff\xff.",
    "a string of a negative length": b"\x80\x02T\xff\xff\xff\xff.",
    "a string of 4 GB": b"\x80\x02X\xff\xff\xff\xff.",
    "a frame that is longer than the file": b"\x80\x04\x95" + struct.pack("<q", 2**62) + b"].",
    "a protocol of the future": b"\x80\xff].",
    "a value that was never kept": b"j\xff\xff\xff\x7f.",
    "a value kept at the end of 32 bits": b"]r\xff\xff\xff\xff0.",
    "a value that is dropped": b"]0.",
    "a value twice": b"]2.",
    "marks without end": b"(" * LOTS + b".",
    "a mark that is taken away": b"1.",
    "lists in lists": b"]" * LOTS + b"a" * (LOTS - 1) + b".",
    "tuples in tuples": b")" + b"\x85" * LOTS + b".",
    "a list that holds itself": b"]q\x00h\x00a.",
    "two lists that hold each other": b"]q\x00]q\x01h\x00ah\x01a.",
    "a list of a list, doubled again and again": b"]q\x00"
    + b"".join(b"](h%ch%ceq%c" % (n, n, n + 1) for n in range(60))
    + b".",
    "a tuple of a tuple, doubled again and again": b")q\x00"
    + b"".join(b"h%ch%c\x86q%c" % (n, n, n + 1) for n in range(60))
    + b".",
    "a pair whose lists are one": b"]q\x00h\x00\x86(lh\x00a.",
    "ten thousand digits": b"I" + b"9" * 10_000 + b"\n.",
    "a number of another language": b"I0x10\n.",
    "a line without end": b"I" + b"1" * LOTS,
    "a string with escapes": b"S'\\x41\\062'\n.",
    "nothing at all": b"",
    "an end at the beginning": b".",
    "an end and more": b".cos\nsystem\n(S'id'\ntR.",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_hostile_pickle_is_refused_quickly_and_runs_nothing(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "evil.bin"
    path.write_bytes(program)
    start = time.process_time()
    with pytest.raises(RecordError, match=r"evil\.bin: not a file of images and booleans: "):
        read_bin(path)
    assert time.process_time() - start < 2
    assert [found.name for found in tmp_path.iterdir()] == ["evil.bin"]


@pytest.mark.parametrize("place", range(4))
def test_attack_among_valid_pairs_is_refused(place: int, tmp_path: Path) -> None:
    """A program that would run at once, put between the steps of a file that is sound before and behind it."""
    sound = pickle.dumps(([b"one", b"two"], [True]), 2)
    starts = [2, sound.index(b"]") + 1, sound.index(b"two") + 3, len(sound) - 1]
    touched = tmp_path / "touched"
    evil = b"cposix\nsystem\n(S'touch " + str(touched).encode() + b"'\ntR0"
    (tmp_path / "evil.bin").write_bytes(sound[: starts[place]] + evil + sound[starts[place] :])
    with pytest.raises(RecordError):
        read_bin(tmp_path / "evil.bin")
    assert not touched.exists()


PEAK = """
from pathlib import Path
from recio import RecordError
from recio.datasets import read_bin

def peak():
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1])

Path(settings["path"]).with_name("small.bin").write_bytes(b".")
try:
    read_bin(Path(settings["path"]).with_name("small.bin"))
except RecordError:
    before = peak()
try:
    read_bin(settings["path"])
except RecordError:
    print(peak() - before)
"""


@pytest.mark.parametrize(
    "program",
    [b"\x80\x03B\xff\xff\xff\x7f", b"\x80\x04\x8e" + struct.pack("<q", 2**40), b"\x80\x02X\xff\xff\xff\x7f"],
    ids=["bytes", "long bytes", "text"],
)
def test_claimed_length_allocates_no_more_than_the_file_size(program: bytes, tmp_path: Path) -> None:
    path = tmp_path / "evil.bin"
    path.write_bytes(program)
    done = run_python(PEAK, path=str(path))
    assert int(done.stdout) << 10 <= 16 << 20, done.stderr


@pytest.mark.parametrize(
    "step", [b"]", b"]\x94", b"(", b"J\xff\xff\xff\x7f"], ids=["lists", "kept", "marks", "numbers"]
)
def test_endless_program_allocates_little_more_than_the_file_size(step: bytes, tmp_path: Path) -> None:
    size = 8 << 20
    path = tmp_path / "evil.bin"
    path.write_bytes(b"\x80\x04" + step * (size // len(step)) + b".")
    done = run_python(PEAK, path=str(path))
    assert int(done.stdout) << 10 <= 12 * size, done.stderr


def test_sparse_file_is_not_read_beyond_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "evil.bin"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(RecordError, match="more than max_bytes=1048576 bytes"):
        read_bin(path, max_bytes=1 << 20)


def test_there_are_at_least_40_attacks() -> None:
    print(f"R22: {len(PROGRAMS)} programs")  # noqa: T201 the figure is the point
    assert len(PROGRAMS) >= 40
