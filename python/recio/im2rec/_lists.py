"""Lists: writing those of a folder of images, and finding those of a prefix.

For the same folder and options, the lists are MXNet 1.9.1's, byte for byte: the same order of folders, labels, shuffle
(Python's generator, seed 100) and rounding. There are five differences, where MXNet lost images, failed, or listed what
is no image of the user: with ratios that add to 1.0 no image remains (the remainder of the rounding is for training),
extensions may be in upper case, each real folder is listed once, hidden folders and metadata of macOS are no
classes, and names that a list cannot hold are skipped and reported.
"""

from __future__ import annotations

import os
import re
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from recio._atomic import atomic_write_lines
from recio._class_names import SUFFIX
from recio._loader import validate
from recio._recio import RemotePath
from recio._storage import storage
from recio._util import printable
from recio.im2rec import _classes
from recio.im2rec._walk import MAC_METADATA, Folder, LocalTree, Skipped, StoreTree, natural_key, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from recio._storage import AnyPath, StorageOptions

EXTENSIONS = (".jpeg", ".jpg", ".png")
SHUFFLE_SEED = 100
"""MXNet's seed: the order of the lines is fixed for compatibility."""

NO_CLASS = "no class of the file of classes"
MAX_NAMED = 10
"""Maximum number of folders that a message names."""


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
    lists : dict of Path or RemotePath to int
        From the files written to their numbers of images.
    labels : dict of str to int
        From folders with images, as paths relative to the root, to their labels.
    skipped : list of (str, str)
        Paths of images and folders that were skipped, relative to the root, with the reasons.
    ignored : list of str
        What was not looked for, each in a line: files with other extensions, subfolders without `recursive`, hidden
        folders, metadata of macOS.
    classes : Path, RemotePath or None
        The file with the names of the classes, with `recursive`.
    warnings : list of str
        Arguments without effect.
    """

    lists: dict[Path | RemotePath, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    classes: Path | RemotePath | None = None
    warnings: list[str] = field(default_factory=list)


def make_list(
    prefix: AnyPath,
    root: AnyPath,
    *,
    exts: Iterable[str] = EXTENSIONS,
    recursive: bool = False,
    shuffle: bool = True,
    chunks: int = 1,
    train_ratio: float = 1.0,
    test_ratio: float = 0.0,
    classes: AnyPath | None = None,
    natural_sort: bool = False,
    storage_options: StorageOptions = None,
    filesystem: object = None,
) -> ListReport:
    """Write the list, or lists, of the images in a folder.

    With `recursive`, ``PREFIX.classes.txt`` is written too: the names of the folders, one a line, in the order of their
    labels; the first line is label 0. Each list has such a file, which `recio.datasets.RecordDataset` finds beside the
    packed records.

    Parameters
    ----------
    prefix : path
        Path and beginning of the names of the lists: ``PREFIX.lst``; with several `chunks` ``PREFIX_0.lst`` and so on;
        with a `train_ratio` below 1 ``PREFIX_train.lst``, ``PREFIX_val.lst`` (the rest) and ``PREFIX_test.lst``.
    root : path
        Folder of the images. Paths in the lists are relative to it. If it is a URL, such as ``s3://bucket/photos``, the
        folders are those of the objects' names, and all objects below it are listed.
    exts : iterable of str, default ('.jpeg', '.jpg', '.png')
        File name extensions of images, in lower or upper case; each may be several with commas between them.
    recursive : bool, default False
        Whether to include subfolders, each with its label: 0, 1, 2 … in the order of their names. If not, all images
        have the label 0.
    shuffle : bool, default True
        Whether to shuffle the lines. The order depends only on the number of images.
    chunks : int, default 1
        Number of lists, or of sets of lists, to divide the images into; at least 1.
    train_ratio, test_ratio : float in [0, 1], default 1.0 and 0.0
        Fractions for training and for testing, together at most 1. As in MXNet, `test_ratio` has no effect while
        `train_ratio` is 1.
    classes : path, optional
        File with names of folders, one a line, whose labels are the numbers of the lines, from 0: for the labels of
        another list, pass its ``PREFIX.classes.txt``. Other folders are skipped. Needs `recursive`.
    natural_sort : bool, default False
        Whether numbers in names are sorted by value, so that the folder ``2`` comes before ``10``. By default names are
        sorted by their characters, as in MXNet.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`, for all paths.

    Returns
    -------
    ListReport
        The files written, the labels and what was skipped.

    Warns
    -----
    UserWarning
        If `test_ratio` has no effect.

    Raises
    ------
    ValueError
        If an argument is out of range, or `classes` repeats a name or has an empty line.
    FileNotFoundError
        If `root` does not exist, or has no image; then nothing is written.
    OSError
        If a list cannot be written.
    """
    report, suffixes = ListReport(), _normalize_extensions(exts)
    recursive, shuffle = validate.flag("recursive", recursive), validate.flag("shuffle", shuffle)
    natural_sort, chunks = validate.flag("natural_sort", natural_sort), validate.integer("chunks", chunks)
    train_ratio, test_ratio = validate.number("train_ratio", train_ratio), validate.number("test_ratio", test_ratio)
    _check(chunks, train_ratio, test_ratio, report)
    if classes is not None and not recursive:
        raise ValueError("classes needs recursive: without it all images have the label 0")
    opened_with = storage(storage_options, filesystem)
    names = None if classes is None else _classes.load(opened_with.path(classes))
    search = ImageSearch(opened_with.path(root), suffixes, report, names, natural_sort=natural_sort)
    images = list(search.images(recursive=recursive))
    if not images:
        raise FileNotFoundError(search.why_empty(root, classes))
    if names is None:
        report.ignored.extend(_order_of_numbers([*report.labels], natural_sort=natural_sort))
    if shuffle:
        Random(SHUFFLE_SEED).shuffle(images)  # noqa: S311
    names = ([*report.labels] if names is None else names) if recursive else []
    beginning = _absolute(opened_with.path(prefix))
    for name_end, listed_images in _divide(images, chunks, train_ratio, test_ratio):
        path = _with_end(beginning, f"{name_end}.lst")
        lines = list(_lines(listed_images, report))
        atomic_write_lines(path, lines)
        _classes.save(path.with_suffix(SUFFIX), names)
        report.lists[path] = len(lines)
    path = _with_end(beginning, SUFFIX)
    _classes.save(path, names)
    for message in report.warnings:
        warnings.warn(message, stacklevel=2)
    return replace(report, classes=path if recursive else None)


def _absolute(path: Path | RemotePath) -> Path | RemotePath:
    return path if isinstance(path, RemotePath) else path.absolute()


def _with_end(path: Path | RemotePath, end: str) -> Path | RemotePath:
    """Return a path with more characters at its end."""
    return path.with_name(f"{path.name}{end}") if isinstance(path, RemotePath) else Path(f"{path}{end}")


def _order_of_numbers(folders: list[str], *, natural_sort: bool) -> list[str]:
    """Return a line if the folders are all numbers, but their labels are not in the order of these."""
    if natural_sort or not all(folder.isascii() and folder.isdigit() for folder in folders):
        return []
    if folders == sorted(folders, key=natural_key):
        return []
    line = (
        f"the values of the folders' names: labels are in the order of the text ({folders[0]} is label 0), as in MXNet"
    )
    return [f"{line}; --natural-sort (natural_sort=True) sorts by value"]


def find_lists(
    prefix: AnyPath, *, storage_options: StorageOptions = None, filesystem: object = None
) -> list[Path | RemotePath]:
    """Find the lists that belong to a prefix.

    Parameters
    ----------
    prefix : path
        The prefix passed to `make_list`; or a folder, for all lists in it; or a list.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`.

    Returns
    -------
    list of Path or RemotePath
        Sorted: ``PREFIX.lst``, ``PREFIX_N.lst``, and these with ``_train``, ``_val`` or ``_test`` before the suffix.
        Other names with the same beginning are not included.

    Raises
    ------
    ValueError
        If a folder of this name has lists in it, and others beside it begin with its name. With a slash at the end, the
        prefix is the folder.
    """
    is_folder = isinstance(prefix, str | os.PathLike) and os.fspath(prefix).endswith("/")
    path = _absolute(storage(storage_options, filesystem).path(prefix))
    inside = _lists_in(path)
    if is_folder:
        return inside
    pattern = re.escape(path.name)
    if path.suffix != ".lst":
        pattern += r"(_\d+)?(_train|_val|_test)?\.lst"
    beside = [lst for lst in _lists_in(path.parent) if re.fullmatch(pattern, lst.name)]
    if inside and beside:
        raise ValueError(f"both {beside[0]} and {inside[0]} are lists of {prefix}: pass {beside[0]} or {path}/")
    return inside or beside


def _lists_in(folder: Path | RemotePath) -> list[Path | RemotePath]:
    """Return the lists in a folder, sorted."""
    if isinstance(folder, RemotePath):
        names = sorted(name for name in folder.list() if name.endswith(".lst") and "/" not in name)
        return [folder / name for name in names]
    return [*sorted(lst for lst in folder.glob("*.lst") if lst.is_file())] if folder.is_dir() else []


def _check(chunks: int, train_ratio: float, test_ratio: float, report: ListReport) -> None:
    if chunks < 1:
        raise ValueError(f"chunks must be at least 1, got {chunks}")
    for name, ratio in (("train_ratio", train_ratio), ("test_ratio", test_ratio)):
        if not 0 <= ratio <= 1:
            raise ValueError(f"{name} must be from 0 to 1, got {ratio}")
    if train_ratio == 1 and test_ratio > 0:
        report.warnings.append(
            f"test_ratio={test_ratio} has no effect, as train_ratio is 1: all images are in one list, as in MXNet; "
            f"pass train_ratio={1 - test_ratio:.3g} to divide them"
        )
    elif train_ratio + test_ratio > 1 + 1e-9:
        raise ValueError(f"train_ratio={train_ratio} and test_ratio={test_ratio} add to more than 1")


def _normalize_extensions(exts: Iterable[str]) -> set[str]:
    """Return extensions in lower case, with their dots."""
    lower = (part.strip().lower() for ext in exts for part in ext.split(","))
    return {ext if ext.startswith(".") or not ext else f".{ext}" for ext in lower}


def _extension(name: str) -> str:
    # `Path.suffix` differs for "..jpg" and "a.".
    return os.path.splitext(name)[1].lower()  # noqa: PTH122


class ImageSearch:
    """Search for the images of a folder in MXNet's order.

    Parameters
    ----------
    root : Path or RemotePath
        The folder.
    exts : set of str
        Extensions of images.
    report : ListReport
        Where labels and what is skipped are added.
    names : list of str, optional
        Folders in the order of their labels.
    natural_sort : bool
        Whether numbers in names are sorted by value.
    """

    def __init__(
        self,
        root: Path | RemotePath,
        exts: set[str],
        report: ListReport,
        names: list[str] | None,
        *,
        natural_sort: bool,
    ) -> None:
        self._exts, self._report, self._names = exts, report, names
        key = natural_key if natural_sort else None
        self._tree = StoreTree(root, key) if isinstance(root, RemotePath) else LocalTree(str(root.absolute()), key)

    def images(self, *, recursive: bool) -> Iterator[Image]:
        """Find the images; add each folder's label, and what was skipped and ignored, to the report."""
        ids, others, skipped = count(), Counter[str](), list[Skipped]()
        subfolders = 0
        for folder in walk(self._tree, skipped, recursive=recursive):
            subfolders += len(folder.subfolders)
            paths = [path for name in folder.files if (path := self._image_path(folder, name, others))]
            label = self._label(folder.path, len(paths)) if paths else None
            if label is not None:
                yield from (Image(next(ids), label, path) for path in paths)
        self._report_ignored(others, skipped, 0 if recursive else subfolders)

    def _image_path(self, folder: Folder, name: str, others: Counter[str]) -> str | None:
        """Return the path of an image relative to the root; otherwise count the file and return None."""
        extension = _extension(name)
        if name.startswith(MAC_METADATA):
            others["metadata of macOS (._*)"] += 1
        elif extension not in self._exts:
            others[extension or "no extension"] += 1
        else:
            path = name if folder.path == "." else f"{folder.path}/{name}"
            if self._tree.is_file(path):
                return path
        return None

    def _label(self, folder: str, images: int) -> int | None:
        """Return the label of a folder with images; None if it is no class."""
        labels = self._report.labels
        if self._names is None:
            return labels.setdefault(folder, len(labels))
        name = printable(folder)
        if name in self._names:
            return labels.setdefault(folder, self._names.index(name))
        self._report.skipped.append((folder, f"{NO_CLASS}; {images} images"))
        return None

    def _report_ignored(self, others: Counter[str], skipped: list[Skipped], subfolders: int) -> None:
        self._report.skipped.extend((path, reason) for path, reason, is_expected in skipped if not is_expected)
        ignored = self._report.ignored
        ignored += [f"{path}: {reason}" for path, reason, is_expected in skipped if is_expected]
        if others:
            counts = ", ".join(f"{number} {extension}" for extension, number in others.most_common())
            ignored.append(f"{others.total()} other files ({counts}); --exts (exts=) chooses extensions")
        if subfolders:
            ignored.append(f"{subfolders} subfolders; --recursive (recursive=True) includes them")

    def why_empty(self, root: AnyPath, classes: AnyPath | None) -> str:
        """Return the message for a folder without images, or without those of the classes of a file."""
        others = [path for path, reason in self._report.skipped if reason.startswith(NO_CLASS)]
        if others:
            more = ", ..." if len(others) > MAX_NAMED else ""
            return (
                f"{root}: no folder with images is in {classes}: {', '.join(map(printable, others[:MAX_NAMED]))}{more}"
            )
        ignored = "".join(f"; ignored: {line}" for line in self._report.ignored)
        return f"{root}: no files that end in {', '.join(sorted(self._exts))}{ignored}"


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
    if not path.isascii() and not is_utf8(path):
        return "the name is not UTF-8"
    if any(letter in path for letter in "\t\n\r"):
        return "the name contains a tab or a line break"
    if path != path.strip():
        return "the name begins or ends with white space"
    return None


def is_utf8(path: str) -> bool:
    """Return whether the name of a file is text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
