"""A folder of images to lists; a prefix to the lists that belong to it.

The lists are MXNet 1.9.1's, byte for byte, for the same folder and options: its walk, its labels,
its shuffle (Python's own generator, seed 100) and its rounding. Four things differ, where MXNet
lost images or went wrong: ratios that add to 1.0 leave no image over (the remainder of the rounding
goes to the training list), extensions may be given in capitals, a link back to a folder above it is
not followed, and names that a list cannot hold are left out and reported.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from recio._atomic import atomic_write_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from recio._util import StrPath

EXTENSIONS = (".jpeg", ".jpg", ".png")
SHUFFLE_SEED = 100
"""MXNet's: the order is a part of the format, not a secret."""


class Image(NamedTuple):
    """One line of a list."""

    id: int
    label: int
    path: str


@dataclass(frozen=True, slots=True)
class ListReport:
    """What `make_list` wrote.

    Attributes
    ----------
    lists : dict of Path to int
        The files, and the number of images in each.
    labels : dict of str to int
        The label that each folder with images got, by its path relative to the root.
    skipped : list of (str, str)
        Paths that were left out, relative to the root, and why.
    """

    lists: dict[Path, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def make_list(
    prefix: StrPath,
    root: StrPath,
    *,
    exts: Iterable[str] = EXTENSIONS,
    recursive: bool = False,
    shuffle: bool = True,
    chunks: int = 1,
    train_ratio: float = 1.0,
    test_ratio: float = 0.0,
) -> ListReport:
    """Write the list, or lists, of the images in a folder.

    Parameters
    ----------
    prefix : path
        The lists' path and the beginning of their names: ``PREFIX.lst``; with several `chunks`
        ``PREFIX_0.lst`` and so on; with a `train_ratio` below 1 ``PREFIX_train.lst``,
        ``PREFIX_val.lst`` (of what the ratios leave over) and ``PREFIX_test.lst``.
    root : path
        The folder. Paths in the lists are relative to it.
    exts : iterable of str, default ('.jpeg', '.jpg', '.png')
        The extensions of images, in small letters or capitals.
    recursive : bool, default False
        Whether to take the folders in it too, each with a label of its own: 0, 1, 2 … in the order
        of their names. If not, all images have the label 0.
    shuffle : bool, default True
        Whether to shuffle the lines: always in the same way for the same number of images.
    chunks : int, default 1
        The number of lists, or of sets of lists, that the images are divided into; at least 1.
    train_ratio, test_ratio : float in [0, 1], default 1.0 and 0.0
        The fractions for training and for testing, together at most 1.

    Returns
    -------
    ListReport
        The files written, the labels and what was left out.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    FileNotFoundError
        If there is no `root`, or no image in it; then nothing is written.
    OSError
        If a list cannot be written.
    """
    _check(chunks, train_ratio, test_ratio)
    listed, endings = ListReport(), _normalised(exts)
    images = list(_find(Path(root).absolute(), endings, listed, recursive=recursive))
    if not images:
        raise FileNotFoundError(f"{root}: no files that end in {', '.join(sorted(endings))}")
    if shuffle:
        Random(SHUFFLE_SEED).shuffle(images)  # noqa: S311
    for suffix, part in _divide(images, chunks, train_ratio, test_ratio):
        path = Path(f"{Path(prefix).absolute()}{suffix}.lst")
        lines = list(_lines(part, listed))
        atomic_write_lines(path, lines)
        listed.lists[path] = len(lines)
    return listed


def find_lists(prefix: StrPath) -> list[Path]:
    """Find the lists that belong to a prefix.

    Parameters
    ----------
    prefix : path
        What was given to `make_list`; or a folder, for all lists in it; or a list.

    Returns
    -------
    list of Path
        ``PREFIX.lst``, ``PREFIX_N.lst``, and these with ``_train``, ``_val`` or ``_test`` at the
        end of the name, sorted. Other names that merely begin alike do not belong to it.
    """
    prefix = Path(prefix).absolute()
    if prefix.is_dir():
        return sorted(path for path in prefix.glob("*.lst") if path.is_file())
    own = re.escape(prefix.name)
    if prefix.suffix != ".lst":
        own += r"(_\d+)?(_train|_val|_test)?\.lst"
    candidates = prefix.parent.glob("*.lst")
    return sorted(path for path in candidates if re.fullmatch(own, path.name) and path.is_file())


def _check(chunks: int, train_ratio: float, test_ratio: float) -> None:
    if chunks < 1:
        raise ValueError(f"chunks={chunks}; it is at least 1")
    for name, ratio in (("train_ratio", train_ratio), ("test_ratio", test_ratio)):
        if not 0 <= ratio <= 1:
            raise ValueError(f"{name}={ratio}; it is a fraction from 0 to 1")
    if train_ratio + test_ratio > 1 + 1e-9:
        raise ValueError(f"train_ratio={train_ratio} and test_ratio={test_ratio} add to more than 1")


def _normalised(exts: Iterable[str]) -> set[str]:
    lower = (ext.lower() for ext in exts)
    return {ext if ext.startswith(".") or not ext else f".{ext}" for ext in lower}


def _find(root: Path, exts: set[str], listed: ListReport, *, recursive: bool) -> Iterator[Image]:
    """Find the images in MXNet's order, and note each folder's label."""
    ids = count()
    for folder, names in _walk(root, listed, recursive=recursive):
        relative = os.path.relpath(folder, root)
        for name in names:
            if _extension(name) in exts and Path(folder, name).is_file():
                label = listed.labels.setdefault(relative, len(listed.labels))
                yield Image(next(ids), label, str(Path(relative, name)))


def _extension(name: str) -> str:
    # Not `Path.suffix`, which is another one for "..jpg" and "a.".
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def _walk(root: Path, listed: ListReport, *, recursive: bool) -> Iterator[tuple[str, list[str]]]:
    """Give each folder and the sorted names in it, a folder before the folders in it."""

    def leave_out(path: str, reason: str) -> None:
        listed.skipped.append((os.path.relpath(path, root), reason))

    def unreadable(error: OSError) -> None:
        leave_out(error.filename, error.strerror or str(error))

    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=unreadable):
        yield folder, sorted(names)
        loops = {name for name in subfolders if recursive and _leads_back(folder, name)}
        for name in sorted(loops):
            leave_out(str(Path(folder, name)), "a link to a folder above it")
        # In place: what is left here is where `os.walk` goes next.
        subfolders[:] = sorted(set(subfolders) - loops) if recursive else []


