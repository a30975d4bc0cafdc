"""Lists: writing those of a folder of images, and finding those of a prefix.

For the same folder and options, the lists are MXNet 1.9.1's, byte for byte: the same order of folders, labels, shuffle
(Python's generator, seed 100) and rounding. There are four differences, where MXNet lost images or failed: with ratios
that add to 1.0 no image remains (the remainder of the rounding goes to the training list), extensions may be in
upper case, a link to a folder above it is not followed, and names that a list cannot hold are skipped and reported.
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
"""MXNet's seed: the order of the lines is fixed for compatibility."""


class Image(NamedTuple):
    """Line of a list."""

    id: int
    label: int
    path: str


@dataclass(frozen=True, slots=True)
class ListReport:
    """Result of `make_list`.

    Attributes
    ----------
    lists : dict of Path to int
        From the files written to their numbers of images.
    labels : dict of str to int
        From folders with images, as paths relative to the root, to their labels.
    skipped : list of (str, str)
        Paths that were skipped, relative to the root, with the reasons.
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
        Path and beginning of the names of the lists: ``PREFIX.lst``; with several `chunks` ``PREFIX_0.lst`` and so on;
        with a `train_ratio` below 1 ``PREFIX_train.lst``, ``PREFIX_val.lst`` (the rest) and ``PREFIX_test.lst``.
    root : path
        Folder of the images. Paths in the lists are relative to it.
    exts : iterable of str, default ('.jpeg', '.jpg', '.png')
        File name extensions of images, in lower or upper case.
    recursive : bool, default False
        Whether to include subfolders, each with its label: 0, 1, 2 … in the order of their names. If not, all images
        have the label 0.
    shuffle : bool, default True
        Whether to shuffle the lines. The order depends only on the number of images.
    chunks : int, default 1
        Number of lists, or of sets of lists, to divide the images into; at least 1.
    train_ratio, test_ratio : float in [0, 1], default 1.0 and 0.0
        Fractions for training and for testing, together at most 1.

    Returns
    -------
    ListReport
        The files written, the labels and what was skipped.

    Raises
    ------
    ValueError
        If an argument is out of range.
    FileNotFoundError
        If `root` does not exist, or has no image; then nothing is written.
    OSError
        If a list cannot be written.
    """
    _check(chunks, train_ratio, test_ratio)
    report, suffixes = ListReport(), _normalize_extensions(exts)
    images = list(_find_images(Path(root).absolute(), suffixes, report, recursive=recursive))
    if not images:
        raise FileNotFoundError(f"{root}: no files that end in {', '.join(sorted(suffixes))}")
    if shuffle:
        Random(SHUFFLE_SEED).shuffle(images)  # noqa: S311
    for name_end, listed_images in _divide(images, chunks, train_ratio, test_ratio):
        path = Path(f"{Path(prefix).absolute()}{name_end}.lst")
        lines = list(_lines(listed_images, report))
        atomic_write_lines(path, lines)
        report.lists[path] = len(lines)
    return report


def find_lists(prefix: StrPath) -> list[Path]:
    """Find the lists that belong to a prefix.

    Parameters
    ----------
    prefix : path
        The prefix passed to `make_list`; or a folder, for all lists in it; or a list.

    Returns
    -------
    list of Path
        Sorted: ``PREFIX.lst``, ``PREFIX_N.lst``, and these with ``_train``, ``_val`` or ``_test`` before the suffix.
        Other names with the same beginning are not included.
    """
    prefix = Path(prefix).absolute()
    if prefix.is_dir():
        return sorted(path for path in prefix.glob("*.lst") if path.is_file())
    pattern = re.escape(prefix.name)
    if prefix.suffix != ".lst":
        pattern += r"(_\d+)?(_train|_val|_test)?\.lst"
    candidates = prefix.parent.glob("*.lst")
    return sorted(path for path in candidates if re.fullmatch(pattern, path.name) and path.is_file())


