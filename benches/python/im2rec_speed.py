"""Time of `im2rec --pass-through` compared with MXNet's `im2rec.py`, for the entire process.

::

    python benches/python/im2rec_speed.py --images DIR --mxnet-python ~/mxnet/bin/python

Both pack the same list of the same files, alternately. The first pair of runs warms the page cache
and is not counted. The output files of both must be identical.
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

PRINT_MXNET_PATH = "import importlib.util as u; print(u.find_spec('mxnet').origin)"
"""Script that prints the path of the package without importing it, which would take seconds."""


def main() -> None:
    """Run both tools in pairs and print the times, the ratio and the checksums."""
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
    """Parse the command line."""
    parser = ArgumentParser(description="Compare im2rec --pass-through with MXNet's.")
    add = parser.add_argument
    add("--images", type=Path, help="a folder of images (default: the tests' photographs)")
    add("--mxnet-python", required=True, help="a Python interpreter with MXNet and OpenCV installed")
    add("--pairs", type=int, default=5, help="pairs of runs, after a warm-up pair")
    return parser.parse_args()


def mxnet_im2rec(python: str) -> str:
    """Return the path of the im2rec.py in MXNet's wheel."""
    result = subprocess.run([python, "-c", PRINT_MXNET_PATH], capture_output=True, check=True)
    return str(Path(result.stdout.decode().strip()).parent / "tools" / "im2rec.py")


def pack(command: list[str], prefix: Path) -> tuple[float, str]:
    """Run one tool; return its wall time in seconds and the SHA-256 of its output files."""
    start = perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    seconds = perf_counter() - start
    digest = hashlib.sha256()
    for suffix in (".rec", ".idx"):
        output = prefix.with_suffix(suffix)
        digest.update(output.read_bytes())
        output.unlink()
    return seconds, digest.hexdigest()


def report(pairs: list[list[tuple[float, str]]]) -> None:
    """Print the times of each tool; exit with an error if the files differ."""
    for number, name in enumerate(("recio", "mxnet")):
        seconds = [pair[number][0] for pair in pairs]
        print(f"{name}: {median(seconds):.3f} s ({min(seconds):.3f} to {max(seconds):.3f})")
    ratio = median(mxnet[0] / recio[0] for recio, mxnet in pairs)
    print(f"recio is {ratio:.2f} times as fast (median of {len(pairs)} pairs)")
    digests = {digest for pair in pairs for _, digest in pair}
    if len(digests) > 1:
        sys.exit("the files differ")
    print(f".rec and .idx are identical: SHA-256 {digests.pop()}")


if __name__ == "__main__":
    main()
