"""Result of `convert`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pathlib import Path

    from recio._recio import RemotePath

Format: TypeAlias = Literal["rec", "folder", "tar", "tfrecord", "parquet"]


@dataclass(frozen=True, slots=True)
class ConvertReport:
    """Data set written by `convert`.

    Attributes
    ----------
    path : Path
        The file, or the folder of the images or of the shards.
    format : {'rec', 'folder', 'tar', 'tfrecord', 'parquet'}
        Its format.
    files : list of Path
        The record file, tar, TFRecord or Parquet files; of a folder of images, its list.
    records : int
        Number of images.
    bytes : int
        Size of the files; of a folder, that of the images.
    without_image : int
        Number of records of the source that have no image, such as the identity records of face data sets.
    renumbered : bool
        Whether the records have new keys: 0, 1, 2 …
    classes : int or None
        Number of names of classes that were written; ``None`` if none are known.
    """

    path: Path | RemotePath
    format: Format
    files: list[Path | RemotePath]
    records: int
    bytes: int
    without_image: int
    renumbered: bool
    classes: int | None
