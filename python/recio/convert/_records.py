"""Record files: rows of their records, and records of rows."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

import numpy as np

from recio import _recio
from recio._loader.record_paths import record_files
from recio._manifest import Shard, is_manifest, load_manifest
from recio._recio import RemotePath
from recio._storage import LOCAL, index_beside
from recio.convert._rest import Rest
from recio.convert._row import RENUMBER, Row, damage, header_length, parse_header, usual_header
from recio.convert._source import Source
from recio.convert._survey import Survey
from recio.datasets import _classes
from recio.datasets._record_file import MAX_OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from recio._storage import Located, Storage
    from recio.convert._source import ReadOptions

_UNLIMITED = (1 << 64) - 1


class RecordFile:
    """Record file whose records are read from the first to the last.

    Parameters
    ----------
    rec, idx : str or RemotePath
        The file and its index; by default the ``.idx`` beside it, or the file is scanned.
    shared : bool
        Whether a local file is closed in favor of others until it is read again.
    """

    def __init__(self, rec: Located, idx: Located | Path | None, *, shared: bool) -> None:
        self.located = rec
        self.reader = _recio.Reader(rec, shared)
        idx = index_beside(LOCAL.path(rec)) if idx is None else idx
        self.index = _recio.Index.scan(self.reader) if idx is None else _recio.Index(idx, self.reader)
        self.keys = self.index.keys()
        """Keys of all records, in the order of the file."""

    def records(self) -> Iterator[tuple[int, int, int, bytes]]:
        """Read all records: number, key, offset and bytes.

        Raises
        ------
        RecordError
            If a record is damaged, or the index does not list it.
        """
        self.reader.seek(0)
        for number, key in enumerate(self.keys.tolist()):
            offset = self.reader.tell()
            if self.index.offset(key) != offset:
                raise self._unlisted(offset)
            try:
                record = self.reader.read()
            except _recio.RecordError:
                record = None
            # Of a damaged record, this knows the number.
            yield number, key, offset, self.reader.read_key(self.index, key) if record is None else record
        if self.reader.tell() != self.reader.size:
            raise self._unlisted(self.reader.tell())

    def _unlisted(self, offset: int) -> Exception:
        return damage(
            self.located, "the index does not list the record here; `recio index` lists all records", offset=offset
        )

    def survey(self, survey: Survey, *, renumbered: bool) -> None:
        """Add a summary of the headers of all records to that of the files before it."""
        flags, ids, sizes, labels, are_usual = self.reader.headers(self.index, self.keys)
        widths, has_image = np.maximum(flags, 1), sizes > 0
        keys = survey.rows + np.arange(has_image.sum(), dtype=np.uint64) if renumbered else self.keys[has_image]
        survey.rows += len(keys)
        survey.has_ids |= bool((ids[has_image] != keys).any())
        survey.has_rest |= not (are_usual[has_image].all() and (renumbered or has_image.all()))
        survey.add_labels(labels[np.repeat(has_image, widths)], is_single=bool((widths[has_image] == 1).all()))


class RecordSource(Source):
    """Record files as a source of rows. Keys are kept if they are unique in all files, as by `recio.files.merge`.

    Parameters
    ----------
    paths : sequence of str or RemotePath
        Record files, manifests, patterns or folders.
    options : ReadOptions
        Of these, `renumber` and `classes`.
    storage : Storage
        With what the files are opened.
    """

    def __init__(self, paths: Sequence[Located], options: ReadOptions, storage: Storage) -> None:
        recs, indexes = record_files(paths, None, "src", storage)
        shared = len(recs) > MAX_OPEN
        self._files = [RecordFile(rec, idx, shared=shared) for rec, idx in zip_longest(recs, indexes)]
        self.files = [path for rec in map(LOCAL.path, recs) for path in (rec, rec.with_suffix(".idx"))]
        self._paths, self._names = paths, options.classes
        self.total = sum(len(file.keys) for file in self._files)
        keys = np.concatenate([file.keys for file in self._files])
        self.renumbered = options.renumber or len(np.unique(keys)) < len(keys)

    def classes(self) -> list[str] | None:
        """Return the names in the manifest or beside the files."""
        if self._names is not None:
            return self._names
        manifests = [path for path in map(LOCAL.path, self._paths) if is_manifest(path)]
        if len(manifests) == len(self._paths) == 1:
            return load_manifest(manifests[0]).classes
        return _classes.read([file.located for file in self._files])

    def survey(self) -> Survey:
        """Summarize the headers; records of a store, which has no short reads, are read."""
        if any(isinstance(file.located, RemotePath) for file in self._files):
            return super().survey()
        survey = Survey()
        for file in self._files:
            file.survey(survey, renumbered=self.renumbered)
        return survey

    def rows(self) -> Iterator[Row]:
        """Read the records that have an image; the others become the `rest` of these, if keys are kept."""
        self.without_image, images = 0, 0
        held: tuple[Row, Rest] | None = None
        others: list[tuple[int, bytes]] = []
        for key, record in self._records():
            end = header_length(record)
            if len(record) == end:
                self.without_image += 1
                others.append((key, record))
                continue
            if held is not None:
                yield self._row(*held)
            held = self._image(images if self.renumbered else key, record, end), self._rest(record[:end], others)
            images, others = images + 1, []
        if held is not None:
            row, rest = held
            yield self._row(row, rest._replace(after=tuple(others), images=images if self.without_image else None))

    @staticmethod
    def _image(key: int, record: bytes, end: int) -> Row:
        id_, labels = parse_header(record)
        return Row(key, id_, labels, record[end:])

    @staticmethod
    def _rest(header: bytes, others: list[tuple[int, bytes]]) -> Rest:
        return Rest(None if usual_header(*parse_header(header)) == header else header, tuple(others))

    def _row(self, row: Row, rest: Rest) -> Row:
        return row._replace(rest=(Rest(rest.header) if self.renumbered else rest).text())

    def _records(self) -> Iterator[tuple[int, bytes]]:
        for file in self._files:
            for number, key, offset, record in file.records():
                try:
                    parse_header(record)
                except _recio.RecordError as error:
                    raise damage(file.located, str(error), number, offset) from None
                yield key, record


class Records:
    """Records of rows, and those without an image that the rows bring back.

    Parameters
    ----------
    rows : iterable of Row
        The rows.
    renumber : bool
        Whether records without an image are left out: they refer to images by their keys.
    """

    def __init__(self, rows: Iterable[Row], *, renumber: bool) -> None:
        self._rows, self._renumber = rows, renumber
        self._images = 0
        self._stated: int | None = None
        self._has_others = False

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Iterate over keys and records.

        Raises
        ------
        ValueError
            If rows are missing that records without an image refer to.
        """
        for row in self._rows:
            self._images += 1
            rest = Rest() if row.rest is None or self._renumber else Rest.parse(row.rest)
            self._has_others |= bool(rest.before or rest.after)
            self._stated = self._stated if rest.images is None else rest.images
            yield from rest.before
            yield row.key, row.header() + row.image
            yield from rest.after
        if self._has_others and self._stated != self._images:
            raise ValueError(
                f"there are {self._images} images, not all that the records without an image refer to, such as the "
                "identity records of a face data set: --renumber (renumber=True) leaves these records out"
            )


def write(path: Path | RemotePath, records: Iterable[tuple[int, bytes]], *, checksum: bool) -> Shard:
    """Write a record file with its index: both complete, or neither.

    Raises
    ------
    ValueError
        If two records have the same key.
    OSError
        If it cannot be written.
    """
    output = _recio.RecordFileOutput(path, checksum)
    try:
        for key, record in records:
            _append(output, path, key, record)
        return Shard(path, *output.commit(), has_checksums=checksum)
    finally:
        output.discard()


def _append(output: _recio.RecordFileOutput, path: Path | RemotePath, key: int, record: bytes) -> None:
    try:
        output.append(key, record, _UNLIMITED)
    except ValueError as error:
        if "has a record with the key" not in str(error):
            raise
        raise ValueError(f"{path}: two images have the key {key}: {RENUMBER}") from None
