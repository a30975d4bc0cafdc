"""Outputs: one file, a folder of images, or a folder of shards; each complete, or not there at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from recio._atomic import atomic_write
from recio._class_names import SUFFIX
from recio._manifest import manifest_of, write_manifest
from recio.convert import _folder, _names, _records, _tar, _tfrecord
from recio.convert._shards import by_count, by_size
from recio.convert._staged_folder import staged_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import IO

    from recio._manifest import Shard
    from recio._recio import RemotePath
    from recio.convert._report import Format
    from recio.convert._row import Row
    from recio.convert._survey import Survey

    Encode = Callable[[IO[bytes], Iterable[Row], Survey, Sequence[str] | None], None]


class Written(NamedTuple):
    """What was written: the files, and the size in bytes."""

    files: list[Path | RemotePath]
    bytes: int


class Output(NamedTuple):
    """Output of rows.

    Attributes
    ----------
    path : Path or RemotePath
        The file or the folder.
    format : str
        Its format.
    shards, shard_size : int or None
        Number of shards, or bytes of each; without them there is one file.
    renumber, checksum : bool
        As of `convert`.
    """

    path: Path | RemotePath
    format: Format
    shards: int | None = None
    shard_size: int | None = None
    renumber: bool = False
    checksum: bool = False

    @property
    def is_sharded(self) -> bool:
        """Whether it is a folder of shards."""
        return self.shards is not None or self.shard_size is not None

    @property
    def needs_survey(self) -> bool:
        """Whether something about all rows must be known before the first one is written."""
        return self.format != "rec" or self.shards is not None

    def write(self, rows: Iterable[Row], survey: Survey, classes: Callable[[], Sequence[str] | None]) -> Written:
        """Write all rows.

        Parameters
        ----------
        rows : iterable of Row
            The rows.
        survey : Survey
            The summary of all rows, if `needs_survey`.
        classes : callable
            Returns the names of the classes. Those of a record file are asked for after the last row.
        """
        if self.format == "folder":
            return self._write_folder(rows, survey, classes())
        if self.is_sharded:
            return self._write_shards(rows, survey, classes)
        size = self._write_file(self.path, rows, survey, classes)
        if not self._has_names_inside(survey):
            _names.save(self.path.with_suffix(SUFFIX), classes())
        return Written([self.path], size)

    def _has_names_inside(self, survey: Survey) -> bool:
        return self.format == "parquet" and survey.is_whole

    def _write_folder(self, rows: Iterable[Row], survey: Survey, classes: Sequence[str] | None) -> Written:
        with staged_folder(self._local_path()) as folder:
            size = _folder.write(folder, rows, survey, classes)
            if classes is not None:
                _names.save(folder / f"{_folder.NAME}{SUFFIX}", classes)
        return Written([self._local_path() / f"{_folder.NAME}.lst"], size)

    def _write_shards(
        self, rows: Iterable[Row], survey: Survey, classes: Callable[[], Sequence[str] | None]
    ) -> Written:
        path = self._local_path()
        name, size = path.name, 0
        written: list[Shard] = []
        with staged_folder(path) as folder:
            for number, shard_rows in enumerate(self._divide(rows, survey)):
                shard = folder / f"{name}_{number:05d}.{self.format}"
                size += self._write_file(shard, shard_rows, survey, classes, written)
            if self.format == "rec":
                write_manifest(manifest_of(folder / name), written, classes())
            elif not self._has_names_inside(survey):
                _names.save(folder / f"{name}{SUFFIX}", classes())
            names = sorted(file.name for file in folder.glob(f"*.{self.format}"))
        return Written([path / name for name in names], size)

    def _divide(self, rows: Iterable[Row], survey: Survey) -> Iterator[Iterator[Row]]:
        if self.shard_size is not None:
            return by_size(rows, self.shard_size)
        return by_count(rows, survey.rows, self.shards or 1)

    def _write_file(
        self,
        path: Path | RemotePath,
        rows: Iterable[Row],
        survey: Survey,
        classes: Callable[[], Sequence[str] | None],
        written: list[Shard] | None = None,
    ) -> int:
        """Write one file, and return its size."""
        if self.format == "rec":
            records = _records.Records(rows, renumber=self.renumber)
            shard = _records.write(path, records, checksum=self.checksum)
            if written is not None:
                written.append(shard)
            return shard.bytes
        with atomic_write(path) as file:
            encoder_of(self.format)(file, rows, survey, classes())
            return file.tell()

    def _local_path(self) -> Path:
        """Return the path of a folder, which is always local."""
        return Path(str(self.path))


def encoder_of(kind: Format) -> Encode:
    """Return the function that writes rows into a file."""
    if kind == "tar":
        return _tar.write
    if kind == "tfrecord":
        return _tfrecord.write
    from recio.convert import _parquet  # noqa: PLC0415 it needs pyarrow

    return _parquet.write
