"""Writing records into shards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recio import _recio
from recio._manifest import Shard, remove_shard, shard_of
from recio._storage import storage
from recio._util import Closeable

if TYPE_CHECKING:
    from types import TracebackType

    from recio._storage import AnyPath, StorageOptions

_UNLIMITED = (1 << 64) - 1


class ShardWriter(Closeable):
    """Writer of records into shards: ``PREFIX_00000.rec``, ``PREFIX_00001.rec`` and so on, each with its ``.idx``.

    A shard appears when it is complete: when the next one begins, or at the end of the ``with`` block. If the block
    raises, or `discard` is called, all shards of this writer are removed. No manifest is written: `write_manifest`
    makes one of the shards of any number of writers.

    Parameters
    ----------
    prefix : path
        Beginning of the shards' paths, before ``_00000.rec``.
    shard_size : int, optional
        Largest size of a shard in bytes. A record that is larger has a shard of its own. By default there is one shard.
    first_key : int, default 0
        Key of the first record, for those that are written without a key.
    checksum : bool, default False
        Whether to write a ``.rsum`` for each shard too: a checksum of each record.
    storage_options, filesystem
        As for `recio.io.ImageRecordIter`.

    Attributes
    ----------
    shards : list of Shard
        The shards that are complete: after `close`, all of them. There are none if no record was written.

    Raises
    ------
    ValueError
        If `shard_size` is less than 1.
    OSError
        If a file cannot be written.

    Examples
    --------
    >>> import recio
    >>> from recio.recordio import IRHeader, pack
    >>> with recio.files.ShardWriter("train", shard_size=1 << 30) as writer:
    ...     for number in range(3):
    ...         writer.write(pack(IRHeader(0, float(number), number, 0), b"image"))
    >>> recio.files.write_manifest("train.recset.json", writer.shards).records
    3
    """

    def __init__(
        self,
        prefix: AnyPath,
        *,
        shard_size: int | None = None,
        first_key: int = 0,
        checksum: bool = False,
        storage_options: StorageOptions = None,
        filesystem: object = None,
    ) -> None:
        if shard_size is not None and shard_size < 1:
            raise ValueError(f"shard_size must be at least 1, got {shard_size}")
        self.shards: list[Shard] = []
        self._prefix = storage(storage_options, filesystem).path(prefix)
        self._max_bytes = min(_UNLIMITED, shard_size or _UNLIMITED)
        self._next_key, self._checksum = first_key, checksum
        self._output: _recio.RecordFileOutput | None = None
        self._is_closed = False

    def write(self, record: bytes, key: int | None = None) -> None:
        """Append a record.

        Parameters
        ----------
        record : bytes
            The record, as `recio.recordio.pack` returns it.
        key : int, optional
            Its key in the index; by default the one after that of the record before it.
        """
        if self._is_closed:
            raise ValueError("the writer is closed")
        number = self._next_key if key is None else key
        if self._output is None or not self._output.append(number, record, self._max_bytes):
            self._begin_shard().append(number, record, self._max_bytes)
        self._next_key = number + 1

    def _begin_shard(self) -> _recio.RecordFileOutput:
        self._end_shard()
        self._output = _recio.RecordFileOutput(shard_of(self._prefix, len(self.shards)), self._checksum)
        return self._output

    def _end_shard(self) -> None:
        if self._output is not None:
            rec = shard_of(self._prefix, len(self.shards))
            self.shards.append(Shard(rec, *self._output.commit(), has_checksums=self._checksum))
            self._output = None

    def close(self) -> None:
        """Complete the last shard; a second call does nothing. If it cannot be written, all shards are removed."""
        if self._is_closed:
            return
        try:
            self._end_shard()
        except BaseException:
            self.discard()
            raise
        self._is_closed = True

    def discard(self) -> None:
        """Remove all shards of this writer, unless it is closed."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._output is not None:
            self._output.discard()
        for shard in reversed(self.shards):
            remove_shard(shard.rec)
        self.shards = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Complete the last shard or, if the block has raised, remove all."""
        if kind is not None:
            self.discard()
        self.close()
