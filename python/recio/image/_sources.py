"""Data sets of `ImageIter`: record files, a list of image files, or image files given by the caller."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from recio._loader import record_paths
from recio._recio import ImagePipeline, SandboxedFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recio._loader.options import LoaderOptions
    from recio._loader.record_paths import Paths
    from recio._util import StrPath


class Source(Protocol):
    """Data set."""

    @property
    def root(self) -> SandboxedFolder | None:
        """Folder of the image files; None for records."""

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""


@dataclass(frozen=True)
class RecordFiles:
    """Record files, with a list of labels that replace those in the records."""

    files: list[str]
    indexes: list[str]
    path_imglist: str | None
    root: None = None

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""
        options = replace(options, path_imglist=self.path_imglist, label_by_key=True)
        return ImagePipeline.of_records(self.files, self.indexes, options)


@dataclass(frozen=True)
class ImageList:
    """Image files of a list (``.lst``)."""

    path: str
    root: SandboxedFolder

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""
        return ImagePipeline.of_list(self.path, self.root, options)


@dataclass(frozen=True)
class ImageFiles:
    """Image files with ids and labels."""

    images: list[tuple[int, list[float], str]]
    root: SandboxedFolder

    def open(self, options: LoaderOptions) -> ImagePipeline:
        """Open the data set."""
        return ImagePipeline.of_images(self.images, self.root, options)


def source_of(
    path_imgrec: Paths,
    path_imgidx: Paths,
    path_imglist: StrPath | None,
    imglist: Sequence[Sequence[Any]] | None,
    path_root: StrPath | None,
    allow_outside: bool,
) -> Source:
    """Return the data set that the keywords of an iterator name.

    Raises
    ------
    ValueError
        If they name none, or exclude each other.
    """
    if imglist is not None and (path_imgrec or path_imglist):
        raise ValueError("imglist and path_imgrec or path_imglist exclude each other")
    if path_imgidx and not path_imgrec:
        raise ValueError("path_imgidx needs path_imgrec")
    if path_imgrec:
        files, indexes = record_paths.record_files(path_imgrec), record_paths.split_paths(path_imgidx)
        return RecordFiles(files, indexes, None if path_imglist is None else os.fspath(path_imglist))
    if imglist is not None:
        return ImageFiles(_numbered(imglist), SandboxedFolder(path_root or ".", allow_outside=True))
    if path_imglist is not None:
        return ImageList(os.fspath(path_imglist), SandboxedFolder(path_root or ".", allow_outside))
    raise ValueError("no images: pass path_imgrec, path_imglist (with path_root) or imglist")


def _numbered(imglist: Sequence[Sequence[Any]]) -> list[tuple[int, list[float], str]]:
    """Return id, labels and path of each image of ``[[label or labels, path], ...]``; the ids count from 0."""
    images = []
    for number, (*labels, path) in enumerate(imglist):
        if not labels:
            raise ValueError(f"imglist[{number}] must be a label, or labels, and a path, got {imglist[number]!r}")
        values = np.hstack([np.ravel(label) for label in labels]).astype(float).tolist()
        images.append((number, values, str(path)))
    return images
