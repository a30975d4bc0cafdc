"""WebDataset: tar files in which the files of a sample have one name, and the suffix is their field."""

from __future__ import annotations

import json
import re
import tarfile
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from recio._util import open_regular
from recio.convert._labels import number_in
from recio.convert._row import Row, damage, file_name, is_uint64
from recio.convert._source import FileSource, label_reader
from recio.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from recio.convert._source import ReadOptions
    from recio.convert._survey import Survey

IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "ppm", "pgm", "bin")
_NAME = re.compile(r"((?:.*/|)[^.]+)[.]([^/]*)")
"""As WebDataset splits names: what precedes the first dot of the last component, and the rest."""
_IS_META = re.compile(r"__[^/]*__($|/)")
"""Members that WebDataset ignores."""
_END = bytes(2 * tarfile.BLOCKSIZE)


def write(file: IO[bytes], rows: Iterable[Row], survey: Survey, classes: Sequence[str] | None) -> None:
    """Write rows as a tar file.

    The label is ``.cls`` if all rows have one integer, else in the ``.json``, with what is not usual.
    """
    del classes  # in a file of their own
    for row in rows:
        name = file_name(row)
        stem = name.partition(".")[0]
        _add(file, name, row.image)
        fields: dict[str, Any] = {} if survey.is_whole else {"label": _json_label(row, survey)}
        if survey.is_whole:
            _add(file, f"{stem}.cls", b"%d" % int(row.labels[0]))
        fields |= {"id": row.id} if survey.has_ids else {}
        fields |= {} if row.rest is None else {"recio": row.rest}
        if fields or survey.has_rest:
            _add(file, f"{stem}.json", json.dumps(fields).encode())
    file.write(_END)
    file.write(bytes(-file.tell() % tarfile.RECORDSIZE))


def _json_label(row: Row, survey: Survey) -> float | list[float]:
    labels: list[float] = row.labels.tolist()
    return labels[0] if survey.is_single else labels


def _add(file: IO[bytes], name: str, content: bytes) -> None:
    """Append a member: without time, owner and other differences between runs."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    file.write(member.tobuf(tarfile.USTAR_FORMAT))
    file.write(content)
    file.write(bytes(-len(content) % tarfile.BLOCKSIZE))


class TarSource(FileSource):
    """Tar files of WebDataset as a source of rows."""

    def __init__(self, files: Sequence[Path], options: ReadOptions, names: list[str] | None) -> None:
        super().__init__(files, options, names)
        self._labels = label_reader(options, names)

    def rows(self) -> Iterator[Row]:
        """Read all samples."""
        numbering = self._options.numbering()
        for path in self._paths:
            with open_regular(path) as file:
                for number, sample in enumerate(_samples(path, file)):
                    try:
                        key = numbering.key(sample.key)
                        yield self._row(key, sample)
                    except (ValueError, RecursionError) as error:
                        raise damage(path, f"sample {sample.key!r:.100}: {error}", number, sample.offset) from None

    def _row(self, key: int, sample: Sample) -> Row:
        image = sample.read(self._image_field(sample))
        fields = _json(sample)
        id_, rest = fields.get("id"), fields.get("recio")
        return Row(
            key,
            id_ if is_uint64(id_) else key,
            self._label(sample, fields),
            image,
            rest if isinstance(rest, str) else None,
        )

    def _image_field(self, sample: Sample) -> str:
        """Return the field of the image: that of the caller, or the only one whose suffix is that of an image."""
        fields = [self._options.image] if self._options.image else []
        fields = fields or [field for field in sample.members if field.rpartition(".")[2] in IMAGES]
        if len(fields) == 1 and fields[0] in sample.members:
            return fields[0]
        raise ValueError(f"{sample.listed()}: {_which(fields, 'image')}")

    def _label(self, sample: Sample, fields: dict[str, Any]) -> NDArray[np.float32]:
        """Return the label: of a field with the caller's name, else of ``cls``, ``json`` or ``txt``."""
        name = self._options.label
        if name is None:
            name = next((name for name in ("cls", "label", "txt") if name in sample.members or name in fields), None)
        if name is not None and name in sample.members:
            text = sample.read(name).decode()
            # A `.cls` is always a number; other text may be the name of a class.
            return self._labels.read(number_in(text) if name == "cls" else text)
        if name is not None and name in fields:
            return self._labels.read(fields[name])
        raise ValueError(f"{sample.listed()}: it has no label; --label-column (label_column=) names its field")


