"""Folders of images with a list: one folder for each class, as `im2rec` packs them and ImageFolder reads them."""

from __future__ import annotations

import contextlib
import errno
import json
from typing import TYPE_CHECKING, TextIO

from recio._recio import SandboxedFolder, read_list
from recio._util import printable, read_bytes
from recio.convert._labels import LabelReader
from recio.convert._row import RENUMBER, Row, damage, file_name, is_uint64
from recio.convert._source import Source
from recio.convert._survey import Survey
from recio.datasets import _classes
from recio.im2rec._lists import EXTENSIONS, ImageSearch, ListReport, is_utf8
from recio.im2rec._walk import SYSTEM_FOLDERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from recio.convert._source import ReadOptions

    Line = tuple[int, list[float], str]
    """Line of a list: index, labels and path."""

NAME = "images"
"""Beginning of the names of the files in the folder that are no images."""
ALL_EXTENSIONS = (*EXTENSIONS, ".webp", ".bmp", ".gif", ".tif", ".tiff")
MAX_NAME = 255


def write(folder: Path, rows: Iterable[Row], survey: Survey, classes: Sequence[str] | None) -> int:
    """Write the images of rows and their list into an empty folder; return the size of the images in bytes.

    Raises
    ------
    ValueError
        If two rows have the same key.
    OSError
        If a file cannot be written.
    """
    names = _Folders(folder, survey, classes)
    size = 0
    with contextlib.ExitStack() as stack:
        lst = stack.enter_context((folder / f"{NAME}.lst").open("x", encoding="utf-8"))
        extra: TextIO | None = None
        for row in rows:
            path = f"{names.of(row)}/{file_name(row)}"
            _write_image(folder / path, row)
            size += len(row.image)
            lst.write("\t".join([str(row.key), *map(repr, row.labels.tolist()), path]) + "\n")
            if row.id != row.key or row.rest is not None:
                extra = extra or stack.enter_context((folder / f"{NAME}.jsonl").open("x", encoding="utf-8"))
                extra.write(json.dumps({"key": row.key, "id": row.id, "recio": row.rest}) + "\n")
    return size


def _write_image(path: Path, row: Row) -> None:
    try:
        with path.open("xb") as file:
            file.write(row.image)
    except FileExistsError:
        raise ValueError(f"two images have the key {row.key}: {RENUMBER}") from None


class _Folders:
    """Folders of the classes, which sort as their labels do.

    They have the names of the classes, if these sort so and are names of folders; else the numbers of the labels, with
    zeros in front. If labels are not one integer for each image, there is one folder.
    """

    def __init__(self, folder: Path, survey: Survey, classes: Sequence[str] | None) -> None:
        self._folder = folder
        is_named = classes is not None and survey.is_whole and _are_folders(classes)
        self._names = classes if is_named else None
        self._width = len(f"{max(map(abs, survey.labels)):.0f}") if survey.is_whole else 0
        self._made: set[str] = set()

    def of(self, row: Row) -> str:
        """Return the folder of a row, which exists then."""
        if self._names is not None:
            name = self._names[int(row.labels[0])]
        else:
            name = f"{int(row.labels[0]):0{self._width}d}" if self._width else NAME
        if name not in self._made:
            (self._folder / name).mkdir()
            self._made.add(name)
        return name


def _are_folders(classes: Sequence[str]) -> bool:
    """Return whether names can be those of folders, which sort as the labels do and differ in any file system."""
    is_unique = len({name.casefold() for name in classes}) == len(classes)
    return is_unique and list(classes) == sorted(classes) and all(map(_is_folder, classes))


def _is_folder(name: str) -> bool:
    """Return whether a name can be that of a folder here: it leads nowhere else, and lists and im2rec accept it."""
    is_plain = not {"/", "\\"} & {*name} and name == name.strip() == printable(name)
    is_seen = not name.startswith((".", f"{NAME}.")) and name not in SYSTEM_FOLDERS
    return bool(name) and is_plain and is_seen and _encoded_length(name) <= MAX_NAME


