"""Formats: which one a path has, and opening sources of each."""

from __future__ import annotations

import errno
import glob
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from recio._loader.record_paths import located_paths
from recio._manifest import SUFFIX
from recio._recio import RemotePath
from recio._storage import LOCAL
from recio.convert import _names
from recio.convert._folder import FolderSource
from recio.convert._records import RecordSource
from recio.convert._report import Format
from recio.convert._tar import TarSource
from recio.convert._tfrecord import TFRecordSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recio._loader.record_paths import Paths
    from recio._storage import Located, Storage
    from recio.convert._source import ReadOptions, Source

FORMATS: tuple[Format, ...] = get_args(Format)
_BY_NAME: tuple[tuple[str, Format], ...] = (
    (r"\.rec|\.recset\.json", "rec"),
    (r"\.tar(\.gz)?|\.tgz", "tar"),
    (r"\.tfrecords?([.-].*)?", "tfrecord"),
    (r"\.parquet", "parquet"),
)
_BRACES = re.compile(r"\{([0-9]+)\.\.([0-9]+)\}")
_PATTERN = re.compile(r"[*?\[{]")
_MAX_BRACES = 1_000_000


def format_of_name(name: str) -> Format | None:
    """Return the format that the end of a name states."""
    return next((kind for end, kind in _BY_NAME if re.search(f"({end})$", name)), None)


def _format_of(located: Located) -> Format:
    """Return the format of a source.

    Raises
    ------
    ValueError
        If neither its name nor, if it is a folder, its files state it.
    FileNotFoundError
        If such a path does not exist, and is no pattern.
    """
    path = LOCAL.path(located)
    kind = format_of_name(path.name)
    if isinstance(path, RemotePath):
        return kind or "rec"
    if kind is not None and not path.is_dir():
        return kind
    if path.is_dir():
        kinds = {kind for file in path.iterdir() if file.is_file() and (kind := format_of_name(file.name)) is not None}
        if len(kinds) < 2:  # noqa: PLR2004 one, or none
            return next(iter(kinds), "folder")
        raise ValueError(f"{path}: the folder has files of the formats {', '.join(sorted(kinds))}: --from chooses one")
    if not path.exists() and not _PATTERN.search(path.name):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    raise ValueError(f"{path}: the format is not known by this name: --from (src_format=) states it")


def open_source(src: Paths, kind: Format | None, options: ReadOptions, storage: Storage) -> tuple[Source, Format]:
    """Open the files that a source names.

    Raises
    ------
    ValueError
        If it names none, its format is not known, or it is a URL, and not of record files.
    OSError
        If a file does not exist, or cannot be read.
    """
    paths = located_paths(src, storage)
    if not paths:
        raise ValueError("src names no file")
    kind = kind or _format_of(paths[0])
    if kind == "rec":
        return RecordSource([*map(_manifest_in, paths)], options, storage), kind
    local = [_local(path, kind) for path in paths]
    if kind == "folder":
        if len(local) > 1:
            raise ValueError(f"src must be one folder, got {len(local)}")
        return FolderSource(local[0], options), kind
    files = [file for path in local for file in _expand(path, kind)]
    return _open_files(kind, files, options), kind


def _manifest_in(located: Located) -> Located:
    """Return the manifest in a folder, if there is one, else the path itself."""
    path = LOCAL.path(located)
    manifests = [] if isinstance(path, RemotePath) or not path.is_dir() else [*path.glob(f"*{SUFFIX}")]
    return str(manifests[0]) if len(manifests) == 1 else located


def _open_files(kind: Format, files: Sequence[Path], options: ReadOptions) -> Source:
    names = _names.beside(files[0])
    if kind == "tar":
        return TarSource(files, options, names)
    if kind == "tfrecord":
        return TFRecordSource(files, options, names)
    from recio.convert._parquet import ParquetSource  # noqa: PLC0415 it needs pyarrow

    return ParquetSource(files, options, names)


def _local(located: Located, kind: Format) -> Path:
    if isinstance(located, RemotePath):
        raise ValueError(f"{located}: URLs of record files are read; download {kind} files first")  # noqa: TRY004
    return Path(located)


def _expand(path: Path, kind: Format) -> list[Path]:
    """Return the files that a path stands for: itself, those of a folder, or of a pattern, sorted by name.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file() and format_of_name(file.name) == kind]
    elif path.exists():
        return [path]
    elif braces := _BRACES.search(path.name):
        return [name for text in _numbers(braces) for name in _expand(path.with_name(text), kind)]
    else:
        folder = Path(glob.escape(str(path.parent)))
        files = [Path(file) for file in glob.glob(str(folder / path.name)) if Path(file).is_file()]  # noqa: PTH207
    if not files:
        raise FileNotFoundError(errno.ENOENT, f"no such {kind} file", str(path))
    return sorted(files)


def _numbers(braces: re.Match[str]) -> list[str]:
    """Return names with each of the numbers of ``{00000..00003}`` in its place."""
    first, last = int(braces[1]), int(braces[2])
    if not first <= last < first + _MAX_BRACES:
        raise ValueError(f"{braces[0]}: the first number must be at most the last, and {_MAX_BRACES} numbers at most")
    before, after = braces.string[: braces.start()], braces.string[braces.end() :]
    return [f"{before}{number:0{len(braces[1])}d}{after}" for number in range(first, last + 1)]