def _which(fields: Sequence[str], noun: str) -> str:
    option = f"--{noun}-column ({noun}_column=)"
    if len(fields) > 1:
        return f"the sample has several {noun}s; {option} names the field of the one to take"
    return f"the sample has no {noun} {fields[0]!r}" if fields else f"the sample has no {noun}"


class Sample:
    """Consecutive members whose names are equal up to their first dot.

    Parameters
    ----------
    key : str
        The equal part of the names.
    offset : int
        Where the first member begins in the file.
    file : file
        The tar file.
    """

    def __init__(self, key: str, offset: int, file: BinaryIO) -> None:
        self.key, self.offset, self._file = key, offset, file
        self.members: dict[str, tarfile.TarInfo] = {}

    def read(self, field: str) -> bytes:
        """Return the bytes of a field."""
        member = self.members[field]
        self._file.seek(member.offset_data)
        content = self._file.read(member.size)
        if len(content) != member.size:
            raise ValueError(f"the field {field!r} ends after {len(content)} of {member.size} bytes")
        return content

    def listed(self) -> str:
        """Return the fields, for messages."""
        return f"fields {', '.join(map(repr, self.members))}"


def _json(sample: Sample) -> dict[str, Any]:
    if "json" not in sample.members:
        return {}
    try:
        fields = json.loads(sample.read("json"))
    except ValueError as error:
        raise ValueError(f"the field 'json' must be JSON: {error}") from None
    return fields if isinstance(fields, dict) else {"label": fields}


def _samples(path: Path, file: BinaryIO) -> Iterator[Sample]:
    """Read the names of the members, and group them as WebDataset does."""
    sample: Sample | None = None
    for member in _members(path, file):
        name = None if _IS_META.match(member.name) or not member.isreg() else _NAME.fullmatch(member.name)
        if name is None:
            continue
        if sample is None or sample.key != name[1]:
            if sample is not None:
                yield sample
            sample = Sample(name[1], member.offset, file)
        field = name[2].lower()
        if field in sample.members:
            raise damage(path, f"the sample {sample.key!r:.100} has two fields {field!r:.30}", offset=member.offset)
        sample.members[field] = member
    if sample is not None:
        yield sample


def _members(path: Path, file: BinaryIO) -> Iterator[tarfile.TarInfo]:
    """Read the headers of all members.

    Raises
    ------
    RecordError
        If one is damaged, or the file ends before the mark of its end, where `tarfile` would just stop.
    """
    size = file.seek(0, 2)
    file.seek(0)
    offset = 0
    try:
        archive = tarfile.open(fileobj=file, mode="r:")  # noqa: SIM115 the caller closes the file
        while (member := archive.next()) is not None:
            offset = archive.offset
            if member.issparse() or member.offset_data + member.size > size:
                reason = "a sparse file" if member.issparse() else f"{member.size} bytes, and the file ends before"
                raise damage(path, f"the member {member.name!r:.100} is {reason}", offset=member.offset)
            # All members ever read would stay in memory.
            archive.members = []  # type: ignore[attr-defined] # as WebDataset does
            yield member
    except RecordError:
        raise
    except (tarfile.TarError, ValueError, OverflowError, MemoryError) as error:
        raise damage(path, f"{_advice(file)}: {error}", offset=offset) from None
    file.seek(archive.offset)
    if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise damage(path, "the tar file is truncated or damaged here: no member, and no end", offset=archive.offset)
    while rest := file.read(1 << 20):
        if rest.strip(b"\0"):
            raise damage(path, "after the end of the tar file there are more bytes", offset=archive.offset)


def _advice(file: BinaryIO) -> str:
    file.seek(0)
    is_gzip = file.read(2) == b"\x1f\x8b"
    return "the file is compressed; decompress it first (gunzip)" if is_gzip else "this is no sound tar file"