def _check(chunks: int, train_ratio: float, test_ratio: float) -> None:
    if chunks < 1:
        raise ValueError(f"chunks must be at least 1, got {chunks}")
    for name, ratio in (("train_ratio", train_ratio), ("test_ratio", test_ratio)):
        if not 0 <= ratio <= 1:
            raise ValueError(f"{name} must be from 0 to 1, got {ratio}")
    if train_ratio + test_ratio > 1 + 1e-9:
        raise ValueError(f"train_ratio={train_ratio} and test_ratio={test_ratio} add to more than 1")


def _normalize_extensions(exts: Iterable[str]) -> set[str]:
    """Return extensions in lower case, with their dots."""
    lower = (ext.lower() for ext in exts)
    return {ext if ext.startswith(".") or not ext else f".{ext}" for ext in lower}


def _find_images(root: Path, exts: set[str], report: ListReport, *, recursive: bool) -> Iterator[Image]:
    """Find the images in MXNet's order; add each folder's label to the report."""
    ids = count()
    for folder, names in _walk(root, report, recursive=recursive):
        relative = os.path.relpath(folder, root)
        for name in names:
            if _extension(name) in exts and Path(folder, name).is_file():
                label = report.labels.setdefault(relative, len(report.labels))
                yield Image(next(ids), label, str(Path(relative, name)))


def _extension(name: str) -> str:
    # `Path.suffix` differs for "..jpg" and "a.".
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


def _walk(root: Path, report: ListReport, *, recursive: bool) -> Iterator[tuple[str, list[str]]]:
    """Iterate over the folders, each before its subfolders, with the sorted names in them."""

    def skip(path: str, reason: str) -> None:
        report.skipped.append((os.path.relpath(path, root), reason))

    def skip_unreadable(error: OSError) -> None:
        skip(error.filename, error.strerror or str(error))

    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=skip_unreadable):
        yield folder, sorted(names)
        loops = {name for name in subfolders if recursive and _is_link_to_ancestor(folder, name)}
        for name in sorted(loops):
            skip(str(Path(folder, name)), "a link to a folder above it")
        # In place: `os.walk` continues with these.
        subfolders[:] = sorted(set(subfolders) - loops) if recursive else []


def _is_link_to_ancestor(folder: str, name: str) -> bool:
    path = Path(folder, name)
    return path.is_symlink() and Path(folder).resolve().is_relative_to(path.resolve())


def _divide(
    images: Sequence[Image], chunks: int, train_ratio: float, test_ratio: float
) -> Iterator[tuple[str, Sequence[Image]]]:
    """Divide images into lists; yield the end of each list's name, and its images."""
    size = -(-len(images) // chunks)
    for number in range(chunks):
        chunk = images[number * size :][:size]
        for split, listed_images in _split(chunk, size, train_ratio, test_ratio):
            yield (f"_{number}{split}" if chunks > 1 else split), listed_images


def _split(
    chunk: Sequence[Image], size: int, train_ratio: float, test_ratio: float
) -> Iterator[tuple[str, Sequence[Image]]]:
    """Split a chunk into test, validation and training images, at positions that depend on `size` alone.

    The last chunk may have fewer images than `size`.
    """
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


def _lines(images: Iterable[Image], report: ListReport) -> Iterator[str]:
    for image in images:
        reason = _why_unlistable(image.path)
        if reason is None:
            yield f"{image.id}\t{image.label:f}\t{image.path}\n"
        else:
            report.skipped.append((image.path, reason))


def _why_unlistable(path: str) -> str | None:
    """Return the reason why a list cannot hold a path; ``None`` if it can."""
    if not path.isascii() and not _is_utf8(path):
        return "the name is not UTF-8"
    if any(letter in path for letter in "\t\n\r"):
        return "the name contains a tab or a line break"
    if path != path.strip():
        return "the name begins or ends with white space"
    return None


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
