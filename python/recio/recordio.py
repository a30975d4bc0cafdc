"""Records one by one: ``mx.recordio``.

A RecordIO file (``.rec``) is a sequence of records, each any bytes up to 2**29 - 1; an index file (``.idx``)
gives their offsets by key. An image record begins with a header (`IRHeader`) that holds its labels and its id.
"""

from __future__ import annotations

import os
import struct
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

import numpy as np

from recio import _recio
from recio._buffer import BytesLike, as_bytes
from recio.image import imencode

if TYPE_CHECKING:
    from types import TracebackType

    from numpy.typing import NDArray

StrPath: TypeAlias = "str | os.PathLike[str]"

__all__ = [
    "IRHeader",
    "IndexedRecordIO",
    "MXIndexedRecordIO",
    "MXRecordIO",
    "RecordIO",
    "pack",
    "pack_img",
    "rec2idx",
    "unpack",
    "unpack_img",
]


_NATIVE_KEYS = range(1 << 64)
"""The integers that the native index can hold."""


class MXRecordIO:
    """A ``.rec`` file, read or written one record after another.

    May be used by several threads at once: each record goes to one of them. A reader may be pickled (the copy opens
    the file anew, at its beginning) and used in a forked process.

    Parameters
    ----------
    uri : path
        The file.
    flag : {'r', 'w'}
        Read, or write; writing begins by emptying the file.

    Raises
    ------
    ValueError
        If `flag` is neither.
    FileNotFoundError
        If there is no such file to read.

    Examples
    --------
    >>> with MXRecordIO("data.rec", "w") as record:  # doctest: +SKIP
    ...     for i in range(5):
    ...         record.write(b"record_%d" % i)
    >>> with MXRecordIO("data.rec", "r") as record:  # doctest: +SKIP
    ...     print(len(record), record.read())
    5 b'record_0'
    """

    def __init__(self, uri: StrPath, flag: Literal["r", "w"]) -> None:
        if flag not in ("r", "w"):
            raise ValueError(f"Invalid flag {flag!r}; it is 'r' to read or 'w' to write")
        self.uri = os.fspath(uri)
        self.flag = flag
        self.writable = flag == "w"
        self._reader: _recio.Reader | None = None
        self._writer: _recio.Writer | None = None
        self._written = 0
        self.pid = os.getpid()
        self.open()

    def open(self) -> None:
        """Open the file: at its beginning to read it, emptied to write it.

        Raises
        ------
        RuntimeError
            If it is a writer that belongs to the process which this one was forked from, and may still be writing.
        """
        if self.writable and self.pid != os.getpid():
            raise RuntimeError(f"the writer of {self.uri} belongs to process {self.pid}; open one of its own here")
        if self.writable:
            self._writer, self._written = _recio.Writer(self.uri), 0
        else:
            self._reader = _recio.Reader(self.uri)

    @property
    def is_open(self) -> bool:
        """Whether the file is open."""
        return self._reader is not None or self._writer is not None

    def close(self) -> None:
        """Close the file; what was written is in it then. A second call does nothing.

        Raises
        ------
        OSError
            If the last bytes cannot be written.
        """
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()

    def reset(self) -> None:
        """Close and open again: a reader goes back to the first record, **a writer empties the file**."""
        self.close()
        self.open()

    def read(self) -> bytes | None:
        """Read the next record.

        Returns
        -------
        bytes or None
            The record; ``None`` at the end of the file.

        Raises
        ------
        recio.RecordError
            If the file is damaged here. The reader stays where it is.
        """
        return self._to_read().read()

    def write(self, buf: BytesLike) -> None:
        """Append a record.

        Parameters
        ----------
        buf : bytes-like
            The record, of at most 2**29 - 1 bytes.

        Raises
        ------
        recio.RecordError
            If it is longer; then nothing is written.
        """
        self._append(buf)

    def _append(self, buf: BytesLike) -> int:
        offset = self._to_write().write(as_bytes(buf))
        self._written += 1
        return offset

    def tell(self) -> int:
        """Give the offset of the next record in the file, in bytes."""
        return self._to_write().tell() if self.writable else self._to_read().tell()

    def __len__(self) -> int:
        """Count the records: of a reader, those in the file; of a writer, those written."""
        return self._written if self.writable else self._to_read().count()

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over all records, from the first, wherever `read` may be."""
        self._to_read()
        reader = _recio.Reader(self.uri)
        while (record := reader.read()) is not None:
            yield record

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self.close()

    def __del__(self) -> None:
        """Close the file, if nobody has."""
        if getattr(self, "_writer", None) is not None:
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Give what is needed to open the file again elsewhere. The file stays open here."""
        if self.writable:
            raise TypeError(f"cannot pickle a writer of {self.uri}: its copy would empty the file")
        return {**self.__dict__, "_reader": self.is_open}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file again, at its beginning, if it was open."""
        self.__dict__.update(state, _reader=None)
        if state["_reader"]:
            self.open()

    def __repr__(self) -> str:
        """Show the file and whether it is open."""
        state = "" if self.is_open else ", closed"
        return f"<{type(self).__name__} {self.uri!r} {self.flag!r}{state}>"

    def _to_read(self) -> _recio.Reader:
        if self._reader is None:
            raise self._refusal("reading")
        return self._reader

    def _to_write(self) -> _recio.Writer:
        if self._writer is None:
            raise self._refusal("writing")
        return self._writer

    def _refusal(self, purpose: str) -> ValueError:
        return ValueError(f"{self.uri} is {f'not open for {purpose}' if self.is_open else 'closed'}")


class MXIndexedRecordIO(MXRecordIO):
    """A ``.rec`` file with an index (``.idx``), read by key in any order.

    Parameters
    ----------
    idx_path : path
        The index file.
    uri : path
        The record file.
    flag : {'r', 'w'}
        Read, or write both files anew.
    key_type : type, default int
        What keys are. Integers, from 0 to 2**64 - 1, are held natively, 16 bytes a record; any other type in a
        dictionary.

    Attributes
    ----------
    keys : list
        All keys, in the order of the records in the file.
    idx : Mapping
        From key to offset in bytes.

    Raises
    ------
    recio.RecordError
        If the index is damaged: a key or an offset that is not a whole number or stands twice, or an offset past the
        end of `uri`. The message names the line.

    Examples
    --------
    >>> with MXIndexedRecordIO("data.idx", "data.rec", "w") as record:  # doctest: +SKIP
    ...     for i in range(5):
    ...         record.write_idx(i, b"record_%d" % i)
    >>> MXIndexedRecordIO("data.idx", "data.rec", "r").read_idx(3)  # doctest: +SKIP
    b'record_3'
    """

    def __init__(
        self,
        idx_path: StrPath,
        uri: StrPath,
        flag: Literal["r", "w"],
        key_type: Callable[[Any], Any] = int,
    ) -> None:
        self.idx_path = os.fspath(idx_path)
        self.key_type = key_type
        self._index: _recio.Index | None = None
        self._offsets: dict[Any, int] = {}
        super().__init__(uri, flag)

    def open(self) -> None:
        """Open both files."""
        super().open()
        self._offsets = {}
        if self.writable:
            # A line at a time: nothing is left in a buffer that a forked process would write again.
            self._idx_file = Path(self.idx_path).open("w", buffering=1, encoding="utf-8")  # noqa: SIM115 closed by close()
        elif self.key_type is int:
            self._index = _recio.Index(self.idx_path, self._to_read().size)
        else:
            self._offsets = _read_index(self.idx_path, self.key_type, self._to_read().size)

    def close(self) -> None:
        """Close both files; what was written is in them then. A second call does nothing."""
        was_writing = self._writer is not None
        super().close()
        if was_writing:
            self._idx_file.close()

    @property
    def idx(self) -> Mapping[Any, int]:
        """From key to offset in bytes."""
        return self._offsets if self._index is None else _Offsets(self._index)

    @property
    def keys(self) -> list[Any]:
        """All keys, in the order of the records in the file."""
        return list(self.idx)

    def seek(self, idx: Any) -> None:  # noqa: ANN401 what key_type takes
        """Move to a record: the next `read` gives it.

        Parameters
        ----------
        idx : key_type
            The record's key.

        Raises
        ------
        KeyError
            If no record has it.
        """
        self._to_read().seek(self.idx[self.key_type(idx)])

    def read_idx(self, idx: Any) -> bytes:  # noqa: ANN401 what key_type takes
        """Read a record by its key; `read` goes on with the one after it.

        Parameters
        ----------
        idx : key_type
            The record's key.

        Returns
        -------
        bytes
            The record.

        Raises
        ------
        KeyError
            If no record has this key.
        recio.RecordError
            If the record is damaged.
        """
        key, reader = self.key_type(idx), self._to_read()
        if self._index is not None and key in _NATIVE_KEYS:
            return reader.read_key(self._index, key)
        return reader.read_at(self.idx[key])

    def write_idx(self, idx: Any, buf: BytesLike) -> None:  # noqa: ANN401 what key_type takes
        """Append a record under a key.

        Parameters
        ----------
        idx : key_type
            The record's key.
        buf : bytes-like
            The record.

        Raises
        ------
        ValueError
            If the key was used before, or is an integer that is not from 0 to 2**64 - 1.
        """
        key = self.key_type(idx)
        if key in self._offsets:
            raise ValueError(f"{self.idx_path}: the key {key} was used before")
        if not {"\t", "\n", "\r"}.isdisjoint(str(key)):
            raise ValueError(f"{self.idx_path}: the key {key!r} has a tab or a line break, which ends a key")
        if isinstance(key, int) and key not in _NATIVE_KEYS:
            raise ValueError(f"{self.idx_path}: the key {key} is not from 0 to 2^64-1")
        offset = self._append(buf)
        self._offsets[key] = offset
        self._idx_file.write(f"{key}\t{offset}\n")

    def __len__(self) -> int:
        """Count the records that the index lists."""
        return len(self.idx)

    def __getstate__(self) -> dict[str, Any]:
        """Give what is needed to open the files again elsewhere."""
        return {**super().__getstate__(), "_index": None, "_offsets": {}}


class _Offsets(Mapping[int, int]):
    """The native index as a mapping."""

    def __init__(self, index: _recio.Index) -> None:
        self._index = index

    def __getitem__(self, key: int) -> int:
        if key not in _NATIVE_KEYS:
            raise KeyError(f"no record has the key {key}")
        return self._index.offset(int(key))

    def __iter__(self) -> Iterator[int]:
        return iter(self._index.keys().tolist())

    def __len__(self) -> int:
        return len(self._index)


def _read_index(path: str, key_type: Callable[[Any], Any], rec_len: int) -> dict[Any, int]:
    """Read an index whose keys are not integers, as strictly as the native one reads others."""
    keys: dict[int, Any] = {}
    offsets: dict[Any, int] = {}
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.isspace():
                continue
            try:
                key, offset = _parse_line(line, key_type, rec_len)
                _add(keys, offset, key)
                _add(offsets, key, offset)
            except ValueError as error:
                damage = _recio.RecordError(f"{path}: line {number}: {error}")
                damage.path = path
                raise damage from None
    return offsets


def _parse_line(line: bytes, key_type: Callable[[Any], Any], rec_len: int) -> tuple[Any, int]:
    # Keys may hold spaces, so only a tab ends them.
    name, _, rest = line.decode().strip().partition("\t")
    key, offset = key_type(name), int(rest.split("\t")[0])
    if offset % 4 or not 0 <= offset < rec_len:
        raise ValueError(f"no record begins at the offset {offset} of a .rec file of {rec_len} bytes")
    return key, offset


def _add(mapping: dict[Any, Any], new: Any, value: Any) -> None:  # noqa: ANN401 keys are of any type
    if new in mapping:
        raise ValueError(f"{new} stands twice: with {mapping[new]} and with {value}")
    mapping[new] = value


RecordIO = MXRecordIO
IndexedRecordIO = MXIndexedRecordIO

IRHeader = namedtuple("HEADER", ["flag", "label", "id", "id2"])  # type: ignore[name-match]  # noqa: PYI024 MXNet's name
"""The header of an image record.

