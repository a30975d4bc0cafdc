"""Readers and writers of record files: sequential, and by key."""

from __future__ import annotations

import io
import os
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TextIO

from recio import _recio
from recio._recio import RemotePath
from recio._storage import open_bytes, storage
from recio._util import BytesLike, Closeable, as_bytes, printable
from recio.recordio._index import NATIVE_KEYS, AppendedIndex, NativeIndex, read_index
from recio.recordio._keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

    from recio._storage import AnyPath, Located, StorageOptions


class MXRecordIO(Closeable):
    """Sequential reader or writer of a ``.rec`` file.

    Several threads may use it at once: each record goes to one of them. A reader can be pickled (the copy opens the
    file again, at its start) and used in a forked process.

    Written records are in the file and on the disk when `close` returns. A process that is killed earlier leaves the
    first of them, possibly with an incomplete record at the end. Until `close`, no other process can open the file for
    writing. A second writer of the same process closes the first, as when a cell of a notebook runs again; writing with
    the first raises ValueError then.

    An object of a store appears when `close` returns, also when the writer is closed because it is dropped. It does not
    appear if a ``with`` block ends by an exception, or the process is killed.

    Parameters
    ----------
    uri : path
        The file.
    flag : {'r', 'w'}
        Read or write. Opening for writing empties the file, and removes its checksums (``.rsum``).
    storage_options : dict of str, optional
        Options for a URL, as for `recio.io.ImageRecordIter`.
    filesystem : obstore store or fsspec file system, optional
        File system that the file is in, as for `recio.io.ImageRecordIter`.

    Raises
    ------
    ValueError
        If `flag` is neither.
    FileNotFoundError
        If the file to read does not exist.
    OSError
        If another process has the file open for writing.

    Examples
    --------
    >>> with MXRecordIO("data.rec", "w") as record:  # doctest: +SKIP
    ...     for i in range(5):
    ...         record.write(b"record_%d" % i)
    >>> with MXRecordIO("data.rec", "r") as record:  # doctest: +SKIP
    ...     print(len(record), record.read())
    5 b'record_0'
    """

    _FLAGS: ClassVar[dict[str, str]] = {"r": "read", "w": "write"}

    def __init__(
        self,
        uri: AnyPath,
        flag: Literal["r", "w"],
        *,
        storage_options: StorageOptions = None,
        filesystem: object = None,
    ) -> None:
        if flag not in self._FLAGS:
            flags = " or ".join(f"{name!r} ({purpose})" for name, purpose in self._FLAGS.items())
            raise ValueError(f"flag must be {flags}, got {flag!r}")
        self._storage = storage(storage_options, filesystem)
        self._storage.locate(uri)  # raises for a URL that pathlib has changed
        self.uri = uri if isinstance(uri, RemotePath) else os.fspath(uri)
        self.flag: str = flag
        self.writable = flag != "r"
        self._reader: _recio.Reader | None = None
        self._writer: _recio.Writer | None = None
        self._written = 0
        self._is_superseded = False
        self.pid = os.getpid()
        self.open()

    def open(self) -> None:
        """Open the file: a reader at the first record, a writer after emptying the file.

        Raises
        ------
        RuntimeError
            If it is a writer in a forked process: the parent process may still be writing.
        """
        if self.writable and self.pid != os.getpid():
            raise RuntimeError(f"the writer of {self._located} belongs to process {self.pid}; open a new one here")
        if self.writable:
            located = self._located
            path = str(located) if isinstance(located, RemotePath) else os.path.realpath(located)
            _close_older(self, path)
            self._writer, self._written = self._open_writer(), 0
            _writers[path] = weakref.ref(self)
        else:
            self._reader = _recio.Reader(self._located)

    @property
    def _located(self) -> Located:
        """Where the file is. Its text has no credentials."""
        return self._storage.locate(self.uri)

    def _open_writer(self) -> _recio.Writer:
        return _recio.Writer(self._located)

    @property
    def handle(self) -> _recio.Reader | _recio.Writer | None:
        """The native reader or writer; ``None`` if the file is closed."""
        return self._writer if self.writable else self._reader

    @property
    def is_open(self) -> bool:
        """Whether the file is open."""
        return self._reader is not None or self._writer is not None

    def close(self) -> None:
        """Close the file, after bringing written records to the disk. A second call does nothing.

        Raises
        ------
        OSError
            If the last bytes cannot be written.
        """
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file. An object of a store does not appear if there is an exception."""
        if error is not None and self._writer is not None:
            self._writer.discard()
        self.close()

    def reset(self) -> None:
        """Close and reopen the file: a reader is at the first record again, **a writer empties the file**."""
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
            If the file is damaged at this position, which the reader keeps.
        """
        reader = self._reader
        if reader is None:
            raise self._not_open("reading")
        return reader.read()

    def write(self, buf: BytesLike) -> None:
        """Append a record.

        Parameters
        ----------
        buf : bytes-like
            The record, of at most 2**29 - 1 bytes.

        Raises
        ------
        recio.RecordError
            If the record is longer; then nothing is written.
        """
        self._append(buf)

    def _append(self, buf: BytesLike, key: str | None = None) -> int:
        offset = self._to_write().write(as_bytes(buf), key)
        self._written += 1
        return offset

    def tell(self) -> int:
        """Return the offset of the next record in the file, in bytes."""
        return self._to_write().tell() if self.writable else self._to_read().tell()

    def __len__(self) -> int:
        """Count the records in the file; for a writer, the records written."""
        return self._written if self.writable else self._to_read().count()

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over all records from the first, whatever the position of `read`."""
        offset = 0
        while (entry := self._to_read().read_from(offset)) is not None:
            record, offset = entry
            yield record

    def __bool__(self) -> bool:
        """Return true, even for a file without records."""
        return True

    def __del__(self) -> None:
        """Close a writer that is open. Its object does not appear, as more records may have been to come."""
        writer: _recio.Writer | None = getattr(self, "_writer", None)
        if writer is None:
            return
        if isinstance(self._located, RemotePath) and self.pid == os.getpid():
            warnings.warn(f"{self._located} was not written: its writer was not closed", RuntimeWarning, stacklevel=2)
            writer.discard()
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a reader for pickling; the file stays open."""
        if self.writable:
            raise TypeError(f"cannot pickle a writer of {self._located}: its copy would write the same file")
        return {**self.__dict__, "_reader": self.is_open}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Open the file again at its start, if it was open."""
        self.__dict__.update(state, _reader=None)
        if state["_reader"]:
            self.open()

    def __repr__(self) -> str:
        """Return the class, the file, the flag and whether the file is closed."""
        state = "" if self.is_open else ", closed"
        return f"<{type(self).__name__} {str(self._located)!r} {self.flag!r}{state}>"

    def _to_read(self) -> _recio.Reader:
        if self._reader is None:
            raise self._not_open("reading")
        return self._reader

    def _to_write(self) -> _recio.Writer:
        if self._writer is None:
            raise self._not_open("writing")
        return self._writer

    def _not_open(self, purpose: str) -> ValueError:
        state = f"not open for {purpose}" if self.is_open else "closed"
        reason = ": a newer writer of it was opened" if self._is_superseded else ""
        return ValueError(f"{printable(self._located)} is {state}{reason}")


_writers: dict[str, weakref.ref[MXRecordIO]] = {}
"""The writer of each file, by its path without links. Entries of writers that no longer exist are removed."""


def _close_older(writer: MXRecordIO, path: str) -> None:
    """Close an older writer of the same file, if this process has one. Forked processes share nothing of it."""
    for unused in [path for path, reference in _writers.items() if reference() is None]:
        _writers.pop(unused, None)
    reference = _writers.pop(path, None)
    older = None if reference is None else reference()
    if older is not None and older is not writer and older.is_open and older.pid == os.getpid():
        older.close()
        older._is_superseded = True  # noqa: SLF001 of the same class


class MXIndexedRecordIO(MXRecordIO):
    """Reader or writer of a ``.rec`` file with an index (``.idx``), by key in any order.

    Parameters
    ----------
    idx_path : path
        The index file.
    uri : path
        The record file.
    flag : {'r', 'w', 'a'}
        Read, write both files from scratch, or append to them. Opening for appending checks the ends of the files:
        the last record of the index must be complete, and nothing may follow it. If neither file exists, both are
        created.
    key_type : type, default int
        Type of the keys. Integers, from 0 to 2**64 - 1, are stored natively, in 16 bytes a record; keys of other types
        in a dictionary.
    checksum : bool, default False
        Whether to write a ``.rsum`` beside the record file: a checksum of each record, with which readers detect damage
        that the format itself does not reveal. When appending, an existing ``.rsum`` is always continued; without one,
        ``checksum=True`` reads the file once from start to end.
    storage_options, filesystem
        As for `MXRecordIO`, for both files.

    Attributes
    ----------
    keys : sequence
        All keys, in the order of the records in the file. It behaves like a list; of a reader, integers stay in an
        array.
    idx : Mapping
        From keys to offsets in bytes.

    Raises
    ------
    recio.RecordError
        If the index is damaged: a key or an offset that is not an integer or occurs twice, or an offset past the end of
        `uri`. The message names the line. When appending, also if the ends of the files do not match; the message names
        the command that fixes it.

    Notes
    -----
    A line of the index is written after its record, so the index never lists a record that the file lacks. A process
    that is killed may leave records after the last listed one, or an incomplete one. Reading by key ignores them, and
    appending refuses such a file. ``recio index`` lists complete records; ``recio repair`` copies them from a file that
    ends in an incomplete one. A ``.rsum`` is written when the file is closed, so such a file has none.

    Examples
    --------
    >>> with MXIndexedRecordIO("data.idx", "data.rec", "w") as record:  # doctest: +SKIP
    ...     for i in range(5):
    ...         record.write_idx(i, b"record_%d" % i)
    >>> MXIndexedRecordIO("data.idx", "data.rec", "r").read_idx(3)  # doctest: +SKIP
    b'record_3'
    """

    _FLAGS: ClassVar[dict[str, str]] = {"r": "read", "w": "write", "a": "append"}

    def __init__(
        self,
        idx_path: AnyPath,
        uri: AnyPath,
        flag: Literal["r", "w", "a"],
        key_type: Callable[[Any], Any] = int,
        *,
        checksum: bool = False,
        storage_options: StorageOptions = None,
        filesystem: object = None,
    ) -> None:
        if checksum and flag == "r":
            raise ValueError("checksum=True is to write; a reader uses existing checksums")
        self.idx_path = idx_path if isinstance(idx_path, RemotePath) else os.fspath(idx_path)
        self.key_type = key_type
        self.checksum = checksum
        self._index: _recio.Index | None = None
        self._offsets: dict[Any, int] = {}
        self._keys: Keys | None = None
        self._fidx: TextIO | None = None
        super().__init__(
            uri,
            flag,  # type: ignore[arg-type] # 'a' is a flag of this class only
            storage_options=storage_options,
            filesystem=filesystem,
        )

    def open(self) -> None:
        """Open both files."""
        self._index, self._offsets, self._keys = None, {}, None
        super().open()
        if self.writable:
            # Of several threads that write the same key, only the first succeeds.
            self._write_lock = threading.Lock()
        else:
            self._load_index(self._to_read())

    def _open_writer(self) -> _recio.Writer:
        rec, idx = self._located, self._located_index
        if self.flag == "w" or not (self._storage.path(rec).exists() or self._storage.path(idx).exists()):
            return _recio.Writer(rec, idx, self.checksum)
        last = self._load_last_offset()
        return _recio.Writer.append(rec, idx, last, self.checksum)

    def _load_last_offset(self) -> int | None:
        """Load the index for appending, and return the offset of the last record that it lists."""
        self._load_index(_recio.Reader(self._located))
        return max(self._offsets.values(), default=None) if self._index is None else self._index.last

    def _load_index(self, reader: _recio.Reader) -> None:
        if self.key_type is int:
            self._index = _recio.Index(self._located_index, reader)
        else:
            self._offsets = read_index(self._located_index, self.key_type, self._located, reader.size)

    @property
    def _located_index(self) -> Located:
        return self._storage.locate(self.idx_path)

    @property
    def idx(self) -> Mapping[Any, int]:
        """From keys to offsets in bytes."""
        if self._index is None:
            return self._offsets
        stored = NativeIndex(self._index)
        return AppendedIndex(stored, self._offsets) if self.writable else stored

    @property
    def keys(self) -> Keys:
        """All keys, in the order of the records in the file."""
        if self._keys is None:
            native = None if self._index is None else self._index.keys()
            self._keys = Keys(list(self._offsets) if native is None else native)
            if native is not None:
                self._keys.extend(self._offsets)
        return self._keys

    @property
    def fidx(self) -> TextIO:
        """The index as a text file, at its end, as MXNet's reader leaves it; of a reader only.

        Raises
        ------
        AttributeError
            If this is a writer: it writes the lines of the index itself.
        """
        if self.writable:
            raise AttributeError("a writer has no fidx: it writes the lines of the index itself")
        self._to_read()
        if self._fidx is None:
            self._fidx = io.TextIOWrapper(open_bytes(self._located_index), "utf-8", "replace")
            self._fidx.seek(0, os.SEEK_END)
        return self._fidx

    def close(self) -> None:
        """Close both files, after bringing written records to the disk. A second call does nothing.

        Raises
        ------
        OSError
            If the last bytes cannot be written.
        """
        fidx, self._fidx = self._fidx, None
        if fidx is not None:
            fidx.close()
        super().close()

    def seek(self, idx: Any) -> None:  # noqa: ANN401 what key_type takes
        """Move to a record: the next `read` returns it.

        Parameters
        ----------
        idx : key_type
            The record's key.

        Raises
        ------
        KeyError
            If no record has this key.
        """
        self._to_read().seek(self.idx[self.key_type(idx)])

    def read_idx(self, idx: Any) -> bytes:  # noqa: ANN401 what key_type takes
        """Read a record by its key; `read` continues with the one after it.

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
        key, index, reader = self.key_type(idx), self._index, self._reader
        if index is None or reader is None:
            return self._to_read().read_at(self.idx[key])
        try:
            return reader.read_key(index, key)
        except OverflowError:
            raise KeyError(f"no record has the key {key}") from None

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
        text = str(key)
        if isinstance(key, int):
            if key not in NATIVE_KEYS:
                raise ValueError(f"{self.idx_path}: the key {key} is not from 0 to 2^64-1")
        elif not {"\t", "\n", "\r"}.isdisjoint(text):
            raise ValueError(f"{self.idx_path}: the key {key!r} has a tab or a line break, which ends a key")
        self._to_write()
        with self._write_lock:
            if key in self.idx:
                raise ValueError(f"{self.idx_path}: the key {key} was used before")
            self._offsets[key] = self._append(buf, text)
            if self._keys is not None:
                self._keys.append(key)

    def __len__(self) -> int:
        """Count the records in the index."""
        return len(self.idx)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of a reader for pickling; the files stay open."""
        return {**super().__getstate__(), "_index": None, "_offsets": {}, "_keys": None, "_fidx": None}
