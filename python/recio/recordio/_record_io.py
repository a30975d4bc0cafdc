"""Record files, read or written one record after another, or by key."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from recio import _recio
from recio._util import BytesLike, Closeable, as_bytes
from recio.recordio._index import NATIVE_KEYS, Grown, Offsets, read_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from recio._util import StrPath


class MXRecordIO(Closeable):
    """A ``.rec`` file, read or written one record after another.

    May be used by several threads at once: each record goes to one of them. A reader may be pickled (the copy opens
    the file anew, at its beginning) and used in a forked process.

    What was written is in the file and on the disk once `close` has returned; a process that dies before leaves a
    beginning of it, perhaps with a part of a record at its end. Until then no second writer may open the file.

    Parameters
    ----------
    uri : path
        The file.
    flag : {'r', 'w'}
        Read, or write; writing begins by emptying the file, and by removing the checksums (``.rsum``) of the old one.

    Raises
    ------
    ValueError
        If `flag` is neither.
    FileNotFoundError
        If there is no such file to read.
    OSError
        If another writer has the file open.

    Examples
    --------
    >>> with MXRecordIO("data.rec", "w") as record:  # doctest: +SKIP
    ...     for i in range(5):
    ...         record.write(b"record_%d" % i)
    >>> with MXRecordIO("data.rec", "r") as record:  # doctest: +SKIP
    ...     print(len(record), record.read())
    5 b'record_0'
    """

    _FLAGS: ClassVar[dict[str, str]] = {"r": "to read", "w": "to write"}

    def __init__(self, uri: StrPath, flag: Literal["r", "w"]) -> None:
        if flag not in self._FLAGS:
            known = " or ".join(f"{name!r} {purpose}" for name, purpose in self._FLAGS.items())
            raise ValueError(f"Invalid flag {flag!r}; it is {known}")
        self.uri = os.fspath(uri)
        self.flag: str = flag
        self.writable = flag != "r"
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
            self._writer, self._written = self._open_writer(), 0
        else:
            self._reader = _recio.Reader(self.uri)

    def _open_writer(self) -> _recio.Writer:
        return _recio.Writer(self.uri)

    @property
    def is_open(self) -> bool:
        """Whether the file is open."""
        return self._reader is not None or self._writer is not None

    def close(self) -> None:
        """Close the file; what was written is in it, and on the disk, then. A second call does nothing.

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

    def _append(self, buf: BytesLike, key: str | None = None) -> int:
        offset = self._to_write().write(as_bytes(buf), key)
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
        offset = 0
        while (found := self._to_read().read_from(offset)) is not None:
            record, offset = found
            yield record

    def __bool__(self) -> bool:
        """Be true, with or without records."""
        return True

    def __del__(self) -> None:
        """Close the file, if nobody has."""
        if getattr(self, "_writer", None) is not None:
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Give what is needed to open the file again elsewhere. The file stays open here."""
        if self.writable:
            raise TypeError(f"cannot pickle a writer of {self.uri}: its copy would write the same file")
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
    flag : {'r', 'w', 'a'}
        Read, write both files anew, or append to them. Appending begins by making certain that the files end as
        they should: that the last record of the index is whole and nothing stands behind it. If neither file is
        there, both are made.
    key_type : type, default int
        What keys are. Integers, from 0 to 2**64 - 1, are held natively, 16 bytes a record; any other type in a
        dictionary.
    checksum : bool, default False
        Whether to write a ``.rsum`` beside the record file: a checksum of each record, by which readers find damage
        that the format itself does not show. One that is there already is continued in any case when appending;
        where there is none, appending with ``checksum=True`` reads the whole file once.

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
        end of `uri`. The message names the line. When appending, also if the files do not end as they should; the
        message names the command that helps.

    Notes
    -----
    A line of the index is written after its record, so the index never lists what the record file does not have. A
    process that dies may leave records behind the last that is listed, or a part of one. Reading by key does not meet
    them; appending refuses such a file, ``recio index`` lists whole records, and ``recio repair`` saves them from a
    file that ends in a part of one. A ``.rsum`` is written when the file is closed, so such a file has none.

    Examples
    --------
    >>> with MXIndexedRecordIO("data.idx", "data.rec", "w") as record:  # doctest: +SKIP
    ...     for i in range(5):
    ...         record.write_idx(i, b"record_%d" % i)
    >>> MXIndexedRecordIO("data.idx", "data.rec", "r").read_idx(3)  # doctest: +SKIP
    b'record_3'
    """

    _FLAGS: ClassVar[dict[str, str]] = {"r": "to read", "w": "to write", "a": "to append"}

    def __init__(
        self,
        idx_path: StrPath,
        uri: StrPath,
        flag: Literal["r", "w", "a"],
        key_type: Callable[[Any], Any] = int,
        *,
        checksum: bool = False,
    ) -> None:
        if checksum and flag == "r":
            raise ValueError("checksum=True is to write; a reader uses the checksums that are there")
        self.idx_path = os.fspath(idx_path)
        self.key_type = key_type
        self.checksum = checksum
        self._index: _recio.Index | None = None
        self._offsets: dict[Any, int] = {}
        super().__init__(uri, flag)  # type: ignore[arg-type] # 'a' is one of this class's own

    def open(self) -> None:
        """Open both files."""
        self._index, self._offsets = None, {}
        super().open()
        if self.writable:
            # Of several threads that write the same key, one may.
            self._turn = threading.Lock()
        else:
            self._load_index(self._to_read().size)

    def _open_writer(self) -> _recio.Writer:
        there = [Path(path).exists() for path in (self.uri, self.idx_path)]
        if self.flag == "w" or not any(there):
            return _recio.Writer(self.uri, self.idx_path, self.checksum)
        last = self._last_listed()
        return _recio.Writer.append(self.uri, self.idx_path, last, self.checksum)

    def _last_listed(self) -> int | None:
        """Load the index of the file that is to be appended to, and give the offset of the last record in it."""
        try:
            self._load_index(Path(self.uri).stat().st_size)
        except FileNotFoundError as error:
            if error.filename == self.idx_path:
                error.strerror = f"{error.strerror}; `recio index` makes it from the .rec"
            raise
        except _recio.RecordError as damage:
            advice = "`recio verify` tells what is damaged, `recio index` writes the index anew"
            advised = _recio.RecordError(f"{damage}; {advice}")
            advised.path = damage.path
            raise advised from None
        return max(self._offsets.values(), default=None) if self._index is None else self._index.last

    def _load_index(self, rec_len: int) -> None:
        if self.key_type is int:
            self._index = _recio.Index(self.idx_path, rec_len)
        else:
            self._offsets = read_index(self.idx_path, self.key_type, rec_len)

    @property
    def idx(self) -> Mapping[Any, int]:
        """From key to offset in bytes."""
        if self._index is None:
            return self._offsets
        before = Offsets(self._index)
        return Grown(before, self._offsets) if self.writable else before

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
        if self._index is not None and key in NATIVE_KEYS:
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
        if not {"\t", "\n", "\r"}.isdisjoint(str(key)):
            raise ValueError(f"{self.idx_path}: the key {key!r} has a tab or a line break, which ends a key")
        if isinstance(key, int) and key not in NATIVE_KEYS:
            raise ValueError(f"{self.idx_path}: the key {key} is not from 0 to 2^64-1")
        self._to_write()
        with self._turn:
            if key in self.idx:
                raise ValueError(f"{self.idx_path}: the key {key} was used before")
            self._offsets[key] = self._append(buf, str(key))

    def __len__(self) -> int:
        """Count the records that the index lists."""
        return len(self.idx)

    def __getstate__(self) -> dict[str, Any]:
        """Give what is needed to open the files again elsewhere."""
        return {**super().__getstate__(), "_index": None, "_offsets": {}}
