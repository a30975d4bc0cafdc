"""Where `ImageIter` and its siblings find images: record files, a list of files, or the files that the caller names.

Each source makes a native pipeline, and reads single samples for those who take them one by one.
"""

from __future__ import annotations

import bisect
import itertools
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from recio import _recio
from recio._loader import record_paths
from recio._util import regular_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recio._loader.options import LoaderOptions
    from recio._loader.record_paths import Paths
    from recio._util import StrPath

    Sample: TypeAlias = tuple[float | NDArray[np.float32], bytes]
    # Index, labels, path.
    Image: TypeAlias = tuple[int, list[float], str]


class Records:
    """The records of files."""

    def __init__(self, path_imgrec: Paths, path_imgidx: Paths, path_imglist: StrPath | None) -> None:
        self._files, self._indexes = record_paths.record_files(path_imgrec), record_paths.split_paths(path_imgidx)
        self._list = None if path_imglist is None else os.fspath(path_imglist)
        self._open: tuple[list[_recio.Reader], list[tuple[int, int]], dict[int, list[float]]] | None = None

    def pipeline(self, options: LoaderOptions) -> _recio.ImagePipeline:
        """Make a native pipeline."""
        return _recio.ImagePipeline.of_records(self._files, self._indexes, replace(options, path_imglist=self._list))

    def __len__(self) -> int:
        """Count the records."""
        return len(self._places())

    def read(self, place: int) -> Sample:
        """Read a record; the list's labels take the place of its own."""
        # Imported here: recio.recordio needs this package.
        from recio.recordio import unpack  # noqa: PLC0415

        file, offset = self._places()[place]
        assert self._open is not None  # noqa: S101 _places has seen to it
        readers, _, labels = self._open
        header, image = unpack(readers[file].read_at(offset))
        if self._list is None:
            return header.label, image
        if header.id not in labels:
            raise ValueError(f"{self._list}: it has no line for id {header.id}")
        return _label(labels[header.id]), image

    def _places(self) -> list[tuple[int, int]]:
        """Find the file and the offset of each record, once."""
        if self._open is None:
            readers = [_recio.Reader(file) for file in self._files]
            labels = {} if self._list is None else {key: labels for key, labels, _ in _read(self._list)}
            self._open = readers, self._find(readers), labels
        return self._open[1]

    def _find(self, readers: Sequence[_recio.Reader]) -> list[tuple[int, int]]:
        if len(self._indexes) == len(readers):
            return [
                (file, offset)
                for file, (path, reader) in enumerate(zip(self._indexes, readers, strict=True))
                for offset in _offsets(_recio.Index(path, reader.size))
            ]
        if self._indexes:
            starts = list(itertools.accumulate((reader.size for reader in readers), initial=0))
            offsets = _offsets(_recio.Index(self._indexes[0], starts[-1]))
            return [((file := bisect.bisect(starts, at) - 1), at - starts[file]) for at in offsets]
        places = []
        for file, reader in enumerate(readers):
            while (offset := reader.tell()) < reader.size:
                places.append((file, offset))
                reader.read()
        return places


class Files:
    """Image files, each with its labels."""

    def __init__(self, images: Sequence[Image], root: StrPath | None, allow_outside: bool) -> None:
        self._images, self._root = list(images), _recio.SandboxedFolder(root or ".", allow_outside)

    @classmethod
    def of_list(cls, path_imglist: StrPath, root: StrPath | None, allow_outside: bool) -> Files:
        """Take the files that a list (``.lst``) names, which may come from anywhere."""
        return cls(_read(path_imglist), root, allow_outside)

    @classmethod
    def of_images(cls, imglist: Sequence[Sequence[Any]], root: StrPath | None) -> Files:
        """Take the files of ``[[label or labels, path], ...]``, wherever they lie; they are numbered from 0."""
        images = []
        for number, (*labels, path) in enumerate(imglist):
            if not labels:
                raise ValueError(f"imglist[{number}]={imglist[number]!r}; it is a label, or labels, and a path")
            images.append((number, np.hstack([np.ravel(label) for label in labels]).astype(float).tolist(), str(path)))
        return cls(images, root, allow_outside=True)

    def pipeline(self, options: LoaderOptions) -> _recio.ImagePipeline:
        """Make a native pipeline."""
        return _recio.ImagePipeline.of_images(self._images, self._root, options)

    def __len__(self) -> int:
        """Count the files."""
        return len(self._images)

    def path(self, place: int) -> str:
        """Give the path of a file, relative to the root."""
        return self._images[place][2]

    def read(self, name: str) -> bytes:
        """Read a file whose path is relative to the root."""
        return self._root.read(name)

    def label(self, place: int) -> float | NDArray[np.float32]:
        """Give the label, or labels, of a file."""
        return _label(self._images[place][1])


def source(
    path_imgrec: Paths,
    path_imgidx: Paths,
    path_imglist: StrPath | None,
    imglist: Sequence[Sequence[Any]] | None,
    path_root: StrPath | None,
    allow_outside: bool,
) -> Records | Files:
    """Give the source that the keywords of an iterator ask for.

    Raises
    ------
    ValueError
        If they ask for none.
    """
    if imglist is not None and (path_imgrec or path_imglist):
        raise ValueError("imglist and path_imgrec or path_imglist exclude each other")
    if path_imgidx and not path_imgrec:
        raise ValueError("path_imgidx needs path_imgrec")
    if path_imgrec:
        return Records(path_imgrec, path_imgidx, path_imglist)
    if imglist is not None:
        return Files.of_images(imglist, path_root)
    if path_imglist is not None:
        return Files.of_list(path_imglist, path_root, allow_outside)
    raise ValueError("no images: give path_imgrec, path_imglist (with path_root) or imglist")


def _label(labels: Sequence[float]) -> float | NDArray[np.float32]:
    return float(labels[0]) if len(labels) == 1 else np.asarray(labels, np.float32)


def _read(path_imglist: StrPath) -> list[Image]:
    """Read a list."""
    images: dict[int, Image] = {}
    with regular_file(path_imglist).open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                image = _parse(line, f"{path_imglist}: line {number}")
                if images.setdefault(image[0], image) is not image:
                    raise ValueError(f"{path_imglist}: line {number}: duplicate index {image[0]}")
    return list(images.values())


def _parse(line: str, place: str) -> Image:
    """Read a line of a list."""
    try:
        key, *labels, path = (field.strip() for field in line.split("\t"))
        image = int(key), [float(label) for label in labels], path
    except ValueError as error:
        raise ValueError(f"{place}: a line is index, label, path, separated by tabs: {error}") from None
    if not labels or not 0 <= image[0] < 1 << 64:
        raise ValueError(f"{place}: a line is an index from 0 to 2^64-1, a label or labels, and a path")
    return image


def _offsets(index: _recio.Index) -> list[int]:
    return sorted(index.offset(int(key)) for key in index.keys())  # noqa: SIM118 not a mapping