def _encoded_length(name: str) -> int:
    try:
        return len(name.encode())
    except UnicodeEncodeError:
        return MAX_NAME + 1


class FolderSource(Source):
    """Folder of images as a source of rows: those of the list in it or, without one, of its subfolders.

    Parameters
    ----------
    folder : Path
        The folder.
    options : ReadOptions
        Of these, `classes` and `renumber`.

    Raises
    ------
    ValueError
        If the folder has several lists, or an image cannot be listed.
    """

    def __init__(self, folder: Path, options: ReadOptions) -> None:
        self._folder, self._options = folder, options
        lists = sorted(folder.glob("*.lst"))
        if len(lists) > 1:
            raise ValueError(f"{folder}: it has several lists, {lists[0].name} and {lists[1].name}; keep one")
        if lists:
            self._lines, self._names = read_list(lists[0]), _classes.read([str(lists[0])])
        else:
            self._lines, self._names = _search(folder, options.classes)
        self._extra = _load_extra(lists[0].with_suffix(".jsonl")) if lists else {}
        self._labels = LabelReader(None)
        self.files, self.total, self.renumbered = [folder, *lists], len(self._lines), options.renumber

    def classes(self) -> list[str] | None:
        """Return the names of the caller, those of the subfolders, or those beside the list."""
        return self._options.classes or self._names

    def survey(self) -> Survey:
        """Summarize the list."""
        return Survey.of(self._row(number, b"") for number in range(len(self._lines)))

    def rows(self) -> Iterator[Row]:
        """Read all images. A path that leaves the folder is an error, as of any list."""
        folder = SandboxedFolder(self._folder, allow_outside=False)
        for number, (_, _, path) in enumerate(self._lines):
            yield self._row(number, folder.read(path))

    def _row(self, number: int, image: bytes) -> Row:
        index, values, path = self._lines[number]
        try:
            labels = self._labels.read(values)
        except ValueError as error:
            raise damage(self._folder / path, str(error), number) from None
        key = number if self._options.renumber else index
        id_, rest = self._extra.get(index, (key, None))
        return Row(key, id_, labels, image, rest)


def _search(folder: Path, classes: list[str] | None) -> tuple[list[Line], list[str] | None]:
    """Return the lines that ``im2rec --list --recursive`` writes for a folder, and the names of the classes.

    Raises
    ------
    ValueError
        If a folder is no class of `classes`, or cannot be read.
    FileNotFoundError
        If there are no images.
    """
    report = ListReport()
    search = ImageSearch(folder, {*ALL_EXTENSIONS}, report, classes, natural_sort=False)
    lines: list[Line] = [(image.id, [float(image.label)], image.path) for image in search.images(recursive=True)]
    if report.skipped:
        path, reason = report.skipped[0]
        more = f", and {len(report.skipped) - 1} more" if len(report.skipped) > 1 else ""
        raise ValueError(f"{folder}: {printable(path)} cannot be converted: {reason}{more}")
    if not lines:
        raise FileNotFoundError(errno.ENOENT, "no images in the folder", str(folder))
    for _, _, path in lines:
        if not is_utf8(path):
            raise ValueError(f"{folder}: {printable(path)} cannot be converted: the name is not UTF-8")
    folders = [printable(name) for name in report.labels]
    return lines, None if folders == ["."] else folders


def _load_extra(path: Path) -> dict[int, tuple[int, str | None]]:
    """Read ids that differ from their keys, and what else a record file has.

    Raises
    ------
    ValueError
        If a line is not what `write` has written.
    """
    if not path.exists():
        return {}
    extra = {}
    for number, line in enumerate(read_bytes(path).splitlines(), 1):
        try:
            fields = json.loads(line)
            key, id_, rest = fields["key"], fields["id"], fields["recio"]
            if not (is_uint64(key) and is_uint64(id_) and isinstance(rest, str | None)):
                raise ValueError("a number is wrong")  # noqa: TRY301 caught with the others
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"{path}: line {number} must have key, id and recio: {error}") from None
        extra[key] = id_, rest
    return extra