Parameters
----------
flag : int
    Not used when packing. Of an unpacked record, the number of labels if there is more than one, else 0.
label : float or array-like of float
    One label or several; float32 in the file.
id : int
    The record's id, from 0 to 2**64 - 1.
id2 : int
    A second id; 0 by convention.
"""

_IR_FORMAT = "<IfQQ"
_IR_SIZE = struct.calcsize(_IR_FORMAT)


def pack(header: tuple[int, Any, int, int], s: BytesLike) -> bytes:
    """Put a header before a payload.

    Parameters
    ----------
    header : IRHeader
        Its labels, and its ids. With several labels its flag becomes their number, with one 0.
    s : bytes-like
        The payload, such as an image file's bytes.

    Returns
    -------
    bytes
        A record.

    Raises
    ------
    struct.error
        If an id is not from 0 to 2**64 - 1.

    Examples
    --------
    >>> pack(IRHeader(0, 4.0, 2574, 0), b"xyz").hex()
    '00000000000080400e0a000000000000000000000000000078797a'
    """
    _, label, id_, id2 = header
    if isinstance(label, Number):
        fixed, labels = struct.pack(_IR_FORMAT, 0, label, id_, id2), b""
    else:
        many = np.asarray(label, dtype="<f4")
        fixed, labels = struct.pack(_IR_FORMAT, many.size, 0, id_, id2), many.tobytes()
    return b"".join((fixed, labels, as_bytes(s)))


def unpack(s: BytesLike) -> tuple[IRHeader, bytes]:
    """Take a record apart.

    Parameters
    ----------
    s : bytes-like
        A record made by `pack`.

    Returns
    -------
    header : IRHeader
        Its label is a float, or, if flag is not 0, an ndarray, shape (flag,), float32, read-only.
    s : bytes
        The payload.

    Raises
    ------
    struct.error
        If the record is too short for a header.
    ValueError
        If it is too short for its labels.

    Examples
    --------
    >>> unpack(pack(IRHeader(0, [1, 2], 7, 0), b"xyz"))
    (HEADER(flag=2, label=array([1., 2.], dtype=float32), id=7, id2=0), b'xyz')
    """
    s = as_bytes(s)
    header = IRHeader(*struct.unpack_from(_IR_FORMAT, s))
    end = _IR_SIZE + 4 * header.flag
    if header.flag > 0:
        if end > len(s):
            raise ValueError(f"the header claims {header.flag} labels, but {len(s) - _IR_SIZE} bytes follow it")
        header = header._replace(label=np.frombuffer(s, "<f4", header.flag, _IR_SIZE))
    return header, s[end:]


def pack_img(
    header: tuple[int, Any, int, int],
    img: NDArray[np.uint8],
    quality: int = 95,
    img_fmt: str = ".jpg",
) -> bytes:
    """Encode an image and put a header before it.

    **The image is in BGR order**, as OpenCV has it and MXNet did. For an image in RGB (as `recio.image` and the
    iterators give them), turn the channels round: ``pack_img(header, img[..., ::-1])``.

    Parameters
    ----------
    header : IRHeader
        As for `pack`.
    img : ndarray, shape (height, width) or (height, width, channels), uint8
        Grey, **BGR** or (PNG only) BGRA levels.
    quality : int, default 95
        Of a JPEG, 1 to 100; of a PNG, the compression level, 0 to 9 (more counts as 9).
    img_fmt : {'.jpg', '.jpeg', '.png'}
        The format, in upper or lower case.

    Returns
    -------
    bytes
        A record.
    """
    return pack(header, imencode(_swap(img), img_fmt, quality))


def unpack_img(s: BytesLike, iscolor: int = -1) -> tuple[IRHeader, NDArray[np.uint8] | NDArray[np.uint16]]:
    """Take a record apart and decode its image.

    **The image is in BGR order**, as OpenCV has it and MXNet did: ``img[..., ::-1]`` is RGB.

    Parameters
    ----------
    s : bytes-like
        A record made by `pack_img`.
    iscolor : {-1, 0, 1}
        -1: as stored (grey has two axes, alpha and 16 bits are kept, EXIF orientation is not applied). 0: grey, two
        axes. 1: three channels. With 0 and 1, EXIF orientation is applied.

    Returns
    -------
    header : IRHeader
        As of `unpack`.
    img : ndarray, shape (height, width) or (height, width, channels), uint8 or uint16
        Grey, **BGR** or **BGRA** levels.

    Raises
    ------
    recio.DecodeError
        If the payload is not an image. (MXNet gave ``None`` for the image.)
    """
    header, payload = unpack(s)
    if iscolor == -1:
        img = _recio.decode_unchanged(payload)
    elif iscolor in (0, 1):
        img = _recio.decode(payload, iscolor == 0)
    else:
        raise ValueError(f"iscolor={iscolor}; it is -1 (as stored), 0 (grey) or 1 (colour)")
    return header, img[..., 0] if img.shape[2] == 1 else _swap(img)


def _swap(img: NDArray[Any]) -> NDArray[Any]:
    """RGB to BGR or back; alpha stays last."""
    channels = img.shape[2] if img.ndim == 3 else 1  # noqa: PLR2004
    return np.ascontiguousarray(img[..., [2, 1, 0, 3][:channels]]) if channels in (3, 4) else img


def rec2idx(rec_path: StrPath, idx_path: StrPath) -> Literal["ids", "ordinals"]:
    """Rebuild the index of a record file.

    Parameters
    ----------
    rec_path : path
        The record file.
    idx_path : path
        The index file, which is written whole or not at all.

    Returns
    -------
    {'ids', 'ordinals'}
        What the keys are: the ids in the records' headers, if they all have one and all differ; else 0, 1, 2 …

    Raises
    ------
    recio.RecordError
        If the record file is damaged; then nothing is written.
    """
    by_id = _recio.rebuild_index(os.fspath(rec_path), os.fspath(idx_path))
    return "ids" if by_id else "ordinals"