def _leads_back(folder: str, name: str) -> bool:
    path = Path(folder, name)
    return path.is_symlink() and Path(folder).resolve().is_relative_to(path.resolve())


def _divide(
    images: Sequence[Image], chunks: int, train_ratio: float, test_ratio: float
) -> Iterator[tuple[str, Sequence[Image]]]:
    """Give the lists' images, and how their names end."""
    size = -(-len(images) // chunks)
    for number in range(chunks):
        chunk = images[number * size :][:size]
        for split, part in _split(chunk, size, train_ratio, test_ratio):
            yield (f"_{number}{split}" if chunks > 1 else split), part


def _split(
    chunk: Sequence[Image], size: int, train_ratio: float, test_ratio: float
) -> Iterator[tuple[str, Sequence[Image]]]:
    """Divide a chunk; the last may have less than `size` images, but is cut at the same places."""
    if train_ratio == 1:
        yield "", chunk
        return
    test = int(size * test_ratio)
    train = test + int(size * train_ratio)
    if test_ratio:
        yield "_test", chunk[:test]
    if train_ratio + test_ratio < 1:
        yield "_val", chunk[train:]
        yield "_train", chunk[test:train]
    else:
        yield "_train", chunk[test:]


def _lines(images: Iterable[Image], listed: ListReport) -> Iterator[str]:
    for image in images:
        reason = _unlistable(image.path)
        if reason is None:
            yield f"{image.id}\t{image.label:f}\t{image.path}\n"
        else:
            listed.skipped.append((image.path, reason))


def _unlistable(path: str) -> str | None:
    """Say why a list cannot hold a path, if so."""
    if not path.isascii() and not _is_utf8(path):
        return "the name is not UTF-8"
    if any(letter in path for letter in "\t\n\r"):
        return "the name holds a tab or the end of a line"
    if path != path.strip():
        return "the name begins or ends with white space"
    return None


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
