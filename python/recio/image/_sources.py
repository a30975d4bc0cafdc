"""Data sets of `ImageIter`: record files, a list of image files, or image files given by the caller."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from recio._loader import record_paths, validate
from recio._recio import ImagePipeline, SandboxedFolder, read_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from recio._loader.options import LoaderOptions
    from recio._loader.record_paths import Paths
    from recio._storage import Located, Storage
    from recio._util import StrPath

    Listed: TypeAlias = dict[Any, tuple[NDArray[Any], str]]
    """Labels and path of each image by its key."""


FLOAT64_EXACT = 1 << 53
"""float64, the type of labels up to the batch, represents all integers up to this one."""


class Source(Protocol):
    """Data set."""

    @property
    def root(self) -> SandboxedFolder | None:
        """Folder of the image files; None for records."""

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""

    def listed(self, dtype: np.dtype[Any]) -> Listed | None:
        """Return labels and path of each image by its key, in order; None without a list."""


@dataclass(frozen=True)
class RecordFiles:
    """Record files, with a list of labels that replace those in the records."""

    files: list[Located]
    indexes: list[Located]
    path_imglist: Located | None
    root: None = None

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""
        options = replace(options, path_imglist=self.path_imglist, label_by_key=True)
        return ImagePipeline.of_records(self.files, self.indexes, options)

    def listed(self, dtype: np.dtype[Any]) -> Listed | None:
        """Return labels and path of each line of the list, if there is one."""
        return None if self.path_imglist is None else _lines(self.path_imglist, dtype)


@dataclass(frozen=True)
class ImageList:
    """Image files of a list (``.lst``)."""

    path: Located
    root: SandboxedFolder

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""
        return ImagePipeline.of_list(self.path, self.root, options)

    def listed(self, dtype: np.dtype[Any]) -> Listed:
        """Return labels and path of each line."""
        return _lines(self.path, dtype)


@dataclass(frozen=True)
class ImageFiles:
    """Image files with ids and labels."""

    images: list[tuple[int, list[float], str]]
    labels: list[list[Any]]
    """The labels as they were given: integers are exact."""
    root: SandboxedFolder

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""
        return ImagePipeline.of_images(self.images, self.root, options)

    def listed(self, dtype: np.dtype[Any]) -> Listed:
        """Return labels and path of each image; the keys count from ``'1'``, as in MXNet."""
        pairs = zip(self.labels, self.images, strict=True)
        return {str(n + 1): (np.array(labels, dtype), path) for n, (labels, (_, _, path)) in enumerate(pairs)}


def source_of(
    path_imgrec: Paths,
    path_imgidx: Paths,
    path_imglist: StrPath | None,
    imglist: Sequence[Sequence[Any]] | None,
    path_root: StrPath | None,
    allow_outside: bool,
    storage: Storage,
) -> Source:
    """Return the data set that the keywords of an iterator name.

    Raises
    ------
    ValueError
        If they name none, or exclude each other.
    """
    allow_outside = validate.flag("allow_outside", allow_outside)
    if imglist is not None and (path_imgrec or path_imglist):
        raise ValueError("imglist and path_imgrec or path_imglist exclude each other")
    if path_imgidx and not path_imgrec:
        raise ValueError("path_imgidx needs path_imgrec")
    if path_imgrec:
        files, indexes = record_paths.record_files(path_imgrec, path_imgidx, storage=storage)
        return RecordFiles(files, indexes, None if path_imglist is None else storage.locate(path_imglist))
    if imglist is not None:
        labels = _labels(imglist)
        images = [
            (number, np.asarray(values, float).tolist(), str(image[-1]))
            for number, (values, image) in enumerate(zip(labels, imglist, strict=True))
        ]
        return ImageFiles(images, labels, SandboxedFolder(path_root or ".", allow_outside=True))
    if path_imglist is not None:
        return ImageList(storage.locate(path_imglist), SandboxedFolder(path_root or ".", allow_outside))
    raise ValueError("no images: pass path_imgrec, path_imglist (with path_root) or imglist")


def _labels(imglist: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Return the labels of each image of ``[[label or labels, path], ...]``."""
    listed = []
    for number, (*labels, path) in enumerate(imglist):
        if not labels or not isinstance(path, str | os.PathLike):
            raise ValueError(f"imglist[{number}] must be a label, or labels, and a path, got {imglist[number]!r}")
        values = [value for label in labels for value in np.ravel(label).tolist()]
        rounded = [value for value in values if isinstance(value, int) and abs(value) > FLOAT64_EXACT]
        if any(int(float(value)) != value for value in rounded):
            raise ValueError(f"imglist[{number}]: labels must be integers up to 2**53, got {max(rounded, key=abs)}")
        listed.append(values)
    return listed


def _lines(path: Located, dtype: np.dtype[Any]) -> Listed:
    """Return labels and path of each line of a list file, by its index."""
    return {index: (np.array(labels, dtype), image) for index, labels, image in read_list(path)}
