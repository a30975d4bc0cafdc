"""Handling of damaged samples: ``on_error``, ``error_log`` and ``max_errors``.

The native pipeline finds and skips damaged samples and keeps the batches full. Here, in the caller's thread, skipped
samples are listed, logged, reported to a function and counted.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from recio._storage import local_path
from recio._util import json_line, open_append, printable
from recio.errors import TooManyErrors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from recio._util import StrPath
    from recio.errors import DecodeError, RecordError

    OnError: TypeAlias = Literal["raise", "skip"] | Callable[[Exception], object]

_log = logging.getLogger("recio")


class SkippedSample(NamedTuple):
    """A sample that was skipped.

    Parameters
    ----------
    path : str or None
        Path of its file.
    record : int or None
        Number of the sample in its file or list, from 0.
    id : int or None
        Id in its header, if that could be read.
    offset : int or None
        Position in the file, in bytes.
    reason : str
        Description of the damage.
    """

    path: str | None
    record: int | None
    id: int | None
    offset: int | None
    reason: str


class ErrorPolicy:
    """Handling of damaged samples.

    Parameters
    ----------
    on_error : {'raise', 'skip'} or callable
        As for `recio.io.ImageRecordIter`.
    error_log : path or None
        Likewise.
    max_errors : int, float or None
        Likewise.

    Raises
    ------
    ValueError
        If a value is not allowed, or the last two are given with ``'raise'``.
    """

    def __init__(self, on_error: OnError, error_log: StrPath | None, max_errors: float | None) -> None:
        if on_error not in {"raise", "skip"} and not callable(on_error):
            raise ValueError(f"on_error must be 'raise', 'skip' or a function, got {on_error!r}")
        self.skips = on_error != "raise"
        if not self.skips and not (error_log is None and max_errors is None):
            raise ValueError(
                "error_log and max_errors need on_error='skip' or a function: nothing is skipped otherwise"
            )
        self.skipped: list[SkippedSample] = []
        self._callback = on_error if callable(on_error) else None
        self._log = None if error_log is None else ErrorLog(error_log)
        self._max = _checked_max(max_errors)

    @classmethod
    def of_keywords(cls, args: Mapping[str, Any]) -> ErrorPolicy:
        """Make the policy from the keywords of an iterator."""
        return cls(args["on_error"], args["error_log"], args["max_errors"])

    def report(self, errors: Sequence[RecordError | DecodeError | OSError | RuntimeError], samples: int) -> None:
        """List, log and report the errors of samples that were skipped, of `samples` in all.

        Images that a hook rejected by a RuntimeError are logged only.

        Raises
        ------
        TooManyErrors
            If more samples than `max_errors` were skipped; from then on at each call.
        Exception
            Whatever the caller's function raises.
        """
        damage = [error for error in errors if not isinstance(error, RuntimeError)]
        for error in errors:
            _log.warning("a sample is skipped: %s", printable(error))
        skipped = [_skipped_sample(error) for error in damage]
        self.skipped += skipped
        if skipped and self._log is not None:
            self._log.append(skipped)
        if self._callback is not None:
            for error in damage:
                self._callback(error)
        self._check_count(samples)

    def _check_count(self, samples: int) -> None:
        if self._max is None:
            return
        allowed = self._max * samples if isinstance(self._max, float) else self._max
        if len(self.skipped) > allowed:
            raise TooManyErrors(
                f"{len(self.skipped)} of {samples} samples could not be read, more than max_errors={self._max}; "
                f"the last: {self.skipped[-1]}"
            )


class ErrorLog:
    """File to which skipped samples are appended, one JSON object a line.

    A failure to write does not keep a batch from the caller: it is reported once, by a warning of the logger
    ``recio``, and the samples are written with the next ones.

    Parameters
    ----------
    path : path
        The file.
    """

    def __init__(self, path: StrPath) -> None:
        path = local_path("error_log", path)
        self._path = Path(os.path.abspath(path))  # noqa: PTH100 also when the folder is left
        self._unwritten: list[SkippedSample] = []
        self._has_failed = False

    def append(self, samples: Sequence[SkippedSample]) -> None:
        """Append samples, after those that could not be written before."""
        waiting = [*self._unwritten, *samples]
        try:
            lines = (json_line(sample._asdict()) + "\n" for sample in waiting)
            self._write("".join(lines).encode())
        except OSError as error:
            self._unwritten = waiting
            if not self._has_failed:
                _log.warning("error_log %s: %s", printable(self._path), error.strerror or error)
            self._has_failed = True
        else:
            self._unwritten = []

    def _write(self, lines: bytes) -> None:
        with open_append(self._path) as log:
            end = log.seek(0, os.SEEK_END) if log.seekable() else None
            try:
                written = 0
                while written < len(lines):
                    written += log.write(lines[written:])
            except OSError:
                if end is not None:
                    # Nothing may remain of a line that did not fit on the disk.
                    with contextlib.suppress(OSError):
                        log.truncate(end)
                raise


def _skipped_sample(error: RecordError | DecodeError | OSError) -> SkippedSample:
    path = getattr(error, "path", None)
    return SkippedSample(
        None if path is None else os.fspath(path),
        getattr(error, "record", None),
        getattr(error, "id", None),
        getattr(error, "offset", None),
        getattr(error, "reason", str(error)),
    )


def _checked_max(max_errors: float | None) -> float | None:
    if max_errors is None:
        return None
    is_count = isinstance(max_errors, int) and not isinstance(max_errors, bool) and max_errors >= 0
    is_fraction = isinstance(max_errors, float) and 0 <= max_errors <= 1
    if not (is_count or is_fraction):
        raise ValueError(
            f"max_errors must be an integer of at least 0, or a fraction from 0.0 to 1.0, got {max_errors!r}"
        )
    return max_errors
