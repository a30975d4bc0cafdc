"""How long `im2rec --pass-through` takes against MXNet's `im2rec.py`, whole process.

::

    python benches/python/im2rec_speed.py --images DIR --mxnet-python ~/mxnet/bin/python

Both pack the same list of the same files, in pairs, one right after the other; the first pair
warms the file cache and is not counted. What they write must be the same bytes: packing in
less time is worth nothing if the file is another one.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from dataset import photographs

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "bench"

RECIO = "import sys; from recio.im2rec import main; sys.exit(main(sys.argv[1:]))"

WHERE_IS_MXNET = "import importlib.util as u; print(u.find_spec('mxnet').origin)"
"""Prints where the package lies without importing it, which takes seconds."""


def main() -> None:
    """Pack in pairs and print the seconds, the ratio and the sums."""
    options = parse_arguments()
    root = options.images or photographs(BUILD / "photographs")
    recio = [sys.executable, "-c", RECIO]
    mxnet = [options.mxnet_python, mxnet_im2rec(options.mxnet_python)]
    with TemporaryDirectory() as folder:
        prefix = Path(folder) / "images"
        subprocess.run([*recio, prefix, root, "--list", "--recursive"], check=True)
        commands = [[*tool, str(prefix), str(root), "--pass-through"] for tool in (recio, mxnet)]
        pairs = [[pack(command, prefix) for command in commands] for _ in range(options.pairs + 1)]
    report(pairs[1:])


def parse_arguments() -> Namespace:
    """Read the command line; a wrong one ends the program."""
    parser = ArgumentParser(description="im2rec --pass-through against MXNet's.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    add("--mxnet-python", required=True, help="an interpreter that has MXNet and OpenCV")
    add("--pairs", type=int, default=5, help="counted pairs")
    return parser.parse_args()


def mxnet_im2rec(python: str) -> str:
    """Find the im2rec.py that MXNet's wheel carries."""
    answer = subprocess.run([python, "-c", WHERE_IS_MXNET], capture_output=True, check=True)
    return str(Path(answer.stdout.decode().strip()).parent / "tools" / "im2rec.py")


def pack(command: list[str], prefix: Path) -> tuple[float, str]:
    """Run one tool; give its wall time in seconds and the SHA-256 of what it wrote."""
    start = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    seconds = perf_counter() - start
    digest = hashlib.sha256()
    for suffix in (".rec", ".idx"):
        written = prefix.with_suffix(suffix)
        digest.update(written.read_bytes())
        written.unlink()
    return seconds, digest.hexdigest()


def report(pairs: list[list[tuple[float, str]]]) -> None:
    """Print what each tool took and whether their files agree; end with 1 if they do not."""
    for number, name in enumerate(("recio", "mxnet")):
        seconds = [pair[number][0] for pair in pairs]
        print(f"{name}: {median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})")
    ratio = median(mxnet[0] / recio[0] for recio, mxnet in pairs)
    print(f"recio is {ratio:.2f} times as fast (median of {len(pairs)} pairs)")
    digests = {digest for pair in pairs for _, digest in pair}
    if len(digests) > 1:
        sys.exit("the files differ")
    print(f".rec and .idx are the same bytes: SHA-256 {digests.pop()}")


if __name__ == "__main__":
    main()
